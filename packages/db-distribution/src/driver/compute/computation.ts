import type { FragmentRequest, Version } from '@cluster/core'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { ReadOptions } from '../traffic.ts'

/** A fragment at a version of a database, on behalf of somebody. */
export interface Computation extends FragmentRequest {
  readonly database: DatabaseRecord
  readonly version: Version
  readonly options: ReadOptions
}
