import {
  type Key,
  type RelationId,
  type Row,
  type RowBatch,
  type RowWrite,
  type ScanRequest,
  type Version,
  VersionHorizon,
} from '@cluster/core'
import type { RowVersion } from './block-columns.ts'
import { Relation } from './relation.ts'

/** A key whose versions before that one can be freed once that one is the oldest read. */
interface Garbage {
  readonly entry: RowVersion
  readonly relation: RelationId
  readonly key: Key
}

/** The relations of one partition in memory, with their versions and pins. Knows nothing of disks. */
export class VersionedRelations {
  readonly #relations = new Map<RelationId, Relation>()
  readonly #horizon: VersionHorizon
  #garbage: Garbage[] = []
  /** Garbage before this position is freed already. */
  #garbageFrom = 0

  constructor(version: Version) {
    this.#horizon = new VersionHorizon(version)
  }

  get applied(): Version {
    return this.#horizon.applied
  }

  get oldest(): Version {
    return this.#horizon.oldest
  }

  /** Relations with something in them, sorted by id. */
  relations(): RelationId[] {
    return [...this.#relations.keys()].sort((a, b) => a - b)
  }

  relation(id: RelationId): Relation | undefined {
    return this.#relations.get(id)
  }

  apply(version: Version, writes: readonly RowWrite[]): void {
    for (const { relation: id, key, row } of writes) {
      let relation = this.#relations.get(id)
      if (!relation) {
        if (row === null) continue
        relation = new Relation()
        this.#relations.set(id, relation)
      }
      const entry = relation.write(version, key, row)
      if (entry !== null) this.#garbage.push({ entry, relation: id, key })
      if (relation.empty) this.#relations.delete(id)
    }
    this.#horizon.advance(version)
  }

  /** Puts a row in at the version the store starts with; for loading what a checkpoint holds. */
  load(id: RelationId, key: Key, row: Row): void {
    let relation = this.#relations.get(id)
    if (!relation) {
      relation = new Relation()
      this.#relations.set(id, relation)
    }
    relation.write(this.applied, key, row)
  }

  /** Takes back a row that `load` put in. */
  unload(id: RelationId, key: Key): void {
    this.#relations.get(id)?.write(this.applied, key, null)
  }

  get(id: RelationId, key: Key, version: Version): Row | null {
    this.#horizon.check(version)
    return this.#relations.get(id)?.get(key, version) ?? null
  }

  getMany(id: RelationId, keys: readonly Key[], version: Version): readonly (Row | null)[] {
    this.#horizon.check(version)
    return this.#relations.get(id)?.getMany(keys, version) ?? keys.map(() => null)
  }

  scan(request: ScanRequest): Iterable<RowBatch> {
    this.#horizon.check(request.version)
    return this.#scan(request)
  }

  *#scan(request: ScanRequest): Iterable<RowBatch> {
    // Whoever asked may read much later, as the second of two partitions is.
    this.#horizon.check(request.version)
    const relation = this.#relations.get(request.relation)
    if (!relation) return
    for (const batch of relation.scan(request)) {
      yield batch
      // A version that was trimmed away between two batches must not read as if rows had never been.
      this.#horizon.check(request.version)
    }
  }

  pin(version: Version): { release(): void } {
    return this.#horizon.pin(version)
  }

  trim(version: Version): void {
    if (!this.#horizon.trim(version)) return
    const until = this.oldest
    let at = this.#garbageFrom
    for (; at < this.#garbage.length; at++) {
      const { entry, relation: id, key } = this.#garbage[at] as Garbage
      if (entry.version > until) break
      const relation = this.#relations.get(id)
      relation?.forget(key, entry)
      if (relation?.empty) this.#relations.delete(id)
    }
    this.#garbageFrom = at
    if (at > 1024 && at * 2 > this.#garbage.length) {
      this.#garbage = this.#garbage.slice(at)
      this.#garbageFrom = 0
    }
  }
}
