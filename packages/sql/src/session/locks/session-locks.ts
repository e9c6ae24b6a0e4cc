import { type BundleCondition, errorCode, type HeldLock, type Locks } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { LockCall, LockMode } from '../../functions/function.ts'

const isDeadlock = (error: unknown): error is Error =>
  error instanceof Error && errorCode(error) === 'MUTEX_DEADLOCK'

type Take = Extract<LockCall, { kind: 'take' }>
type Scope = Take['scope']

/** One lock that the session has, however often it took it. */
interface Held {
  readonly lock: HeldLock
  /** How often it was taken and not given back, by scope and mode. */
  readonly counts: Record<Scope, Record<LockMode, number>>
}

/** How patient a statement is. */
export interface LockPatience {
  readonly signal: AbortSignal | null
  /** 0: for ever. */
  readonly timeoutMs: number
}

/**
 * The locks of one session. It may take one more than once, and gives it back as often; what belongs to the transaction
 * goes with it, everything with the session.
 */
export class SessionLocks {
  readonly #locks: Locks | null
  readonly #held = new Map<string, Held>()
  /** What the open transaction took, lost or not: its commit depends on all of it. */
  #transaction: BundleCondition[] = []
  /** Ends waiting when the session ends. Made for the first lock: most sessions take none, and a signal is not cheap. */
  #closing: AbortController | null = null
  #closed = false

  constructor(locks: Locks | null) {
    this.#locks = locks
  }

  /** Does what a function asked for. @throws 0A000, 55P03, 57014 and what the locks throw */
  async perform(call: Exclude<LockCall, { kind: 'sleep' }>, patience: LockPatience): Promise<bigint | null> {
    switch (call.kind) {
      case 'take':
        return this.#take(call, patience)
      case 'give':
        return this.#give(call.name, call.mode)
      case 'giveAll':
        return this.#giveAll(call.prefix)
      case 'break':
        return BigInt(await this.#service().break(call.name, call.reason))
    }
  }

  /** The fences of everything that belongs to the transaction. */
  get transactionFences(): readonly BundleCondition[] {
    return this.#transaction
  }

  /**
   * The fences that the setting `cluster.fence` names: locks of this session, with commas between, or `*` for all.
   * @throws 55L01 when the session does not have one of them
   */
  fences(setting: string): readonly BundleCondition[] {
    if (setting === '') return []
    if (setting === '*') return [...this.#held.values()].map(({ lock }) => lock.fence)
    return setting.split(',').map((part) => {
      const name = part.trim()
      const held = this.#held.get(name)
      if (held !== undefined) return held.lock.fence
      throw sqlError(
        SQLSTATE.fenced,
        `cluster.fence names the lock "${name}", which this session does not have`,
        {
          hint: 'Take it with cluster_lock(), or RESET cluster.fence.',
        },
      )
    })
  }

  /** Ends what belongs to the transaction. Resolves when the locks are free. */
  async endTransaction(): Promise<void> {
    if (this.#transaction.length === 0) return
    this.#transaction = []
    const over: Promise<void>[] = []
    for (const [name, held] of this.#held) {
      held.counts.transaction = { exclusive: 0, shared: 0 }
      if (this.#letGo(name, held)) over.push(held.lock.release())
    }
    await Promise.all(over)
  }

  /** Ends all of it. */
  close(): void {
    this.#closed = true
    this.#closing?.abort()
    const held = [...this.#held.values()]
    this.#held.clear()
    this.#transaction = []
    // Whatever comes of it, the locks are free when the session of the node ends.
    for (const { lock } of held) void lock.release()
  }

  async #take(call: Take, patience: LockPatience): Promise<bigint | null> {
    const { name, mode } = call
    const known = this.#held.get(name)
    if (known?.lock.held) {
      if (mode === 'exclusive' && known.lock.mode === 'shared') {
        if (!call.wait) return null
        throw sqlError(
          SQLSTATE.featureNotSupported,
          `the session has the lock "${name}" as a shared one, which cannot become an exclusive one`,
          { hint: 'Give it back first, or take it exclusively from the start.' },
        )
      }
      return this.#note(known, call)
    }
    // One that was lost must not stand in the way of the new one.
    if (known !== undefined) this.#held.delete(name)
    const lock = await this.#acquire(call, patience)
    if (lock === null) return null
    if (this.#closed) {
      await lock.release()
      throw sqlError('08003', 'the session was closed while it waited for a lock')
    }
    const none = (): Record<LockMode, number> => ({ exclusive: 0, shared: 0 })
    const held: Held = { lock, counts: { session: none(), transaction: none() } }
    this.#held.set(name, held)
    return this.#note(held, call)
  }

  #note({ lock, counts }: Held, { mode, scope }: Take): bigint {
    counts[scope][mode]++
    if (scope === 'transaction' && !this.#transaction.includes(lock.fence)) this.#transaction.push(lock.fence)
    return BigInt(lock.token)
  }

  async #acquire({ name, mode, wait }: Take, { signal, timeoutMs }: LockPatience): Promise<HeldLock | null> {
    const locks = this.#service()
    if (!wait) return locks.tryAcquire(name, { mode, owner: this })
    this.#closing ??= new AbortController()
    const closing = this.#closing
    try {
      return await locks.acquire(name, {
        mode,
        owner: this,
        signal: signal === null ? closing.signal : AbortSignal.any([signal, closing.signal]),
        ...(timeoutMs === 0 ? {} : { timeoutMs }),
      })
    } catch (error) {
      if (isDeadlock(error))
        throw sqlError('40P01', 'deadlock detected', {
          detail: error.message,
          hint: 'End the transaction and run it again. Locks that everybody takes in one order never lead here.',
          cause: error,
        })
      if (errorCode(error) !== 'MUTEX_TIMEOUT') throw error
      throw sqlError('55P03', 'canceling statement due to lock timeout', {
        detail: `The lock "${name}" was not free within ${timeoutMs} ms.`,
        hint: 'SELECT * FROM cluster_locks shows who has it.',
        cause: error,
      })
    }
  }

  async #give(name: string, mode: LockMode): Promise<bigint | null> {
    const held = this.#held.get(name)
    if (held === undefined || held.counts.session[mode] === 0) return 0n
    held.counts.session[mode]--
    if (this.#letGo(name, held)) await held.lock.release()
    return 1n
  }

  /** Gives back all that the session itself has. */
  async giveAll(): Promise<void> {
    await this.#giveAll('')
  }

  async #giveAll(prefix: string): Promise<bigint> {
    const over: Promise<void>[] = []
    for (const [name, held] of this.#held) {
      if (!name.startsWith(prefix)) continue
      held.counts.session = { exclusive: 0, shared: 0 }
      if (this.#letGo(name, held)) over.push(held.lock.release())
    }
    await Promise.all(over)
    return BigInt(over.length)
  }

  /** Forgets a lock that nothing needs any more. True when it is to be released. */
  #letGo(name: string, { lock, counts }: Held): boolean {
    const { session, transaction } = counts
    if (session.exclusive + session.shared + transaction.exclusive + transaction.shared > 0) return false
    if (this.#held.get(name)?.lock === lock) this.#held.delete(name)
    return true
  }

  #service(): Locks {
    if (this.#locks !== null) return this.#locks
    throw sqlError(
      SQLSTATE.featureNotSupported,
      'there are no locks here: the database is not part of a cluster',
    )
  }
}
