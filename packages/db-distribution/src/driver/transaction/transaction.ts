import {
  type Addition,
  afterKey,
  assert,
  type CallOptions,
  type Clock,
  ClusterError,
  type CommitOptions,
  type CommitReceipt,
  type DatabaseErrorDetail,
  EVERYWHERE,
  type ExecuteReceipt,
  errorCode,
  type FollowedScan,
  type FragmentInput,
  type FragmentReads,
  type Key,
  type PartitionId,
  type PartitionStore,
  type PreparedCommit,
  type Row,
  type RowAddress,
  type RowBatch,
  type RowProgram,
  type Traffic,
  type Transaction,
  type TransactionMark,
  type TransactionOptions,
  type TransactionScan,
  type Version,
} from '@cluster/core'
import { aborted, tookTooLong, transactionEnded, transactionTooLarge } from '../../errors.ts'
import { addedRow } from '../../machine/additions.ts'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { Computer } from '../compute/computer.ts'
import { TransactionFragments } from '../compute/fragment-reads.ts'
import { BATCH_ROWS, type BatchSource, batchOf, Chain, Merge, without } from '../read/batches.ts'
import type { Reader } from '../read/reader.ts'
import type { ReadOptions } from '../read/traffic.ts'
import { sliceBatch } from '../wire.ts'
import type { Beginning } from './beginnings.ts'
import type { Committer } from './committer.ts'
import { followedRows } from './followed-rows.ts'
import { type Covered, ReadSet } from './read-set.ts'
import type { LostAttempt, Turn } from './turns.ts'
import { type OwnRow, WriteSet } from './write-set.ts'

/** What a transaction needs from its database. */
export interface TransactionPorts {
  readonly database: DatabaseRecord
  readonly reader: Reader
  /** Null: this node computes no fragments. */
  readonly computer: Computer | null
  readonly committer: Committer
  readonly clock: Clock
  readonly bytesMax: number
  /** How many attempts before this one lost their race, in a row. */
  readonly losses: number
  /** The turn that it has; null for none. */
  readonly turn: Turn | null
  /** Gives the turn back, when no commit does. */
  readonly release: () => void
  /** Called with every use: the version is still needed. */
  readonly onUse: () => void
  /** Called once, when the version is no longer needed. */
  readonly onEnd: () => void
}

/** See `Transaction` of core. Reads are remembered for certification; writes stay here until the commit. */
export class OptimisticTransaction implements Transaction {
  readonly version: Version
  readonly #ports: TransactionPorts
  readonly #readOnly: boolean
  readonly #options: ReadOptions
  readonly #received: Traffic = { rows: 0, bytes: 0 }
  /** Whether reads have to be judged: for the commit of what is written, or to prove what was read. */
  readonly #recording: boolean
  readonly #proven: boolean
  readonly #lifetimeMs: number
  readonly #endsAt: number
  readonly #reads = new ReadSet()
  readonly #begunAt: number
  readonly #writes = new WriteSet()
  /** Made when it is first asked for: most transactions compute nothing elsewhere. */
  #fragments: FragmentReads | null = null
  #ended = false

  constructor(
    { version, readOnly, proven }: Beginning,
    options: TransactionOptions,
    ports: TransactionPorts,
  ) {
    this.version = version
    this.#ports = ports
    this.#readOnly = readOnly
    this.#proven = proven
    this.#recording = !readOnly || !proven
    this.#lifetimeMs = options.lifetimeMs ?? Number.POSITIVE_INFINITY
    this.#begunAt = ports.clock.now()
    this.#endsAt = this.#begunAt + this.#lifetimeMs
    this.#options = {
      traffic: this.#received,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }
  }

  async get(address: RowAddress): Promise<Row | null> {
    this.#check()
    const own = this.#own(address)
    if (own !== undefined) return own
    if (this.#recording) this.#reads.addPoint(address)
    return this.#read(address)
  }

  /** The row as written here; undefined when it was not. Sums rest on what was read. */
  #own(address: RowAddress): Row | null | undefined {
    const own = this.#writes.get(address)
    if (own === undefined) return undefined
    if (own.added !== null) this.#reads.addPoint(address)
    return own.row
  }

