import type { PartitionId, RelationId, Version } from '../ids.ts'
import type { CallOptions } from '../network/transport.ts'
import type { Key, Row } from '../values/value.ts'

/** One row that a commit changed. */
export interface Change {
  /** All changes of one commit have the same, and follow each other. */
  readonly version: Version
  readonly relation: RelationId
  readonly partition: PartitionId
  readonly key: Key
  /** The row as it was; null when there was none. */
  readonly before: Row | null
  /** The row as it is since; null when it was deleted. */
  readonly after: Row | null
  /** Goes on behind this change. */
  readonly token: string
}

export interface ChangesOptions extends Pick<CallOptions, 'signal'> {
  /** Changes of these alone; of all relations, catalogs included, when absent. */
  readonly relations?: readonly RelationId[]
  /**
   * Where to begin: behind the change that a token came with, or behind a version. Absent: with whatever is committed
   * after the first call of `next`, from when on holders keep the changes.
   */
  readonly from?: string | Version
}

/**
 * Changes in the order of versions, each exactly once. It never ends by itself; taking slowly holds nothing back but
 * this feed. Leaving the loop ends it.
 */
export interface ChangeFeed extends AsyncIterable<Change> {
  /**
   * Goes on behind everything taken so far, also when nothing came for long; null before the first step. Kept beside what
   * was made of the changes, it makes each of them count once.
   */
  readonly token: string | null
}
