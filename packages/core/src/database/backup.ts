import type { LineageId, PartitionId, RelationId, Version } from '../ids.ts'
import type { CallOptions } from '../network/transport.ts'
import type { Key, Row } from '../values/value.ts'
import type { DatabaseOptions } from './database-options.ts'

/** How far a backup or a restore is. */
export interface BackupProgress {
  readonly partitionsDone: number
  readonly partitions: number
  readonly rows: number
  readonly bytes: number
}

export interface BackupOptions extends Pick<CallOptions, 'signal'> {
  /** Bytes written in a second at most, so that others get their turn. Default: no bound. */
  readonly bytesPerSecond?: number
  /** Has changes kept from before the version of the backup on, so that `archive` can go on from it. Default false. */
  readonly keepChanges?: boolean
  readonly onProgress?: (progress: BackupProgress) => void
}

/** One file of a backup: all rows of a partition. */
export interface BackupFile {
  readonly partition: PartitionId
  readonly file: string
  readonly bytes: number
  readonly rows: number
  /** CRC-32C of the whole file. */
  readonly checksum: number
}

/** What a backup is of. Its rows are those of one version: every commit up to it, and nothing of later ones. */
export interface BackupInfo {
  /** Random; tells it from all others. */
  readonly id: string
  readonly database: string
  /** Tells the database from all others that ever had its name. */
  readonly uid: string
  readonly version: Version
  readonly lineage: LineageId
  /** When it was begun, milliseconds since 1970 by the clock of the node that made it. */
  readonly wall: number
  readonly options: Required<DatabaseOptions>
  readonly files: readonly BackupFile[]
}

export interface ArchiveOptions extends Pick<CallOptions, 'signal'> {
  /** What came is on disk at most this much later. Default 1,000. */
  readonly flushMs?: number
  /** Called when everything up to `version` is on disk. */
  readonly onProgress?: (progress: { readonly version: Version; readonly changes: number }) => void
}

/** What is known of a backup and of the changes archived beside it. */
export interface BackupReport extends BackupInfo {
  readonly rows: number
  readonly bytes: number
  /** Changes archived beside it. */
  readonly changes: number
  /** The newest version that can be restored. */
  readonly newest: Version
  /** Everything that was acknowledged by then, by the clock of the node that archived it, can be restored. */
  readonly newestWall: number
}

export interface RestoreOptions extends DatabaseOptions, Pick<CallOptions, 'signal'> {
  /** The state to restore: of the backup itself by default, of a later version as far as changes were archived, or … */
  readonly version?: Version | 'newest'
  /** … the newest that is certain to have been there at that time, milliseconds since 1970. */
  readonly wall?: number
  /**
   * The distribution key of a row, when the database is to have another number of partitions than the backup. Default: the
   * row's own key. Not asked for rows that every node holds.
   */
  readonly distributionKey?: (relation: RelationId, key: Key, row: Row) => Key
  readonly onProgress?: (progress: BackupProgress) => void
}

export interface RestoreReport {
  /** What the database has now: the state of this version of the one that was backed up. */
  readonly restored: Version
  readonly rows: number
  readonly changes: number
}
