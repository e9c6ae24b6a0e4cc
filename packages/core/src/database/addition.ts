import type { Value } from '../values/value.ts'
import type { ProgramNumber } from './row-program.ts'

/** Digits before the point, and behind it, that sums of decimals without bounds of their own may have. */
export const ADDITION_DIGITS_MAX = 100

/** What a transaction adds to one number of a row. */
export interface Addition {
  /** The position of the field in the row; one that is NULL stays NULL. */
  readonly position: number
  /** Bounds and form of the field and of `by`: numbers, 64-bit integers as bigint, decimals as text. */
  readonly type: ProgramNumber
  /** Negative to subtract. */
  readonly by: Value
  /** Of decimals with bounds: so many digits before the point, and behind it; `by` has no more behind it. */
  readonly digits?: { readonly before: number; readonly behind: number }
}
