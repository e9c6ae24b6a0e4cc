import type { Identifier, Node, QualifiedName } from './common.ts'

/** `LOCK TABLE a, b IN … MODE`; every mode comes to the same here. */
export interface LockTable extends Node {
  readonly kind: 'lockTable'
  readonly tables: readonly QualifiedName[]
}

/** What keeps a server in shape; no tables and no indexes: all. */
export interface Maintain extends Node {
  readonly kind: 'maintain'
  readonly command: 'VACUUM' | 'ANALYZE' | 'REINDEX' | 'CLUSTER' | 'CHECKPOINT'
  readonly tables: readonly QualifiedName[]
  /** Those of REINDEX INDEX and CLUSTER … USING. */
  readonly indexes: readonly QualifiedName[]
}

/** What a session forgets. */
export interface Discard extends Node {
  readonly kind: 'discard'
  readonly what: 'all' | 'plans' | 'sequences' | 'temp'
}

/** DROP of what this dialect has none of, such as functions and triggers. */
export interface DropAbsent extends Node {
  readonly kind: 'dropAbsent'
  /** Lower case: `function`. */
  readonly object: string
  readonly ifExists: boolean
  /** What was named, as written. */
  readonly what: string
  /** That there is no such thing. */
  readonly sqlstate: string
}

export type ExtensionStatement =
  | (Node & { readonly kind: 'createExtension'; readonly name: Identifier; readonly ifNotExists: boolean })
  | (Node & {
      readonly kind: 'dropExtension'
      readonly names: readonly Identifier[]
      readonly ifExists: boolean
    })

/** `DO 'BEGIN … END'` */
export interface DoBlock extends Node {
  readonly kind: 'do'
  readonly language: string
  readonly body: string
}

export type Maintenance = LockTable | Maintain | DoBlock | Discard | DropAbsent | ExtensionStatement
