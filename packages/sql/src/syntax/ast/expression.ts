import type { Identifier, Node, QualifiedName, TypeName } from './common.ts'
import type { Query, SortItem } from './query.ts'

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
