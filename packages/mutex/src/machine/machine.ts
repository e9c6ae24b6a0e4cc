import {
  assert,
  type BundleSupport,
  type LogEntry,
  type LogIndex,
  type NodeId,
  type StateMachine,
} from '@cluster/core'
import {
  decodeCommand,
  decodeRequirement,
  decodeResult,
  encodeResult,
  LIMIT_NAMES,
  type MutexCommand,
  type MutexResult,
  type MutexStatus,
} from './codec.ts'
import { WaitingClaims } from './deadlock.ts'
import { emptyState, type MutexState, readState, writeState } from './snapshot.ts'
import {
  type Claim,
  fits,
  type Lock,
  MUTEX_LIMITS,
  type MutexEffect,
  type MutexLimits,
  type Session,
  sameKind,
} from './state.ts'

export const MUTEX_MACHINE = 'mutex'
const REASON_LENGTH_MAX = 1_000
const PERMITS_MAX = 1_000_000

type Acquire = Extract<MutexCommand, { type: 'acquire' }>

const encoder = new TextEncoder()
/** Whether permits and limit go with the mode. */
function makesSense({ mode, permits, limit, wait }: Acquire): boolean {
  if (mode === 'permits') return permits <= limit
  // Nobody is let in alone, so there is nothing to try.
  if (mode === 'barrier') return permits === 1 && limit > 0 && wait
  return permits === 1 && limit === 0
}

const answer = (status: MutexStatus, value = 0): MutexResult => ({ status, value })

/**
 * Sessions and the locks that they have and wait for. Nothing happens by itself: a session ends by an entry, and what it
 * had passes on at that very entry.
 */
export class MutexMachine implements StateMachine {
  readonly name = MUTEX_MACHINE
  readonly #limits: MutexLimits
  readonly #tell: (effects: readonly MutexEffect[]) => void
  #state: MutexState = emptyState()
  #waiting = new WaitingClaims()
  #effects: MutexEffect[] = []
  #changed = new Set<string>()
  /** How to take back what the bundle under way did, the newest last; null outside of bundles. */
  #undo: (() => void)[] | null = null

  /** @param tell hears what each entry, or adopted bundle, changed on this node */
  constructor(
    limits: MutexLimits = MUTEX_LIMITS,
    tell: (effects: readonly MutexEffect[]) => void = () => {},
  ) {
    this.#limits = limits
    this.#tell = tell
  }

  /** The newest token or session id; it only grows. */
  get counter(): number {
    return this.#state.counter
  }

  get sessions(): ReadonlyMap<number, Readonly<Session>> {
    return this.#state.sessions
  }

  get locks(): ReadonlyMap<string, Readonly<Lock>> {
    return this.#state.locks
  }

  /** Counts of latches that are not open. */
  get latches(): ReadonlyMap<string, number> {
    return this.#state.latches
  }

