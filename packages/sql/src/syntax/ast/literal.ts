import type { Identifier, Node } from './common.ts'

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
