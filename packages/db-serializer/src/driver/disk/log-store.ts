import type { LogIndex } from '@cluster/core'
import type { PersistEffect, Recovered, SnapshotMeta } from '../../machine/raft/types.ts'
import type { SnapshotReader, SnapshotSummary, SnapshotWriter } from './snapshot-file.ts'

/** A snapshot that is part of the log. */
export interface StoredSnapshot {
  readonly meta: SnapshotMeta
  readonly summary: SnapshotSummary
}

export interface OpenSnapshot extends StoredSnapshot {
  readonly reader: SnapshotReader
}

/** A snapshot that was written to its end and is not part of the log yet. */
export interface NewSnapshot {
  readonly path: string
  readonly summary: SnapshotSummary
}

/** A snapshot of a leader that came over whole. */
export interface ReceivedSnapshot extends NewSnapshot {
  readonly meta: SnapshotMeta
  /** Removes it from the disk, when nobody wants it. */
  discard(): Promise<void>
}

/** The log on disk, as the driver uses it. */
export interface LogStore {
  readonly recovered: Recovered
  /** The newest snapshot, to be read and closed by the caller; null when there is none. It stays readable when a newer one comes. */
  readSnapshot(): Promise<OpenSnapshot | null>
  /** Begins to write a snapshot; it becomes part of the log when a write brings it in. */
  newSnapshot(meta: SnapshotMeta): Promise<SnapshotWriter>
  /**
   * Does these writes in order with as few syncs as their order allows; resolves when all are durable.
   * @param received the snapshots that the writes bring in, by ref
   */
  write(writes: readonly PersistEffect[], received: (ref: number) => NewSnapshot): Promise<void>
  /** Saves an own snapshot durably, then lets go of older ones and of entries before `cutBefore`. */
  saveSnapshot(
    meta: SnapshotMeta,
    pieces: AsyncIterable<Uint8Array>,
    cutBefore: LogIndex,
  ): Promise<SnapshotSummary>
  /** Makes durable what is known of where the log ends; for quiet moments. */
  settle(): Promise<void>
  /** Forgets everything: the node gave up its group. */
  clear(): Promise<void>
  close(): Promise<void>
}
