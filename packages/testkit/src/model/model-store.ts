import {
  type Addition,
  type Key,
  logIndex,
  type PartitionId,
  type RelationId,
  type Row,
  type RowAddress,
  type Version,
} from '@cluster/core'
import type { ModelRow } from './model-backup.ts'
import type { ModelChange } from './model-feed.ts'

export interface Versioned {
  readonly version: Version
  readonly row: Row | null
}

export interface Write extends RowAddress {
  readonly row: Row | null
  /** What was added to the row that was there; absent where it was replaced. */
  readonly additions?: readonly Addition[]
}

/** One relation in one partition: every version of every key. */
class Relation {
  readonly #rows = new Map<Key, Versioned[]>()
  #sorted: Key[] | null = []

  at(key: Key, version: Version): Row | null {
    const versions = this.#rows.get(key)
    if (versions === undefined) return null
    for (let i = versions.length - 1; i >= 0; i--) {
      const entry = versions[i] as Versioned
      if (entry.version <= version) return entry.row
    }
    return null
  }

  write(key: Key, entry: Versioned): void {
    const versions = this.#rows.get(key)
    if (versions !== undefined) {
      versions.push(entry)
      return
    }
    this.#rows.set(key, [entry])
    this.#sorted = null
  }

  /** Every key ever written, in order. */
  keys(): readonly Key[] {
    this.#sorted ??= [...this.#rows.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    return this.#sorted
  }
}

/** What is committed in one database. */
export class ModelStore {
  readonly #relations = new Map<string, Relation>()
  /** Writes of version `i + 1`. */
  readonly #history: (readonly Write[])[] = []

  version(): Version {
    return logIndex(this.#history.length)
  }

  relation(relation: RelationId, partition: PartitionId): Relation {
    const name = `${relation}/${partition}`
    let found = this.#relations.get(name)
    if (found === undefined) {
      found = new Relation()
      this.#relations.set(name, found)
    }
    return found
  }

  /** Every row of the partition at a version. */
  rowsOf(partition: PartitionId, version: Version): ModelRow[] {
    const rows: ModelRow[] = []
    for (const relation of this.relationsOf(partition)) {
      const stored = this.relation(relation, partition)
      for (const key of stored.keys()) {
        const row = stored.at(key, version)
        if (row !== null) rows.push({ relation, key, row })
      }
    }
    return rows
  }

  /** Every relation that was ever written in the partition, sorted. */
  relationsOf(partition: PartitionId): RelationId[] {
    const written = this.#history.flatMap((writes) => writes.filter((write) => write.partition === partition))
    return [...new Set(written.map(({ relation }) => relation))].sort((a, b) => a - b)
  }

  count(partition: PartitionId): number {
    let rows = 0
    for (const [name, relation] of this.#relations) {
      if (!name.endsWith(`/${partition}`)) continue
      for (const key of relation.keys()) if (relation.at(key, this.version()) !== null) rows++
    }
    return rows
  }

  /** What the commit of that version changed, by partition. */
  changesOf(version: Version): ModelChange[] {
    const writes = this.#history[version - 1] ?? []
    const before = logIndex(version - 1)
    return writes
      .map(({ relation, partition, key, row }) => ({
        relation,
        partition,
        key,
        before: this.relation(relation, partition).at(key, before),
        after: row,
      }))
      .filter(({ before, after }) => before !== null || after !== null)
      .sort((a, b) => a.partition - b.partition)
  }

  /** The first write after `version` for which `concerns` holds. */
  changedSince(version: Version, concerns: (write: Write) => boolean): Write | null {
    for (let i = version; i < this.#history.length; i++) {
      const found = (this.#history[i] as readonly Write[]).find(concerns)
      if (found !== undefined) return found
    }
    return null
  }

  commit(writes: readonly Write[]): Version {
    this.#history.push(writes)
    const version = this.version()
    for (const { relation, partition, key, row } of writes)
      this.relation(relation, partition).write(key, { version, row })
    return version
  }
}
