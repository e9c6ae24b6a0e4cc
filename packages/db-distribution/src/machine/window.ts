import type { Key, PartitionId, RelationId } from '@cluster/core'
import { type AddedKey, NOTHING_ADDED } from './additions.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { RecentSums } from './recent-sums.ts'

/** Bounds of the certification window. They are part of the machine: the same on every node of a cluster. */
export interface WindowLimits {
  /** Row writes remembered, ≥ 1. */
  readonly writesMax: number
  /** Bytes of keys remembered, ≥ 1. */
  readonly keyBytesMax: number
}

export const WINDOW_LIMITS: WindowLimits = { writesMax: 262_144, keyBytesMax: 16 * 1024 * 1024 }

/** Writes that are written down for a snapshot in one go. */
const PART_WRITES = 4_096

/** The keys that one commit writes in one partition: parallel lists. */
export interface WrittenKeys {
  readonly partition: PartitionId
  readonly relations: readonly RelationId[]
  readonly keys: readonly Key[]
  /** Those whose rows are added to, by position. */
  readonly added?: ReadonlyMap<number, AddedKey>
}

/** In place of a size: the row is replaced or deleted. */
const WHOLE = -1

interface RelationWrites {
  /** Parallel lists in the order of commits; what lies before `head` is trimmed. */
  indexes: number[]
  partitions: PartitionId[]
  keys: Key[]
  /** Of what is added, or `WHOLE`. */
  sizes: number[]
  head: number
  /** The newest write of each key that is still in the lists. */
  readonly last: Map<Key, number>
  /** What was added to rows whose newest write is an addition. */
  readonly sums: Map<Key, RecentSums>
}

const noWrites = (): RelationWrites => ({
  indexes: [],
  partitions: [],
  keys: [],
  sizes: [],
  head: 0,
  last: new Map(),
  sums: new Map(),
})

/** Adds a write behind the others. */
function note(list: RelationWrites, index: number, partition: PartitionId, key: Key, size: number): void {
  list.indexes.push(index)
  list.partitions.push(partition)
  list.keys.push(key)
  list.sizes.push(size)
  if (size === WHOLE) {
    if (list.sums.size > 0) list.sums.delete(key)
  } else {
    let sums = list.sums.get(key)
    if (sums === undefined) {
      sums = new RecentSums(list.last.get(key) ?? 0)
      list.sums.set(key, sums)
    }
    sums.add(index, size)
  }
  list.last.set(key, index)
}

interface CommitMark {
  readonly index: number
  readonly writes: number
  readonly keyBytes: number
  readonly relations: readonly RelationId[]
}

/**
 * Who wrote what lately: answers whether anything in a read set changed after a version. Replicated state, so
 * trimming counts writes and bytes and never time.
 */
export class CertificationWindow {
  readonly #limits: WindowLimits
  readonly #relations = new Map<RelationId, RelationWrites>()
  #commits: CommitMark[] = []
  #commitsHead = 0
  #writes = 0
  #keyBytes = 0
  #additions = 0
  #trimmedThrough = 0

  constructor(limits: WindowLimits = WINDOW_LIMITS) {
    this.#limits = limits
  }

  /** Commits up to this index are forgotten: a transaction that reads below it cannot be judged. */
  get trimmedThrough(): number {
    return this.#trimmedThrough
  }

  /** Row writes remembered. */
  get size(): number {
    return this.#writes
  }

  /** Whether additions are among what is remembered. */
  get hasAdditions(): boolean {
    return this.#additions > 0
  }

  /** Remembers a commit; indexes must grow. @returns the relations it wrote, each once */
  add(index: number, writes: readonly WrittenKeys[]): readonly RelationId[] {
    const relations: RelationId[] = []
    let count = 0
    let keyBytes = 0
    let relation: RelationId | undefined
    let list: RelationWrites | undefined
    for (const part of writes) {
      const added = part.added ?? NOTHING_ADDED
      this.#additions += added.size
      for (let i = 0; i < part.keys.length; i++) {
        const key = part.keys[i] as Key
        const current = part.relations[i] as RelationId
        if (list === undefined || current !== relation) {
          relation = current
          list = this.#relations.get(current)
          if (list === undefined) {
            list = noWrites()
            this.#relations.set(current, list)
          }
          if (!relations.includes(current)) relations.push(current)
        }
        const size = added.size === 0 ? WHOLE : (added.get(i)?.size ?? WHOLE)
        note(list, index, part.partition, key, size)
        count++
        keyBytes += key.length
      }
    }
    this.#commits.push({ index, writes: count, keyBytes, relations })
    this.#writes += count
    this.#keyBytes += keyBytes
    this.#trim()
    return relations
  }

  /** True when the row's newest write is younger than `version`. */
  keyChanged(relation: RelationId, key: Key, version: number): boolean {
    const last = this.#relations.get(relation)?.last.get(key)
    return last !== undefined && last > version
  }

  /** True when the row was only added to since `version`, and so little that something of that size can be added, too. */
  hasRoom(relation: RelationId, key: Key, version: number, { size, room }: AddedKey): boolean {
    const list = this.#relations.get(relation)
    const last = list?.last.get(key)
    if (last === undefined || last <= version) return size <= room
    return list?.sums.get(key)?.fits(version, size, room) ?? false
  }

  /** True when a key from `from` up to `to` (open where null) was written after `version` in one of the partitions (all when null). */
  rangeChanged(
    relation: RelationId,
    partitions: readonly PartitionId[] | null,
    from: Key | null,
    to: Key | null,
    version: number,
  ): boolean {
    const list = this.#relations.get(relation)
    if (list === undefined) return false
    for (let i = list.indexes.length - 1; i >= list.head; i--) {
      if ((list.indexes[i] as number) <= version) return false
      const key = list.keys[i] as Key
      if ((from !== null && key < from) || (to !== null && key >= to)) continue
      if (partitions === null || partitions.includes(list.partitions[i] as PartitionId)) return true
    }
    return false
  }

