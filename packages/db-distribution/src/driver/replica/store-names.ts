import type { PartitionId } from '@cluster/core'

/**
 * The slot of a partition on this node: what stands for it whichever store is in use. The database's random uid keeps
 * those of another cluster apart.
 */
export const slotName = (uid: string, partition: PartitionId): string => `${uid}/p${partition}`

/** What a store's name says; null when it is not one of ours. */
export function parseStoreName(
  name: string,
): { uid: string; partition: PartitionId; slot: string; attempt: number } | null {
  const match = /^(([0-9a-z]+)\/p(\d+))(?:\.(\d+))?$/.exec(name)
  if (match === null) return null
  const [, slot = '', uid = '', partition, attempt = '0'] = match
  return { uid, partition: Number(partition) as PartitionId, slot, attempt: Number(attempt) }
}

/** Stores of a slot among those on disk, the youngest first. */
export function storesOf(slot: string, names: readonly string[]): string[] {
  const found = names.filter((name) => parseStoreName(name)?.slot === slot)
  const attempt = (name: string): number => parseStoreName(name)?.attempt ?? 0
  return found.sort((a, b) => attempt(b) - attempt(a))
}

/** A name that none of the stores of the slot has: what they hold is not touched. */
export function freshStore(slot: string, taken: readonly string[]): string {
  const attempts = taken.map((name) => (parseStoreName(name)?.attempt ?? 0) + 1)
  const attempt = Math.max(0, ...attempts)
  return attempt === 0 ? slot : `${slot}.${attempt}`
}
