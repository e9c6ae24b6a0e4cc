import type { Row } from '@cluster/core'
import type { RowVersion } from './write-layer.ts'

/** One version of a row. */
export interface StoredVersion {
  readonly version: number
  readonly row: Row | null
}

/** What a checkpoint makes of one row. */
export interface Settled {
  /** The row in the blocks afterwards; null: nothing is left of it. */
  readonly newest: StoredVersion | null
  /** For the history, oldest first; the version of `newest` or of the deletion covers the last. */
  readonly covered: readonly StoredVersion[]
  /** Kept only so that an unfinished checkpoint can be taken back; covered by `until`. */
  readonly undo: { readonly state: StoredVersion; readonly until: number } | null
}

/**
 * Moves a row's versions from a layer into the files.
 * @param stored what the blocks have of it; it is not newer than the layer's versions, unless this was done before
 * @param newest the layer's versions
 * @param oldest nobody reads below this version
 * @param undoable whether what is stored must be found again if the checkpoint is not finished
 */
export function settle(
  stored: StoredVersion | null,
  newest: RowVersion,
  oldest: number,
  undoable: boolean,
): Settled | null {
  if (stored !== null && stored.version >= newest.version) return null
  const versions: StoredVersion[] = []
  for (let entry = newest.older; entry !== null; entry = entry.older) versions.push(entry)
  versions.reverse()
  // A stored row that is gone has nothing to show; what came before it is in the history already.
  if (stored !== null && stored.row !== null) versions.unshift(stored)
  const until = (i: number): number => versions[i + 1]?.version ?? newest.version
  let first = 0
  while (first < versions.length && until(first) <= oldest) first++
  const covered = versions.slice(first)
  const lost = first > 0 && stored !== null && versions[0] === stored
  const undo = undoable && lost ? { state: stored, until: until(0) } : null
  // The place of a row that is gone tells readers of older versions to look into the history.
  const remembered =
    covered.some(({ row }) => row !== null) ||
    (stored !== null && stored.row === null && stored.version > oldest)
  const state = { version: newest.version, row: newest.row }
  return { newest: newest.row !== null || remembered ? state : null, covered, undo }
}
