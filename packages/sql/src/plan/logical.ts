import type { Value } from '@cluster/core'
import type { TableSchema } from '../catalog/schema.ts'
import type { VirtualTable } from '../catalog/virtual-table.ts'
import type { AggregateFunction } from '../functions/function.ts'
import type { Column, Expr } from './expression.ts'

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

/** The position that stands for a row's own key in its relation, beside the positions of columns. */
export const ROW_KEY = -1

export interface ScanColumn {
  readonly column: Column
  /** The column's position in the table, or `ROW_KEY`. */
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

/** The columns that a plan gives, in order. */
export function columnsOf(plan: LogicalPlan): readonly Column[] {
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan':
      return plan.columns.map(({ column }) => column)
    case 'functionScan':
      return [plan.column]
    case 'values':
    case 'set':
      return plan.columns
    case 'filter':
    case 'distinct':
    case 'sort':
    case 'limit':
      return columnsOf(plan.input)
    case 'project':
      return plan.outputs.map(({ column }) => column)
    case 'join':
      return plan.type === 'semi' || plan.type === 'anti'
        ? columnsOf(plan.left)
        : [...columnsOf(plan.left), ...columnsOf(plan.right)]
    case 'aggregate':
      return [...plan.groups, ...plan.calls].map(({ column }) => column)
  }
}
