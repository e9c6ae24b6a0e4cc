import {
  inRange,
  type Key,
  type RelationId,
  type Row,
  type RowBatch,
  relationId,
  SortedBlocks,
  type Transaction,
  type TransactionScan,
  type Value,
} from '@cluster/core'

/** Relations from here on are of one session: they are in its memory, and no other node hears of them. */
const LOCAL_FIRST = 2 ** 40
/** The catalog rows of a session's own objects, and the states of its own sequences. */
export const LOCAL_ENTRIES: RelationId = relationId(LOCAL_FIRST)
export const LOCAL_SEQUENCES: RelationId = relationId(LOCAL_FIRST + 1)
const FIRST_FREE = 16
/** Numbers of a session's own objects for `pg_catalog`, apart from those of all others. */
const LOCAL_OIDS = 0x3000_0000
const BATCH_ROWS = 1_024

export const isLocal = (relation: RelationId): boolean => relation >= LOCAL_FIRST

interface Undo {
  readonly relation: RelationId
  readonly key: Key
  readonly row: Row | null
}

/** What one session keeps for itself: its temporary tables. */
export class LocalStore {
  /** The schema of its objects: no other session of this node has it. */
  readonly schema: string
  readonly #relations = new Map<RelationId, SortedBlocks<Row>>()
  readonly #undo: Undo[] = []
  #drawn = FIRST_FREE

  constructor(schema: string) {
    this.schema = schema
  }

  get isEmpty(): boolean {
    return this.#relations.size === 0
  }

  /** A number that nothing of this session ever had. */
  draw(): number {
    return this.#drawn++
  }

  drawRelation(): RelationId {
    return relationId(LOCAL_FIRST + this.draw())
  }

  drawOid(): number {
    return LOCAL_OIDS + this.draw()
  }

  get(relation: RelationId, key: Key): Row | null {
    return this.#relations.get(relation)?.get(key) ?? null
  }

  put(relation: RelationId, key: Key, row: Row): void {
    this.#remember(relation, key)
    this.set(relation, key, row)
  }

  delete(relation: RelationId, key: Key): void {
    this.#remember(relation, key)
    this.#relations.get(relation)?.delete(key)
  }

  /** As `put`, but whatever becomes of the transaction. */
  set(relation: RelationId, key: Key, row: Row): void {
    const rows = this.#relations.get(relation) ?? new SortedBlocks<Row>()
    this.#relations.set(relation, rows)
    rows.set(key, row)
  }

  /** Deletes everything in a relation. */
  clear(relation: RelationId): void {
    const keys: Key[] = []
    this.#relations.get(relation)?.ascend(undefined, (key) => {
      keys.push(key)
      return true
    })
    for (const key of keys) this.delete(relation, key)
  }

  /** What is there when it is called, in batches. */
  *scan({ relation, range, columns, reverse = false, limit }: TransactionScan): Generator<RowBatch> {
    const found: { readonly key: Key; readonly row: Row }[] = []
    const rows = this.#relations.get(relation)
    const visit = (key: Key, row: Row): boolean => {
      if (!inRange(range, key)) return reverse ? range.from === undefined || key >= range.from : false
      found.push({ key, row })
      return limit === undefined || found.length < limit
    }
    if (limit !== 0) {
      if (reverse) rows?.descend(range.to, visit)
      else rows?.ascend(range.from, visit)
    }
    for (let start = 0; start < found.length; start += BATCH_ROWS) {
      const some = found.slice(start, start + BATCH_ROWS)
      const positions = columns ?? some[0]?.row.map((_, position) => position) ?? []
      yield {
        length: some.length,
        keys: some.map(({ key }) => key),
        columns: positions.map((position) => some.map(({ row }): Value => row[position] ?? null)),
      }
    }
  }

  mark(): number {
    return this.#undo.length
  }

  rollbackTo(mark: number): void {
    while (this.#undo.length > mark) {
      const last = this.#undo.pop()
      if (last === undefined) return
      if (last.row === null) this.#relations.get(last.relation)?.delete(last.key)
      else this.set(last.relation, last.key, last.row)
    }
  }

  commit(): void {
    this.#undo.length = 0
  }

  #remember(relation: RelationId, key: Key): void {
    this.#undo.push({ relation, key, row: this.get(relation, key) })
  }
}

/** Where a transaction keeps what its session has for itself; a property, since a table beside it would cost every query. */
const LOCAL = Symbol('local store')

interface Owned extends Transaction {
  [LOCAL]?: LocalStore
}

/** What the session of a transaction keeps for itself; null for a transaction of no session. */
export const localOf = (transaction: Owned): LocalStore | null => transaction[LOCAL] ?? null

export const belongsTo = (transaction: Owned, store: LocalStore): void => {
  transaction[LOCAL] = store
}
