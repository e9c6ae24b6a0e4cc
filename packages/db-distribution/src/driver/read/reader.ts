import {
  afterKey,
  type CallOptions,
  isClusterError,
  type Key,
  type KeyRange,
  type NodeId,
  type PartitionId,
  type PartitionStore,
  type RelationId,
  type Row,
  type RowBatch,
  type Version,
} from '@cluster/core'
import { aborted, isVersionGone, stopped, unavailable, versionGone } from '../../errors.ts'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { nextBytes, streamError } from '../replica/copy.ts'
import type { Replicas } from '../replica/replicas.ts'
import {
  decodeFrame,
  decodeRows,
  encodeGet,
  encodeScan,
  type GetRequest,
  type HolderScan,
  type PointRequest,
  SERVICE,
} from '../wire.ts'
import { type BatchSource, Chain, Merge } from './batches.ts'
import { storesSource } from './holder-scan.ts'
import { RemoteAsks } from './remote-asks.ts'
import { countTraffic, type ReadOptions } from './traffic.ts'

type GetGroup = Pick<GetRequest, 'database' | 'version'>

/** A row with its share of the message that it came in. */
interface GotRow {
  readonly row: Row | null
  readonly bytes: number
}

/** Wait before everybody is asked again who failed before. */
const AGAIN_MS = 50

/** How one read goes on: until when, and who failed. */
export class ReadTry {
  readonly #context: Context
  readonly signal: AbortSignal | undefined
  readonly deadline: number
  readonly failed = new Set<NodeId>()
  readonly gone = new Set<NodeId>()
  lastError: unknown

  constructor(context: Context, options: CallOptions) {
    this.#context = context
    this.signal = options.signal
    this.deadline = context.ports.clock.now() + (options.deadlineMs ?? context.settings.unavailableMs)
  }

  check(): void {
    if (this.signal?.aborted) throw aborted()
    if (this.#context.stopped) throw stopped()
  }

  get leftMs(): number {
    return this.deadline - this.#context.ports.clock.now()
  }
}

/** Reads rows at a version, here or from the holders, whoever of them answers. */
export class Reader {
  readonly #context: Context
  readonly #replicas: Replicas
  readonly #gets: RemoteAsks<GetGroup, PointRequest, GotRow>

