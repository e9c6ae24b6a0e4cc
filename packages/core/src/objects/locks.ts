import type { ErrorDetail } from '../errors.ts'
import type { Cancel } from '../host/clock.ts'
import type { NodeId } from '../ids.ts'
import type { BundleCondition } from '../log/ordered-log.ts'

/**
 * How a lock is taken: `exclusive` by one alone; `shared` beside others who share; `permits` as so many of the permits of a
 * semaphore; `barrier` when so many want it, and then by all of them. One name is of one kind while anybody has it or waits
 * for it.
 */
export type LockMode = 'exclusive' | 'shared' | 'permits' | 'barrier'

export interface LockOptions {
  /** Default `exclusive`, or `permits` when `limit` is given. */
  readonly mode?: LockMode
  /** Permits that the semaphore has, or how many the barrier waits for, 1 … 1,000,000; the same for everybody at a time. */
  readonly limit?: number
  /** Permits to take, 1 … `limit`. Default 1. */
  readonly permits?: number
  /**
   * Any object of this process that stands for who asks, who waits for one lock at a time: the same for all locks that it has
   * at a time. Who would wait for itself, over others that wait for it, is refused at once (MUTEX_DEADLOCK). Locks that are
   * taken without an owner take no part in that, nor semaphores of more than one permit.
   */
  readonly owner?: object
}

/** One who waits for a lock. */
export interface LockWait {
  readonly node: NodeId
  readonly lock: string
}

export interface AcquireOptions extends LockOptions {
  /** Gives up this long after the call. By default it waits as long as it takes. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** A lock that this process has. It is given back by `release`, or by `await using`. */
export interface HeldLock {
  readonly name: string
  readonly mode: LockMode
  /** The fencing token: greater than that of every grant before it, of any lock. */
  readonly token: number
  /** Aborts when the lock is lost, before anybody else can have it. Its reason is the error. */
  readonly signal: AbortSignal
  /** False once it was released, or lost by this node's clock, even when the event loop was too busy to say so. */
  readonly held: boolean
  /**
   * For bundles and commits: true while this very grant holds and nobody broke it, judged by the log where they come. It
   * may be used by any process of the cluster, and goes on being false once the lock was lost or given back.
   */
  readonly fence: BundleCondition
  /** One more handle of the same grant, which is over when all of them were released. @throws MUTEX_LOST */
  again(): HeldLock
  /** Gives it back; the second time does nothing. Resolves when it is free, or was lost. */
  release(): Promise<void>
  /** Gives it back and does not wait until that is noted everywhere: the handle is over, and the next one has it soon. */
  [Symbol.asyncDispose](): Promise<void>
}

/** One who has a lock. */
export interface LockHolder {
  readonly node: NodeId
  readonly token: number
  readonly mode: LockMode
  readonly permits: number
  /** Milliseconds since it was granted, by wall clocks: for people. */
  readonly ageMs: number
  /** Why an operator broke it, while the holder was not heard yet; null otherwise. */
  readonly broken: string | null
}

/** One who waits for a lock. */
export interface LockWaiter {
  readonly node: NodeId
  readonly mode: LockMode
  readonly permits: number
  /** Milliseconds since it came, by wall clocks: for people. */
  readonly waitingMs: number
}

/** A lock that somebody has or waits for. */
export interface LockInfo {
  readonly name: string
  /** Permits of the semaphore, or how many the barrier waits for; null for a lock. */
  readonly limit: number | null
  /** In the order of their tokens. */
  readonly holders: readonly LockHolder[]
  /** The next one first. */
  readonly queue: readonly LockWaiter[]
}

/** Counts that go down to zero once; whoever waits for that goes on. No session stands behind them. */
export interface Latches {
  /** Sets the count of one that is open, 1 … 1,000,000. False: it has a count already. @throws MUTEX_LIMIT, MUTEX_OPTION_INVALID */
  set(name: string, count: number): Promise<boolean>
  /** Takes so many off, 1 by default; resolves with what is left. One that is open stays so. */
  countDown(name: string, by?: number): Promise<number>
  /** What is left, up to date; 0: it is open, or was never set. */
  count(name: string): Promise<number>
  /** Resolves once it is open, at once if it is. @throws MUTEX_TIMEOUT, ABORTED, and what the log throws */
  wait(name: string, options?: Pick<AcquireOptions, 'timeoutMs' | 'signal'>): Promise<void>
}

/** The locks of the cluster. */
export interface Locks {
  readonly latches: Latches
  /**
   * Waits for its turn.
   * @throws MUTEX_TIMEOUT, MUTEX_DEADLOCK, ABORTED, MUTEX_LIMIT, MUTEX_MODE_DIFFERS, MUTEX_OPTION_INVALID, MUTEX_SESSION_LOST and what the log
   * throws; it is not held then
   */
  acquire(name: string, options?: AcquireOptions): Promise<HeldLock>
  /** Takes it if nobody is in the way; null if somebody is. @throws as `acquire` */
  tryAcquire(name: string, options?: LockOptions): Promise<HeldLock | null>
  /** What is held and waited for, sorted by name, up to date. */
  describe(name?: string): Promise<readonly LockInfo[]>
  /**
   * An operator's word: those who have it lose it. Their fence falls at once; the lock is free when their nodes heard of it,
   * or their sessions ended. Resolves with how many had it.
   */
  break(name: string, reason: string): Promise<number>
  /** Calls `listener` with the lock as this node sees it whenever it changed here; null when nobody has or wants it. */
  watch(name: string, listener: (info: LockInfo | null) => void): Cancel
  /** Gives back everything. Call it before the log is stopped. */
  stop(): Promise<void>
}

export type MutexErrorDetail =
  | ({ readonly code: 'MUTEX_TIMEOUT'; readonly lock: string; readonly afterMs: number } & ErrorDetail)
  /** Each of the cycle waits for a lock of the next one; the first one is who asked, for whom the last one waits. */
  | ({
      readonly code: 'MUTEX_DEADLOCK'
      readonly lock: string
      readonly cycle: readonly LockWait[]
    } & ErrorDetail)
  /** The lock is no longer this handle's. */
  | ({ readonly code: 'MUTEX_LOST'; readonly lock: string } & ErrorDetail)
  /** An operator broke the lock. */
  | ({ readonly code: 'MUTEX_BROKEN'; readonly lock: string; readonly reason: string } & ErrorDetail)
  /** The session of this node ended: all its locks, and its places in queues, are gone. */
  | ({ readonly code: 'MUTEX_SESSION_LOST' } & ErrorDetail)
  /** There are too many of something; `limit` names it. */
  | ({ readonly code: 'MUTEX_LIMIT'; readonly limit: string; readonly max: number } & ErrorDetail)
  /** The name is used as a lock and as a semaphore, or as a semaphore of another size. */
  | ({ readonly code: 'MUTEX_MODE_DIFFERS'; readonly lock: string } & ErrorDetail)
  | ({ readonly code: 'MUTEX_OPTION_INVALID'; readonly option: string; readonly given: string } & ErrorDetail)
