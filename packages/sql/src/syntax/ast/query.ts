import type { Identifier, Node, QualifiedName } from './common.ts'
import type { CallExpression, Expression } from './expression.ts'

/** A query with all that may surround it. As a statement of its own it is a `Statement` too. */
export interface Query extends Node {
  readonly kind: 'query'
  readonly with: readonly CommonTable[]
  readonly recursive: boolean
  readonly body: QueryBody
  readonly orderBy: readonly SortItem[]
  /** Null: no limit (also LIMIT ALL). */
  readonly limit: Expression | null
  readonly offset: Expression | null
}

/** A `Query` as a body stands in parentheses of its own, because it has a WITH, ORDER BY, LIMIT or OFFSET. */
export type QueryBody = Select | SetOperation | Values | Query

export interface CommonTable extends Node {
  readonly name: Identifier
  readonly columns: readonly Identifier[]
  readonly query: Query
  readonly materialized: boolean | null
}

export interface Select extends Node {
  readonly kind: 'select'
  /** `on` holds the expressions of DISTINCT ON. */
  readonly distinct: 'all' | 'distinct' | 'on'
  readonly distinctOn: readonly Expression[]
  readonly items: readonly SelectItem[]
  /** Items of the comma list; empty without FROM. */
  readonly from: readonly TableReference[]
  readonly where: Expression | null
  readonly groupBy: readonly Expression[]
  readonly having: Expression | null
}

export interface SetOperation extends Node {
  readonly kind: 'setOperation'
  readonly operator: 'union' | 'intersect' | 'except'
  readonly all: boolean
  readonly left: QueryBody
  readonly right: QueryBody
}

/** Every row has the same number of items when it came from the parser. */
export interface Values extends Node {
  readonly kind: 'values'
  readonly rows: readonly (readonly Expression[])[]
}

export type SelectItem = ExpressionItem | StarItem

export interface ExpressionItem extends Node {
  readonly kind: 'item'
  readonly expression: Expression
  readonly alias: Identifier | null
}

/** `*` (no parts) or `table.*`. */
export interface StarItem extends Node {
  readonly kind: 'star'
  readonly qualifier: readonly Identifier[]
}

export interface SortItem extends Node {
  readonly expression: Expression
  readonly descending: boolean
  /** As it takes effect: PostgreSQL puts NULL last when ascending, first when descending. */
  readonly nulls: 'first' | 'last'
}

export type TableReference = TableName | DerivedTable | FunctionTable | Join

export interface TableAlias extends Node {
  readonly name: Identifier
  readonly columns: readonly Identifier[]
}

export interface TableName extends Node {
  readonly kind: 'table'
  readonly name: QualifiedName
  readonly alias: TableAlias | null
}

export interface DerivedTable extends Node {
  readonly kind: 'derived'
  readonly query: Query
  /** PostgreSQL 15 insists on one: the parser has checked. */
  readonly alias: TableAlias
  readonly lateral: boolean
}

/** `generate_series(1, 10) AS n`. */
export interface FunctionTable extends Node {
  readonly kind: 'functionTable'
  readonly call: CallExpression
  readonly alias: TableAlias | null
  readonly lateral: boolean
}

export interface Join extends Node {
  readonly kind: 'join'
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross'
  readonly left: TableReference
  readonly right: TableReference
  readonly condition: JoinCondition | null
}

/** Null on the join itself: a cross join. */
export type JoinCondition =
  | { readonly kind: 'on'; readonly expression: Expression }
  | { readonly kind: 'using'; readonly columns: readonly Identifier[] }
  | { readonly kind: 'natural' }
