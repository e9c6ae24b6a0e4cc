import {
  ClusterError,
  decodeChunk,
  encodeChunk,
  inRange,
  type Key,
  type PartitionStore,
  type RelationId,
  type Row,
  type RowBatch,
  type RowWrite,
  type ScanRequest,
  type StorageEngine,
  type Value,
  type Version,
} from '@cluster/core'

interface Versioned {
  readonly version: number
  readonly row: Row | null
}

type Rows = Map<RelationId, Map<Key, Versioned[]>>

interface Image {
  readonly version: number
  readonly chunks: readonly Uint8Array[]
}

/** What survives the process: the checkpoints, by store. */
export class ModelStorageDisk {
  readonly images = new Map<string, Image>()
  /** Stores whose next opening reports damage. */
  readonly damaged = new Set<string>()
  /** Stores whose next look-up of a row reports damage. */
  readonly unreadable = new Set<string>()
}

const CHUNK_ROWS = 100
const BATCH_ROWS = 64

/** A naive engine: every version of every row in maps, a checkpoint is an image of everything. */
export function modelStorage(disk: ModelStorageDisk): StorageEngine {
  const load = (name: string, image: Image): ModelStore => {
    const store = new ModelStore(name, disk, image.version)
    for (const chunk of image.chunks) {
      const rows = decodeChunk(chunk, name, 0)
      if ('rowCount' in rows) continue
      for (const [i, key] of rows.keys.entries())
        store.load(rows.relation, key, image.version, rows.rows[i] ?? null)
    }
    return store
  }
  return {
    async open(name) {
      if (disk.damaged.has(name)) {
        throw new ClusterError(
          { code: 'DISK_DAMAGED', outcome: 'rejected', path: name, offset: 0 },
          'The store is damaged.',
        )
      }
      const image = disk.images.get(name)
      return image === undefined ? new ModelStore(name, disk, 0) : load(name, image)
    },
    async import(name, version, chunks) {
      disk.images.delete(name)
      const kept: Uint8Array[] = []
      for await (const chunk of chunks) kept.push(chunk.slice())
      const image = { version, chunks: kept }
      const store = load(name, image)
      disk.images.set(name, image)
      return store
    },
    async list() {
      return [...disk.images.keys()].sort()
    },
    async remove(name) {
      disk.images.delete(name)
      disk.damaged.delete(name)
    },
  }
}

class ModelStore implements PartitionStore {
  readonly #name: string
  readonly #disk: ModelStorageDisk
  readonly #rows: Rows = new Map()
  #applied: number
  #oldest: number

  constructor(name: string, disk: ModelStorageDisk, version: number) {
    this.#name = name
    this.#disk = disk
    this.#applied = version
    this.#oldest = version
  }

  load(relation: RelationId, key: Key, version: number, row: Row | null): void {
    const keys = this.#rows.get(relation) ?? new Map<Key, Versioned[]>()
    this.#rows.set(relation, keys)
    const versions = keys.get(key) ?? []
    keys.set(key, versions)
    versions.push({ version, row })
  }

  appliedVersion(): Version {
    return this.#applied as Version
  }

  durableVersion(): Version {
    return (this.#disk.images.get(this.#name)?.version ?? 0) as Version
  }

  oldestVersion(): Version {
    return this.#oldest as Version
  }

  apply(version: Version, writes: readonly RowWrite[]): void {
    if (version <= this.#applied) return
    this.#applied = version
    for (const { relation, key, row } of writes) this.load(relation, key, version, row)
  }

  get(relation: RelationId, key: Key, version: Version): Row | null {
    this.#check(version)
    if (this.#disk.unreadable.delete(this.#name))
      throw new ClusterError(
        { code: 'DISK_DAMAGED', outcome: 'rejected', path: this.#name, offset: 0 },
        'A row cannot be read.',
      )
    const versions = this.#rows.get(relation)?.get(key) ?? []
    return versions.findLast((each) => each.version <= version)?.row ?? null
  }

  *scan({ relation, range, version, columns, reverse, limit }: ScanRequest): Iterable<RowBatch> {
    this.#check(version)
    const keys = [...(this.#rows.get(relation)?.keys() ?? [])].filter((key) => inRange(range, key)).sort()
    if (reverse) keys.reverse()
    const found = keys
      .map((key) => ({ key, row: this.get(relation, key, version) }))
      .filter((each): each is { key: Key; row: Row } => each.row !== null)
      .slice(0, limit ?? keys.length)
    for (let at = 0; at < found.length; at += BATCH_ROWS) {
      const some = found.slice(at, at + BATCH_ROWS)
      const positions = columns ?? (some[0]?.row ?? []).map((_, position) => position)
      yield {
        length: some.length,
        keys: some.map(({ key }) => key),
        columns: positions.map((position) => some.map(({ row }) => row[position] as Value)),
      }
    }
  }

  count(relation: RelationId): number {
    let count = 0
    for (const versions of this.#rows.get(relation)?.values() ?? [])
      if (versions.at(-1)?.row !== null) count++
    return count
  }

  pin(version: Version): { release(): void } {
    this.#check(version)
    return { release() {} }
  }

  trim(version: Version): void {
    this.#oldest = Math.max(this.#oldest, Math.min(version, this.#applied))
  }

  async checkpoint(): Promise<Version> {
    const version = this.appliedVersion()
    const chunks: Uint8Array[] = []
    for await (const chunk of this.export(version)) chunks.push(chunk)
    this.#disk.images.set(this.#name, { version, chunks })
    return version
  }

  async *export(version: Version): AsyncIterable<Uint8Array> {
    let rowCount = 0
    for (const [relation, versions] of [...this.#rows].sort(([a], [b]) => a - b)) {
      const rows = [...versions.keys()].sort().flatMap((key) => {
        const row = this.get(relation, key, version)
        return row === null ? [] : [{ key, row }]
      })
      rowCount += rows.length
      for (let at = 0; at < rows.length; at += CHUNK_ROWS) {
        const some = rows.slice(at, at + CHUNK_ROWS)
        yield encodeChunk({ relation, keys: some.map(({ key }) => key), rows: some.map(({ row }) => row) })
      }
    }
    yield encodeChunk({ rowCount })
  }

  async drop(): Promise<void> {
    this.#disk.images.delete(this.#name)
  }

  async close(): Promise<void> {}

  #check(version: Version): void {
    if (version >= this.#oldest) return
    throw new ClusterError(
      { code: 'STORAGE_VERSION_GONE', outcome: 'rejected', version, oldest: this.#oldest },
      `Version ${version} is gone.`,
    )
  }
}