  apply(entry: LogEntry): Uint8Array {
    const command = decodeCommand(entry.command)
    const result = command === null ? answer('malformed') : this.#run(command, entry)
    if (this.#undo === null) this.#flush()
    return encodeResult(result)
  }

  readonly bundles: BundleSupport = {
    check: (condition) => {
      const wanted = decodeRequirement(condition)
      const lock = wanted && this.#state.locks.get(wanted.name)
      const claim = lock?.holders.find(({ token }) => token === wanted?.token)
      if (!wanted || !claim || claim.broken !== null) return false
      return this.#state.sessions.get(claim.session)?.uid === wanted.uid
    },
    begin: () => {
      assert(this.#undo === null, 'bundles of locks are not nested')
      this.#undo = []
    },
    commit: () => {
      this.#undo = null
      this.#flush()
    },
    rollback: () => {
      for (const undo of (this.#undo ?? []).reverse()) undo()
      this.#undo = null
      this.#effects = []
      this.#changed.clear()
    },
    refuses: (result) => {
      const { status } = decodeResult(result)
      return status !== 'done' && status !== 'granted'
    },
  }

  snapshot(): Uint8Array {
    return writeState(this.#state)
  }

  restore(snapshot: Uint8Array | null, _index: LogIndex): void {
    this.#state = snapshot === null ? emptyState() : readState(snapshot)
    this.#waiting = WaitingClaims.of(this.#state.locks.values())
    this.#tell([{ type: 'restored' }])
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }

  empty(): boolean {
    return this.#state.locks.size === 0 && this.#state.latches.size === 0
  }

  #run(command: MutexCommand, entry: LogEntry): MutexResult {
    switch (command.type) {
      case 'open':
        return this.#open(command, entry)
      case 'expire':
        return this.#expire(command.session, entry)
      case 'gone': {
        const over = this.#sessionsOf(command.node).filter(({ id }) => id <= command.upTo)
        for (const session of over) this.#end(session, entry)
        return answer('done', over.length)
      }
      case 'break':
        return this.#break(command.name, command.reason)
      case 'latch':
        return command.set
          ? this.#setLatch(command.name, command.count)
          : this.#countDown(command.name, command.count)
      default: {
        const session = this.#state.sessions.get(command.session)
        // A session is used by the node that opened it and by nobody else.
        if (session === undefined || session.node !== entry.origin) return answer('sessionGone')
        return this.#use(session, command, entry)
      }
    }
  }

  #use(
    session: Session,
    command: Extract<MutexCommand, { type: 'renew' | 'close' | 'acquire' | 'release' }>,
    entry: LogEntry,
  ): MutexResult {
    switch (command.type) {
      case 'renew': {
        const { renewedAt } = session
        session.renewedAt = entry.time
        this.#did(() => {
          session.renewedAt = renewedAt
        })
        this.#effects.push({ type: 'renewed', session: session.id })
        return answer('done', session.id)
      }
      case 'close':
        this.#end(session, entry)
        return answer('done', session.id)
      case 'acquire':
        return this.#acquire(session, command, entry)
      case 'release': {
        const name = session.requests.get(command.request)
        if (name !== undefined) {
          this.#drop(session, command.request, name)
          this.#pass(name, entry)
        }
        return answer('done', name === undefined ? 0 : 1)
      }
    }
  }

  #open({ uid, known, leaseMs }: Extract<MutexCommand, { type: 'open' }>, entry: LogEntry): MutexResult {
    if (leaseMs < 1) return answer('malformed')
    const before = this.#sessionsOf(entry.origin)
    if (before.some(({ id }) => id > known)) return answer('stale')
    // A process has one session at a time: whatever the node had before belonged to a process that is gone, or gave it up.
    for (const session of before) this.#end(session, entry)
    if (this.#state.sessions.size >= this.#limits.sessions) return this.#over('sessions')
    const id = this.#next(entry)
    const session: Session = {
      id,
      uid,
      node: entry.origin,
      leaseMs,
      renewedAt: entry.time,
      requests: new Map(),
    }
    this.#state.sessions.set(id, session)
    this.#did(() => this.#state.sessions.delete(id))
    this.#effects.push({ type: 'opened', session: id })
    return answer('done', id)
  }

  #expire(id: number, entry: LogEntry): MutexResult {
    const session = this.#state.sessions.get(id)
    if (session === undefined) return answer('sessionGone')
    // The note was right when it was sent; a renewal may have come before it.
    const left = session.renewedAt + session.leaseMs - entry.time
    if (left > 0) return answer('kept', Math.ceil(left))
    this.#end(session, entry)
    return answer('done', 1)
  }

