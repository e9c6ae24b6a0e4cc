import {
  type Clock,
  ClusterError,
  type CommonErrorDetail,
  encodeChunk,
  type Key,
  type KeyRange,
  type Logger,
  logIndex,
  type PartitionStore,
  type RelationId,
  type Row,
  type RowBatch,
  type RowWrite,
  type ScanRequest,
  type Version,
  VersionHorizon,
} from '@cluster/core'
import type { BufferBudget, Holder } from '../machine/buffer-budget.ts'
import { WriteLayer } from '../machine/write-layer.ts'
import type { Files } from './files.ts'
import { Flush } from './flush.ts'
import { BATCH_ROWS, ColumnSink, RowSink, readBatch, type ScanSources } from './scan.ts'
import { Sweep } from './sweep.ts'

export interface PartitionPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly budget: BufferBudget
  /** Makes the files of a store that has none yet. @throws what the disk reports */
  makeFiles(): Files
  /** Removes the files; the store is closed by then. */
  removeFiles(): Promise<void>
}

/** A layer that takes no more writes, and the version up to which it has them. */
interface FrozenLayer {
  readonly layer: WriteLayer
  readonly target: Version
}

/**
 * A partition in LMDB. Writes go to a layer in memory; a checkpoint sets that layer aside, takes writes in a new one,
 * and moves the old one into the files. Reads look at the layers, newest first, and then at the files.
 */
export class LmdbPartition implements PartitionStore, Holder {
  readonly #name: string
  readonly #ports: PartitionPorts
  readonly #horizon: VersionHorizon
  #files: Files | null
  #active: WriteLayer
  /** Oldest first. */
  #frozen: FrozenLayer[] = []
  /** The layer on its way into the files. */
  #flush: Flush | null = null
  /** The history has nothing to remove that was readable only below this version. */
  #sweptAt: Version
  /** The checkpoint under way; the next one waits for it. */
  #running: Promise<unknown> = Promise.resolve()
  #relieving = false
  #closed = false

  /** @param files null for a store that was never written to disk */
  constructor(name: string, files: Files | null, ports: PartitionPorts) {
    const version = files?.head.version ?? logIndex(0)
    this.#name = name
    this.#ports = ports
    this.#files = files
    this.#horizon = new VersionHorizon(version)
    this.#active = new WriteLayer(version)
    this.#sweptAt = logIndex(0)
    ports.budget.join(this)
  }

  appliedVersion(): Version {
    return this.#horizon.applied
  }

  durableVersion(): Version {
    return this.#files?.head.version ?? logIndex(0)
  }

  oldestVersion(): Version {
    return this.#horizon.oldest
  }

