import type { ClosedLoop } from '../closed-loop.ts'

/** What a process of the log suite is started with. */
export interface LogWorkerOptions {
  readonly data: string
  readonly listen: string
  readonly seeds: readonly string[]
  /** Forms the group with so many; absent for a process that joins. */
  readonly expect?: number
  /** Others learn. */
  readonly maxVoters: number
  /** A snapshot is taken after so many bytes of log. */
  readonly snapshotBytes?: number
  /** Bytes of the newest commands that the state machine keeps, and puts into snapshots. Default 0. */
  readonly stateBytes?: number
}

export interface LogLoad extends ClosedLoop {
  readonly kind: 'append' | 'barrier'
  /** Of a command; at least 16. */
  readonly bytes: number
}

/** Begin and end of every operation, milliseconds of the wall clock, which all processes share. */
export interface TracedLoad {
  readonly operations: readonly (readonly [from: number, to: number])[]
}

export interface LogWorkerStatus {
  readonly id: string
  readonly role: string
  readonly leader: string | null
  readonly voters: number
  readonly learners: number
  readonly applied: number
  /** Snapshots of other nodes that replaced this one's state. */
  readonly installed: number
}

/** Which numbers of which submitters were acknowledged: `[submitter, count]`, numbers from 1 without a gap. */
export type Acknowledged = readonly (readonly [submitter: number, count: number])[]
