import {
  type Clock,
  decodeChunk,
  type Key,
  type PartitionStore,
  type RelationId,
  type RowsChunk,
  type Version,
} from '@cluster/core'
import { addDigest, bucketOf, type Digest, digestRow, NO_ROWS } from '../../machine/digest.ts'
import { Pace } from '../pace.ts'
import { LINEAGE_KEY, OWN_ROWS } from '../replica/signature.ts'
import type { AuditRequest, Named } from './audit-wire.ts'

/** Rows of which single digests are told; with more than that the buckets must do. */
const ROWS_MAX = 20_000

/** Reads a whole partition as it was at a version and says in few bytes what it holds, without keeping others from their work. */
export class Digester {
  readonly #clock: Clock
  readonly #store: PartitionStore

  constructor(clock: Clock, store: PartitionStore) {
    this.#clock = clock
    this.#store = store
  }

  /** @throws STORAGE_VERSION_GONE, DISK_DAMAGED */
  async digest({ version, rowsPerSecond, what }: AuditRequest): Promise<Named<number | Key>[]> {
    if (what.type === 'rows') return this.#rows(version, rowsPerSecond, what.relation, new Set(what.buckets))
    const totals = new Map<number, Digest>()
    for await (const { relation, keys, rows } of this.#chunks(version, rowsPerSecond)) {
      if (what.type === 'buckets' && relation !== what.relation) continue
      for (const [i, key] of keys.entries()) {
        if (isOfCopy(relation, key)) continue
        const name = what.type === 'relations' ? relation : bucketOf(key)
        totals.set(name, addDigest(totals.get(name) ?? NO_ROWS, digestRow(relation, key, rows[i] ?? [])))
      }
    }
    return [...totals].sort(([a], [b]) => a - b).map(([name, digest]) => ({ name, digest }))
  }

  async #rows(
    version: Version,
    rowsPerSecond: number,
    wanted: RelationId,
    buckets: ReadonlySet<number>,
  ): Promise<Named<Key>[]> {
    const found: Named<Key>[] = []
    for await (const { relation, keys, rows } of this.#chunks(version, rowsPerSecond)) {
      if (relation !== wanted) continue
      for (const [i, key] of keys.entries()) {
        if (!buckets.has(bucketOf(key)) || isOfCopy(relation, key)) continue
        if (found.length < ROWS_MAX)
          found.push({ name: key, digest: digestRow(relation, key, rows[i] ?? []) })
      }
    }
    return found
  }

  async *#chunks(version: Version, rowsPerSecond: number): AsyncIterable<RowsChunk> {
    const pin = this.#store.pin(version)
    const pace = new Pace(this.#clock, rowsPerSecond)
    try {
      for await (const bytes of this.#store.export(version)) {
        const chunk = decodeChunk(bytes, 'a copy that is compared', 0)
        if ('rowCount' in chunk) continue
        yield chunk
        await pace.spend(chunk.keys.length)
      }
    } finally {
      pin.release()
    }
  }
}

/** What a copy says of itself may differ from what others do. */
const isOfCopy = (relation: RelationId, key: Key): boolean => relation === OWN_ROWS && key === LINEAGE_KEY
