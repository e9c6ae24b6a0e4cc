import type { LoadAnswer } from './log-worker-protocol.ts'

/** A closed loop: `callers` at a time, each acquires one of `locks` locks, gives it back, and begins anew. */
export interface LockLoad {
  readonly callers: number
  /** Names to choose from. */
  readonly locks: number
  /** As a block with `await using` does it: the next one begins before the release is acknowledged. */
  readonly block?: boolean
  readonly warmUpMs: number
  readonly measuredMs: number
}

/** One operation is a cycle: an acquisition and its release, both acknowledged unless it says `block`. */
export interface LockAnswer extends LoadAnswer {
  /** Grants whose token did not grow, or that another caller of this process had at the same time; 0 if all is well. */
  readonly broken: number
}
