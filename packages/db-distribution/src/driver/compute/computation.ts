import type { FragmentRequest, Version } from '@cluster/core'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { ReadOptions } from '../read/traffic.ts'

/** A fragment at a version of a database, on behalf of somebody. */
export interface Computation extends Omit<FragmentRequest, 'onRead'> {
  /** Rows of each input that were read for results that count. */
  readonly read: number[]
  readonly database: DatabaseRecord
  readonly version: Version
  readonly options: ReadOptions
}
