import type { AccessStatement, ChannelStatement, IdentityStatement } from './access.ts'
import type { Identifier, Node, QualifiedName, TypeName } from './common.ts'
import type { Copy, CursorStatement } from './copy.ts'
import type { DatabaseStatement } from './database.ts'
import type { CreateTableAs, Definition, StorageOption } from './definition.ts'
import type { Maintenance } from './maintenance.ts'
import type { Expression, Query, WriteStatement } from './query.ts'

export type Statement =
  | Query
  | WriteStatement
  | Prepare
  | Execute
  | CreateTableExecute
  | Deallocate
  | Copy
  | CursorStatement
  | Definition
  | SetConstraints
  | TransactionStatement
  | Explain
  | SetStatement
  | Show
  | Maintenance
  | AccessStatement
  | DatabaseStatement
  | IdentityStatement
  | ChannelStatement

export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable'

export interface Begin extends Node {
  readonly kind: 'begin'
  /** Written as START TRANSACTION, which clients are told of. */
  readonly start: boolean
  readonly isolation: IsolationLevel | null
  readonly readOnly: boolean | null
}

/** `SET TRANSACTION`, or SET SESSION CHARACTERISTICS AS TRANSACTION for the transactions to come. */
export interface SetTransaction extends Node {
  readonly kind: 'setTransaction'
  readonly session: boolean
  readonly isolation: IsolationLevel | null
  readonly readOnly: boolean | null
}

export type ModesStatement = Begin | SetTransaction

export type TransactionStatement =
  | ModesStatement
  /** `chain`: the next transaction begins at once, with the same modes. */
  | (Node & { readonly kind: 'commit' | 'rollback'; readonly chain: boolean })
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
  readonly reset: boolean
  readonly scope: 'session' | 'local'
  /** Lower case, dotted: `search_path`, `timezone`, `transaction_isolation`. */
  readonly name: string
  /** Literals and words as text; several for a list. */
  readonly values: readonly string[] | null
}

/** `SET CONSTRAINTS`; no names: ALL. */
export interface SetConstraints extends Node {
  readonly kind: 'setConstraints'
  readonly names: readonly QualifiedName[]
  readonly deferred: boolean
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

/** CREATE TABLE … AS EXECUTE. */
export interface CreateTableExecute extends Node {
  readonly kind: 'createTableExecute'
  readonly create: Omit<CreateTableAs, 'query'>
  readonly execute: Execute
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
