import type { Value } from '@cluster/core'
import type { TableSchema } from '../catalog/schema.ts'
import type { VirtualTable } from '../catalog/virtual-table.ts'
import type { AggregateFunction, ScalarFunction } from '../functions/function.ts'
import type { SqlType } from '../types/type.ts'

// Expressions and logical plans stand in one file because each contains the other: a subquery is an expression
// with a plan in it.

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

/** What a query means, independent of how it is run. A plan is a tree; columns have ids of their own. */
export type LogicalPlan =
  | ScanPlan
  | VirtualScanPlan
  | FunctionScanPlan
  | ValuesPlan
  | FilterPlan
  | ProjectPlan
  | JoinPlan
  | AggregatePlan
  | DistinctPlan
  | SortPlan
  | LimitPlan
  | SetPlan

export interface ScanColumn {
  readonly column: Column
  /** The column's position in the table, or `ROW_KEY` of logical.ts. */
  readonly position: number
}

export interface ScanPlan {
  readonly kind: 'scan'
  readonly table: TableSchema
  /** The name it goes by in the query. */
  readonly alias: string
  readonly columns: readonly ScanColumn[]
}

export interface VirtualScanPlan {
  readonly kind: 'virtualScan'
  readonly table: VirtualTable
  readonly alias: string
  readonly columns: readonly ScanColumn[]
}

/** A function that gives rows of one column. */
export interface FunctionScanPlan {
  readonly kind: 'functionScan'
  readonly name: string
  readonly args: readonly Expr[]
  readonly column: Column
  readonly rows: SetFunction
}

/** Makes the rows of a set-returning function, lazily. */
export type SetFunction = (...args: readonly Value[]) => Iterable<Value>

/** Rows of expressions without input; one row of no column stands for a missing FROM. */
export interface ValuesPlan {
  readonly kind: 'values'
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Expr[])[]
}

export interface FilterPlan {
  readonly kind: 'filter'
  readonly input: LogicalPlan
  readonly predicate: Expr
}

export interface Output {
  readonly column: Column
  readonly expr: Expr
}

export interface ProjectPlan {
  readonly kind: 'project'
  readonly input: LogicalPlan
  readonly outputs: readonly Output[]
}

/** Semi and anti joins give the columns of the left side alone. */
export type JoinType = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti'

export interface JoinPlan {
  readonly kind: 'join'
  readonly type: JoinType
  readonly left: LogicalPlan
  readonly right: LogicalPlan
  /** A constant TRUE is a cross join. */
  readonly on: Expr
}

export interface AggregateCall {
  readonly column: Column
  readonly fn: AggregateFunction
  /** None for count(*). */
  readonly args: readonly Expr[]
  readonly distinct: boolean
  readonly filter: Expr | null
  readonly orderBy: readonly SortKey[]
}

/** Without groups it gives exactly one row. */
export interface AggregatePlan {
  readonly kind: 'aggregate'
  readonly input: LogicalPlan
  readonly groups: readonly Output[]
  readonly calls: readonly AggregateCall[]
}

export interface DistinctPlan {
  readonly kind: 'distinct'
  readonly input: LogicalPlan
  /** The columns compared; the first row in input order stays. Null: all. */
  readonly on: readonly Column[] | null
}

export interface SortKey {
  readonly expr: Expr
  readonly descending: boolean
  readonly nulls: 'first' | 'last'
}

export interface SortPlan {
  readonly kind: 'sort'
  readonly input: LogicalPlan
  readonly keys: readonly SortKey[]
}

export interface LimitPlan {
  readonly kind: 'limit'
  readonly input: LogicalPlan
  readonly limit: Expr | null
  readonly offset: Expr | null
}

/** Columns go by position; both sides have the types of `columns`. */
export interface SetPlan {
  readonly kind: 'set'
  readonly operator: 'union' | 'intersect' | 'except'
  readonly all: boolean
  readonly left: LogicalPlan
  readonly right: LogicalPlan
  readonly columns: readonly Column[]
}
