import type { LogIndex } from '@cluster/core'
import type { PersistEffect, Recovered, SnapshotMeta } from '../../machine/raft/types.ts'

/** The log on disk, as the driver uses it. */
export interface LogStore {
  readonly recovered: Recovered
  /** The bytes of the newest snapshot; null when there is none. */
  readSnapshot(): Promise<Uint8Array | null>
  /**
   * Does these writes in order with as few syncs as their order allows; resolves when all are durable.
   * @param received bytes of the snapshots that the writes bring in, by ref
   */
  write(writes: readonly PersistEffect[], received: (ref: number) => Uint8Array): Promise<void>
  /** Saves an own snapshot durably, then lets go of entries before `cutBefore`. */
  saveSnapshot(meta: SnapshotMeta, bytes: Uint8Array, cutBefore: LogIndex): Promise<void>
  /** Makes durable what is known of where the log ends; for quiet moments. */
  settle(): Promise<void>
  /** Forgets everything: the node gave up its group. */
  clear(): Promise<void>
  close(): Promise<void>
}
