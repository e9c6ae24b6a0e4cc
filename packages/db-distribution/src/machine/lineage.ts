import type { LineageId, LogIndex, Version } from '@cluster/core'

/** The history that a node belongs to. */
export interface History {
  readonly lineage: LineageId
  /** Lineages that came before, each with the last index that this history shares with it. */
  readonly ancestry: readonly { readonly lineage: LineageId; readonly index: LogIndex }[]
}

/**
 * How far the versions of a copy are those of a history. Versions are indexes of the log, and after two histories have
 * parted the same index names other writes in each of them.
 * @param writtenIn the lineage in which the copy was written last; null when it never was
 * @returns the version up to which it counts (0 when it was never written); null when it has writes of another history
 */
export function versionIn(history: History, writtenIn: LineageId | null, version: Version): number | null {
  if (writtenIn === null) return 0
  if (writtenIn === history.lineage) return version
  const shared = history.ancestry.find(({ lineage }) => lineage === writtenIn)
  return shared !== undefined && version <= shared.index ? version : null
}
