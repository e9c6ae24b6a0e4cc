import type { Identifier, Node, QualifiedName } from './common.ts'
import type { Expression, Query, WriteStatement } from './query.ts'

/** `COPY table (columns) FROM | TO …`, `COPY (query) TO …`. */
export interface Copy extends Node {
  readonly kind: 'copy'
  readonly direction: 'from' | 'to'
  /** Null: the rows of `query`. */
  readonly table: QualifiedName | null
  /** None: all that can be copied. */
  readonly columns: readonly Identifier[]
  readonly query: Query | WriteStatement | null
  /** Where the rows come from or go to; null: the client. */
  readonly file: { readonly name: string; readonly program: boolean } | null
  /** As written, in order; those of the old style under their new names. */
  readonly options: readonly CopyOption[]
  readonly where: Expression | null
}

export interface CopyOption extends Node {
  /** Lower case. */
  readonly name: string
  /** Null: nothing was said; `*`, or the names of columns. */
  readonly value: string | null | '*' | readonly Identifier[]
  /** Columns, or `*`, were given, not a text. */
  readonly list: boolean
}

/** `DECLARE name CURSOR FOR query`. */
export interface DeclareCursor extends Node {
  readonly kind: 'declare'
  readonly name: Identifier
  readonly binary: boolean
  /** Null: neither SCROLL nor NO SCROLL was said. */
  readonly scroll: boolean | null
  readonly hold: boolean
  readonly query: Query
}

/**
 * Where FETCH goes: so many rows on or back, to a row counted from the start (or, below zero, from the end), or so many rows
 * from where it is.
 */
export interface FetchDirection {
  readonly way: 'forward' | 'backward' | 'absolute' | 'relative'
  readonly count: number | 'all'
}

export interface FetchRows extends Node {
  readonly kind: 'fetch' | 'move'
  readonly cursor: Identifier
  readonly direction: FetchDirection
}

/** Null: CLOSE ALL. */
export interface CloseCursor extends Node {
  readonly kind: 'close'
  readonly name: Identifier | null
}

export type CursorStatement = DeclareCursor | FetchRows | CloseCursor
