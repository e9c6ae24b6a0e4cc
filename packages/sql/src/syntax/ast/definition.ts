import type { Identifier, Node, QualifiedName, TypeName } from './common.ts'
import type { Expression, FieldDefinition, Query } from './query.ts'

/** A statement that changes the catalog, or all rows of a table at once. */
export type Definition =
  | Truncate
  | CreateTable
  | CreateTableAs
  | CreateIndex
  | CreateView
  | CreateMaterializedView
  | CreateSequence
  | CreateSchema
  | CreateEnum
  | CreateComposite
  | CreateDomain
  | AlterTable
  | AlterSequence
  | AlterEnum
  | AlterComposite
  | AlterDomain
  | AlterObject
  | Drop
  | Refresh
  | Comment

export interface Truncate extends Node {
  readonly kind: 'truncate'
  readonly tables: readonly QualifiedName[]
  readonly restartIdentity: boolean
  readonly cascade: boolean
}

export interface CreateTable extends Node {
  readonly kind: 'createTable'
  readonly table: QualifiedName
  readonly ifNotExists: boolean
  readonly temporary: boolean
  readonly columns: readonly ColumnDefinition[]
  readonly constraints: readonly TableConstraint[]
  /** LIKE clauses; their columns come before the column of that position in `columns`. */
  readonly likes: readonly LikeClause[]
  /** WITH (name = value, …), in the order written. */
  readonly options: readonly StorageOption[]
  /** DISTRIBUTED BY; none: the primary key. */
  readonly distribution: readonly Identifier[]
  /** INHERITS. */
  readonly parents: readonly Identifier[]
  readonly onCommit: OnCommit
}

export type OnCommit = 'preserve rows' | 'delete rows' | 'drop'

export interface LikeClause extends Node {
  readonly table: QualifiedName
  /** How many columns of the statement stand before it. */
  readonly position: number
  /** In the order written: `including all`, `excluding indexes`. */
  readonly options: readonly { readonly including: boolean; readonly what: Identifier }[]
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
  readonly collation: QualifiedName | null
}

/** When a constraint is checked. */
export interface Deferral {
  readonly deferrable: boolean
  readonly initiallyDeferred: boolean
}

/** What a foreign key points at, and what becomes of its rows. */
export interface References {
  readonly table: QualifiedName
  /** None: the primary key. */
  readonly referenced: readonly Identifier[]
  readonly match: 'simple' | 'full' | 'partial'
  readonly onDelete: ReferentialAction
  readonly onUpdate: ReferentialAction
  /** Columns of ON DELETE SET NULL or SET DEFAULT; none: all of the key. */
  readonly onDeleteColumns: readonly Identifier[]
}

export type ColumnConstraint = Node & { readonly name: Identifier | null } & (
    | { readonly kind: 'notNull' }
    | { readonly kind: 'nullable' }
    | ({ readonly kind: 'primaryKey' } & Deferral)
    | ({ readonly kind: 'unique'; readonly nullsNotDistinct: boolean } & Deferral)
    | { readonly kind: 'default'; readonly expression: Expression }
    | { readonly kind: 'generated'; readonly expression: Expression; readonly always: boolean }
    | {
        readonly kind: 'identity'
        readonly always: boolean
        readonly options: readonly SequenceOption[]
      }
    | { readonly kind: 'check'; readonly expression: Expression }
    | ({ readonly kind: 'references' } & References & Deferral)
  )

export type ReferentialAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default'

export type TableConstraint = Node & {
  readonly name: Identifier | null
  /** NOT VALID: rows that are there already are not looked at. */
  readonly notValid: boolean
} & Deferral &
  (
    | { readonly kind: 'primaryKey'; readonly columns: readonly Identifier[] }
    | {
        readonly kind: 'unique'
        readonly columns: readonly Identifier[]
        readonly nullsNotDistinct: boolean
      }
    | { readonly kind: 'check'; readonly expression: Expression }
    | ({ readonly kind: 'foreignKey'; readonly columns: readonly Identifier[] } & References)
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
  readonly nullsNotDistinct: boolean
  readonly concurrently: boolean
  readonly ifNotExists: boolean
  /** Null: btree. */
  readonly method: Identifier | null
  readonly columns: readonly IndexColumn[]
  readonly include: readonly Identifier[]
  readonly where: Expression | null
}

