import type { Key, RelationId, Row, Version } from '@cluster/core'
import { BlockWriter } from './block-writer.ts'
import type { Environment } from './environment.ts'
import { History } from './history.ts'
import { Journal } from './journal.ts'
import { damagedAt } from './lmdb-errors.ts'
import type { StoreHead } from './store-head.ts'
import { Blocks, type StoredBlock } from './stored-block.ts'

/** What the files of one partition hold, and the ways to read and change it. */
export class Files {
  readonly env: Environment
  readonly blocks: Blocks
  readonly writer: BlockWriter
  readonly history: History
  readonly journal: Journal
  /** The newest finished checkpoint. */
  head: StoreHead
  /** Relations that a checkpoint under way may make or empty: whether they have blocks is not known. */
  readonly unsettled = new Set<RelationId>()

  constructor(env: Environment, head: StoreHead) {
    this.env = env
    this.head = head
    this.blocks = new Blocks(env.rows, env.path)
    this.writer = new BlockWriter(env, this.blocks)
    this.history = new History(env)
    this.journal = new Journal(env)
  }

  /** The block that answers for the key; null when the relation is empty. @throws DISK_DAMAGED */
  covering(relation: RelationId, key: Key): StoredBlock | null {
    return this.blocks.covering(relation, key) ?? this.#none(relation)
  }

  /** The block that answers for the keys just below; null when the relation is empty. @throws DISK_DAMAGED */
  before(relation: RelationId, key: Key | null): StoredBlock | null {
    return this.blocks.before(relation, key) ?? this.#none(relation)
  }

  /** @throws DISK_DAMAGED */
  get(relation: RelationId, key: Key, version: Version): Row | null {
    const block = this.covering(relation, key)
    if (block === null) return null
    const { rows } = block
    const i = rows.find(key)
    if (i === rows.length || rows.key(i) !== key) return null
    if (rows.version(i) <= version) return rows.row(i)
    return this.history.find(relation, key, version)?.row ?? null
  }

  /** Whether the newest version in the files is a row. @throws DISK_DAMAGED */
  hasNewest(relation: RelationId, key: Key): boolean {
    const rows = this.covering(relation, key)?.rows
    if (rows === undefined) return false
    const i = rows.find(key)
    return i < rows.length && rows.key(i) === key && !rows.gone(i)
  }

  /** A relation with rows has blocks; if LMDB finds none, its tree led astray. */
  #none(relation: RelationId): null {
    if ((this.head.counts.get(relation) ?? 0) > 0 && !this.unsettled.has(relation))
      throw damagedAt(this.env.path, `the blocks of relation ${relation} are missing`)
    return null
  }
}
