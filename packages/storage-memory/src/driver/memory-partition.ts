import {
  type Clock,
  encodeChunk,
  type Key,
  type Logger,
  type PartitionStore,
  type RelationId,
  type Row,
  type RowBatch,
  type RowsChunk,
  type RowWrite,
  type ScanRequest,
  type Version,
} from '@cluster/core'
import type { Relation } from '../machine/relation.ts'
import { BATCH_ROWS } from '../machine/scan-step.ts'
import type { VersionedRelations } from '../machine/versioned-relations.ts'
import type { CheckpointFiles, Manifest } from './checkpoint-files.ts'

/** Delta files of one checkpoint before everything is written anew, so that a restart reads few files. */
const DELTA_FILES_MAX = 8

interface Ports {
  readonly files: CheckpointFiles
  readonly clock: Clock
  readonly logger: Logger
}

/** A partition in memory, made durable by checkpoints: a base file and what changed since. */
export class MemoryPartition implements PartitionStore {
  readonly #relations: VersionedRelations
  readonly #ports: Ports
  #manifest: Manifest | null
  /** Keys written since the last checkpoint. */
  #dirty = new Map<RelationId, Set<Key>>()
  /** The checkpoint under way; the next one waits for it. */
  #running: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(relations: VersionedRelations, manifest: Manifest | null, ports: Ports) {
    this.#relations = relations
    this.#manifest = manifest
    this.#ports = ports
  }

  appliedVersion(): Version {
    return this.#relations.applied
  }

  durableVersion(): Version {
    return this.#manifest?.version ?? (0 as Version)
  }

  oldestVersion(): Version {
    return this.#relations.oldest
  }

  apply(version: Version, writes: readonly RowWrite[]): void {
    if (version <= this.#relations.applied) return
    this.#relations.apply(version, writes)
    for (const { relation, key } of writes) {
      let keys = this.#dirty.get(relation)
      if (!keys) {
        keys = new Set()
        this.#dirty.set(relation, keys)
      }
      keys.add(key)
    }
  }

  get(relation: RelationId, key: Key, version: Version): Row | null {
    return this.#relations.get(relation, key, version)
  }

  getMany(relation: RelationId, keys: readonly Key[], version: Version): readonly (Row | null)[] {
    return this.#relations.getMany(relation, keys, version)
  }

  scan(request: ScanRequest): Iterable<RowBatch> {
    return this.#relations.scan(request)
  }

  count(relation: RelationId): number {
    return this.#relations.relation(relation)?.alive ?? 0
  }

  pin(version: Version): { release(): void } {
    return this.#relations.pin(version)
  }

  trim(version: Version): void {
    this.#relations.trim(version)
  }

  checkpoint(): Promise<Version> {
    const run = this.#running.then(
      () => this.#checkpoint(),
      () => this.#checkpoint(),
    )
    this.#running = run
    return run
  }

  async *export(version: Version): AsyncIterable<Uint8Array> {
    const pin = this.#relations.pin(version)
    try {
      let rowCount = 0
      for await (const chunk of this.#allRows(version)) {
        rowCount += chunk.keys.length
        yield encodeChunk(chunk)
      }
      yield encodeChunk({ rowCount })
    } finally {
      pin.release()
    }
  }

  async drop(): Promise<void> {
    await this.close()
    await this.#ports.files.remove()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running.then(
      () => {},
      // The one who asked for that checkpoint was told; closing goes on.
      (error: unknown) =>
        this.#ports.logger.log('debug', 'closed after a failed checkpoint', { error: String(error) }),
    )
  }

  async #checkpoint(): Promise<Version> {
    const version = this.#relations.applied
    const before = this.#manifest
    if (this.#closed || (before !== null && before.version === version)) return this.durableVersion()
    const dirty = this.#dirty
    this.#dirty = new Map()
    const pin = this.#relations.pin(version)
    try {
      const manifest = await this.#write(version, before, dirty)
      await this.#ports.files.commit(manifest)
      this.#manifest = manifest
    } catch (error) {
      this.#takeBack(dirty)
      throw error
    } finally {
      pin.release()
    }
    await this.#removeStrays(this.#manifest)
    return version
  }

  /** The checkpoint counts whether or not the files before it can be removed; the next one, or a restart, tries again. */
  async #removeStrays(manifest: Manifest): Promise<void> {
    try {
      await this.#ports.files.removeStrays(manifest)
    } catch (error) {
      this.#ports.logger.log('warn', 'could not remove old files of a checkpoint', { error: String(error) })
    }
  }

  async #write(
    version: Version,
    before: Manifest | null,
    dirty: Map<RelationId, Set<Key>>,
  ): Promise<Manifest> {
    const { files } = this.#ports
    const deltas = before?.files.slice(1) ?? []
    const baseBytes = before?.files[0]?.bytes ?? 0
    const deltaBytes = deltas.reduce((sum, file) => sum + file.bytes, 0)
    if (before === null || deltas.length >= DELTA_FILES_MAX || deltaBytes > baseBytes / 2 + 65_536) {
      const name = `base-${version}`
      return { version, files: [{ name, bytes: await files.write(name, this.#allRows(version)) }] }
    }
    if (dirty.size === 0) return { version, files: before.files }
    const name = `delta-${version}`
    const bytes = await files.write(name, this.#changedRows(version, dirty))
    return { version, files: [...before.files, { name, bytes }] }
  }

  /** A checkpoint that failed leaves its keys to the next one. */
  #takeBack(dirty: Map<RelationId, Set<Key>>): void {
    for (const [relation, keys] of dirty) {
      const since = this.#dirty.get(relation)
      if (since) for (const key of keys) since.add(key)
      else this.#dirty.set(relation, keys)
    }
  }

  async *#allRows(version: Version): AsyncIterable<RowsChunk> {
    for (const id of this.#relations.relations()) {
      const relation: Relation | undefined = this.#relations.relation(id)
      let from: Key | undefined
      while (relation) {
        const keys: Key[] = []
        const rows: Row[] = []
        relation.visit(version, from, (key, row) => {
          keys.push(key)
          rows.push(row)
          return keys.length < BATCH_ROWS
        })
        if (keys.length > 0) yield { relation: id, keys, rows }
        if (keys.length < BATCH_ROWS) break
        from = `${keys[keys.length - 1] as Key}\x00`
        await this.#ports.clock.turn()
      }
    }
  }

  async *#changedRows(version: Version, dirty: Map<RelationId, Set<Key>>): AsyncIterable<RowsChunk> {
    for (const id of [...dirty.keys()].sort((a, b) => a - b)) {
      const all = [...(dirty.get(id) ?? [])].sort()
      for (let at = 0; at < all.length; at += BATCH_ROWS) {
        const keys = all.slice(at, at + BATCH_ROWS)
        yield { relation: id, keys, rows: keys.map((key) => this.#relations.get(id, key, version)) }
        await this.#ports.clock.turn()
      }
    }
  }
}
