import { type Key, type RelationId, type Row, type RowWrite, SortedBlocks, type Version } from '@cluster/core'

/** One version of one row; null is a deletion. Newest first. */
export interface RowVersion {
  readonly version: Version
  readonly row: Row | null
  readonly older: RowVersion | null
}

/** What an entry of a layer takes in memory beside its key and fields, roughly, in bytes. */
const ENTRY_BYTES = 160
const FIELD_BYTES = 16

class LayerRelation {
  readonly rows = new SortedBlocks<RowVersion>()
  /** Keys whose newest version here is a row. */
  alive = 0
  /** Keys here that also have a row beneath this layer, as far as that was looked up. */
  beneath = 0
  /** Keys of which nobody knows yet whether there is a row beneath. */
  readonly unknown = new Set<Key>()
}

/**
 * Writes that are not in the files yet, in memory: each row with all its versions since the layer began. The newest
 * layer takes writes; older ones are being written to the files.
 */
export class WriteLayer {
  /** Everything here is newer than this version, everything beneath is not. */
  readonly since: Version
  /** Memory taken, roughly. */
  bytes = 0
  /** Rows with at least one version here. */
  keys = 0
  readonly #relations = new Map<RelationId, LayerRelation>()

  constructor(since: Version) {
    this.since = since
  }

  write(version: Version, { relation: id, key, row }: RowWrite): void {
    let relation = this.#relations.get(id)
    if (relation === undefined) {
      relation = new LayerRelation()
      this.#relations.set(id, relation)
    }
    const newest = relation.rows.get(key)
    if (newest === undefined) {
      relation.unknown.add(key)
      this.keys++
    } else if (newest.row !== null) relation.alive--
    if (row !== null) relation.alive++
    // Two writes of one version to one key: the later one counts, the earlier was never visible.
    const older = newest === undefined ? null : newest.version === version ? newest.older : newest
    relation.rows.set(key, { version, row, older })
    this.bytes += ENTRY_BYTES + key.length + sizeOf(row)
  }

  /** Relations with something here, sorted by id. */
  relations(): RelationId[] {
    return [...this.#relations.keys()].sort((a, b) => a - b)
  }

  has(id: RelationId): boolean {
    return this.#relations.has(id)
  }

  /** The newest version of the row at or below `version`; null when this layer does not say. */
  find(id: RelationId, key: Key, version: Version): RowVersion | null {
    return visible(this.#relations.get(id)?.rows.get(key), version)
  }

  /** Visits rows with their newest version from the first key ≥ `from` upwards, until `visit` returns false. */
  ascend(id: RelationId, from: Key, visit: (key: Key, newest: RowVersion) => boolean): void {
    this.#relations.get(id)?.rows.ascend(from, visit)
  }

  /** Visits from the last key < `before` (or the very last) downwards until `visit` returns false. */
  descend(id: RelationId, before: Key | null, visit: (key: Key, newest: RowVersion) => boolean): void {
    this.#relations.get(id)?.rows.descend(before ?? undefined, visit)
  }

  /** Keys of which it is not known whether there is a row beneath. */
  unknown(id: RelationId): readonly Key[] {
    return [...(this.#relations.get(id)?.unknown ?? [])]
  }

  /** Tells whether there was a row beneath; told again it changes nothing. */
  learn(id: RelationId, key: Key, wasAlive: boolean): void {
    const relation = this.#relations.get(id)
    if (relation?.unknown.delete(key) && wasAlive) relation.beneath++
  }

  /** How many more rows there are with this layer than beneath it. Right once nothing is unknown. */
  growth(id: RelationId): number {
    const relation = this.#relations.get(id)
    return relation === undefined ? 0 : relation.alive - relation.beneath
  }
}

/** The newest of the versions that is at or below `version`. */
export function visible(newest: RowVersion | undefined, version: Version): RowVersion | null {
  let entry: RowVersion | null = newest ?? null
  while (entry !== null && entry.version > version) entry = entry.older
  return entry
}

function sizeOf(row: Row | null): number {
  if (row === null) return 0
  let bytes = 0
  for (const value of row) {
    bytes += FIELD_BYTES
    if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length
  }
  return bytes
}