  #read({ partition, relation, key }: RowAddress): Promise<Row | null> | Row | null {
    const { reader, database } = this.#ports
    return reader.get(database, partition, relation, key, this.version, this.#call(this.#options))
  }

  getNow(address: RowAddress): Row | null | undefined {
    this.#check()
    const own = this.#own(address)
    if (own !== undefined) return own
    const row = this.#readNow(address)
    if (row !== undefined && this.#recording) this.#reads.addPoint(address)
    return row
  }

  #readNow({ partition, relation, key }: RowAddress): Row | null | undefined {
    const { reader, database } = this.#ports
    return reader.getNow(database, partition, relation, key, this.version)
  }

  async *scan(request: TransactionScan): AsyncIterable<RowBatch> {
    this.#check()
    const { relation, range, reverse = false, columns = null, limit = null } = request
    const partitions = request.partitions ?? this.#hashPartitions()
    if (partitions.length === 0 || limit === 0) return
    const ordered = (request.ordered ?? false) || partitions.length === 1
    const own = this.#writes.within(relation, partitions, range)
    const covered = this.#cover(request, ordered, reverse)
    const base = await this.#ports.reader.scan(
      this.#ports.database,
      {
        database: this.#ports.database.id,
        version: this.version,
        relation,
        range,
        partitions,
        ordered,
        reverse,
        columns,
        // Some of the rows may be hidden by own writes.
        limit: limit === null ? null : limit + own.length,
      },
      this.#call(this.#options),
    )
    const source = own.length === 0 ? base : overlaid(base, own, columns, ordered, reverse)
    let left = limit ?? Number.POSITIVE_INFINITY
    try {
      for (;;) {
        this.#check()
        const batch = await source.next()
        if (batch === null) break
        const rows = batch.length > left ? sliceBatch(batch, 0, left) : batch
        left -= rows.length
        const last = rows.keys[rows.length - 1]
        // Whoever stops reading here has seen this far, not further.
        if (ordered && covered !== null && last !== undefined) {
          if (reverse) covered.from = last
          else covered.to = afterKey(last)
        }
        if (rows.length > 0) yield rows
        if (left === 0) return
      }
      if (covered !== null) {
        covered.from = range.from ?? null
        covered.to = range.to ?? null
      }
    } finally {
      source.close()
    }
  }

  followNow(request: FollowedScan): Iterable<RowBatch> | undefined {
    this.#check()
    // What was written here would have to be put in its place, in entries and rows.
    if (this.#writes.length > 0) return undefined
    const { reader, database } = this.#ports
    const stores = reader.storesNow(database, request.partitions ?? this.#hashPartitions(), this.version)
    return stores === null ? undefined : this.#followed(stores, request)
  }

  *#followed(stores: readonly PartitionStore[], request: FollowedScan): Generator<RowBatch> {
    const { entries, range, rows, partitions = null } = request
    if (this.#recording)
      this.#reads.addRange({
        relation: entries,
        partitions,
        from: range.from ?? null,
        to: range.to ?? null,
      })
    const onRead = (keys: readonly Key[]): void => {
      if (this.#recording) for (const key of keys) this.#reads.addPoint({ relation: rows, key })
    }
    for (const batch of followedRows(stores, request, this.version, onRead)) {
      yield batch
      this.#check()
    }
  }

  /** The range that a scan reads; an ordered one has read nothing at its start. */
  #cover(request: TransactionScan, ordered: boolean, reverse: boolean): Covered | null {
    if (!this.#recording) return null
    const from = request.range.from ?? null
    const to = request.range.to ?? null
    const covered: Covered = { relation: request.relation, partitions: request.partitions ?? null, from, to }
    if (ordered) {
      if (!reverse) covered.to = from ?? ''
      else if (to !== null) covered.from = to
      // An open upper end has no key to start at, so all of the range counts until the first rows come.
    }
    this.#reads.addRange(covered)
    return covered
  }

  get fragments(): FragmentReads | undefined {
    const { computer } = this.#ports
    if (computer === null) return undefined
    this.#fragments ??= this.#makeFragments(computer)
    return this.#fragments
  }

  #makeFragments(computer: Computer): FragmentReads {
    const partitionsOf = ({ from }: FragmentInput): readonly PartitionId[] =>
      from === 'everywhere' ? [EVERYWHERE] : this.#hashPartitions()
    return new TransactionFragments({
      computer,
      database: this.#ports.database,
      version: this.version,
      received: this.#received,
      hasWritten: (input) =>
        this.#writes.length > 0 &&
        this.#writes.within(input.relation, partitionsOf(input), input.range).length > 0,
      cover: ({ relation, range, from }) => {
        if (!this.#recording) return
        const partitions = from === 'everywhere' ? [EVERYWHERE] : null
        this.#reads.addRange({ relation, partitions, from: range.from ?? null, to: range.to ?? null })
      },
      check: () => this.#check(),
      options: () => this.#call(this.#options),
    })
  }

  #hashPartitions(): readonly PartitionId[] {
    return this.#ports.database.partitions.slice(1).map(({ id }) => id)
  }

  put(address: RowAddress, row: Row): void {
    this.#write(address, row)
  }

  delete(address: RowAddress): void {
    this.#write(address, null)
  }

  async add(address: RowAddress, additions: readonly Addition[]): Promise<'added' | 'absent' | 'unfit'> {
    this.#checkWrite(address)
    if (!this.#ports.committer.takesAdditions) return 'unfit'
    const own = this.#writes.get(address)
    const base =
      own === undefined
        ? (this.#readNow(address) ?? (await this.#read(address)))
        : (own.added?.base ?? own.row)
    if (base === null) {
      this.#reads.addPoint(address)
      return 'absent'
    }
    const added = addedRow(base, own?.added?.additions ?? [], additions)
    if (added === null) return 'unfit'
    // What is this transaction's own is no other's to change.
    if (own !== undefined && own.added === null) this.#writes.write(address, added.row)
    else this.#writes.add(address, added)
    this.#checkSize()
    return 'added'
  }

  #write(address: RowAddress, row: Row | null): void {
    this.#checkWrite(address)
    // Whoever replaces a row that was added to was told of it.
    if (this.#writes.get(address)?.added) this.#reads.addPoint(address)
    this.#writes.write(address, row)
    this.#checkSize()
  }

  #checkWrite({ partition }: RowAddress): void {
    this.#check()
    if (this.#readOnly) throw writesToReadOnly()
    assert(this.#ports.database.partitions[partition], `there is no partition ${partition}`)
  }

  #checkSize(): void {
    const { bytesMax } = this.#ports
    if (this.#writes.bytes <= bytesMax) return
    const { bytes } = this.#writes
    this.#writes.truncate(this.#writes.length - 1)
    throw transactionTooLarge(bytes, bytesMax)
  }

  expectUnchanged(address: RowAddress): void {
    this.#check()
    if (this.#recording) this.#reads.addPoint(address)
  }

  mark(): TransactionMark {
    this.#check()
    return { writes: this.#writes.length }
  }

  rollbackTo(mark: TransactionMark): void {
    this.#check()
    // That the row was there has been told, and is not certified by adding to it any more.
    for (const address of this.#writes.added(mark.writes)) this.#reads.addPoint(address)
    this.#writes.truncate(mark.writes)
  }

  async validate(options: CallOptions = {}): Promise<void> {
    this.#check()
    await this.#prove(this.#call(options))
  }

  async #prove(options: CallOptions): Promise<void> {
    if (this.#proven || this.#reads.empty) return
    const { committer, database } = this.#ports
    await committer.validate(database, this.#reads.reads(this.version), options)
  }

  async commit(options: CommitOptions = {}): Promise<CommitReceipt> {
    this.#check()
    const call = this.#call(options)
    this.#end()
    const { committer, database } = this.#ports
    if (this.#writes.length === 0 && options.along === undefined) {
      this.#ports.release()
      await this.#prove(call)
      return committer.nothing(this.version)
    }
    const writes = this.#writes.collect()
    const reservation = this.#ports.turn?.reservation ?? 0
    return this.#fencedOff(
      committer.commit(
        database,
        { database: database.id, ...this.#reads.reads(this.version), writes, reservation },
        call,
      ),
    )
  }

  async prepare(options: CallOptions = {}): Promise<PreparedCommit> {
    this.#check()
    const call = this.#call(options)
    this.#end()
    const { committer, database, turn } = this.#ports
    const reservation = turn?.reservation ?? 0
    const commit = {
      database: database.id,
      ...this.#reads.reads(this.version),
      writes: this.#writes.collect(),
      reservation,
    }
    return { ...(await committer.prepare(database, commit, call)), release: this.#ports.release }
  }

  async execute(program: RowProgram, options: CommitOptions = {}): Promise<ExecuteReceipt> {
    this.#check()
    if (this.#readOnly) throw writesToReadOnly()
    assert(this.#writes.length === 0, 'a program is all that its transaction writes')
    const { committer, database } = this.#ports
    committer.demandPrograms()
    assert(database.partitions[program.partition], `there is no partition ${program.partition}`)
    const call = this.#call(options)
    this.#end()
    const reservation = this.#ports.turn?.reservation ?? 0
    return this.#fencedOff(
      committer.execute(
        database,
        { database: database.id, ...this.#reads.reads(this.version), program, reservation },
        call,
      ),
    )
  }

  /** A commit that was fenced off was not judged, so its turn goes on until it is given back. */
  async #fencedOff<T>(committing: Promise<T>): Promise<T> {
    try {
      return await committing
    } catch (error) {
      const code = errorCode(error)
      if (code === 'DB_FENCED' || code === 'DB_ALONG_REFUSED') this.#ports.release()
      throw error
    }
  }

  /** The options of a call within the transaction. */
  #call<Options extends CallOptions>(options: Options): Options {
    const signal = options.signal ?? this.#options.signal
    const left = this.#endsAt - this.#ports.clock.now()
    const deadlineMs =
      left === Number.POSITIVE_INFINITY ? options.deadlineMs : Math.min(left, options.deadlineMs ?? left)
    return { ...options, ...(signal && { signal }), ...(deadlineMs !== undefined && { deadlineMs }) }
  }

  rollback(): void {
    if (this.#ended) return
    this.#end()
    this.#ports.release()
  }

  /** What the next attempt should know, now that this one is lost. */
  lost(): LostAttempt {
    for (const address of this.#writes.added()) this.#reads.addPoint(address)
    return {
      losses: this.#ports.losses + 1,
      reads: this.#reads.reads(this.version),
      ageMs: this.#ports.clock.now() - this.#begunAt,
    }
  }

  #end(): void {
    this.#ended = true
    this.#ports.onEnd()
  }

  #check(): void {
    if (this.#ended) throw transactionEnded()
    if (this.#options.signal?.aborted) throw aborted()
    if (this.#ports.clock.now() > this.#endsAt) throw tookTooLong(this.#lifetimeMs)
    this.#ports.onUse()
  }
}

const writesToReadOnly = (): ClusterError<DatabaseErrorDetail> =>
  new ClusterError(
    { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: 'readOnly', given: 'true' },
    'The transaction was begun as read only. Begin it without readOnly to write.',
  )

/** A scan with the transaction's own writes in place of what they replace. */
function overlaid(
  base: BatchSource,
  own: readonly OwnRow[],
  columns: readonly number[] | null,
  ordered: boolean,
  reverse: boolean,
): BatchSource {
  const hidden = new Set(own.map(({ key }) => key))
  const rest: BatchSource = {
    async next() {
      const batch = await base.next()
      return batch === null ? null : without(batch, (key) => hidden.has(key))
    },
    close: () => base.close(),
  }
  const present = own.filter((entry): entry is { key: Key; row: Row } => entry.row !== null)
  const rows = reverse ? present.reverse() : present
  let at = 0
  const mine: BatchSource = {
    next() {
      if (at >= rows.length) return null
      const some = rows.slice(at, at + BATCH_ROWS)
      at += some.length
      return batchOf(
        some.map(({ key }) => key),
        some.map(({ row }) => row),
        columns,
      )
    },
    close() {},
  }
  return ordered ? new Merge([rest, mine], reverse) : new Chain([rest, mine])
}
