import type { Identifier, Node, QualifiedName, TypeName } from './common.ts'

// Expressions and queries contain each other.

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

export type Expression =
  | NullLiteral
  | BooleanLiteral
  | NumberLiteral
  | StringLiteral
  | Parameter
  | ColumnReference
  | UnaryExpression
  | BinaryExpression
  | NotExpression
  | LogicalExpression
  | IsExpression
  | DistinctFromExpression
  | BetweenExpression
  | InListExpression
  | InQueryExpression
  | LikeExpression
  | QuantifiedExpression
  | ExistsExpression
  | ScalarSubquery
  | CaseExpression
  | CastExpression
  | CallExpression
  | CoalesceExpression
  | NullIfExpression
  | ExtremeExpression
  | RowExpression

export interface NullLiteral extends Node {
  readonly kind: 'null'
}

export interface BooleanLiteral extends Node {
  readonly kind: 'boolean'
  readonly value: boolean
}

/** `-` before a number belongs to the literal, so that the least integers can be written. */
export interface NumberLiteral extends Node {
  readonly kind: 'number'
  /** `-?digits[.digits][e[+-]digits]`, as written. `numberLiteral` of types/ gives type and value. */
  readonly text: string
}

/** A quoted literal: of unknown type until its context decides. */
export interface StringLiteral extends Node {
  readonly kind: 'string'
  readonly value: string
}

/** `$1` has index 1. */
export interface Parameter extends Node {
  readonly kind: 'parameter'
  readonly index: number
}

/** `column`, `table.column`, `schema.table.column`. */
export interface ColumnReference extends Node {
  readonly kind: 'column'
  readonly parts: readonly Identifier[]
}

/** Prefix `-`, `+`, `@`, `~` and other operators. */
export interface UnaryExpression extends Node {
  readonly kind: 'unary'
  readonly operator: string
  readonly operand: Expression
}

/** Every infix operator that is looked up by its operands' types: `+`, `<=`, `||`, … (`!=` becomes `<>`). */
export interface BinaryExpression extends Node {
  readonly kind: 'binary'
  readonly operator: string
  readonly left: Expression
  readonly right: Expression
  /** Where the operator stands, for messages. */
  readonly operatorSpan: Node['span']
}

export interface NotExpression extends Node {
  readonly kind: 'not'
  readonly operand: Expression
}

/** A chain of one connective, flat however long it is; at least two operands. */
export interface LogicalExpression extends Node {
  readonly kind: 'and' | 'or'
  readonly operands: readonly Expression[]
}

export interface IsExpression extends Node {
  readonly kind: 'is'
  readonly test: 'null' | 'true' | 'false' | 'unknown'
  readonly operand: Expression
  readonly negated: boolean
}

export interface DistinctFromExpression extends Node {
  readonly kind: 'distinctFrom'
  readonly left: Expression
  readonly right: Expression
  readonly negated: boolean
}

export interface BetweenExpression extends Node {
  readonly kind: 'between'
  readonly operand: Expression
  readonly low: Expression
  readonly high: Expression
  readonly symmetric: boolean
  readonly negated: boolean
}

export interface InListExpression extends Node {
  readonly kind: 'in'
  readonly operand: Expression
  readonly list: readonly Expression[]
  readonly negated: boolean
}

export interface InQueryExpression extends Node {
  readonly kind: 'inQuery'
  readonly operand: Expression
  readonly query: Query
  readonly negated: boolean
}

export interface LikeExpression extends Node {
  readonly kind: 'like'
  readonly operand: Expression
  readonly pattern: Expression
  readonly escape: Expression | null
  readonly caseInsensitive: boolean
  readonly negated: boolean
}

/** `left operator ANY (query)`, `left operator ALL (query)`; SOME is ANY. */
export interface QuantifiedExpression extends Node {
  readonly kind: 'quantified'
  readonly left: Expression
  readonly operator: string
  readonly quantifier: 'any' | 'all'
  readonly query: Query
  readonly operatorSpan: Node['span']
}

export interface ExistsExpression extends Node {
  readonly kind: 'exists'
  readonly query: Query
}

export interface ScalarSubquery extends Node {
  readonly kind: 'subquery'
  readonly query: Query
}

/** With an `operand`, each `when` is compared with it. */
export interface CaseExpression extends Node {
  readonly kind: 'case'
  readonly operand: Expression | null
  readonly branches: readonly CaseBranch[]
  readonly otherwise: Expression | null
}

export interface CaseBranch extends Node {
  readonly when: Expression
  readonly result: Expression
}

/** `CAST(x AS t)`, `x::t`, and the typed literal `t 'text'`. */
export interface CastExpression extends Node {
  readonly kind: 'cast'
  readonly operand: Expression
  readonly type: TypeName
}

/**
 * A function or aggregate. The standard's special forms are calls as well: SUBSTRING, POSITION (arguments
 * swapped: text first), TRIM (`btrim`, `ltrim`, `rtrim`), EXTRACT (`extract` with the field as a string
 * first), CURRENT_TIMESTAMP and its like (no arguments).
 */
export interface CallExpression extends Node {
  readonly kind: 'call'
  readonly name: QualifiedName
  readonly args: readonly Expression[]
  /** `count(*)`. */
  readonly star: boolean
  readonly distinct: boolean
  readonly orderBy: readonly SortItem[]
  readonly filter: Expression | null
}

export interface CoalesceExpression extends Node {
  readonly kind: 'coalesce'
  readonly args: readonly Expression[]
}

export interface NullIfExpression extends Node {
  readonly kind: 'nullif'
  readonly left: Expression
  readonly right: Expression
}

/** GREATEST and LEAST. */
export interface ExtremeExpression extends Node {
  readonly kind: 'greatest' | 'least'
  readonly args: readonly Expression[]
}

/** `(a, b)`, `ROW(a)`. */
export interface RowExpression extends Node {
  readonly kind: 'row'
  readonly items: readonly Expression[]
}
