import type { Value } from '@cluster/core'
import type { TableSchema } from '../catalog/schema.ts'
import type { VirtualTable } from '../catalog/virtual-table.ts'
import type { AggregateFunction, ScalarFunction } from '../functions/function.ts'
import type { WindowFunctionName } from '../functions/window.ts'
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
  /** `row`: the one row that there is; NULL without one, 21000 with several. */
  readonly quantifier: 'any' | 'all' | 'row'
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
  | WindowPlan
  | LateralPlan
  | SinglePlan
  | WithPlan
  | CteScanPlan
  | RecursivePlan

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
  /** Counts the rows from 1; null: nobody asked. */
  readonly ordinality: Column | null
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
  /** Null: one set of all groups. */
  readonly sets: GroupingSets | null
}

/** Several groupings of the same rows, one behind the other. */
export interface GroupingSets {
  /** Positions in `groups`; a group that is not in the set is NULL there. The empty set gives exactly one row. */
  readonly sets: readonly (readonly number[])[]
  /** The position in `sets` that a row comes from, an integer. */
  readonly column: Column
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
  /** WITH TIES: rows that these keys put on a level with the last one come too; the input is sorted by them. */
  readonly ties: readonly SortKey[] | null
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

/** Adds a column for each call, computed over the rows of the same partition in the order of the keys. */
export interface WindowPlan {
  readonly kind: 'window'
  readonly input: LogicalPlan
  readonly partitionBy: readonly Expr[]
  readonly orderBy: readonly SortKey[]
  readonly calls: readonly WindowCall[]
}

export interface WindowCall {
  readonly column: Column
  readonly fn: WindowFunction
  readonly args: readonly Expr[]
  /** Of aggregates only. */
  readonly filter: Expr | null
  readonly frame: Frame
}

export type WindowFunction =
  | { readonly kind: 'aggregate'; readonly aggregate: AggregateFunction }
  | { readonly kind: 'function'; readonly name: WindowFunctionName }

export interface Frame {
  readonly mode: 'rows' | 'range' | 'groups'
  readonly start: FrameEdge
  readonly end: FrameEdge
  readonly exclude: 'no others' | 'current row' | 'group' | 'ties'
}

export type FrameEdge =
  | { readonly kind: 'unbounded preceding' | 'current row' | 'unbounded following' }
  | {
      readonly kind: 'preceding' | 'following'
      /** Of no row: the same for all. A bigint but for RANGE. */
      readonly offset: Expr
      /** Set for RANGE. */
      readonly range: RangeEdge | null
    }

/** Where a frame of RANGE ends, as values: rows are compared by `key` with the `edge` of the current row. */
export interface RangeEdge {
  readonly key: Expr
  readonly edge: Expr
  /** True when the offset is below zero, which is an error. */
  readonly negative: Expr
}

/** For each row of `left` the rows of `right`, which may refer to that row. */
export interface LateralPlan {
  readonly kind: 'lateral'
  readonly type: 'inner' | 'left'
  readonly left: LogicalPlan
  readonly right: LogicalPlan
  readonly on: Expr
}

/** At most one row; 21000 when there are more. */
export interface SinglePlan {
  readonly kind: 'single'
  readonly input: LogicalPlan
}

/** Makes tables that `input`, and the tables behind them in the list, read by `cteScan`. */
export interface WithPlan {
  readonly kind: 'with'
  readonly tables: readonly CteTable[]
  readonly input: LogicalPlan
}

export interface CteTable {
  readonly id: number
  readonly name: string
  readonly plan: LogicalPlan
  readonly columns: readonly Column[]
  /** True: computed once, whatever the uses; null: as is best. */
  readonly materialized: true | null
}

/** The rows of a WITH table, or of the step before in a recursive one. */
export interface CteScanPlan {
  readonly kind: 'cteScan'
  readonly id: number
  readonly name: string
  readonly alias: string
  /** Positions are those of the table's columns. */
  readonly columns: readonly ScanColumn[]
}

/**
 * `base`, then `step` over the rows that the last turn gave, until it gives none. Columns go by position; `step`
 * reads the last turn's rows by a `cteScan` of `id`.
 */
export interface RecursivePlan {
  readonly kind: 'recursive'
  readonly id: number
  readonly name: string
  /** False: a row that came before is dropped. */
  readonly all: boolean
  readonly base: LogicalPlan
  readonly step: LogicalPlan
  readonly columns: readonly Column[]
}
