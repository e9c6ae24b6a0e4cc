import {
  type LineageId,
  lineageId,
  type PartitionStore,
  type RelationId,
  type RowWrite,
  relationId,
} from '@cluster/core'

/** What a partition says of itself; no caller's relation has this number. */
export const OWN_ROWS: RelationId = relationId(0)
export const LINEAGE_KEY = 'lineage'

/** The row by which a store says in which lineage it was written last. It goes with copies of the store. */
export const signature = (lineage: LineageId): RowWrite => ({
  relation: OWN_ROWS,
  key: LINEAGE_KEY,
  row: [lineage],
})

/** @returns null when nothing was ever written to the store */
export function writtenIn(store: PartitionStore): LineageId | null {
  const value = store.get(OWN_ROWS, LINEAGE_KEY, store.appliedVersion())?.[0]
  return typeof value === 'string' ? lineageId(value) : null
}
