import {
  type Addition,
  assert,
  type ClusterError,
  type CommitOptions,
  type CommitReceipt,
  type DatabaseErrorDetail,
  type ExecuteReceipt,
  type FollowedScan,
  inRange,
  type Key,
  type KeyRange,
  type PartitionId,
  type RelationId,
  type Row,
  type RowAddress,
  type RowBatch,
  type RowProgram,
  type Transaction,
  type TransactionMark,
  type TransactionScan,
  type Value,
  type Version,
} from '@cluster/core'
import { addedTo } from './model-addition.ts'
import { fail } from './model-options.ts'
import type { ModelStore, Write } from './model-store.ts'

const BATCH_ROWS_MAX = 1_024

/** What a transaction of the model needs of its database. */
export interface TransactionOwner {
  readonly store: ModelStore
  readonly hashPartitions: readonly PartitionId[]
  certify(since: Version, writes: readonly Write[], concerns: (write: Write) => boolean): CommitReceipt
  execute(since: Version, program: RowProgram, concerns: (write: Write) => boolean): ExecuteReceipt
  judge(since: Version, concerns: (write: Write) => boolean): void
  once<Receipt extends CommitReceipt>(key: string, certify: () => Receipt): Receipt
}

interface RangeRead {
  readonly relation: RelationId
  readonly partitions: ReadonlySet<PartitionId>
  readonly range: KeyRange
}

const addressName = ({ relation, partition, key }: RowAddress): string => `${relation}/${partition}/${key}`

/** Reads one version, buffers its writes, and is judged against the whole history. */
export class ModelTransaction implements Transaction {
  readonly version: Version
  readonly #database: TransactionOwner
  readonly #readOnly: boolean
  readonly #points = new Set<string>()
  /** Rows that were read only to add to them. */
  readonly #added = new Set<string>()
  readonly #ranges: RangeRead[] = []
  readonly #proven: boolean
  #writes: Write[] = []
  #own = new Map<string, Write>()
  #ended = false

  constructor(database: TransactionOwner, version: Version, readOnly: boolean, proven: boolean) {
    this.version = version
    this.#database = database
    this.#readOnly = readOnly
    this.#proven = proven
  }

  #assertOpen(): void {
    if (this.#ended)
      throw fail(
        { code: 'DB_TRANSACTION_ENDED', outcome: 'rejected' },
        'The transaction has ended; begin another one.',
      )
  }

  async get(address: RowAddress): Promise<Row | null> {
    this.#assertOpen()
    const name = addressName(address)
    const own = this.#own.get(name)
    // Sums rest on what was read.
    if (own === undefined || own.additions !== undefined) this.#points.add(name)
    if (own !== undefined) return own.row
    return this.#database.store.relation(address.relation, address.partition).at(address.key, this.version)
  }

