import type { DatabaseEvents } from '@cluster/core'

/** How a node of the scene is started. */
export interface ActorOptions {
  readonly name: string
  readonly data: string
  /** Null for every interface and a free port. */
  readonly listen: readonly string[] | null
  /** Empty for mDNS. */
  readonly seeds: readonly string[]
  readonly redundancy: number
}

export interface Statement {
  readonly text: string
  readonly params?: readonly (string | number)[]
}

export interface Status {
  readonly id: string
  readonly leader: string | null
  readonly voters: number
  readonly alive: number
  readonly underReplicated: number
  readonly unavailable: number
  /** Writes of the ticking client so far, on this node. */
  readonly ticks: number
}

/** One write of the ticking client; times are milliseconds since 1970. */
export interface Tick {
  readonly id: number
  readonly askedAt: number
  readonly doneAt: number
  /** Why it failed; null when it was acknowledged. */
  readonly error: string | null
}

export type TookOver = DatabaseEvents['tookOver']
