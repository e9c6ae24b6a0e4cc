import type { Value } from '@cluster/core'
import type { ScalarFunction } from '../functions/function.ts'
import type { SqlType } from '../types/type.ts'
import type { LogicalPlan } from './logical.ts'

/**
 * A column of a plan. The id is unique in the plan, so that rules move expressions about without renumbering:
 * an expression that names a column which its input does not give refers to an outer query.
 */
export interface Column {
  readonly id: number
  readonly name: string
  readonly type: SqlType
}

/** A typed expression: names are resolved, overloads chosen, casts explicit. */
export type Expr =
  | ConstantExpr
  | ParameterExpr
  | ColumnExpr
  | CallExpr
  | LogicalExpr
  | NotExpr
  | IsExpr
  | DistinctExpr
  | CaseExpr
  | CoalesceExpr
  | InListExpr
  | ScalarQueryExpr
  | ExistsExpr
  | QuantifiedExpr

export interface ConstantExpr {
  readonly kind: 'constant'
  readonly type: SqlType
  readonly value: Value
}

/** `$1` has index 1. */
export interface ParameterExpr {
  readonly kind: 'parameter'
  readonly type: SqlType
  readonly index: number
}

export interface ColumnExpr {
  readonly kind: 'column'
  readonly type: SqlType
  readonly column: Column
}

/** Arguments are of exactly the types that the function takes: casts are calls of their own. */
export interface CallExpr {
  readonly kind: 'call'
  readonly type: SqlType
  readonly fn: ScalarFunction
  /** How it is printed. */
  readonly form: 'infix' | 'prefix' | 'function' | 'cast'
  readonly args: readonly Expr[]
}

export interface LogicalExpr {
  readonly kind: 'and' | 'or'
  readonly type: SqlType
  readonly operands: readonly Expr[]
}

export interface NotExpr {
  readonly kind: 'not'
  readonly type: SqlType
  readonly operand: Expr
}

/** Never NULL. */
export interface IsExpr {
  readonly kind: 'is'
  readonly type: SqlType
  readonly test: 'null' | 'true' | 'false'
  readonly operand: Expr
  readonly negated: boolean
}

/** IS [NOT] DISTINCT FROM; never NULL. `equal` compares two values that are not NULL. */
export interface DistinctExpr {
  readonly kind: 'distinctFrom'
  readonly type: SqlType
  readonly left: Expr
  readonly right: Expr
  readonly equal: CallExpr
  readonly negated: boolean
}

/** The first branch whose condition is true; conditions are boolean. */
export interface CaseExpr {
  readonly kind: 'case'
  readonly type: SqlType
  readonly branches: readonly { readonly when: Expr; readonly result: Expr }[]
  readonly otherwise: Expr
}

export interface CoalesceExpr {
  readonly kind: 'coalesce'
  readonly type: SqlType
  readonly args: readonly Expr[]
}

/** `equal` is the comparison of the operand with one item; its own arguments are ignored. */
export interface InListExpr {
  readonly kind: 'inList'
  readonly type: SqlType
  readonly operand: Expr
  readonly list: readonly Expr[]
  readonly equal: CallExpr
  readonly negated: boolean
}

/** The only row's only column; NULL without a row; 21000 with several. */
export interface ScalarQueryExpr {
  readonly kind: 'scalarQuery'
  readonly type: SqlType
  readonly plan: LogicalPlan
  readonly column: Column
}

export interface ExistsExpr {
  readonly kind: 'exists'
  readonly type: SqlType
  readonly plan: LogicalPlan
  readonly negated: boolean
}

/**
 * `left operator ANY (plan)` or ALL, for each of the columns at once; IN is `= ANY`. `compare` compares `left`
 * with `column`: an expression over both that gives a boolean.
 */
export interface QuantifiedExpr {
  readonly kind: 'quantified'
  readonly type: SqlType
  readonly quantifier: 'any' | 'all'
  /** Evaluated outside, each a value of its own. */
  readonly left: readonly Expr[]
  /** Stand for the values of `left` in `compare`. */
  readonly leftColumns: readonly Column[]
  readonly plan: LogicalPlan
  readonly columns: readonly Column[]
  readonly compare: Expr
  /** True for NOT IN: the result is negated. */
  readonly negated: boolean
}
