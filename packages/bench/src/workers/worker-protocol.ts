import type { LatencySummary } from '../latency.ts'

export interface WorkerOptions {
  readonly name: string
  readonly data: string
  readonly listen: string
  readonly seeds: readonly string[]
  readonly expect?: number
}

/** A closed loop: `callers` at a time, each waiting for its answer, for `measuredMs` after `warmUpMs`. */
export interface Load {
  readonly kind: 'insert' | 'read'
  readonly callers: number
  readonly warmUpMs: number
  readonly measuredMs: number
  /** Reads pick ids from 1 to this; inserts begin above it. */
  readonly rows: number
}

export interface WorkerStatus {
  readonly id: string
  readonly leader: string | null
  readonly voters: number
  readonly underReplicated: number
}

export type LoadResult = LatencySummary
