import type { CallExpr } from '../plan/expression.ts'
import type { JoinType } from '../plan/logical.ts'

/*
 * A part of a plan as data: what travels to the nodes that hold the rows. It is JSON, and says what is to be computed in the
 * words of this dialect: functions by name and types, columns by number. Nothing of it is ever run as text.
 */

/**
 * Grows with every change of these forms, of what a function or an aggregate gives, and of the order in which results come: two
 * nodes that compute the same form must give the same.
 */
export const FRAGMENT_FORMAT = 1

/** A type without modifiers by its id, any other as it is. */
export type TypeForm = string | { readonly id: string; readonly [field: string]: unknown }

/** JSON has no whole numbers of 64 bits, no NaN, no infinities and no −0: they are texts in `n` and `f`. */
export type ValueForm =
  | null
  | boolean
  | number
  | string
  | { readonly n: string }
  | { readonly f: 'NaN' | 'Infinity' | '-Infinity' | '-0' }

export type FunctionForm =
  | readonly [kind: 'operator' | 'function', name: string, types: readonly TypeForm[]]
  | readonly [kind: 'cast', from: TypeForm, to: TypeForm, context: string]

export interface CallForm {
  readonly k: 'call'
  readonly t: TypeForm
  readonly f: FunctionForm
  readonly as: CallExpr['form']
  readonly a: readonly ExprForm[]
}

export type ExprForm =
  | { readonly k: 'constant'; readonly t: TypeForm; readonly v: ValueForm }
  /** A value that whoever asks sends along, by its place among them. */
  | { readonly k: 'given'; readonly t: TypeForm; readonly n: number }
  | { readonly k: 'column'; readonly t: TypeForm; readonly n: number }
  | CallForm
  | { readonly k: 'and' | 'or' | 'coalesce'; readonly t: TypeForm; readonly a: readonly ExprForm[] }
  | { readonly k: 'not'; readonly t: TypeForm; readonly a: ExprForm }
  | {
      readonly k: 'is'
      readonly t: TypeForm
      readonly test: 'null' | 'true' | 'false'
      readonly a: ExprForm
      readonly not: boolean
    }
  | {
      readonly k: 'distinct'
      readonly t: TypeForm
      readonly a: ExprForm
      readonly b: ExprForm
      readonly equal: CallForm
      readonly not: boolean
    }
  | {
      readonly k: 'case'
      readonly t: TypeForm
      readonly when: readonly (readonly [ExprForm, ExprForm])[]
      readonly else: ExprForm
    }
  | {
      readonly k: 'in'
      readonly t: TypeForm
      readonly a: ExprForm
      readonly list: readonly ExprForm[]
      readonly equal: CallForm
      readonly not: boolean
    }

export interface ColumnForm {
  readonly n: number
  readonly t: TypeForm
}

export interface OutputForm extends ColumnForm {
  readonly e: ExprForm
}

/** A column of an input: where it stands in its batches, and what a stored NULL means; absent: NULL. */
export interface RowsColumnForm extends ColumnForm {
  readonly at: number
  readonly missing?: ValueForm
}

export interface AggregateForm extends ColumnForm {
  readonly name: string
  readonly types: readonly TypeForm[]
  readonly a: readonly ExprForm[]
  readonly where: ExprForm | null
  /** True: the state itself is the result, as JSON. */
  readonly state: boolean
}

export interface SortForm {
  readonly e: ExprForm
  readonly down: boolean
  readonly nulls: 'first' | 'last'
}

export type PlanForm =
  /** An input of the fragment. */
  | { readonly k: 'rows'; readonly i: number; readonly c: readonly RowsColumnForm[] }
  /** Rows that whoever asks sends along. */
  | { readonly k: 'sent'; readonly i: number; readonly c: readonly ColumnForm[] }
  | {
      readonly k: 'map'
      readonly of: PlanForm
      readonly where: ExprForm | null
      readonly o: readonly OutputForm[] | null
    }
  | {
      readonly k: 'group'
      readonly of: PlanForm
      readonly by: readonly OutputForm[]
      readonly calls: readonly AggregateForm[]
    }
  /** `n`: the place of the number of rows among the given values. */
  | { readonly k: 'top'; readonly of: PlanForm; readonly by: readonly SortForm[]; readonly n: number }
  | { readonly k: 'limit'; readonly of: PlanForm; readonly n: number }
  | { readonly k: 'unique'; readonly of: PlanForm }
  | {
      readonly k: 'join'
      readonly type: Exclude<JoinType, 'right'>
      readonly left: PlanForm
      readonly right: PlanForm
      readonly on: readonly (readonly [ExprForm, ExprForm])[]
      readonly where: ExprForm | null
      readonly o: readonly ColumnForm[]
    }

/** Thrown where a part of a plan has no such form; whoever asks then computes it itself. */
export class UnsendableError extends Error {
  override readonly name = 'UnsendableError'
}

/** Thrown where a form says what this node does not know. */
export class FormUnknownError extends Error {
  override readonly name = 'FormUnknownError'
}
