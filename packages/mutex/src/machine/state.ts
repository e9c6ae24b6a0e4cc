import type { LockMode, NodeId } from '@cluster/core'

/** Bounds of what the machine keeps. They must be the same on every node of a cluster. */
export interface MutexLimits {
  readonly sessions: number
  /** Names that are held or waited for, and as many latches. */
  readonly locks: number
  /** Those who wait for one lock. */
  readonly queue: number
  /** What one session holds and waits for. */
  readonly requests: number
  /** UTF-8 bytes of a name. */
  readonly nameBytes: number
}

export const MUTEX_LIMITS: MutexLimits = {
  sessions: 10_000,
  locks: 100_000,
  queue: 10_000,
  requests: 20_000,
  nameBytes: 256,
}

/** A node that uses locks. It lives until an entry ends it. */
export interface Session {
  readonly id: number
  /** Drawn at random by the node, so that no other session, of another history even, is taken for it. */
  readonly uid: string
  readonly node: NodeId
  readonly leaseMs: number
  /** Log time of the newest renewal. */
  renewedAt: number
  /** What it holds and waits for: number of the request to name of the lock. */
  readonly requests: Map<number, string>
}

/** One wish for a lock, waiting or granted. */
export interface Claim {
  readonly session: number
  /** Counted by the session. */
  readonly request: number
  readonly mode: LockMode
  readonly permits: number
  /** Who of the session's process asks, for one lock at a time; 0: nobody in particular. */
  readonly owner: number
  /** The leader's wall clock when it came, or was granted; for people. */
  wall: number
  /** 0 while it waits. */
  token: number
  /** Why an operator broke it; null if none did. */
  broken: string | null
}

/** One who waits, by its node and the lock that it waits for. */
export interface Waiting {
  readonly node: NodeId
  readonly lock: string
}

export interface Lock {
  readonly name: string
  /** Permits of the semaphore, or how many the barrier waits for; 0 for a lock. */
  readonly limit: number
  readonly holders: Claim[]
  readonly queue: Claim[]
  /** Permits that the holders have. */
  taken: number
}

/** Whether the claim can hold beside those who hold. */
export function fits(lock: Lock, claim: Claim): boolean {
  // Those of a barrier are let in all at once, by the last one that comes.
  if (claim.mode === 'barrier') return false
  if (claim.mode === 'permits') return lock.taken + claim.permits <= lock.limit
  const [first] = lock.holders
  return first === undefined || (claim.mode === 'shared' && first.mode === 'shared')
}

/** Whether who wants it in that mode and with that limit means the same kind of lock as those who are there. */
export function sameKind({ limit, holders, queue }: Lock, mode: LockMode, wanted: number): boolean {
  const [first = queue[0]] = holders
  return limit === wanted && (first?.mode === 'barrier') === (mode === 'barrier')
}

/** What an entry changed, for the driver. */
export type MutexEffect =
  | { readonly type: 'granted'; readonly session: number; readonly request: number; readonly token: number }
  | { readonly type: 'broken'; readonly session: number; readonly request: number; readonly reason: string }
  | { readonly type: 'opened' | 'renewed' | 'ended'; readonly session: number }
  /** What is left of the latch's count; 0: it is open. */
  | { readonly type: 'latch'; readonly name: string; readonly count: number }
  /** Holders or queue of the lock changed. */
  | { readonly type: 'changed'; readonly name: string }
  /** Everything may be different: another state took the place of this one. */
  | { readonly type: 'restored' }