  constructor(context: Context, replicas: Replicas) {
    this.#context = context
    this.#replicas = replicas
    this.#gets = new RemoteAsks(context, {
      nameOf: ({ database, version }) => `${database} ${version}`,
      encode: (group, points) => encodeGet({ ...group, points }),
      decode: (reply, asked) => {
        const rows = decodeRows(reply, asked)
        return rows.map((row, i) => ({ row, bytes: share(reply.length, rows.length, i) }))
      },
    })
  }

  /**
   * One row at a version. Answers at once when this node holds it.
   * @throws DB_UNAVAILABLE, DB_VERSION_GONE, ABORTED, STOPPED
   */
  get(
    database: DatabaseRecord,
    partition: PartitionId,
    relation: RelationId,
    key: Key,
    version: Version,
    options: ReadOptions,
  ): Row | null | Promise<Row | null> {
    const row = this.getNow(database, partition, relation, key, version)
    return row === undefined ? this.#getSlowly(database, partition, relation, key, version, options) : row
  }

  /** The row, if this node holds it and has applied the version; else undefined. */
  getNow(
    database: DatabaseRecord,
    partition: PartitionId,
    relation: RelationId,
    key: Key,
    version: Version,
  ): Row | null | undefined {
    if (this.#context.ports.log.appliedIndex() < version) return undefined
    const store = this.#replicas.serving(database.id, partition)
    if (store === null || store.oldestVersion() > version) return undefined
    return store.get(relation, key, version)
  }

  /** The stores of all of these partitions, if this node holds them and has applied the version; else null. */
  storesNow(
    database: DatabaseRecord,
    partitions: readonly PartitionId[],
    version: Version,
  ): readonly PartitionStore[] | null {
    if (this.#context.ports.log.appliedIndex() < version) return null
    const stores: PartitionStore[] = []
    for (const partition of partitions) {
      const store = this.#replicas.serving(database.id, partition)
      if (store === null || store.oldestVersion() > version) return null
      stores.push(store)
    }
    return stores
  }

  async #getSlowly(
    database: DatabaseRecord,
    partition: PartitionId,
    relation: RelationId,
    key: Key,
    version: Version,
    options: ReadOptions,
  ): Promise<Row | null> {
    const reading = new ReadTry(this.#context, options)
    for (;;) {
      const holder = await this.holder(database, partition, version, reading)
      try {
        if (holder !== this.#context.self) {
          const group = { database: database.id, version }
          const { row, bytes } = await this.#gets.ask(holder, group, { partition, relation, key })
          countTraffic(this.#context, options, 1, bytes)
          return row
        }
        await this.#caughtUp(version, reading)
        const store = this.#replicas.serving(database.id, partition)
        if (store !== null) return store.get(relation, key, version)
      } catch (error) {
        this.failed(reading, holder, error)
      }
    }
  }

  /** Notes that a holder failed. @throws when the whole read has */
  failed(reading: ReadTry, holder: NodeId, error: unknown): void {
    reading.check()
    // Only errors of this project are answers of a layer or a holder; anything else is a bug here.
    if (!isClusterError(error)) throw error
    if (isVersionGone(error)) reading.gone.add(holder)
    reading.failed.add(holder)
    reading.lastError = error
    this.#context.ports.logger.log('debug', 'a read is tried elsewhere', { holder, error: error.message })
  }

  async #caughtUp(version: Version, reading: ReadTry): Promise<void> {
    const { log } = this.#context.ports
    if (log.appliedIndex() >= version) return
    const deadlineMs = Math.max(0, reading.leftMs)
    await log.applied(version, { deadlineMs, ...(reading.signal ? { signal: reading.signal } : {}) })
  }

  /** Which of several other nodes is asked: nodes differ in it, so that no holder has to answer all. Null: there is none. */
  choice(partition: PartitionId, nodes: readonly NodeId[]): NodeId | null {
    const { self } = this.#context
    return nodes[(partition + self.charCodeAt(self.length - 1)) % Math.max(1, nodes.length)] ?? null
  }

  /**
   * The holder to ask next: this node, or one that answers and has not failed yet. Waits for one to come back.
   * @throws DB_UNAVAILABLE, DB_VERSION_GONE
   */
  async holder(
    database: DatabaseRecord,
    partition: PartitionId,
    version: Version,
    reading: ReadTry,
  ): Promise<NodeId> {
    const { self, ports, changed } = this.#context
    for (;;) {
      reading.check()
      this.#context.check(database)
      const record = this.#context.partition(database.id, partition)
      const living = record === null ? [] : this.#context.livingHolders(record)
      const usable = living.filter((node) => node !== self || this.#replicas.serving(database.id, partition))
      if (usable.length > 0 && usable.every((node) => reading.gone.has(node)))
        throw versionGone(database.name, version)
      const untried = usable.filter((node) => !reading.failed.has(node))
      if (untried.includes(self)) return self
      const chosen = this.choice(partition, untried)
      if (chosen !== null) return chosen
      if (reading.leftMs <= 0) {
        const holders = record?.replicas.filter((replica) => replica.complete) ?? []
        throw unavailable(
          database.name,
          [partition],
          (holders.length > 0 ? holders : (record?.replicas ?? [])).map((replica) => replica.node),
          reading.lastError,
        )
      }
      // Everybody who could answer has failed once: they are asked again after a moment.
      const wait = usable.length > 0 ? AGAIN_MS : reading.leftMs
      await changed.next(ports.clock, Math.min(wait, reading.leftMs), reading.signal)
      for (const node of usable) if (!reading.gone.has(node)) reading.failed.delete(node)
    }
  }

  /**
   * The rows of several partitions, merged or not as the scan says.
   * @param resumed the attempts so far, when a holder failed before it gave anything
   */
  async scan(
    database: DatabaseRecord,
    scan: HolderScan,
    options: ReadOptions,
    resumed: ReadTry | null = null,
  ): Promise<BatchSource> {
    const reading = resumed ?? new ReadTry(this.#context, options)
    const groups = new Map<NodeId, PartitionId[]>()
    for (const partition of scan.partitions) {
      const holder = await this.holder(database, partition, scan.version, reading)
      const group = groups.get(holder)
      if (group === undefined) groups.set(holder, [partition])
      else group.push(partition)
    }
    const sources: BatchSource[] = []
    for (const [holder, partitions] of groups) {
      const part = { ...scan, partitions }
      sources.push(
        holder === this.#context.self
          ? await this.#local(database, part, options, reading)
          : new RemoteScan(this.#context, this, { database, scan: part, holder, options, resumed }),
      )
    }
    const only = sources[0]
    if (sources.length === 1 && only !== undefined) return only
    return scan.ordered ? new Merge(sources, scan.reverse) : new Chain(sources)
  }

  async #local(
    database: DatabaseRecord,
    scan: HolderScan,
    options: ReadOptions,
    reading: ReadTry,
  ): Promise<BatchSource> {
    const { self } = this.#context
    await this.#caughtUp(scan.version, reading)
    const stores = scan.partitions.map((partition) => this.#replicas.serving(database.id, partition))
    const serving = stores.filter((store) => store !== null)
    const readable = serving.every((store) => store.oldestVersion() <= scan.version)
    if (serving.length === stores.length && readable)
      return storesSource(serving, scan, this.#context.ports.clock)
    // A partition left this node, or its old versions did, while the scan was planned: others are asked.
    this.failed(reading, self, readable ? stopped() : versionGone(database.name, scan.version))
    return this.scan(database, scan, options, reading)
  }
}

interface RemotePart {
  readonly database: DatabaseRecord
  readonly scan: HolderScan
  readonly holder: NodeId
  readonly options: ReadOptions
  readonly resumed: ReadTry | null
}

/** The part of a scan that one other node answers; goes on elsewhere when that node fails. */
class RemoteScan implements BatchSource {
  readonly #context: Context
  readonly #reader: Reader
  readonly #part: RemotePart
  /** What has not come yet. */
  #scan: HolderScan
  /** Attempts since rows came last; null when the next failure is the first. */
  #reading: ReadTry | null
  #frames: AsyncIterator<Uint8Array> | null = null
  #abort: () => void = () => {}
  /** What goes on after the holder failed. */
  #rest: BatchSource | null = null
  /** The partition that is being read, and the last key that came from it. */
  #at: { readonly partition: PartitionId | null; readonly key: Key } | null = null
  #ended = false

  constructor(context: Context, reader: Reader, part: RemotePart) {
    this.#context = context
    this.#reader = reader
    this.#part = part
    this.#scan = part.scan
    this.#reading = part.resumed
  }

  async next(): Promise<RowBatch | null> {
    if (this.#rest !== null) return this.#rest.next()
    if (this.#ended) return null
    try {
      const frames = this.#frames ?? (await this.#open())
      const bytes = await nextBytes(this.#context, frames)
      const frame = decodeFrame(bytes)
      const rows = frame.type === 'rows' ? frame.batch.length : 0
      countTraffic(this.#context, this.#part.options, rows, bytes.length)
      if (frame.type === 'rows') {
        this.#passed(frame.partition, frame.batch)
        return frame.batch
      }
      if (frame.type !== 'end') throw streamError(frame)
      this.#ended = true
      return null
    } catch (error) {
      this.#abort()
      const reading = this.#reading ?? new ReadTry(this.#context, this.#part.options)
      this.#reader.failed(reading, this.#part.holder, error)
      this.#rest = await this.#resume(reading)
      return this.#rest.next()
    }
  }

  async #open(): Promise<AsyncIterator<Uint8Array>> {
    const { holder, options } = this.#part
    const { signal } = options
    const stream = await this.#context.ports.peers.openStream(holder, SERVICE, encodeScan(this.#scan), {
      deadlineMs: this.#context.settings.attemptMs,
      ...(signal ? { signal } : {}),
    })
    this.#abort = () => stream.abort('the reader has what it needs')
    // Nothing is sent behind the opening. A half that stays open would keep the stream, and a link has only so many.
    stream.close().catch((error: unknown) => {
      this.#context.ports.logger.log('debug', 'a stream was already down', { error: String(error) })
    })
    this.#frames = stream[Symbol.asyncIterator]()
    return this.#frames
  }

  #passed(partition: PartitionId | null, batch: RowBatch): void {
    this.#reading = null
    const key = batch.keys[batch.length - 1]
    if (key !== undefined) this.#at = { partition, key }
    const { limit } = this.#scan
    if (limit !== null) this.#scan = { ...this.#scan, limit: Math.max(0, limit - batch.length) }
  }

  /** What has not come yet, from the holders that are left. */
  async #resume(reading: ReadTry): Promise<BatchSource> {
    const at = this.#at
    const { database, options } = this.#part
    const again = (scan: HolderScan): Promise<BatchSource> =>
      this.#reader.scan(database, scan, options, reading)
    if (at === null) return again(this.#scan)
    const behind = { ...this.#scan, range: rangeBehind(this.#scan, at.key) }
    if (at.partition === null) return again(behind)
    const position = this.#scan.partitions.indexOf(at.partition)
    const later = this.#scan.partitions.slice(position + 1)
    const sources = [await again({ ...behind, partitions: [at.partition] })]
    if (later.length > 0) sources.push(await again({ ...this.#scan, partitions: later }))
    return new Chain(sources)
  }

  close(): void {
    if (!this.#ended) this.#abort()
    this.#ended = true
    this.#rest?.close()
  }
}

/** Whole bytes for each of several, in all as many as there are. */
const share = (bytes: number, count: number, i: number): number =>
  Math.floor((bytes * (i + 1)) / count) - Math.floor((bytes * i) / count)

function rangeBehind({ range, reverse }: HolderScan, key: Key): KeyRange {
  return reverse ? { ...range, to: key } : { ...range, from: afterKey(key) }
}