  apply(version: Version, writes: readonly RowWrite[]): void {
    if (version <= this.#horizon.applied) return
    this.#assertOpen()
    const before = this.#active.bytes
    for (const write of writes) this.#active.write(version, write)
    this.#horizon.advance(version)
    this.#ports.budget.add(this.#active.bytes - before)
  }

  get(relation: RelationId, key: Key, version: Version): Row | null {
    this.#check(version)
    const found = this.#active.find(relation, key, version)
    if (found !== null) return found.row
    for (let i = this.#frozen.length - 1; i >= 0; i--) {
      const older = this.#frozen[i]?.layer.find(relation, key, version)
      if (older) return older.row
    }
    return this.#files?.get(relation, key, version) ?? null
  }

  scan(request: ScanRequest): Iterable<RowBatch> {
    this.#check(request.version)
    return this.#scan(request)
  }

  *#scan({ relation, range, version, columns, reverse = false, limit }: ScanRequest): Iterable<RowBatch> {
    // Whoever asked may read much later, as the second of two partitions is.
    this.#check(version)
    let left: KeyRange | null = range
    let rest = limit ?? Number.POSITIVE_INFINITY
    while (left !== null && rest > 0) {
      const sink = new ColumnSink(columns)
      const max = Math.min(rest, BATCH_ROWS)
      left = readBatch(this.#sources(), { relation, range: left, version, reverse, max }, sink)
      rest -= sink.keys.length
      if (sink.keys.length > 0) yield sink.batch()
      // A version that was trimmed away between two batches must not read as if rows had never been.
      this.#check(version)
    }
  }

  count(relation: RelationId): number {
    const layers = [...this.#frozen.map(({ layer }) => layer), this.#active]
    let count = this.#files?.head.counts.get(relation) ?? 0
    for (const [i, layer] of layers.entries()) {
      // A closed store is still asked by those who describe what there was; it cannot look anything up.
      for (const key of this.#closed ? [] : layer.unknown(relation))
        layer.learn(relation, key, this.#isBeneath(layers, i, relation, key))
      count += layer.growth(relation)
    }
    return count
  }

  /** Whether there was a row when the layer began. */
  #isBeneath(layers: readonly WriteLayer[], above: number, relation: RelationId, key: Key): boolean {
    const version = (layers[above] as WriteLayer).since
    for (let i = above - 1; i >= 0; i--) {
      const found = (layers[i] as WriteLayer).find(relation, key, version)
      if (found !== null) return found.row !== null
    }
    return this.#files?.hasNewest(relation, key) ?? false
  }

  pin(version: Version): { release(): void } {
    this.#assertOpen()
    return this.#horizon.pin(version)
  }

  trim(version: Version): void {
    this.#horizon.trim(version)
  }

  checkpoint(): Promise<Version> {
    const next = (): Promise<Version> => this.#checkpoint()
    const run = this.#running.then(next, next)
    this.#running = run
    return run
  }

  async #checkpoint(): Promise<Version> {
    if (this.#closed) return this.durableVersion()
    this.#freeze()
    while (this.#frozen.length > 0 && !this.#closed) await this.#flushOldest()
    await this.#sweep()
    return this.durableVersion()
  }

  /** Sets what was applied so far aside, to be written. */
  #freeze(): void {
    const { applied } = this.#horizon
    const target = this.#frozen.at(-1)?.target ?? this.durableVersion()
    if (applied === target) return
    this.#frozen.push({ layer: this.#active, target: applied })
    this.#active = new WriteLayer(applied)
  }

  async #flushOldest(): Promise<void> {
    const flush = this.#flushing()
    if (flush === null) return
    const files = this.#files as Files
    try {
      // A write that meets a full buffer takes steps, too, and may even take the last one.
      while (this.#flush === flush) {
        await files.env.step(() => {
          if (this.#flush === flush && flush.finished === null) flush.step()
        })
        if (this.#flush === flush && flush.finished !== null) this.#complete(flush)
      }
    } catch (error) {
      flush.restart()
      throw error
    }
  }

  /** The layer on its way into the files, the oldest one if none is. @throws what the disk reports */
  #flushing(): Flush | null {
    const [oldest] = this.#frozen
    if (oldest === undefined) return null
    this.#files ??= this.#ports.makeFiles()
    this.#flush ??= new Flush(this.#files, oldest.layer, oldest.target, () => this.#horizon.oldest)
    return this.#flush
  }

  /** The layer is in the files, durably: from now on it is read from there. */
  #complete(flush: Flush): void {
    const files = this.#files as Files
    if (flush.finished !== null) files.head = flush.finished
    files.unsettled.clear()
    this.#flush = null
    this.#frozen.shift()
    this.#ports.budget.free(flush.layer.bytes)
  }

  /** Removes old versions that nobody can read any more. */
  async #sweep(): Promise<void> {
    const files = this.#files
    const { oldest } = this.#horizon
    if (files === null || oldest <= this.#sweptAt) return
    const sweep = new Sweep(files, oldest)
    while (!sweep.done) {
      if (this.#closed) return
      await files.env.step(() => sweep.step())
    }
    this.#sweptAt = oldest
  }

  get held(): number {
    let bytes = this.#active.bytes
    for (const { layer } of this.#frozen) bytes += layer.bytes
    return bytes
  }

  relieve(): void {
    if (this.#relieving || this.#closed) return
    this.#relieving = true
    this.checkpoint()
      .catch((error: unknown) => this.#warn('could not write a full buffer to disk', error))
      .finally(() => {
        this.#relieving = false
      })
  }

  relieveNow(bytes: number): void {
    if (this.#closed) return
    let flush: Flush | null = null
    try {
      if (this.#frozen.length === 0) this.#freeze()
      flush = this.#flushing()
      // Its last step is being committed: there is nothing to do until that is known.
      if (flush === null || flush.finished !== null) return
      const enough = flush.progress + bytes / Math.max(1, flush.layer.bytes)
      const { env } = this.#files as Files
      while (flush.finished === null && flush.progress < enough) {
        const step = flush
        env.stepNow(() => step.step())
      }
      if (flush.finished !== null) this.#complete(flush)
    } catch (error) {
      // The log goes on as long as it can write; a store that cannot must not stop it. The buffer grows meanwhile.
      flush?.restart()
      this.#warn('could not write a full buffer to disk', error)
    }
  }

  async *export(version: Version): AsyncIterable<Uint8Array> {
    const pin = this.pin(version)
    try {
      let rowCount = 0
      for (const relation of this.#relations()) {
        let left: KeyRange | null = {}
        while (left !== null) {
          this.#assertOpen()
          const sink = new RowSink()
          const request = { relation, range: left, version, reverse: false, max: BATCH_ROWS }
          left = readBatch(this.#sources(), request, sink)
          if (sink.keys.length > 0) {
            rowCount += sink.keys.length
            yield encodeChunk({ relation, keys: sink.keys, rows: sink.rows })
          }
          await this.#ports.clock.turn()
        }
      }
      yield encodeChunk({ rowCount })
    } finally {
      pin.release()
    }
  }

  /** Relations with something in them, or with something that was, sorted by id. */
  #relations(): readonly RelationId[] {
    const all = new Set<RelationId>(this.#files?.head.counts.keys())
    for (const { layer } of this.#frozen) for (const relation of layer.relations()) all.add(relation)
    for (const relation of this.#active.relations()) all.add(relation)
    return [...all].sort((a, b) => a - b)
  }

  async drop(): Promise<void> {
    await this.close()
    await this.#ports.removeFiles()
  }

  async close(): Promise<void> {
    if (this.#closed) {
      await this.#settled()
      return
    }
    this.#closed = true
    await this.#settled()
    this.#ports.budget.leave(this)
    await this.#files?.env.close()
  }

  async #settled(): Promise<void> {
    await this.#running.then(
      () => {},
      // The one who asked for that checkpoint was told; closing goes on.
      (error: unknown) =>
        this.#ports.logger.log('debug', 'closed after a failed checkpoint', {
          store: this.#name,
          error: String(error),
        }),
    )
  }

  #sources(): ScanSources {
    const layers = [this.#active]
    for (let i = this.#frozen.length - 1; i >= 0; i--) layers.push((this.#frozen[i] as FrozenLayer).layer)
    return { layers, files: this.#files }
  }

  #check(version: Version): void {
    this.#assertOpen()
    this.#horizon.check(version)
  }

  #assertOpen(): void {
    if (!this.#closed) return
    throw new ClusterError<CommonErrorDetail>(
      { code: 'STOPPED', outcome: 'rejected' },
      `the store ${this.#name} is closed; open it again, or ask another holder`,
    )
  }

  #warn(event: string, error: unknown): void {
    this.#ports.logger.log('warn', event, { store: this.#name, error: String(error) })
  }
}
