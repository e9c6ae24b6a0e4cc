import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { ClusterError, type DiskErrorDetail, isClusterError } from '@cluster/core'

/** LMDB's own results that mean that its file does not hold together. */
const DAMAGED = new Set([
  -30797, // a page that must be there is not
  -30796, // a page is of the wrong kind
  -30795, // the environment gave up after such an error
  -30793, // not a file of LMDB
  -30782, // a transaction met such an error before
  -30780, // the table's record is not as it was opened
])
const OTHER_VERSION = -30794
/** EFBIG, ENOSPC, EDQUOT, and LMDB's word for a map that cannot grow. */
const FULL = new Set([27, 28, 122, -30792])
/** EIO: LMDB also says this when only a part of a page could be written. */
const FAILED = 5
/** Less room than this on a disk explains a page that was written in part. */
const ROOM_BYTES_MIN = 1 << 24
/** EPERM, EACCES, EROFS. */
const DENIED = new Set([1, 13, 30])

export function damagedAt(path: string, what: string): ClusterError<DiskErrorDetail> {
  return new ClusterError<DiskErrorDetail>(
    { code: 'DISK_DAMAGED', outcome: 'rejected', path, offset: 0 },
    `${path} is damaged: ${what}. The partition is copied anew from another holder.`,
  )
}

export function otherFormat(path: string, found: number, supported: number): ClusterError<DiskErrorDetail> {
  return new ClusterError<DiskErrorDetail>(
    { code: 'DISK_FORMAT', outcome: 'rejected', path, found, supported },
    `${path} has format ${found}, but this version reads format ${supported}: run the version that wrote it`,
  )
}

/** What LMDB or the platform threw, in the project's words; errors of the project stay as they are. */
export function diskErrorOf(error: unknown, path: string): unknown {
  if (isClusterError(error) || !(error instanceof Error)) return error
  const code = codeOf(error)
  if (code !== null && DAMAGED.has(code)) return damagedAt(path, error.message)
  if (code === OTHER_VERSION) return otherFormat(path, 0, 1)
  const kind =
    code === null
      ? null
      : FULL.has(code) || (code === FAILED && isFull(path))
        ? 'DISK_FULL'
        : DENIED.has(code)
          ? 'DISK_DENIED'
          : 'DISK_FAILED'
  if (kind === null) return error
  const advice =
    kind === 'DISK_FULL'
      ? 'make room on that disk; it is tried again'
      : kind === 'DISK_DENIED'
        ? 'give this user the right to write there'
        : 'look at the disk and its logs'
  return new ClusterError<DiskErrorDetail>(
    { code: kind, outcome: 'rejected', path },
    `cannot write to ${path}: ${error.message}; ${advice}`,
    { cause: error },
  )
}

function isFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path))
    return bavail * bsize < ROOM_BYTES_MIN
  } catch {
    // Where even that cannot be asked, the disk has failed.
    return false
  }
}

/** The number that LMDB gave, or that of the platform's error. */
function codeOf(error: Error): number | null {
  const { code, errno } = error as { code?: unknown; errno?: unknown }
  if (typeof code === 'number') return code
  return typeof errno === 'number' ? Math.abs(errno) : null
}
