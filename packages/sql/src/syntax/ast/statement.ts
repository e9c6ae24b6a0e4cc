import type { Identifier, Node, QualifiedName, TypeName } from './common.ts'
import type { Expression, Query, WriteStatement } from './query.ts'

export type Statement =
  | Query
  | WriteStatement
  | Prepare
  | Execute
  | Deallocate
  | Truncate
  | CreateTable
  | CreateTableAs
  | CreateIndex
  | CreateView
  | Drop
  | TransactionStatement
  | Explain
  | SetStatement
  | Show

export interface Truncate extends Node {
  readonly kind: 'truncate'
  readonly tables: readonly QualifiedName[]
}

export interface CreateTable extends Node {
  readonly kind: 'createTable'
  readonly table: QualifiedName
  readonly ifNotExists: boolean
  readonly temporary: boolean
  readonly columns: readonly ColumnDefinition[]
  readonly constraints: readonly TableConstraint[]
  /** WITH (name = value, …), in the order written. */
  readonly options: readonly StorageOption[]
}

/** A value is the text of the literal or word; null when only the name stood there. */
export interface StorageOption extends Node {
  readonly name: Identifier
  readonly value: string | null
}

export interface ColumnDefinition extends Node {
  readonly name: Identifier
  readonly type: TypeName
  readonly constraints: readonly ColumnConstraint[]
}

export type ColumnConstraint = Node & { readonly name: Identifier | null } & (
    | { readonly kind: 'notNull' }
    | { readonly kind: 'nullable' }
    | { readonly kind: 'primaryKey' }
    | { readonly kind: 'unique' }
    | { readonly kind: 'default'; readonly expression: Expression }
    | { readonly kind: 'check'; readonly expression: Expression }
    | {
        readonly kind: 'references'
        readonly table: QualifiedName
        readonly columns: readonly Identifier[]
        readonly onDelete: ReferentialAction
        readonly onUpdate: ReferentialAction
      }
  )

export type ReferentialAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default'

export type TableConstraint = Node & { readonly name: Identifier | null } & (
    | { readonly kind: 'primaryKey'; readonly columns: readonly Identifier[] }
    | { readonly kind: 'unique'; readonly columns: readonly Identifier[] }
    | { readonly kind: 'check'; readonly expression: Expression }
    | {
        readonly kind: 'foreignKey'
        readonly columns: readonly Identifier[]
        readonly table: QualifiedName
        readonly referenced: readonly Identifier[]
        readonly onDelete: ReferentialAction
        readonly onUpdate: ReferentialAction
      }
  )

export interface CreateTableAs extends Node {
  readonly kind: 'createTableAs'
  readonly table: QualifiedName
  readonly ifNotExists: boolean
  readonly temporary: boolean
  readonly columns: readonly Identifier[]
  readonly query: Query
  readonly withData: boolean
}

export interface CreateIndex extends Node {
  readonly kind: 'createIndex'
  /** Null: the catalog makes one up. */
  readonly name: Identifier | null
  readonly table: QualifiedName
  readonly unique: boolean
  readonly ifNotExists: boolean
  readonly columns: readonly IndexColumn[]
  readonly where: Expression | null
}

/** A plain column is a `column` expression of one part. */
export interface IndexColumn extends Node {
  readonly expression: Expression
  readonly descending: boolean
  readonly nulls: 'first' | 'last'
}

export interface CreateView extends Node {
  readonly kind: 'createView'
  readonly name: QualifiedName
  readonly orReplace: boolean
  readonly temporary: boolean
  readonly columns: readonly Identifier[]
  readonly query: Query
  /** The query's text as written, for the catalog. */
  readonly text: string
}

export interface Drop extends Node {
  readonly kind: 'dropTable' | 'dropIndex' | 'dropView'
  readonly names: readonly QualifiedName[]
  readonly ifExists: boolean
  readonly cascade: boolean
}

export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable'

export interface Begin extends Node {
  readonly kind: 'begin'
  readonly isolation: IsolationLevel | null
  readonly readOnly: boolean | null
}

export type TransactionStatement =
  | Begin
  | (Node & { readonly kind: 'commit' | 'rollback' })
  | (Node & { readonly kind: 'savepoint' | 'rollbackTo' | 'release'; readonly name: Identifier })

export interface Explain extends Node {
  readonly kind: 'explain'
  readonly analyze: boolean
  readonly verbose: boolean
  /** Further options of the list in parentheses, lower case, with their text. */
  readonly options: readonly StorageOption[]
  readonly statement: Statement
}

/** `SET name = value`, `SET name TO DEFAULT` (null), RESET name. */
export interface SetStatement extends Node {
  readonly kind: 'set'
  readonly scope: 'session' | 'local'
  /** Lower case, dotted: `search_path`, `timezone`, `transaction_isolation`. */
  readonly name: string
  /** Literals and words as text; several for a list. */
  readonly values: readonly string[] | null
}

export interface Show extends Node {
  readonly kind: 'show'
  /** `all` for SHOW ALL. */
  readonly name: string
}

/** `PREPARE name (types) AS statement`. */
export interface Prepare extends Node {
  readonly kind: 'prepare'
  readonly name: Identifier
  /** Of the parameters, in order; those behind the last one follow from where they stand. */
  readonly types: readonly TypeName[]
  readonly statement: Query | WriteStatement
}

export interface Execute extends Node {
  readonly kind: 'execute'
  readonly name: Identifier
  readonly args: readonly Expression[]
}

/** Null: DEALLOCATE ALL. */
export interface Deallocate extends Node {
  readonly kind: 'deallocate'
  readonly name: Identifier | null
}
