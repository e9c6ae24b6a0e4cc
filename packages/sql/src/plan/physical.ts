import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import type { Column, Expr, QuantifiedExpr } from './expression.ts'
import type {
  AggregateCall,
  CteScanPlan,
  FunctionScanPlan,
  GroupingSets,
  JoinType,
  Output,
  ScanColumn,
  SetPlan,
  SortKey,
  ValuesPlan,
  VirtualScanPlan,
  WindowCall,
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
  | WindowNode
  | LateralJoinNode
  | SingleNode
  | WithNode
  | CteScanPlan
  | RecursiveNode

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
  /** Rows whose value of the column is not among the keys that a join above has told may be left out. */
  readonly keyed?: readonly { readonly id: number; readonly column: Column }[]
}

/** Keys that the side of a join which is read first tells scans of the other side. */
export interface PassedKey {
  readonly id: number
  /** Over the side that is read first. */
  readonly expr: Expr
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
  /**
   * `hash`: the right side goes into a table by its keys; `mark`, for semi and anti joins: the left side does, and is marked by
   * the right one; `merge`: both sides come sorted by the keys, which are columns that are never NULL; `loop`: each left row meets
   * each right one.
   */
  readonly method: 'hash' | 'mark' | 'merge' | 'loop'
  readonly type: Exclude<JoinType, 'right'>
  readonly left: PhysicalPlan
  readonly right: PhysicalPlan
  /** Pairs of expressions of one type that must be equal. */
  readonly keys: readonly { readonly left: Expr; readonly right: Expr }[]
  readonly residual: Expr | null
  /** The columns wanted from both sides. */
  readonly outputs: readonly Column[]
  /** Of a merge join: the sides come from the last key down. */
  readonly descending?: boolean
  /** Told by the right side, or by the left one of a mark join. */
  readonly passes?: readonly PassedKey[]
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
  readonly sets: GroupingSets | null
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
  readonly counts: PhysicalPlan | null
}

export interface LimitNode {
  readonly kind: 'limit'
  readonly input: PhysicalPlan
  readonly limit: Expr | null
  readonly offset: Expr | null
  /** Rows equal to the last one in these come too; null: they do not. */
  readonly ties: readonly Expr[] | null
  /** Gives limit and offset in one row, where they have subqueries. */
  readonly counts: PhysicalPlan | null
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

/** Its input comes sorted by the columns of the partition, in any order of them, and then by the keys. */
export interface WindowNode {
  readonly kind: 'window'
  readonly input: PhysicalPlan
  readonly partitionBy: readonly Expr[]
  readonly orderBy: readonly SortKey[]
  readonly calls: readonly WindowCall[]
}

/** Runs the right side for each row of the left one. */
export interface LateralJoinNode {
  readonly kind: 'lateralJoin'
  readonly type: 'inner' | 'left'
  readonly left: PhysicalPlan
  readonly right: PhysicalPlan
  readonly on: Expr | null
  /** Columns of the left side that the right side refers to. */
  readonly outer: readonly Column[]
  readonly outputs: readonly Column[]
}

export interface SingleNode {
  readonly kind: 'single'
  readonly input: PhysicalPlan
}

export interface WithNode {
  readonly kind: 'with'
  readonly tables: readonly WithTable[]
  readonly input: PhysicalPlan
}

export interface WithTable {
  readonly id: number
  readonly name: string
  /** Gives exactly the columns of the table. */
  readonly plan: PhysicalPlan
}

export interface RecursiveNode {
  readonly kind: 'recursive'
  readonly id: number
  readonly name: string
  readonly all: boolean
  readonly base: PhysicalPlan
  readonly step: PhysicalPlan
  readonly columns: readonly Column[]
}

/** What a node reads from; the plans of WITH tables first. */
export function physicalInputs(plan: PhysicalPlan): readonly PhysicalPlan[] {
  switch (plan.kind) {
    case 'tableScan':
    case 'virtualScan':
    case 'functionScan':
    case 'values':
    case 'cteScan':
      return []
    case 'join':
    case 'set':
    case 'lateralJoin':
      return [plan.left, plan.right]
    case 'lookupJoin':
      return [plan.left]
    case 'apply':
      return [plan.input, plan.subquery]
    case 'recursive':
      return [plan.base, plan.step]
    case 'with':
      return [...plan.tables.map((table) => table.plan), plan.input]
    default:
      return [plan.input]
  }
}

export function physicalColumns(plan: PhysicalPlan): readonly Column[] {
  switch (plan.kind) {
    case 'tableScan':
    case 'virtualScan':
    case 'cteScan':
      return plan.columns.map(({ column }) => column)
    case 'functionScan':
      return plan.ordinality === null ? [plan.column] : [plan.column, plan.ordinality]
    case 'values':
    case 'set':
    case 'recursive':
      return plan.columns
    case 'map':
      return plan.outputs === null ? physicalColumns(plan.input) : plan.outputs.map(({ column }) => column)
    case 'join':
    case 'lookupJoin':
    case 'lateralJoin':
      return plan.outputs
    case 'aggregate': {
      const columns = [...plan.groups, ...plan.calls].map(({ column }) => column)
      return plan.sets === null ? columns : [...columns, plan.sets.column]
    }
    case 'window':
      return [...physicalColumns(plan.input), ...plan.calls.map(({ column }) => column)]
    case 'distinct':
    case 'sort':
    case 'top':
    case 'limit':
    case 'single':
    case 'with':
      return physicalColumns(plan.input)
    case 'apply':
      return [...physicalColumns(plan.input), plan.column]
  }
}
