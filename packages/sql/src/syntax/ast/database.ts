import type { Identifier, Node } from './common.ts'

/** A statement about whole databases, which runs outside of transactions. */
export type DatabaseStatement = CreateDatabase | DropDatabase

export interface CreateDatabase extends Node {
  readonly kind: 'createDatabase'
  readonly name: Identifier
  /** What WITH says, by its words in lower case; null: DEFAULT. */
  readonly options: readonly (readonly [name: string, value: string | null])[]
}

export interface DropDatabase extends Node {
  readonly kind: 'dropDatabase'
  readonly name: Identifier
  readonly ifExists: boolean
  /** WITH (FORCE). */
  readonly force: boolean
}
