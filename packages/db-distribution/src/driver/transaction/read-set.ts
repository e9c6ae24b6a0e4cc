import type { Key, PartitionId, RelationId, RowAddress } from '@cluster/core'
import type { PointRead, RangeRead, Reads } from '../../machine/reads.ts'

/** A range as far as it was read; a scan moves its ends. */
export interface Covered {
  readonly relation: RelationId
  readonly partitions: readonly PartitionId[] | null
  from: Key | null
  to: Key | null
}

/** What one transaction has read, rows and ranges, for certification. */
export class ReadSet {
  readonly #points = new Map<RelationId, Set<Key>>()
  readonly #ranges: Covered[] = []

  addPoint({ relation, key }: Pick<RowAddress, 'relation' | 'key'>): void {
    const keys = this.#points.get(relation)
    if (keys === undefined) this.#points.set(relation, new Set([key]))
    else keys.add(key)
  }

  addRange(covered: Covered): void {
    this.#ranges.push(covered)
  }

  get empty(): boolean {
    return this.#points.size === 0 && this.#ranges.length === 0
  }

  /** As the machine judges it. */
  reads(version: number): Reads {
    return { version, points: this.#pointReads(), ranges: this.#rangeReads() }
  }

  #pointReads(): PointRead[] {
    const points: PointRead[] = []
    for (const [relation, keys] of this.#points) for (const key of keys) points.push({ relation, key })
    return points
  }

  #rangeReads(): readonly RangeRead[] {
    if (this.#ranges.length === 0) return this.#ranges
    const nonEmpty = this.#ranges.filter(({ from, to }) => to === null || (from ?? '') < to)
    // The same range read again and again, as loops do, is judged once.
    const seen = new Set<string>()
    return nonEmpty.filter(({ relation, partitions, from, to }) => {
      const name = `${relation} ${partitions?.join(',') ?? '*'} ${boundName(from)} ${boundName(to)}`
      if (seen.has(name)) return false
      seen.add(name)
      return true
    })
  }
}

/** Tells bounds apart, an open one from every key. */
const boundName = (bound: Key | null): string => (bound === null ? '*' : `${bound.length} ${bound}`)
