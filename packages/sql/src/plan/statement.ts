import type { KeyConstraint, TableSchema } from '../catalog/schema.ts'
import type { SqlType } from '../types/type.ts'
import type { Column, Expr } from './expression.ts'
import type { CteTable, LogicalPlan } from './logical.ts'

export interface ResultColumn {
  readonly name: string
  readonly type: SqlType
}

/** A statement over data, bound: what it reads, what it writes, what it gives. */
export type StatementPlan = QueryStatement | WriteStatementPlan

export type BoundStatement = StatementPlan | WithStatement

export type WriteStatementPlan = InsertStatement | UpdateStatement | DeleteStatement | MergeStatement

/** A statement with the tables of its WITH clause. All parts see the rows as they were before the statement. */
export interface WithStatement {
  readonly kind: 'with'
  /** In an order in which each one's references come before it. */
  readonly tables: readonly StatementTable[]
  readonly main: StatementPlan
}

export type StatementTable =
  | CteTable
  | { readonly id: number; readonly name: string; readonly statement: WriteStatementPlan }

export interface QueryStatement {
  readonly kind: 'query'
  readonly plan: LogicalPlan
  readonly columns: readonly Column[]
  readonly result: readonly ResultColumn[]
}

export interface Check {
  readonly name: string
  /** The domain whose constraint it is; null: the table's own. */
  readonly domain: string | null
  /** True: `name` is a view's, whose condition it is. */
  readonly view?: boolean
  /** Over `Target.row`; the constraint is broken when it is false. */
  readonly expr: Expr
}

/** The table that a statement writes. */
export interface Target {
  readonly table: TableSchema
  /** Stand for the values of a row as it is written, or for a deleted one, in `checks` and `returning`. */
  readonly row: readonly Column[]
  readonly checks: readonly Check[]
  /** The tables that foreign keys tie to it; none: it has and is asked for none. */
  readonly related: readonly RelatedTable[]
}

/** What a row of a table needs that the action of a foreign key changes. */
export interface RelatedTable {
  /** Its key in the catalog. */
  readonly key: string
  readonly table: TableSchema
  /** Stand for the values of the changed row. */
  readonly row: readonly Column[]
  /** The row with its generated columns computed; null: it has none. */
  readonly values: readonly Expr[] | null
  /** Defaults of the columns that an action may set to them, by position. */
  readonly defaults: readonly (Expr | null)[]
  readonly checks: readonly Check[]
}

export interface Returning {
  readonly exprs: readonly Expr[]
  readonly result: readonly ResultColumn[]
}

/** `source` gives a value for each column of the table, in order. */
export interface InsertStatement {
  readonly kind: 'insert'
  readonly target: Target
  readonly source: LogicalPlan
  readonly sourceColumns: readonly Column[]
  readonly conflict: ConflictAction | null
  readonly returning: Returning | null
}

/** ON CONFLICT: what becomes of a row whose key another row has. */
export interface ConflictAction {
  /** The constraints meant; a breach of any other is an error. */
  readonly arbiters: readonly KeyConstraint[]
  /** Null: the row is left out. */
  readonly update: ConflictUpdate | null
}

/** Computes the new values of the row that is there. */
export interface ConflictUpdate {
  /** Stand for that row's key and values, and for the values that were to be inserted. */
  readonly key: Column
  readonly old: readonly Column[]
  readonly excluded: readonly Column[]
  /** One for each column of the table. */
  readonly values: readonly Expr[]
  /** Unless it is true, the row stays as it is. */
  readonly where: Expr | null
}

/**
 * `source` gives the row's key, its old values and its new ones. What RETURNING takes from other tables comes
 * behind them.
 */
export interface UpdateStatement {
  readonly kind: 'update'
  readonly target: Target
  readonly source: LogicalPlan
  readonly key: Column
  readonly old: readonly Column[]
  /** One for each column of the table. */
  readonly values: readonly Column[]
  readonly others: readonly Column[]
  readonly returning: Returning | null
}

export interface DeleteStatement {
  readonly kind: 'delete'
  readonly target: Target
  readonly source: LogicalPlan
  readonly key: Column
  readonly old: readonly Column[]
  readonly others: readonly Column[]
  readonly returning: Returning | null
}

/**
 * `source` gives the key and the values of the row that matched (NULLs without one), the number of the branch that
 * is taken (NULL: none), and the row that the branch makes.
 */
export interface MergeStatement {
  readonly kind: 'merge'
  readonly target: Target
  readonly source: LogicalPlan
  readonly key: Column
  readonly old: readonly Column[]
  readonly action: Column
  /** One for each column of the table. */
  readonly values: readonly Column[]
  /** What each branch does. */
  readonly actions: readonly ('update' | 'delete' | 'insert' | 'nothing')[]
  readonly returning: null
}
