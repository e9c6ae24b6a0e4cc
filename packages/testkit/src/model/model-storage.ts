import {
  ClusterError,
  chunkDamaged,
  type DatabaseErrorDetail,
  decodeChunk,
  encodeChunk,
  inRange,
  type Key,
  logIndex,
  type PartitionStore,
  type RelationId,
  type Row,
  type RowBatch,
  type RowWrite,
  type ScanRequest,
  type StorageEngine,
  type Version,
} from '@cluster/core'

/** All rows of a partition as of one version. */
type Rows = ReadonlyMap<RelationId, ReadonlyMap<Key, Row>>

interface Snapshot {
  readonly version: Version
  readonly rows: Rows
}

/** What outlives the process: the newest checkpoint of each partition. */
export type ModelStorageDisk = Map<string, Snapshot>

const BATCH_ROWS = 1024

/** A naive engine that keeps a whole copy of all rows for every version. What it answers is right by its looks. */
export function modelStorage(disk: ModelStorageDisk = new Map()): StorageEngine {
  return {
    open: async (name) =>
      new ModelPartition(name, disk, disk.get(name) ?? { version: logIndex(0), rows: new Map() }),
    async import(name, version, chunks) {
      disk.delete(name)
      const rows = new Map<RelationId, Map<Key, Row>>()
      let rowCount = 0
      for await (const bytes of chunks) {
        const chunk = decodeChunk(bytes, `copy of ${name}`, 0)
        if ('rowCount' in chunk) {
          if (chunk.rowCount !== rowCount) break
          disk.set(name, { version, rows })
          return new ModelPartition(name, disk, { version, rows })
        }
        const relation = rows.get(chunk.relation) ?? new Map<Key, Row>()
        rows.set(chunk.relation, relation)
        for (const [i, key] of chunk.keys.entries()) relation.set(key, chunk.rows[i] ?? [])
        rowCount += chunk.keys.length
      }
      throw chunkDamaged(`copy of ${name}`, 0)
    },
    list: async () => [...disk.keys()].sort(),
    remove: async (name) => void disk.delete(name),
  }
}

class ModelPartition implements PartitionStore {
  readonly #name: string
  readonly #disk: ModelStorageDisk
  /** Oldest first; each is the state from its version on. */
  readonly #snapshots: Snapshot[]
  readonly #pins: Version[] = []
  #applied: Version
  #oldest: Version
  #durable: Version

  constructor(name: string, disk: ModelStorageDisk, snapshot: Snapshot) {
    this.#name = name
    this.#disk = disk
    this.#snapshots = [snapshot]
    this.#applied = snapshot.version
    this.#oldest = snapshot.version
    this.#durable = snapshot.version
  }

  appliedVersion(): Version {
    return this.#applied
  }

  durableVersion(): Version {
    return this.#durable
  }

  oldestVersion(): Version {
    return this.#oldest
  }

  apply(version: Version, writes: readonly RowWrite[]): void {
    if (version <= this.#applied) return
    const rows = new Map([...this.#at(this.#applied)].map(([id, relation]) => [id, new Map(relation)]))
    for (const { relation: id, key, row } of writes) {
      const relation = rows.get(id) ?? new Map<Key, Row>()
      rows.set(id, relation)
      if (row === null) relation.delete(key)
      else relation.set(key, row)
    }
    this.#snapshots.push({ version, rows })
    this.#applied = version
  }

  get(relation: RelationId, key: Key, version: Version): Row | null {
    this.#check(version)
    return this.#at(version).get(relation)?.get(key) ?? null
  }

  scan(request: ScanRequest): Iterable<RowBatch> {
    this.#check(request.version)
    return this.#scan(request)
  }

  *#scan({ relation, range, version, columns, reverse = false, limit }: ScanRequest): Iterable<RowBatch> {
    this.#check(version)
    const rows = [...(this.#at(version).get(relation) ?? [])]
      .filter(([key]) => inRange(range, key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
    if (reverse) rows.reverse()
    const wanted = rows.slice(0, limit)
    for (let from = 0; from < wanted.length; from += BATCH_ROWS) {
      const part = wanted.slice(from, from + BATCH_ROWS)
      const positions = columns ?? (part[0]?.[1] ?? []).map((_, i) => i)
      yield {
        length: part.length,
        keys: part.map(([key]) => key),
        columns: positions.map((position) => part.map(([, row]) => row[position] ?? null)),
      }
      this.#check(version)
    }
  }

  count(relation: RelationId): number {
    return this.#at(this.#applied).get(relation)?.size ?? 0
  }

  pin(version: Version): { release(): void } {
    this.#check(version)
    this.#pins.push(version)
    let held = true
    return {
      release: () => {
        if (held) this.#pins.splice(this.#pins.indexOf(version), 1)
        held = false
      },
    }
  }

  trim(version: Version): void {
    const until = Math.min(version, this.#applied, ...this.#pins)
    if (until > this.#oldest) this.#oldest = logIndex(until)
  }

  async checkpoint(): Promise<Version> {
    this.#durable = this.#applied
    this.#disk.set(this.#name, { version: this.#durable, rows: this.#at(this.#durable) })
    return this.#durable
  }

  async *export(version: Version): AsyncIterable<Uint8Array> {
    this.#check(version)
    let rowCount = 0
    for (const [relation, rows] of [...this.#at(version)].sort(([a], [b]) => a - b)) {
      const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
      if (sorted.length === 0) continue
      rowCount += sorted.length
      yield encodeChunk({ relation, keys: sorted.map(([key]) => key), rows: sorted.map(([, row]) => row) })
    }
    yield encodeChunk({ rowCount })
  }

  async drop(): Promise<void> {
    this.#disk.delete(this.#name)
  }

  async close(): Promise<void> {}

  #at(version: Version): Rows {
    const snapshot = this.#snapshots.findLast((candidate) => candidate.version <= version)
    return snapshot?.rows ?? new Map()
  }

  #check(version: Version): void {
    if (version >= this.#oldest) return
    throw new ClusterError<DatabaseErrorDetail>(
      { code: 'STORAGE_VERSION_GONE', outcome: 'rejected', version, oldest: this.#oldest },
      `version ${version} is no longer kept here: the oldest that can be read is ${this.#oldest}`,
    )
  }
}