  #acquire(session: Session, command: Acquire, entry: LogEntry): MutexResult {
    const { name, request, mode, permits, limit, wait, owner = 0 } = command
    const known = session.requests.get(request)
    if (known !== undefined) return this.#standing(session.id, request, known)
    const bytes = encoder.encode(name).length
    if (bytes === 0 || permits < 1 || limit > PERMITS_MAX) return answer('malformed')
    if (!makesSense(command)) return answer('malformed')
    if (bytes > this.#limits.nameBytes) return this.#over('nameBytes')
    if (session.requests.size >= this.#limits.requests) return this.#over('requests')
    const found = this.#state.locks.get(name)
    if (found && !sameKind(found, mode, limit)) return answer('modeDiffers')
    if (!found && this.#state.locks.size >= this.#limits.locks) return this.#over('locks')
    const lock = found ?? this.#create(name, limit)
    const claim: Claim = {
      session: session.id,
      request,
      mode,
      permits,
      owner,
      wall: entry.wall,
      token: 0,
      broken: null,
    }
    // Who comes later does not overtake, even where it would fit.
    const free = lock.queue.length === 0 && fits(lock, claim)
    if (!free && !wait) return answer('busy')
    const completes = mode === 'barrier' && lock.queue.length + 1 === limit
    const cycle = free ? null : this.#waiting.cycle(claim, lock, (id) => this.#nodeOf(id))
    if (cycle !== null) return { ...answer('deadlock'), cycle }
    if (!free && !completes && lock.queue.length >= this.#limits.queue) return this.#over('queue')
    session.requests.set(request, name)
    this.#did(() => session.requests.delete(request))
    this.#changed.add(name)
    if (free) return answer('granted', this.#grant(lock, claim, entry))
    lock.queue.push(claim)
    this.#waiting.add(claim, lock)
    this.#did(() => {
      lock.queue.pop()
      this.#waiting.remove(claim)
    })
    if (completes) {
      this.#letIn(lock, limit, entry)
      return answer('granted', claim.token)
    }
    return answer('queued', lock.queue.length - 1)
  }

  /** Grants to so many at the head of the line. */
  #letIn(lock: Lock, count: number, entry: LogEntry): void {
    for (let left = count; left > 0; left--) {
      const next = lock.queue.shift()
      assert(next, `the line of ${lock.name} is as long as it was`)
      this.#waiting.remove(next)
      this.#did(() => {
        lock.queue.unshift(next)
        this.#waiting.add(next, lock)
      })
      this.#grant(lock, next, entry)
    }
  }

  #setLatch(name: string, count: number): MutexResult {
    const { latches } = this.#state
    const bytes = encoder.encode(name).length
    if (bytes === 0 || count < 1 || count > PERMITS_MAX) return answer('malformed')
    if (bytes > this.#limits.nameBytes) return this.#over('nameBytes')
    if (latches.has(name)) return answer('done', 0)
    if (latches.size >= this.#limits.locks) return this.#over('locks')
    this.#latch(name, count)
    return answer('done', 1)
  }

  #countDown(name: string, by: number): MutexResult {
    const count = this.#state.latches.get(name)
    if (count === undefined) return answer('done', 0)
    const left = Math.max(0, count - by)
    this.#latch(name, left)
    return answer('done', left)
  }

  #latch(name: string, count: number): void {
    const { latches } = this.#state
    const before = latches.get(name)
    if (count === 0) latches.delete(name)
    else latches.set(name, count)
    this.#did(() => {
      if (before === undefined) latches.delete(name)
      else latches.set(name, before)
    })
    this.#effects.push({ type: 'latch', name, count })
  }

  /** The answer to a request that is known already. */
  #standing(session: number, request: number, name: string): MutexResult {
    const lock = this.#state.locks.get(name)
    assert(lock, `the lock ${name} of a request exists`)
    const mine = (claim: Claim): boolean => claim.session === session && claim.request === request
    const holder = lock.holders.find(mine)
    return holder ? answer('granted', holder.token) : answer('queued', lock.queue.findIndex(mine))
  }

  /** Those who have it are told to let go. It passes on when they did, so that nobody has it who does not know. */
  #break(name: string, reason: string): MutexResult {
    const holders = this.#state.locks.get(name)?.holders ?? []
    for (const claim of holders) {
      const { broken } = claim
      claim.broken = reason.slice(0, REASON_LENGTH_MAX).toWellFormed()
      this.#did(() => {
        claim.broken = broken
      })
      this.#effects.push({
        type: 'broken',
        session: claim.session,
        request: claim.request,
        reason: claim.broken,
      })
      this.#changed.add(name)
    }
    return answer('done', holders.length)
  }

  #end(session: Session, entry: LogEntry): void {
    this.#state.sessions.delete(session.id)
    this.#did(() => this.#state.sessions.set(session.id, session))
    this.#effects.push({ type: 'ended', session: session.id })
    // Everything goes before anything passes on, so that nothing passes on to the session itself.
    const names = new Set<string>()
    for (const [request, name] of [...session.requests]) {
      this.#drop(session, request, name)
      names.add(name)
    }
    for (const name of [...names].sort()) this.#pass(name, entry)
  }

  /** Takes a claim out of its lock. */
  #drop(session: Session, request: number, name: string): void {
    session.requests.delete(request)
    this.#did(() => session.requests.set(request, name))
    const lock = this.#state.locks.get(name)
    assert(lock, `the lock ${name} of a request exists`)
    const mine = (claim: Claim): boolean => claim.session === session.id && claim.request === request
    const held = lock.holders.findIndex(mine)
    const list = held >= 0 ? lock.holders : lock.queue
    const at = held >= 0 ? held : lock.queue.findIndex(mine)
    const [claim] = list.splice(at, 1)
    assert(at >= 0 && claim, `the lock ${name} has its request`)
    if (held >= 0) lock.taken -= claim.permits
    else this.#waiting.remove(claim)
    this.#did(() => {
      list.splice(at, 0, claim)
      if (held >= 0) lock.taken += claim.permits
      else this.#waiting.add(claim, lock)
    })
    this.#changed.add(name)
  }

  /** Grants to those whose turn it is; a lock that nobody wants is forgotten. */
  #pass(name: string, entry: LogEntry): void {
    const lock = this.#state.locks.get(name)
    if (lock === undefined) return
    for (let [next] = lock.queue; next !== undefined && fits(lock, next); [next] = lock.queue)
      this.#letIn(lock, 1, entry)
    if (lock.holders.length > 0 || lock.queue.length > 0) return
    this.#state.locks.delete(name)
    this.#did(() => this.#state.locks.set(name, lock))
  }

  #grant(lock: Lock, claim: Claim, entry: LogEntry): number {
    const { wall } = claim
    claim.token = this.#next(entry)
    claim.wall = entry.wall
    lock.holders.push(claim)
    lock.taken += claim.permits
    this.#did(() => {
      lock.holders.pop()
      lock.taken -= claim.permits
      claim.token = 0
      claim.wall = wall
    })
    const { session, request, token } = claim
    this.#effects.push({ type: 'granted', session, request, token })
    return token
  }

  #create(name: string, limit: number): Lock {
    const lock: Lock = { name, limit, holders: [], queue: [], taken: 0 }
    this.#state.locks.set(name, lock)
    this.#did(() => this.#state.locks.delete(name))
    return lock
  }

  #nodeOf(id: number): NodeId {
    const session = this.#state.sessions.get(id)
    assert(session, `the session ${id} of a claim exists`)
    return session.node
  }

  #sessionsOf(node: string): Session[] {
    return [...this.#state.sessions.values()]
      .filter((session) => session.node === node)
      .sort((a, b) => a.id - b.id)
  }

  /** The index, or one more than the last one where an entry needs several: greater than all before. */
  #next(entry: LogEntry): number {
    const { counter } = this.#state
    this.#state.counter = Math.max(counter + 1, entry.index)
    this.#did(() => {
      this.#state.counter = counter
    })
    return this.#state.counter
  }

  #over(limit: (typeof LIMIT_NAMES)[number]): MutexResult {
    return answer('limit', LIMIT_NAMES.indexOf(limit))
  }

  #did(undo: () => void): void {
    this.#undo?.push(undo)
  }

  #flush(): void {
    const changed = [...this.#changed].sort().map((name) => ({ type: 'changed' as const, name }))
    const effects = [...this.#effects, ...changed]
    this.#effects = []
    this.#changed.clear()
    if (effects.length > 0) this.#tell(effects)
  }
}
