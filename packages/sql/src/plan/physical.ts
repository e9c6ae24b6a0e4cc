import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import type { Column, Expr, QuantifiedExpr } from './expression.ts'
import type {
  AggregateCall,
  FunctionScanPlan,
  JoinType,
  Output,
  ScanColumn,
  SetPlan,
  SortKey,
  ValuesPlan,
  VirtualScanPlan,
} from './logical.ts'

/** How a query is run: every node is one operator of the executor. */
export type PhysicalPlan =
  | TableScanNode
  | VirtualScanPlan
  | FunctionScanPlan
  | ValuesPlan
  | MapNode
  | JoinNode
  | LookupJoinNode
  | AggregateNode
  | DistinctNode
  | SortNode
  | TopNode
  | LimitNode
  | SetNode
  | ApplyNode

export interface Bound {
  readonly expr: Expr
  readonly inclusive: boolean
}

/** Which rows of a table are read. `index` null stands for the primary key, that is, the table itself. */
export type Access =
  | { readonly kind: 'all' }
  /** Complete keys, one value a key column; values that are NULL match nothing. */
  | {
      readonly kind: 'keys'
      readonly index: IndexSchema | null
      readonly tuples: readonly (readonly Expr[])[]
    }
  /** Leading key columns equal to values, the next one perhaps between bounds. */
  | {
      readonly kind: 'range'
      readonly index: IndexSchema | null
      readonly equal: readonly Expr[]
      readonly lower: Bound | null
      readonly upper: Bound | null
    }

export interface TableScanNode {
  readonly kind: 'tableScan'
  readonly table: TableSchema
  readonly alias: string
  readonly columns: readonly ScanColumn[]
  readonly access: Access
  readonly order: 'any' | 'ascending' | 'descending'
  /** No more rows than this are wanted. */
  readonly limit: Expr | null
}

/** Drops rows and computes columns in one pass. */
export interface MapNode {
  readonly kind: 'map'
  readonly input: PhysicalPlan
  readonly filter: Expr | null
  /** Null: the columns of the input. */
  readonly outputs: readonly Output[] | null
}

export interface JoinNode {
  readonly kind: 'join'
  /** `hash`: the right side goes into a table by its keys; `loop`: each left row meets each right one. */
  readonly method: 'hash' | 'loop'
  readonly type: Exclude<JoinType, 'right'>
  readonly left: PhysicalPlan
  readonly right: PhysicalPlan
  /** Pairs of expressions of one type that must be equal. */
  readonly keys: readonly { readonly left: Expr; readonly right: Expr }[]
  readonly residual: Expr | null
  /** The columns wanted from both sides. */
  readonly outputs: readonly Column[]
}

/** Each left row looks up at most one row of a table by a whole key. */
export interface LookupJoinNode {
  readonly kind: 'lookupJoin'
  readonly type: 'inner' | 'left' | 'semi' | 'anti'
  readonly left: PhysicalPlan
  readonly table: TableSchema
  readonly alias: string
  readonly columns: readonly ScanColumn[]
  /** Null: the primary key. */
  readonly index: IndexSchema | null
  /** Over the left side, one for each key column. */
  readonly keys: readonly Expr[]
  readonly residual: Expr | null
  readonly outputs: readonly Column[]
}

export interface AggregateNode {
  readonly kind: 'aggregate'
  readonly input: PhysicalPlan
  readonly groups: readonly Output[]
  readonly calls: readonly AggregateCall[]
}

export interface DistinctNode {
  readonly kind: 'distinct'
  readonly input: PhysicalPlan
  readonly on: readonly Column[] | null
}

export interface SortNode {
  readonly kind: 'sort'
  readonly input: PhysicalPlan
  readonly keys: readonly SortKey[]
}

/** Sort and limit in one: only the first rows are kept. */
export interface TopNode {
  readonly kind: 'top'
  readonly input: PhysicalPlan
  readonly keys: readonly SortKey[]
  readonly limit: Expr
  readonly offset: Expr | null
}

export interface LimitNode {
  readonly kind: 'limit'
  readonly input: PhysicalPlan
  readonly limit: Expr | null
  readonly offset: Expr | null
}

export interface SetNode {
  readonly kind: 'set'
  readonly operator: SetPlan['operator']
  readonly all: boolean
  readonly left: PhysicalPlan
  readonly right: PhysicalPlan
  readonly columns: readonly Column[]
}

/** Adds the value of a subquery as a column. */
export interface ApplyNode {
  readonly kind: 'apply'
  readonly input: PhysicalPlan
  readonly subquery: PhysicalPlan
  readonly column: Column
  readonly result:
    | { readonly kind: 'scalar' }
    | { readonly kind: 'exists'; readonly negated: boolean }
    | { readonly kind: 'quantified'; readonly expr: QuantifiedExpr }
  /** A column of the input that is true for the rows which need the value; null: all rows. */
  readonly when: Column | null
  /** Columns of the input that the subquery refers to. */
  readonly outer: readonly Column[]
}

export function physicalColumns(plan: PhysicalPlan): readonly Column[] {
  switch (plan.kind) {
    case 'tableScan':
    case 'virtualScan':
      return plan.columns.map(({ column }) => column)
    case 'functionScan':
      return [plan.column]
    case 'values':
    case 'set':
      return plan.columns
    case 'map':
      return plan.outputs === null ? physicalColumns(plan.input) : plan.outputs.map(({ column }) => column)
    case 'join':
    case 'lookupJoin':
      return plan.outputs
    case 'aggregate':
      return [...plan.groups, ...plan.calls].map(({ column }) => column)
    case 'distinct':
    case 'sort':
    case 'top':
    case 'limit':
      return physicalColumns(plan.input)
    case 'apply':
      return [...physicalColumns(plan.input), plan.column]
  }
}
