import type { RelationId, Version } from '../ids.ts'
import type { Key, KeyRange, Row, Value } from '../values/value.ts'

/** One write to a row: the new row, or null to delete. */
export interface RowWrite {
  readonly relation: RelationId
  readonly key: Key
  readonly row: Row | null
}

/** Some rows in key order, as columns. */
export interface RowBatch {
  readonly length: number
  readonly keys: readonly Key[]
  /** One list of `length` values for each column asked for, in the order asked. */
  readonly columns: readonly (readonly Value[])[]
}

export interface ScanRequest {
  readonly relation: RelationId
  readonly range: KeyRange
  readonly version: Version
  /** Column positions wanted, in this order; all of the row's, when absent (then every row must be equally wide). */
  readonly columns?: readonly number[]
  /** From the last key down. */
  readonly reverse?: boolean
  /** At most this many rows in all. */
  readonly limit?: number
}

/**
 * The ordered, versioned relations of one partition. Reads see the newest row at or below a version. Writes come
 * in the order of versions. Everything but files is synchronous.
 */
export interface PartitionStore {
  /** The newest version whose writes are in; 0 when fresh. */
  appliedVersion(): Version
  /** The newest version that a restart comes back with. */
  durableVersion(): Version
  /** The oldest version that can still be read. */
  oldestVersion(): Version
  /** Adds the writes of one version. A version at or below `appliedVersion` is ignored (replay). An empty list only advances. */
  apply(version: Version, writes: readonly RowWrite[]): void
  /** @throws STORAGE_VERSION_GONE when the version is older than `oldestVersion` */
  get(relation: RelationId, key: Key, version: Version): Row | null
  /**
   * `get` for each key, in the order of the keys; left out by an engine that has nothing better than asking one by one.
   * @throws STORAGE_VERSION_GONE when the version is older than `oldestVersion`
   */
  getMany?(relation: RelationId, keys: readonly Key[], version: Version): readonly (Row | null)[]
  /** Batches of at most 1,024 rows in key order. Writes applied meanwhile do not show. @throws STORAGE_VERSION_GONE */
  scan(request: ScanRequest): Iterable<RowBatch>
  /** Rows alive at the newest version, by relation. */
  count(relation: RelationId): number
  /** Keeps `version` readable until the pin is released. */
  pin(version: Version): { release(): void }
  /** Lets go of versions below `version`, as far as no pin needs them. */
  trim(version: Version): void
  /** Writes what changed to disk; resolves with the version that is durable now. Does not stop the world. */
  checkpoint(): Promise<Version>
  /** Everything readable at `version`, in order: chunks of `encodeChunk`, the last one with the number of rows. */
  export(version: Version): AsyncIterable<Uint8Array>
  /** Removes the partition from memory and disk. */
  drop(): Promise<void>
  close(): Promise<void>
}

/** Makes partition stores. */
export interface StorageEngine {
  /** Opens what is on disk, or a fresh one. @throws DISK_DAMAGED: the caller drops it and copies it anew */
  open(name: string): Promise<PartitionStore>
  /** Takes the chunks of `PartitionStore.export` into a new store of that name (an old one is replaced) that stands at `version`. */
  import(name: string, version: Version, chunks: AsyncIterable<Uint8Array>): Promise<PartitionStore>
  /** Names of the partitions on disk, sorted. */
  list(): Promise<readonly string[]>
  /** Removes what is on disk of a partition that cannot be opened. */
  remove(name: string): Promise<void>
}