  async *scan(request: TransactionScan): AsyncIterable<RowBatch> {
    this.#assertOpen()
    const partitions = request.partitions ?? this.#database.hashPartitions
    this.#ranges.push({
      relation: request.relation,
      partitions: new Set(partitions),
      range: request.range,
    })
    const lists = partitions.map((partition) => this.#visible(request.relation, partition, request.range))
    let rows = lists.flat()
    if (request.ordered === true && lists.length > 1)
      rows = rows.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    if (request.reverse === true) rows = rows.reverse()
    if (request.limit !== undefined) rows = rows.slice(0, request.limit)
    yield* batches(rows, request.columns)
  }

  followNow({
    entries,
    range,
    rows,
    columns,
    partitions = this.#database.hashPartitions,
    limit,
  }: FollowedScan): Iterable<RowBatch> | undefined {
    this.#assertOpen()
    if (this.#own.size > 0) return undefined
    this.#ranges.push({ relation: entries, partitions: new Set(partitions), range })
    const found: { key: Key; row: Row }[] = []
    for (const partition of partitions)
      for (const entry of this.#visible(entries, partition, range)) {
        const key = entry.row[0] as Key
        this.#points.add(addressName({ relation: rows, partition, key }))
        const row = this.#database.store.relation(rows, partition).at(key, this.version)
        if (row !== null) found.push({ key, row })
      }
    return batches(limit === undefined ? found : found.slice(0, limit), columns)
  }

  #visible(relation: RelationId, partition: PartitionId, range: KeyRange): { key: Key; row: Row }[] {
    const stored = this.#database.store.relation(relation, partition)
    const keys = stored.keys().filter((key) => inRange(range, key))
    const fresh = [...this.#own.values()]
      .filter((write) => write.relation === relation && write.partition === partition)
      .filter(({ key }) => inRange(range, key) && stored.at(key, this.version) === null)
      .map(({ key }) => key)
    const all = fresh.length === 0 ? keys : [...new Set([...keys, ...fresh])].sort((a, b) => (a < b ? -1 : 1))
    const visible: { key: Key; row: Row }[] = []
    for (const key of all) {
      const own = this.#own.size === 0 ? undefined : this.#own.get(addressName({ relation, partition, key }))
      const row = own === undefined ? stored.at(key, this.version) : own.row
      if (row !== null) visible.push({ key, row })
    }
    return visible
  }

  put(address: RowAddress, row: Row): void {
    // Frozen, so that a caller who changes a row that was handed over is found out.
    this.#write({ ...address, row: Object.freeze([...row]) })
  }

  delete(address: RowAddress): void {
    this.#write({ ...address, row: null })
  }

  async add(address: RowAddress, additions: readonly Addition[]): Promise<'added' | 'absent' | 'unfit'> {
    this.#assertOpen()
    if (this.#readOnly) throw writesToReadOnly()
    const { relation, partition, key } = address
    const name = addressName(address)
    const own = this.#own.get(name)
    const row =
      own === undefined ? this.#database.store.relation(relation, partition).at(key, this.version) : own.row
    if (row === null) {
      this.#points.add(name)
      return 'absent'
    }
    const after = addedTo(row, additions)
    if (after === null) return 'unfit'
    const write = { relation, partition, key, row: after }
    if (own !== undefined && own.additions === undefined) this.#write(write)
    else {
      this.#added.add(name)
      this.#write({ ...write, additions: [...(own?.additions ?? []), ...additions] })
    }
    return 'added'
  }

  #write(write: Write): void {
    this.#assertOpen()
    if (this.#readOnly) throw writesToReadOnly()
    this.#writes.push(write)
    this.#own.set(addressName(write), write)
  }

  expectUnchanged(address: RowAddress): void {
    this.#assertOpen()
    this.#points.add(addressName(address))
  }

  mark(): TransactionMark {
    this.#assertOpen()
    return { writes: this.#writes.length }
  }

  rollbackTo(mark: TransactionMark): void {
    this.#assertOpen()
    this.#writes = this.#writes.slice(0, mark.writes)
    this.#own = new Map(this.#writes.map((write) => [addressName(write), write]))
  }

  /** True when the transaction has read what is written. */
  #concerns(write: Write): boolean {
    const name = addressName(write)
    if (this.#points.has(name) || (this.#added.has(name) && write.additions === undefined)) return true
    return this.#ranges.some(
      ({ relation, partitions, range }) =>
        relation === write.relation && partitions.has(write.partition) && inRange(range, write.key),
    )
  }

  async validate(): Promise<void> {
    this.#assertOpen()
    this.#prove()
  }

  #prove(): void {
    if (!this.#proven) this.#database.judge(this.version, (write) => this.#concerns(write))
  }

  async commit({ idempotencyKey, requires = [], along }: CommitOptions = {}): Promise<CommitReceipt> {
    assert(requires.length === 0 && along === undefined, 'the model has no log that could judge bundles')
    this.#assertOpen()
    this.#ended = true
    const writes = [...this.#own.values()]
    if (writes.length === 0) this.#prove()
    const certify = (): CommitReceipt =>
      this.#database.certify(this.version, writes, (write) => this.#concerns(write))
    return idempotencyKey === undefined ? certify() : this.#database.once(idempotencyKey, certify)
  }

  async execute(program: RowProgram, { idempotencyKey }: CommitOptions = {}): Promise<ExecuteReceipt> {
    this.#assertOpen()
    if (this.#readOnly) throw writesToReadOnly()
    this.#ended = true
    const certify = (): ExecuteReceipt =>
      this.#database.execute(this.version, program, (write) => this.#concerns(write))
    return idempotencyKey === undefined ? certify() : this.#database.once(idempotencyKey, certify)
  }

  rollback(): void {
    this.#ended = true
  }
}

const writesToReadOnly = (): ClusterError<DatabaseErrorDetail> =>
  fail(
    { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: 'readOnly', given: 'true' },
    'The transaction is read only; begin one without readOnly to write.',
  )

export function* batches(
  rows: readonly { readonly key: Key; readonly row: Row }[],
  columns: readonly number[] | undefined,
): Generator<RowBatch> {
  for (let start = 0; start < rows.length; start += BATCH_ROWS_MAX) {
    const slice = rows.slice(start, start + BATCH_ROWS_MAX)
    const positions = columns ?? (slice[0]?.row ?? []).map((_, position) => position)
    yield {
      length: slice.length,
      keys: slice.map(({ key }) => key),
      columns: positions.map((position) => slice.map(({ row }): Value => row[position] ?? null)),
    }
  }
}
