import {
  type AcquireOptions,
  assert,
  type Cancel,
  type HeldLock,
  type LockInfo,
  type LockMode,
  type LockOptions,
  type Locks,
  unreachable,
  VERSION_OF,
} from '@cluster/core'
import { broken, deadlock, modeDiffers, optionInvalid, sessionLost, tooMany } from '../errors.ts'
import { LIMIT_NAMES } from '../machine/codec.ts'
import { MutexMachine } from '../machine/machine.ts'
import type { MutexEffect } from '../machine/state.ts'
import { type MutexOptions, settings } from '../options.ts'
import { type Context, type MutexPorts, send } from './context.ts'
import { Expiry } from './expiry.ts'
import type { Grant } from './grant.ts'
import { infoOf } from './info.ts'
import { ClusterLatches } from './latches.ts'
import { checkPatience, checkText, within } from './patience.ts'
import type { LiveSession } from './session.ts'
import { Sessions } from './sessions.ts'
import { demandLocks } from './version.ts'

const PERMITS_MAX = 1_000_000

interface Wish {
  readonly name: string
  readonly mode: LockMode
  readonly permits: number
  readonly limit: number
  readonly owner: object | null
}

/**
 * The locks of a cluster, over its ordered log. Call it before the log is started: it attaches the machine `mutex`.
 * @throws MUTEX_OPTION_INVALID
 */
export function mutex(options: MutexOptions = {}): (ports: MutexPorts) => Locks {
  const complete = settings(options)
  return (ports) => {
    // The machine speaks only once the log runs, and by then there is somebody to hear it.
    let hear: (effects: readonly MutexEffect[]) => void = () => {}
    const machine = new MutexMachine(complete.limits, (effects) => hear(effects))
    ports.log.attach(machine)
    const locks = new ClusterLocks({ ...ports, machine, settings: complete })
    hear = (effects) => locks.hear(effects)
    return locks
  }
}

class ClusterLocks implements Locks {
  readonly latches: ClusterLatches
  readonly #context: Context
  readonly #sessions: Sessions
  readonly #expiry: Expiry
  readonly #owners = new WeakMap<object, number>()
  #ownersGiven = 0
  readonly #watchers = new Map<string, Set<(info: LockInfo | null) => void>>()

  constructor(context: Context) {
    this.#context = context
    this.#sessions = new Sessions(context)
    this.#expiry = new Expiry(context)
    this.latches = new ClusterLatches(context)
  }

  hear(effects: readonly MutexEffect[]): void {
    for (const effect of effects) {
      this.#expiry.hear(effect)
      if (effect.type === 'restored') this.#restored()
      else if (effect.type === 'changed') this.#changed(effect.name)
      else if (effect.type === 'latch') this.latches.hear(effect.name, effect.count)
      else this.#mine(effect)
    }
  }

