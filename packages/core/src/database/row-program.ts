import type { PartitionId, RelationId } from '../ids.ts'
import type { Key, Row, Value } from '../values/value.ts'

/** How many rows one program may name. */
export const PROGRAM_ROWS_MAX = 64
/** How many expressions, nested ones counted, one program may have, and how deeply they may be nested. */
export const PROGRAM_EXPRESSIONS_MAX = 1_024
export const PROGRAM_DEPTH_MAX = 32
/** A decimal that a program computes with may have so many digits. */
export const PROGRAM_DIGITS_MAX = 1_000

/** Whose bounds a number must keep: 16, 32 or 64 bits, or exact decimals. */
export type ProgramNumber = 'smallint' | 'integer' | 'bigint' | 'numeric'

/**
 * A value computed from a row. The set is closed: each of these gives the same on every platform and in every
 * release. NULL comes out where an operand is NULL, as in SQL; `and` and `or` have three values.
 */
export type RowExpression =
  | { readonly op: 'value'; readonly value: Value }
  /** A field of the row as it stands; in a check, of the row as it would be written. */
  | { readonly op: 'column'; readonly position: number }
  /** Leaving the bounds of the type is a failure of the program. */
  | {
      readonly op: 'add' | 'subtract' | 'multiply'
      readonly type: ProgramNumber
      readonly left: RowExpression
      readonly right: RowExpression
    }
  /** Rounds half away from zero to `scale` decimals; more than `precision` digits are a failure of the program. */
  | {
      readonly op: 'fit'
      readonly precision: number
      readonly scale: number
      readonly operand: RowExpression
    }
  | { readonly op: 'concat'; readonly left: RowExpression; readonly right: RowExpression }
  /** `plain`: booleans, numbers and 64-bit numbers, each with its like. `text` knows equality alone. */
  | {
      readonly op: 'equal' | 'less' | 'lessOrEqual'
      readonly type: 'plain' | 'numeric' | 'text'
      readonly left: RowExpression
      readonly right: RowExpression
    }
  | { readonly op: 'and' | 'or'; readonly operands: readonly RowExpression[] }
  | { readonly op: 'not' | 'isNull'; readonly operand: RowExpression }
  /** The first operand that is not NULL. */
  | { readonly op: 'coalesce'; readonly operands: readonly RowExpression[] }

/** What happens to a row that is there. */
export type PresentAction =
  | { readonly do: 'keep' }
  /** The program fails: the key is taken. */
  | { readonly do: 'refuse' }
  /** Unless `where` is true, the row stays. */
  | {
      readonly do: 'update'
      readonly set: readonly { readonly position: number; readonly value: RowExpression }[]
      readonly where: RowExpression | null
    }
  | { readonly do: 'delete'; readonly where: RowExpression | null }

export interface ProgramStep {
  readonly key: Key
  readonly present: PresentAction
  /** The row to insert where there is none; null: nothing. */
  readonly absent: Row | null
}

/**
 * A change of rows of one partition as data: every replica computes it for itself where the log applies it, so it needs
 * no reading first and never loses a race. The keys of its steps differ, so their order only decides which failure is told.
 */
export interface RowProgram {
  readonly relation: RelationId
  readonly partition: PartitionId
  /** 1 … `PROGRAM_ROWS_MAX`. */
  readonly steps: readonly ProgramStep[]
  /** Must not be false for any row that `update` writes; the first that is makes the program fail. */
  readonly checks: readonly RowExpression[]
  /** True: the outcome has the rows as written, or as deleted. */
  readonly returning: boolean
}

/** Why a program did nothing at all. `step` is the position of the row in `steps`. */
export type ProgramFailure =
  | { readonly reason: 'present'; readonly step: number }
  /** `check` is the position in `checks`; `row` is what would have been written. */
  | { readonly reason: 'check'; readonly step: number; readonly check: number; readonly row: Row }
  | { readonly reason: 'range'; readonly step: number; readonly type: ProgramNumber }
  | { readonly reason: 'fit'; readonly step: number; readonly precision: number; readonly scale: number }
  /** A field is not of the kind that the program computes with, or a decimal has more digits than programs take. */
  | { readonly reason: 'kind'; readonly step: number }

/** What came of a program. A failure has no effect. */
export type ProgramOutcome =
  | {
      readonly type: 'done'
      /** Positions of the steps that inserted, changed or deleted their row, ascending. */
      readonly changed: readonly number[]
      /** The rows of `changed`, in the same order; empty unless the program asked for them. */
      readonly rows: readonly Row[]
    }
  | { readonly type: 'failed'; readonly failure: ProgramFailure }
