import { ClusterError, type DatabaseErrorDetail, type DatabaseOptions } from '@cluster/core'
import { CHANGE_LIMITS, type ChangeLimits } from './driver/feed/change-log.ts'
import type { WindowLimits } from './machine/window.ts'

/** How a node serves its databases. Everything has a default. */
export interface DatabasesOptions {
  /**
   * A transaction's writes may have at most this many bytes, roughly and rather too highly counted, so that one that the
   * log will not take is refused before all of it is in memory. The log's own limit (64 MiB, too) counts the bytes
   * themselves, and what was read, at the commit. Default 64 MiB.
   */
  readonly transactionBytesMax?: number
  /** A read or write gives up this long after the call when no complete replica answers. Default 10,000. */
  readonly unavailableMs?: number
  /** One attempt to read from one holder takes at most this long before another is asked. Default 3,000. */
  readonly attemptMs?: number
  /** A version stays readable at least this long, within `keepVersionsMax`. Default 60,000. */
  readonly keepVersionsMs?: number
  /** Versions behind the newest that stay readable at most, where no transaction of this node needs them. Default 100,000. */
  readonly keepVersionsMax?: number
  /** A transaction keeps its version readable, on every holder, until it was not used for so long. Default 300,000. */
  readonly pinMs?: number
  /** The first writes of a young database wait at most this long for the copies asked for. Default 2,000. */
  readonly settleMs?: number
  /** A partition is written to disk after this many bytes of writes. Default 8 MiB. */
  readonly checkpointBytes?: number
  /** … or this long after the first write since the last time. Default 30,000. */
  readonly checkpointMs?: number
  /**
   * The log is kept for a replica that is this many entries behind at most; a slower one is copied anew, if there
   * is another. Default 500,000.
   */
  readonly replicaLagMax?: number
  /**
   * The leader compares the copies of one partition this often, one after another, and has wrong ones made anew; 0: only when
   * `verify` is called. Default 60,000.
   */
  readonly auditMs?: number
  /** Rows that a holder reads in a second for that, at most. Default 50,000. */
  readonly auditRowsPerSecond?: number
  /** What fails together with this node has the same label: a rack, a room. Copies go to different zones. Default: none. */
  readonly zone?: string
  /** This node's share of the partitions, as a multiple of the usual one, 0.01 … 1,000. Default 1. */
  readonly capacity?: number
  /** Partitions copied to this node at the same time. Default 4. */
  readonly copiesAtOnce?: number
  /** Bytes of copies that a node gives to others in a second, all together. Default 32 MiB. */
  readonly copyBytesPerSecond?: number
  /** Writes kept for a partition while it is being copied; past it the copy starts over. Default 64 MiB. */
  readonly copyQueueBytesMax?: number
  /** Bounds of the certification window. Must be the same on every node of the cluster; for tests. */
  readonly window?: WindowLimits
  /** How many changes a partition keeps for those who follow them. Must be the same on every node; for tests. */
  readonly changes?: ChangeLimits
}

export type Settings = Required<Omit<DatabasesOptions, 'window' | 'zone'>> &
  Pick<DatabasesOptions, 'window' | 'zone'>

const PARTITIONS_MAX = 1024
const NAME_LENGTH_MAX = 63

export function settings(options: DatabasesOptions): Settings {
  return {
    transactionBytesMax: 64 * 1024 * 1024,
    unavailableMs: 10_000,
    attemptMs: 3_000,
    keepVersionsMs: 60_000,
    keepVersionsMax: 100_000,
    pinMs: 300_000,
    settleMs: 2_000,
    checkpointBytes: 8 * 1024 * 1024,
    checkpointMs: 30_000,
    replicaLagMax: 500_000,
    auditMs: 60_000,
    auditRowsPerSecond: 50_000,
    capacity: 1,
    copiesAtOnce: 4,
    copyBytesPerSecond: 32 * 1024 * 1024,
    copyQueueBytesMax: 64 * 1024 * 1024,
    changes: CHANGE_LIMITS,
    ...options,
  }
}

const invalid = (option: string, given: unknown, rule: string): ClusterError<DatabaseErrorDetail> =>
  new ClusterError(
    { code: 'DB_OPTION_INVALID', outcome: 'rejected', option, given: String(given) },
    `The option ${option} of a database is ${String(given)}; it must be ${rule}.`,
  )

const isWhole = (value: unknown, from: number, to: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to

/** The options with defaults. @throws DB_OPTION_INVALID */
export function databaseOptions(name: string, options: DatabaseOptions): Required<DatabaseOptions> {
  const { redundancy = 2, partitions = 16, minCopies = 1 } = options
  if (typeof name !== 'string' || name === '' || name.length > NAME_LENGTH_MAX || !name.isWellFormed())
    throw invalid('name', name, `text of 1 to ${NAME_LENGTH_MAX} characters`)
  if (redundancy !== 'all' && !isWhole(redundancy, 1, 1024))
    throw invalid('redundancy', redundancy, "a whole number from 1 to 1024, or 'all'")
  if (!isWhole(partitions, 1, PARTITIONS_MAX))
    throw invalid('partitions', partitions, `a whole number from 1 to ${PARTITIONS_MAX}`)
  if (!isWhole(minCopies, 1, redundancy === 'all' ? 1024 : redundancy))
    throw invalid('minCopies', minCopies, 'a whole number from 1 to the redundancy')
  return { redundancy, partitions, minCopies }
}

/** Those options that were given. */
export function givenOptions({ redundancy, partitions, minCopies }: DatabaseOptions): DatabaseOptions {
  return {
    ...(redundancy === undefined ? {} : { redundancy }),
    ...(partitions === undefined ? {} : { partitions }),
    ...(minCopies === undefined ? {} : { minCopies }),
  }
}

/** @throws DB_OPTIONS_DIFFER when an option that is given differs from what exists */
export function compareOptions(
  name: string,
  existing: Required<DatabaseOptions>,
  given: DatabaseOptions,
): void {
  for (const option of ['redundancy', 'partitions', 'minCopies'] as const) {
    const value = given[option]
    if (value === undefined || value === existing[option]) continue
    throw new ClusterError<DatabaseErrorDetail>(
      {
        code: 'DB_OPTIONS_DIFFER',
        outcome: 'rejected',
        option,
        exists: String(existing[option]),
        given: String(value),
      },
      `The database ${name} exists with ${option} ${existing[option]}, not ${value}. Open it without that option, with the same value, or use another name.`,
    )
  }
}
