import type { RunIdentity } from '../progress-file.ts'
import type { Failure } from './failure.ts'
import type { TotalsState } from './totals.ts'

/** Which seeds a long run plays. */
export interface StormIdentity extends RunIdentity {
  readonly suites: readonly string[]
  readonly from: number
  readonly seeds: number
}

/** What a long run has done so far. */
export interface Progress extends StormIdentity {
  /** Jobs done: all before `done`, and these behind it. */
  readonly done: number
  readonly also: readonly number[]
  readonly totals: TotalsState
  readonly failures: readonly Omit<Failure, 'tail'>[]
}

/** Folders that decide what a seed does, besides the sources of the packages. */
export const simFolders = ['packages/node/test/sim', 'scripts/sim']
