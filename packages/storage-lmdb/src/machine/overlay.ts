import type { Key, RelationId, Version } from '@cluster/core'
import { type RowVersion, visible, type WriteLayer } from './write-layer.ts'

/** What the layers say of a range of keys. */
export interface Overlay {
  /** Ascending, or descending when read in reverse. */
  readonly entries: readonly { readonly key: Key; readonly entry: RowVersion }[]
  /** How far it is complete: up to this key (excluded), in reverse down to it (included); null: the whole range. */
  readonly until: Key | null
}

const nothing: Overlay = { entries: [], until: null }

/**
 * What the layers say of the rows from `from` up to `to` (null: all), as of `version`; the newest layer that knows a
 * row counts. At most `max` keys of each layer are looked at.
 * @param layers newest first
 */
export function overlayOf(
  layers: readonly WriteLayer[],
  relation: RelationId,
  { from, to }: { readonly from: Key; readonly to: Key | null },
  version: Version,
  max: number,
  reverse: boolean,
): Overlay {
  const known = new Map<Key, RowVersion>()
  let until = null as Key | null
  let sources = 0
  for (const layer of layers) {
    let looked = 0
    const before = known.size
    const visit = (key: Key, newest: RowVersion): boolean => {
      if (reverse ? key < from : to !== null && key >= to) return false
      if (looked === max) {
        // What lies behind is not complete: the nearest such key of all layers ends it.
        const end: Key = reverse ? `${key}\x00` : key
        if (until === null || (reverse ? end > until : end < until)) until = end
        return false
      }
      looked++
      if (known.has(key)) return true
      const entry = visible(newest, version)
      if (entry !== null) known.set(key, entry)
      return true
    }
    if (reverse) layer.descend(relation, to, visit)
    else layer.ascend(relation, from, visit)
    if (known.size > before) sources++
  }
  if (known.size === 0) return until === null ? nothing : { entries: [], until }
  let entries = Array.from(known, ([key, entry]) => ({ key, entry }))
  if (sources > 1) entries.sort((a, b) => (a.key < b.key !== reverse ? -1 : 1))
  const end = until
  if (end !== null) entries = entries.filter(({ key }) => (reverse ? key >= end : key < end))
  return { entries, until }
}