  async acquire(name: string, options: AcquireOptions = {}): Promise<HeldLock> {
    const wish = readWish(name, options)
    const { timeoutMs, signal } = options
    checkPatience({ timeoutMs, signal })
    let over = false
    const asking = this.#sessions.use().then(async (session) => {
      if (over) throw sessionLost('nobody waits any more')
      return this.#ask(session, wish, true)
    })
    try {
      const grant = await within(this.#context.clock, name, asking.then(granted), { timeoutMs, signal })
      assert(grant !== null, 'who may wait is never sent away')
      return grant.handle()
    } catch (error) {
      over = true
      // The wish may still be on its way, or wait in line: it is given back behind that.
      asking.then(
        (grant) => this.#letGo(grant),
        () => {
          // Nothing was asked for, so there is nothing to give back.
        },
      )
      throw error
    }
  }

  async tryAcquire(name: string, options: LockOptions = {}): Promise<HeldLock | null> {
    const wish = readWish(name, options)
    if (wish.mode === 'barrier')
      throw optionInvalid('mode', 'barrier', 'another one, as a barrier is waited for')
    const session = await this.#sessions.use()
    return (await granted(await this.#ask(session, wish, false)))?.handle() ?? null
  }

  async describe(name?: string): Promise<readonly LockInfo[]> {
    const { log, machine } = this.#context
    await log.applied(await log.barrier())
    const names = name === undefined ? [...machine.locks.keys()].sort() : [name]
    return names.flatMap((each) => this.#info(each) ?? [])
  }

  async break(name: string, reason: string): Promise<number> {
    checkText('name', name)
    if (typeof reason !== 'string' || reason.trim() === '' || reason.length > 1_000)
      throw optionInvalid('reason', reason, 'a text of 1 to 1000 characters')
    await demandLocks(this.#context.log)
    const { value } = await send(this.#context, { type: 'break', name, reason: reason.toWellFormed() })
    this.#context.logger.log('warn', 'lock broken by an operator', { lock: name, reason, holders: value })
    return value
  }

  watch(name: string, listener: (info: LockInfo | null) => void): Cancel {
    // A wrapper makes two registrations of one function independent.
    const entry = (info: LockInfo | null): void => listener(info)
    const known = this.#watchers.get(name)
    if (known) known.add(entry)
    else this.#watchers.set(name, new Set([entry]))
    return () => {
      const all = this.#watchers.get(name)
      all?.delete(entry)
      if (all?.size === 0) this.#watchers.delete(name)
    }
  }

  async stop(): Promise<void> {
    this.#expiry.stop()
    this.#watchers.clear()
    this.latches.stop()
    await this.#sessions.stop()
  }

  /** The place in the order, granted or in line; null when somebody is in the way and it was not to wait. */
  async #ask(session: LiveSession, wish: Wish, wait: boolean): Promise<Grant | null> {
    const grant = session.claim(wish.name, wish.mode)
    const { request } = grant
    const { limits } = this.#context.settings
    const { owner, ...rest } = wish
    const fail = (error: unknown): never => {
      session.forget(grant)
      throw error
    }
    const {
      status,
      value,
      cycle = [],
    } = await session
      .insist(
        { type: 'acquire', session: session.id, request, ...rest, wait, ...this.#ownerOf(owner) },
        `acquire ${request}`,
      )
      .catch(fail)
    switch (status) {
      case 'granted':
      case 'queued':
        return grant
      case 'busy':
        session.forget(grant)
        return null
      case 'sessionGone':
        session.lose('the log says so')
        return fail(session.lost)
      case 'deadlock':
        return fail(deadlock(wish.name, cycle))
      case 'modeDiffers':
        return fail(modeDiffers(wish.name))
      case 'limit': {
        const limit = LIMIT_NAMES[value]
        assert(limit !== undefined, 'the limit has a name')
        return fail(tooMany(limit, limits[limit]))
      }
      case 'done':
      case 'kept':
      case 'stale':
      case 'malformed':
        throw new TypeError(`the machine answered ${status} to a wish for a lock`)
      default:
        return unreachable(status)
    }
  }

  /** The number of who asks, which no other of this process has; none while a member does not know of owners. */
  #ownerOf(owner: object | null): { readonly owner?: number } {
    if (owner === null || this.#context.log.group().version < VERSION_OF.lockOwners) return {}
    const known = this.#owners.get(owner)
    if (known !== undefined) return { owner: known }
    const number = ++this.#ownersGiven
    this.#owners.set(owner, number)
    return { owner: number }
  }

  #letGo(grant: Grant | null): void {
    grant?.giveBack().catch((error: unknown) => grant.report(error))
  }

  /** What an entry did to the session of this process. */
  #mine(effect: Exclude<MutexEffect, { type: 'changed' | 'restored' | 'latch' }>): void {
    const session = this.#sessions.current
    if (session?.id !== effect.session) return
    if (effect.type === 'ended') session.lose('the log says so')
    else if (effect.type === 'granted') session.grant(effect.request)?.grant(effect.token)
    else if (effect.type === 'broken') {
      const grant = session.grant(effect.request)
      if (grant === undefined) return
      grant.lose(broken(grant.name, effect.reason))
      // Behind this entry, as it is in the middle of being applied.
      queueMicrotask(() => this.#letGo(grant))
    }
  }

  /** Another state took the place of the one known here: what has come of our own wishes is read from it. */
  #restored(): void {
    const session = this.#sessions.current
    const { machine } = this.#context
    if (session !== null) {
      if (machine.sessions.get(session.id)?.uid !== session.uid) session.lose('the log says so')
      for (const { name } of [...session.grants]) {
        for (const claim of machine.locks.get(name)?.holders ?? []) {
          if (claim.session !== session.id) continue
          const { request, token, broken: reason } = claim
          this.#mine({ type: 'granted', session: session.id, request, token })
          if (reason !== null) this.#mine({ type: 'broken', session: session.id, request, reason })
        }
      }
    }
    for (const name of this.#watchers.keys()) this.#changed(name)
    this.latches.restored()
  }

  #changed(name: string): void {
    const watchers = this.#watchers.get(name)
    if (!watchers) return
    const info = this.#info(name)
    for (const watcher of [...watchers]) watcher(info)
  }

  #info(name: string): LockInfo | null {
    const { machine, clock } = this.#context
    return infoOf(machine, name, clock.wall())
  }
}

/** Waits for its turn. */
async function granted(grant: Grant | null): Promise<Grant | null> {
  await grant?.granted()
  return grant
}

/** @throws MUTEX_OPTION_INVALID */
function readWish(name: string, options: LockOptions): Wish {
  const { mode, permits = 1, limit } = options
  const owner = options.owner ?? null
  checkText('name', name)
  if (owner !== null && typeof owner !== 'object')
    throw optionInvalid('owner', owner, 'an object that stands for who asks')
  const wanted = mode ?? (limit === undefined ? 'exclusive' : 'permits')
  if (!['exclusive', 'shared', 'permits', 'barrier'].includes(wanted))
    throw optionInvalid('mode', wanted, "'exclusive', 'shared', 'permits' or 'barrier'")
  const whole = (value: number | undefined, max: number): boolean =>
    value !== undefined && Number.isInteger(value) && value >= 1 && value <= max
  if (wanted === 'exclusive' || wanted === 'shared') {
    if (permits !== 1) throw optionInvalid('permits', permits, 'left out, as only semaphores have permits')
    if (limit !== undefined) throw optionInvalid('limit', limit, 'left out, as only semaphores have a limit')
    return { name, mode: wanted, permits, limit: 0, owner }
  }
  if (limit === undefined || !whole(limit, PERMITS_MAX))
    throw optionInvalid('limit', limit, 'a whole number from 1 to 1000000')
  if (wanted === 'barrier' && permits !== 1)
    throw optionInvalid('permits', permits, 'left out, as only semaphores have permits')
  if (!whole(permits, limit)) throw optionInvalid('permits', permits, 'a whole number from 1 to limit')
  return { name, mode: wanted, permits, limit, owner }
}
