import type { ClosedLoop, LoadAnswer } from '../closed-loop.ts'

/** Each caller acquires one of `locks` locks, gives it back, and begins anew. */
export interface LockLoad extends ClosedLoop {
  /** Names to choose from. */
  readonly locks: number
  /** As a block with `await using` does it: the next one begins before the release is acknowledged. */
  readonly block?: boolean
}

/** One operation is a cycle: an acquisition and its release, both acknowledged unless it says `block`. */
export interface LockAnswer extends LoadAnswer {
  /** Grants whose token did not grow, or that another caller of this process had at the same time; 0 if all is well. */
  readonly broken: number
}

/**
 * - `put`: fresh keys of a map, 100 characters each
 * - `get`: linearizable reads of a map of documents; `local`: reads of what the node has
 * - `queue`: push, take and acknowledge
 * - `counter`: one and the same, added to
 * - `topic`: publish
 */
export type ContainerKindOfLoad = 'put' | 'get' | 'local' | 'queue' | 'counter' | 'topic'

export interface ContainerLoad extends ClosedLoop {
  readonly kind: ContainerKindOfLoad
  /** Documents to choose from. */
  readonly keys: number
}

/** What was acknowledged to the callers of one process since its start, with warming up. */
export interface ContainerAcknowledged {
  /** Keys are `prefix/1 … prefix/count`. */
  readonly puts: readonly (readonly [prefix: string, count: number])[]
  readonly added: number
  readonly pushed: number
  readonly done: number
}

export interface ContainerHeld {
  readonly puts: number
  readonly counter: number
  readonly queued: number
}
