import { type RelationId, relationId } from '@cluster/core'
import type { ByteReader, ByteWriter } from './bytes.ts'

/** Of which relations holders keep the changes, and behind which index. */
export type KeptChanges = ReadonlyMap<RelationId, number>

/** Stands for every relation of callers; it is the database's own, of which no changes are kept. */
const ALL: RelationId = relationId(0)

export const NOTHING_KEPT: KeptChanges = new Map()

/** Changes of the relation behind this index are kept; null when none are. */
export function keptSince(kept: KeptChanges, relation: RelationId): number | null {
  const [own, all] = [kept.get(relation), kept.get(ALL)]
  return own === undefined || all === undefined ? (own ?? all ?? null) : Math.min(own, all)
}

/** The same for all relations of callers, those that do not exist yet included. */
export const allKeptSince = (kept: KeptChanges): number | null => kept.get(ALL) ?? null

/** @param relations all of them when empty */
export function keepChanges(
  kept: KeptChanges,
  relations: readonly RelationId[],
  on: boolean,
  index: number,
): KeptChanges {
  if (!on && relations.length === 0) return NOTHING_KEPT
  const next = new Map(kept)
  for (const relation of relations.length === 0 ? [ALL] : relations) {
    if (!on) next.delete(relation)
    else if (!next.has(relation)) next.set(relation, index)
  }
  return next
}

export function writeKept(writer: ByteWriter, kept: KeptChanges): void {
  writer.varint(kept.size)
  for (const [relation, since] of [...kept].sort(([a], [b]) => a - b)) writer.varint(relation).varint(since)
}

export function readKept(reader: ByteReader): KeptChanges {
  const kept = new Map<RelationId, number>()
  for (let left = reader.count(2); left > 0; left--) {
    const relation = relationId(reader.varint())
    kept.set(relation, reader.varint())
  }
  return kept
}