/** A plain column is a `column` expression of one part. */
export interface IndexColumn extends Node {
  readonly expression: Expression
  readonly operatorClass: Identifier | null
  readonly descending: boolean
  readonly nulls: 'first' | 'last'
}

export interface CreateView extends Node {
  readonly kind: 'createView'
  readonly name: QualifiedName
  readonly orReplace: boolean
  readonly temporary: boolean
  readonly recursive: boolean
  readonly columns: readonly Identifier[]
  readonly query: Query
  /** The query's text as written, for the catalog. */
  readonly text: string
  readonly checkOption: 'local' | 'cascaded' | null
}

export interface CreateMaterializedView extends Node {
  readonly kind: 'createMaterializedView'
  readonly name: QualifiedName
  readonly ifNotExists: boolean
  readonly columns: readonly Identifier[]
  readonly query: Query
  readonly text: string
  readonly withData: boolean
}

export interface CreateSequence extends Node {
  readonly kind: 'createSequence'
  readonly name: QualifiedName
  readonly ifNotExists: boolean
  readonly temporary: boolean
  readonly options: readonly SequenceOption[]
}

/** Numbers are as written, with their sign. `minvalue` and `maxvalue` null: NO. `restart` null: at its start. */
export type SequenceOption = Node &
  (
    | { readonly kind: 'as'; readonly type: TypeName }
    | { readonly kind: 'increment' | 'start' | 'cache'; readonly value: string }
    | { readonly kind: 'minvalue' | 'maxvalue' | 'restart'; readonly value: string | null }
    | { readonly kind: 'cycle'; readonly on: boolean }
    | { readonly kind: 'ownedBy'; readonly owner: QualifiedName }
    /** Of the sequence of an identity column. */
    | { readonly kind: 'sequenceName'; readonly name: QualifiedName }
  )

export interface CreateSchema extends Node {
  readonly kind: 'createSchema'
  /** Null: that of AUTHORIZATION. */
  readonly name: Identifier
  /** AUTHORIZATION: the role that owns it; null: whoever makes it. */
  readonly owner: Identifier | null
  readonly ifNotExists: boolean
  /** What is made in it at once, in the order in which it is made. */
  readonly elements: readonly SchemaElement[]
}

export type SchemaElement = CreateSequence | CreateTable | CreateView | CreateIndex

export interface CreateEnum extends Node {
  readonly kind: 'createEnum'
  readonly name: QualifiedName
  readonly labels: readonly string[]
}

/** `CREATE TYPE name AS (field type, …)`. */
export interface CreateComposite extends Node {
  readonly kind: 'createComposite'
  readonly name: QualifiedName
  readonly fields: readonly FieldDefinition[]
}

export interface CreateDomain extends Node {
  readonly kind: 'createDomain'
  readonly name: QualifiedName
  readonly type: TypeName
  readonly constraints: readonly ColumnConstraint[]
}

export interface AlterTable extends Node {
  readonly kind: 'alterTable'
  readonly table: QualifiedName
  readonly ifExists: boolean
  readonly changes: readonly TableChange[]
}

export type TableChange = Node &
  (
    | { readonly kind: 'addColumn'; readonly column: ColumnDefinition; readonly ifNotExists: boolean }
    | { readonly kind: 'addConstraint'; readonly constraint: TableConstraint }
    | {
        readonly kind: 'dropColumn' | 'dropConstraint'
        readonly name: Identifier
        readonly ifExists: boolean
        readonly cascade: boolean
      }
    | { readonly kind: 'validateConstraint'; readonly name: Identifier }
    | { readonly kind: 'alterConstraint'; readonly name: Identifier; readonly deferral: Deferral }
    | {
        readonly kind: 'renameColumn' | 'renameConstraint'
        readonly from: Identifier
        readonly to: Identifier
      }
    | { readonly kind: 'setOptions'; readonly options: readonly StorageOption[] }
    /** ADD CONSTRAINT … USING INDEX; null: the constraint is called as the index is. */
    | {
        readonly kind: 'adoptIndex'
        readonly name: Identifier | null
        readonly primary: boolean
        readonly index: Identifier
      }
    /** What only says how PostgreSQL stores a table. */
    | { readonly kind: 'unchanged' }
    | { readonly kind: 'alterColumn'; readonly column: Identifier; readonly action: ColumnAction }
    | ObjectChange
  )

