import { type Cancel, delay, errorCode, isClusterError, type LockMode } from '@cluster/core'
import { sessionLost } from '../errors.ts'
import type { MutexCommand, MutexResult } from '../machine/codec.ts'
import { type Context, note, send } from './context.ts'
import { Grant, type GrantOwner } from './grant.ts'

/** A holder trusts this part of its lease, so that clocks may differ in rate by a tenth. */
const TRUSTED = 0.9
/** Renewals in one lease. */
const RENEWALS = 3
const RETRIES_PER_LEASE = 20
/** A timer that is late by this part of a lease says that the event loop stood still. */
const HELD_UP = 0.05

/**
 * The session of this process: kept alive while it has locks or waits for some, over when it has none. Its end here comes
 * before its end in the log, unless the log says so first, by the word of this very node or when it is out of the group.
 */
export class LiveSession implements GrantOwner {
  readonly id: number
  readonly uid: string
  readonly #context: Context
  readonly #ended: (session: LiveSession) => void
  readonly #grants = new Map<number, Grant>()
  #validUntil: number
  #requests = 0
  #used = true
  #lost: unknown = null
  readonly #unsure: (() => void)[] = []
  #cancelEnd: Cancel = () => {}
  #cancelRenewal: Cancel = () => {}

  /** @param sentAt when the word that opened it was sent, by the clock of this node */
  constructor(
    context: Context,
    id: number,
    uid: string,
    sentAt: number,
    ended: (session: LiveSession) => void,
  ) {
    this.#context = context
    this.id = id
    this.uid = uid
    this.#ended = ended
    this.#validUntil = sentAt + context.settings.leaseMs * TRUSTED
    this.#watchEnd()
    this.#planRenewal(context.settings.leaseMs / RENEWALS)
  }

  valid(): boolean {
    return this.#lost === null && this.#context.clock.now() < this.#validUntil
  }

  /** Why it is over; null while it is not. */
  get lost(): unknown {
    return this.#lost
  }

  /** The wish of that number, unless it was given back. */
  grant(request: number): Grant | undefined {
    return this.#grants.get(request)
  }

  get grants(): Iterable<Grant> {
    return this.#grants.values()
  }

  claim(name: string, mode: LockMode): Grant {
    this.#used = true
    const grant = new Grant(this, ++this.#requests, name, mode)
    this.#grants.set(grant.request, grant)
    return grant
  }

  forget(grant: Grant): void {
    this.#grants.delete(grant.request)
  }

  async giveBack(request: number): Promise<void> {
    this.#grants.delete(request)
    if (this.#lost !== null) return
    try {
      await this.insist({ type: 'release', session: this.id, request }, `release ${request}`)
    } catch (error) {
      // It ends with the session, which is not renewed when the log takes nothing.
      if (this.#lost === null) throw error
    }
  }

  report(name: string, error: unknown): void {
    this.#context.logger.log('warn', 'lock not given back', { lock: name, error: String(error) })
  }

  /**
   * Submits until it is known what came of it, or the session is over. The same key makes that once.
   * @throws MUTEX_SESSION_LOST, and what the log rejects a new command with
   */
  async insist(command: Exclude<MutexCommand, { type: 'latch' }>, key: string): Promise<MutexResult> {
    const { clock, settings } = this.#context
    for (;;) {
      if (this.#lost !== null) throw this.#lost
      try {
        return await send(this.#context, command, { key: `${this.uid} ${key}`, deadlineMs: settings.leaseMs })
      } catch (error) {
        if (errorCode(error) === 'STOPPED') this.lose('the log of this node was stopped')
        const unknown = isClusterError(error) && error.outcome === 'unknown'
        // What must be given back is given back whatever comes; what is asked for can be asked for again by the caller.
        if (!unknown && command.type !== 'release') throw error
        if (!isClusterError(error)) throw error
      }
      await delay(clock, settings.leaseMs / RETRIES_PER_LEASE)
    }
  }

  /** Over for this process: nobody here has any of its locks from here on. */
  lose(why: string): void {
    if (this.#lost !== null) return
    const error = sessionLost(why)
    this.#lost = error
    this.#cancelEnd()
    this.#cancelRenewal()
    for (const grant of [...this.#grants.values()]) grant.lose(error)
    this.#grants.clear()
    this.#ended(this)
    this.#decided()
  }

  /** Ends it in good order, for those who wait in line. */
  async close(why: string): Promise<void> {
    this.lose(why)
    await note(this.#context, { type: 'close', session: this.id })
  }

  /** Resolves when it is valid, or over: after the event loop stood still it may be neither. */
  sure(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#lost !== null || this.valid()) resolve()
      else this.#unsure.push(resolve)
    })
  }

  #decided(): void {
    for (const resolve of this.#unsure.splice(0)) resolve()
  }

  /** @param patienceMs how long behind its end it may still turn out that the log has kept it */
  #watchEnd(patienceMs = 0): void {
    const { clock, settings } = this.#context
    const endsAt = this.#validUntil + patienceMs
    this.#cancelEnd()
    this.#cancelEnd = clock.after(Math.max(0, endsAt - clock.now()), () => {
      const lateMs = clock.now() - endsAt
      if (patienceMs === 0 && lateMs > settings.leaseMs * HELD_UP) {
        // The event loop stood still, so renewals were not even tried. The leader may have seen that this process is there.
        this.#watchEnd(lateMs + settings.leaseMs / RENEWALS)
        return
      }
      // Those who wait need not wait until the lease is over in the log as well.
      void this.close('it could not be renewed in time')
    })
  }

  #planRenewal(afterMs: number): void {
    this.#cancelRenewal = this.#context.clock.after(afterMs, () => {
      if (this.#grants.size > 0 || this.#used) void this.#renew()
      else void this.close('nothing was held or waited for')
      this.#used = false
    })
  }

  async #renew(): Promise<void> {
    const { clock, settings, logger } = this.#context
    const { leaseMs } = settings
    // The lease counts from here: the entry comes later, so the log's view of it ends later.
    const sentAt = clock.now()
    let next = leaseMs / RENEWALS
    try {
      const { status } = await send(
        this.#context,
        { type: 'renew', session: this.id },
        { deadlineMs: leaseMs / RENEWALS },
      )
      if (this.#lost !== null) return
      if (status !== 'done') return this.lose('the log says so')
      this.#validUntil = sentAt + leaseMs * TRUSTED
      this.#watchEnd()
      this.#decided()
      next = Math.max(0, sentAt + next - clock.now())
    } catch (error) {
      if (this.#lost !== null) return
      if (errorCode(error) === 'STOPPED') return this.lose('the log of this node was stopped')
      if (!isClusterError(error)) throw error
      logger.log('debug', 'session of locks not renewed', { code: error.code })
      next = leaseMs / RETRIES_PER_LEASE
    }
    this.#planRenewal(next)
  }
}
