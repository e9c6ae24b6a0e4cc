import type { Node, QualifiedName } from './common.ts'

/** `LOCK TABLE a, b IN … MODE`; every mode comes to the same here. */
export interface LockTable extends Node {
  readonly kind: 'lockTable'
  readonly tables: readonly QualifiedName[]
}

/** VACUUM or ANALYZE; no tables: all. */
export interface Maintain extends Node {
  readonly kind: 'maintain'
  readonly command: 'VACUUM' | 'ANALYZE'
  readonly tables: readonly QualifiedName[]
}

/** `DO 'BEGIN … END'` */
export interface DoBlock extends Node {
  readonly kind: 'do'
  readonly language: string
  readonly body: string
}

export type Maintenance = LockTable | Maintain | DoBlock