/** What may be done to any object. */
export type ObjectChange =
  | { readonly kind: 'rename'; readonly to: Identifier }
  | { readonly kind: 'setSchema'; readonly schema: Identifier }
  | { readonly kind: 'owner' }

export type ColumnAction =
  | { readonly kind: 'type'; readonly type: TypeName; readonly using: Expression | null }
  | { readonly kind: 'setDefault'; readonly expression: Expression }
  | { readonly kind: 'dropDefault' | 'setNotNull' | 'dropNotNull' }
  | { readonly kind: 'dropIdentity' | 'dropExpression'; readonly ifExists: boolean }
  | { readonly kind: 'addIdentity'; readonly always: boolean; readonly options: readonly SequenceOption[] }
  | {
      readonly kind: 'setIdentity'
      readonly always: boolean | null
      readonly options: readonly SequenceOption[]
    }
  /** SET STATISTICS and SET STORAGE, which change nothing here. */
  | { readonly kind: 'hint' }

export interface AlterSequence extends Node {
  readonly kind: 'alterSequence'
  readonly name: QualifiedName
  readonly ifExists: boolean
  readonly change: ObjectChange | { readonly kind: 'options'; readonly options: readonly SequenceOption[] }
}

export interface AlterEnum extends Node {
  readonly kind: 'alterEnum'
  readonly name: QualifiedName
  readonly change:
    | {
        readonly kind: 'addValue'
        readonly value: string
        readonly ifNotExists: boolean
        readonly place: { readonly side: 'before' | 'after'; readonly neighbour: string } | null
      }
    | { readonly kind: 'renameValue'; readonly from: string; readonly to: string }
    | ObjectChange
}

/** ALTER TYPE … ADD ATTRIBUTE and its like. */
export interface AlterComposite extends Node {
  readonly kind: 'alterComposite'
  readonly name: QualifiedName
  readonly changes: readonly AttributeChange[]
}

export type AttributeChange =
  | { readonly kind: 'add'; readonly field: FieldDefinition }
  | { readonly kind: 'drop'; readonly name: Identifier; readonly ifExists: boolean }
  | { readonly kind: 'type'; readonly name: Identifier; readonly type: TypeName }
  | { readonly kind: 'rename'; readonly name: Identifier; readonly to: Identifier }

export interface AlterDomain extends Node {
  readonly kind: 'alterDomain'
  readonly name: QualifiedName
  readonly change:
    | { readonly kind: 'setDefault'; readonly expression: Expression }
    | { readonly kind: 'dropDefault' | 'setNotNull' | 'dropNotNull' }
    | { readonly kind: 'addConstraint'; readonly constraint: TableConstraint }
    | { readonly kind: 'dropConstraint'; readonly name: Identifier; readonly ifExists: boolean }
    | { readonly kind: 'validateConstraint'; readonly name: Identifier }
    | { readonly kind: 'renameConstraint'; readonly from: Identifier; readonly to: Identifier }
    | ObjectChange
}

export type ObjectKind =
  | 'table'
  | 'index'
  | 'view'
  | 'materialized view'
  | 'sequence'
  | 'type'
  | 'domain'
  | 'schema'

export interface AlterObject extends Node {
  readonly kind: 'alterObject'
  readonly object: 'index' | 'view' | 'materialized view' | 'schema'
  readonly name: QualifiedName
  readonly ifExists: boolean
  readonly change: ObjectChange | ViewChange
}

/** What may be done to views; indexes and materialized views take options that change nothing. */
export type ViewChange =
  | { readonly kind: 'renameColumn'; readonly from: Identifier; readonly to: Identifier }
  | { readonly kind: 'viewOptions'; readonly options: readonly StorageOption[]; readonly reset: boolean }
  | { readonly kind: 'unchanged' }

export interface Drop extends Node {
  readonly kind: 'drop'
  readonly object: ObjectKind
  readonly names: readonly QualifiedName[]
  readonly ifExists: boolean
  readonly cascade: boolean
}

export interface Refresh extends Node {
  readonly kind: 'refresh'
  readonly name: QualifiedName
  readonly withData: boolean
}

export interface Comment extends Node {
  readonly kind: 'comment'
  readonly object: ObjectKind | 'column' | 'database' | 'constraint'
  /** The object; of a column its table and name, of a constraint its table. */
  readonly name: QualifiedName
  readonly constraint: Identifier | null
  /** Null takes the comment away. */
  readonly text: string | null
}