  /** True when `test` holds for a key that was written after `version`; the youngest are tried first. */
  someChanged(
    relation: RelationId,
    version: number,
    test: (partition: PartitionId, key: Key) => boolean,
  ): boolean {
    const list = this.#relations.get(relation)
    if (list === undefined) return false
    for (let i = list.indexes.length - 1; i >= list.head; i--) {
      if ((list.indexes[i] as number) <= version) return false
      if (test(list.partitions[i] as PartitionId, list.keys[i] as Key)) return true
    }
    return false
  }

  #trim(): void {
    while (this.#writes > this.#limits.writesMax || this.#keyBytes > this.#limits.keyBytesMax) {
      const oldest = this.#commits[this.#commitsHead]
      if (oldest === undefined) return
      this.#commitsHead++
      this.#writes -= oldest.writes
      this.#keyBytes -= oldest.keyBytes
      this.#trimmedThrough = oldest.index
      for (const relation of oldest.relations) this.#trimRelation(relation, oldest.index)
    }
    if (this.#commitsHead > 1024 && this.#commitsHead * 2 > this.#commits.length) {
      this.#commits = this.#commits.slice(this.#commitsHead)
      this.#commitsHead = 0
    }
  }

  #trimRelation(relation: RelationId, through: number): void {
    const list = this.#relations.get(relation)
    if (list === undefined) return
    while (list.head < list.indexes.length && (list.indexes[list.head] as number) <= through) {
      const key = list.keys[list.head] as Key
      if (list.sizes[list.head] !== WHOLE) {
        this.#additions--
        list.sums.get(key)?.trim(through)
      }
      if ((list.last.get(key) ?? 0) <= through) {
        list.last.delete(key)
        list.sums.delete(key)
      }
      list.head++
    }
    if (list.head === list.indexes.length) {
      this.#relations.delete(relation)
      return
    }
    if (list.head > 1024 && list.head * 2 > list.indexes.length) {
      list.indexes = list.indexes.slice(list.head)
      list.partitions = list.partitions.slice(list.head)
      list.keys = list.keys.slice(list.head)
      list.sizes = list.sizes.slice(list.head)
      list.head = 0
    }
  }

  /**
   * Writes down the state of this call, part after part, each the work of a millisecond or so, whatever is added and trimmed
   * meanwhile: lists only grow behind what is written, and trimming moves their head or makes new ones. The same bytes for
   * the same state, however it came about.
   * @param withSizes of what was added; without them there must be no additions
   */
  parts(withSizes: boolean): ((writer: ByteWriter) => void)[] {
    const through = this.#trimmedThrough
    const relations = [...this.#relations].sort(([a], [b]) => a - b)
    const parts = [(writer: ByteWriter): void => void writer.varint(through).varint(relations.length)]
    for (const [relation, { indexes, partitions, keys, sizes, head }] of relations) {
      const end = indexes.length
      parts.push((writer) => void writer.varint(relation).varint(end - head))
      for (let at = head; at < end; at += PART_WRITES) {
        const to = Math.min(end, at + PART_WRITES)
        const lists = { indexes, partitions, keys, sizes: withSizes ? sizes : null }
        parts.push((writer) => writeRange(lists, at, to, at > head, writer))
      }
    }
    return parts
  }

  /** @param withSizes as it was written */
  static read(
    reader: ByteReader,
    withSizes: boolean,
    limits: WindowLimits = WINDOW_LIMITS,
  ): CertificationWindow {
    const window = new CertificationWindow(limits)
    window.#trimmedThrough = reader.varint()
    const commits = new Map<number, { writes: number; keyBytes: number; relations: RelationId[] }>()
    const relations = reader.count(2)
    for (let r = 0; r < relations; r++) {
      const relation = reader.varint() as RelationId
      const writes = reader.count(3)
      const list = noWrites()
      let index = 0
      for (let i = 0; i < writes; i++) {
        index += reader.varint()
        const partition = reader.varint() as PartitionId
        const key = reader.key()
        const size = withSizes && reader.byte() === 1 ? reader.double() : WHOLE
        if (size !== WHOLE) window.#additions++
        note(list, index, partition, key, size)
        let commit = commits.get(index)
        if (commit === undefined) {
          commit = { writes: 0, keyBytes: 0, relations: [] }
          commits.set(index, commit)
        }
        commit.writes++
        commit.keyBytes += key.length
        if (commit.relations.at(-1) !== relation) commit.relations.push(relation)
      }
      window.#relations.set(relation, list)
    }
    for (const [index, commit] of [...commits].sort(([a], [b]) => a - b)) {
      window.#commits.push({ index, ...commit })
      window.#writes += commit.writes
      window.#keyBytes += commit.keyBytes
    }
    return window
  }
}

/** @param follows there are writes before, from which indexes count on */
function writeRange(
  {
    indexes,
    partitions,
    keys,
    sizes,
  }: Pick<RelationWrites, 'indexes' | 'partitions' | 'keys'> & { readonly sizes: readonly number[] | null },
  from: number,
  to: number,
  follows: boolean,
  writer: ByteWriter,
): void {
  let previous = follows ? (indexes[from - 1] as number) : 0
  for (let i = from; i < to; i++) {
    const index = indexes[i] as number
    writer
      .varint(index - previous)
      .varint(partitions[i] as number)
      .key(keys[i] as Key)
    if (sizes !== null) {
      const size = sizes[i] as number
      if (size === WHOLE) writer.byte(0)
      else writer.byte(1).double(size)
    }
    previous = index
  }
}
