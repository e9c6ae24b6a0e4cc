import type { Database } from '@cluster/core'
import type { AccessCollector } from '../access/requirement.ts'
import type { CatalogEntry, SequenceSchema } from '../catalog/schema.ts'
import type { VirtualTable } from '../catalog/virtual-table.ts'
import { type SqlErrorOptions, sqlError } from '../errors.ts'
import type { Column, Expr } from '../plan/expression.ts'
import type { AggregateCall, LogicalPlan } from '../plan/logical.ts'
import type { Identifier, Node, Query } from '../syntax/ast.ts'
import { positionAt } from '../syntax/scanner.ts'
import { type RecordType, type SqlType, TEXT } from '../types/type.ts'

/** A query as its surroundings see it: what it gives, under which names. */
export interface BoundQuery {
  readonly plan: LogicalPlan
  readonly columns: readonly OutputColumn[]
}

export interface OutputColumn {
  readonly name: string
  readonly column: Column
  /** True: `*` does not stand for it. */
  readonly hidden?: boolean
}

/** The tables and views that a statement names, read before it is bound. */
export interface Names {
  /** By the name as written (`writtenName`). */
  entry(written: string): CatalogEntry | null
  virtual(written: string): VirtualTable | null
  byKey(key: string): CatalogEntry | null
  keyOf(entry: CatalogEntry): string
  /** For hints. */
  readonly all: readonly string[]
}

/** The types of `$1`, `$2`, …: found from where they stand. */
export class Parameters {
  readonly #types: (SqlType | null)[] = []

  /** Notes that `$index` occurs. */
  use(index: number): SqlType | null {
    while (this.#types.length < index) this.#types.push(null)
    return this.#types[index - 1] ?? null
  }

  decide(index: number, type: SqlType): void {
    this.use(index)
    this.#types[index - 1] ??= type
  }

  /** Those that nothing decided are text. */
  types(): readonly SqlType[] {
    return this.#types.map((type) => type ?? TEXT)
  }
}

/** A WITH table in view. */
export type CteBinding =
  /** Computed apart and read by its id; `columns` tell names and types. */
  | { readonly kind: 'table'; readonly id: number; readonly columns: readonly OutputColumn[] }
  /** Each use binds the query anew, in what it sees. */
  | {
      readonly kind: 'anew'
      readonly query: Query
      readonly scope: Scope | null
      readonly outer: Ctes | null
      readonly names: readonly Identifier[]
    }
  /** Changes rows and gives none. */
  | { readonly kind: 'silent' }

export interface Ctes {
  readonly name: string
  readonly binding: CteBinding
  readonly next: Ctes | null
}

export interface ScopeColumn {
  readonly name: string
  readonly column: Column
  /** True: `*` does not stand for it. */
  readonly hidden?: boolean
}

/** One table of FROM under the name it goes by. */
export interface ScopeTable {
  readonly alias: string
  /** The table's own name, when the alias did not replace it; with its schema, for `schema.table.column`. */
  readonly schema: string | null
  readonly columns: readonly ScopeColumn[]
  /** The type of its rows, where they have one in the catalog. */
  readonly rowType?: RecordType['named']
  /** What `tableoid` is, and a column that is NULL only in rows which an outer join made up; null: there is none. */
  readonly system?: { readonly oid: number; readonly present: Column | null }
  /** True: its first column is what its name means, as of a function that gives single values. */
  readonly scalar?: boolean
}

/** Where the aggregates of a query are collected. */
export interface AggregateSink {
  /** Gives the column that will hold the value. */
  add(call: AggregateCall): Expr
}

/** What an expression may name: the tables of its query, then those of the queries around it. */
export interface Scope {
  readonly tables: readonly ScopeTable[]
  /** Columns by their bare names and for `*`: those joined by USING count once. */
  readonly columns: readonly ScopeColumn[]
  /** Tables that stand beside and must not be named from here; for messages. */
  readonly hidden?: readonly ScopeTable[]
  /** Takes aggregates over this query's columns that stand in a subquery. */
  readonly aggregates?: AggregateSink | null
  readonly outer: Scope | null
}

/** What binding one statement needs and collects. */
export interface BindContext {
  readonly names: Names
  readonly database: Database
  readonly parameters: Parameters
  /** Collects the sequences that the statement takes values from. */
  readonly sequences: Set<SequenceSchema>
  /** Collects what the statement needs the right to do. */
  readonly access: AccessCollector
  readonly nextColumnId: () => number
  /** The text whose offsets the nodes have; null when they are of no use to the user, as in a view. */
  readonly source: string | null
  readonly ctes: Ctes | null
  /** Tables of WITH that are defined further on, and so not known here; for messages. */
  readonly laterCtes?: readonly string[]
  /** Views being expanded, to stop one that uses itself. */
  readonly views: readonly string[]
  /** Binds a query inside an expression or FROM; `scope` is what it may refer to outside of itself. */
  readonly bindQuery: (query: Query, context: BindContext, scope: Scope | null) => BoundQuery
}

export function newColumn(context: BindContext, name: string, type: SqlType): Column {
  return { id: context.nextColumnId(), name, type }
}

/** The position that a message points at, in characters from 1. */
export function positionOf(context: BindContext, node: Node): number | undefined {
  return context.source === null ? undefined : positionAt(context.source, node.span.start)
}

/** An error that points at a node. */
export function errorAt(
  context: BindContext,
  node: Node,
  sqlstate: string,
  message: string,
  options: SqlErrorOptions = {},
) {
  return sqlError(sqlstate, message, { position: positionOf(context, node), ...options })
}

export function unsupported(context: BindContext, node: Node, what: string) {
  return errorAt(context, node, '0A000', `${what} is not supported`)
}

/** A column of the input of an expression that is computed first. */
export interface Computed {
  readonly column: Column
  readonly expr: Expr
}
