/** Where a node stands in the source: offsets in UTF-16 units, from 0; `end` is the first one behind. */
export interface Span {
  readonly start: number
  readonly end: number
}

export interface Node {
  readonly span: Span
}

/** A name as the catalog knows it: folded to lower case unless it was quoted. */
export interface Identifier extends Node {
  readonly kind: 'identifier'
  readonly name: string
}

/** `table`, `schema.table`: one to three parts, the object's own name last. */
export interface QualifiedName extends Node {
  readonly kind: 'name'
  readonly parts: readonly Identifier[]
}

/**
 * A type as written. Names of the standard come in PostgreSQL's long form (`integer`, `character varying`,
 * `timestamp without time zone`), whichever spelling was used; other names as they are.
 */
export interface TypeName extends Node {
  readonly kind: 'typeName'
  readonly name: string
  /** What stood in parentheses: length, or precision and scale. */
  readonly modifiers: readonly number[]
  /** True for `name[]`. */
  readonly array: boolean
}
