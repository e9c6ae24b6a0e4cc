import type { Key, PartitionId, RelationId } from '@cluster/core'
import type { RangeRead } from './reads.ts'
import type { CertificationWindow } from './window.ts'

/** Up to so many ranges are judged one by one. */
const FEW_RANGES = 4

/**
 * The relation of a range of which a key was written after `version`; null when there is none. Many ranges, as loops
 * over an index leave them, are merged first, so that the young writes are walked once and not once a range.
 */
export function changedRange(
  window: CertificationWindow,
  ranges: readonly RangeRead[],
  version: number,
): RelationId | null {
  if (ranges.length <= FEW_RANGES) {
    for (const { relation, partitions, from, to } of ranges)
      if (window.rangeChanged(relation, partitions, from, to, version)) return relation
    return null
  }
  for (const [relation, group] of grouped(ranges))
    if (window.someChanged(relation, version, (partition, key) => covers(group, partition, key)))
      return relation
  return null
}

interface Span {
  readonly from: Key
  to: Key | null
}

/** Ranges over the same partitions, merged and sorted. */
interface Group {
  readonly partitions: readonly PartitionId[] | null
  readonly spans: Span[]
}

/** By relation, smallest first; so every node names the same one. */
function grouped(ranges: readonly RangeRead[]): [RelationId, readonly Group[]][] {
  const byRelation = new Map<RelationId, Map<string, Group>>()
  for (const { relation, partitions, from, to } of ranges) {
    let groups = byRelation.get(relation)
    if (groups === undefined) {
      groups = new Map()
      byRelation.set(relation, groups)
    }
    const name = partitions === null ? '*' : partitions.join(',')
    let group = groups.get(name)
    if (group === undefined) {
      group = { partitions, spans: [] }
      groups.set(name, group)
    }
    group.spans.push({ from: from ?? '', to })
  }
  return [...byRelation]
    .sort(([a], [b]) => a - b)
    .map(([relation, groups]) => [
      relation,
      [...groups.values()].map(({ partitions, spans }) => ({ partitions, spans: merged(spans) })),
    ])
}

function merged(spans: Span[]): Span[] {
  const result: Span[] = []
  for (const span of spans.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))) {
    const last = result.at(-1)
    if (last === undefined || (last.to !== null && last.to < span.from)) result.push({ ...span })
    else if (last.to !== null && (span.to === null || span.to > last.to)) last.to = span.to
  }
  return result
}

function covers(groups: readonly Group[], partition: PartitionId, key: Key): boolean {
  for (const { partitions, spans } of groups) {
    let low = 0
    let high = spans.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((spans[middle] as Span).from <= key) low = middle + 1
      else high = middle
    }
    const span = spans[low - 1]
    if (span === undefined || (span.to !== null && key >= span.to)) continue
    if (partitions === null || partitions.includes(partition)) return true
  }
  return false
}
