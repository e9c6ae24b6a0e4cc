import {
  ClusterError,
  crc32c,
  type Disk,
  type DiskErrorDetail,
  type LogErrorDetail,
  type NodeId,
} from '@cluster/core'
import type { HardState, SnapshotMeta } from '../../machine/raft/types.ts'
import { decodeValue, encodeValue, FORMAT_VERSION } from './log-files-record.ts'

/** The folder's files are damaged, or some of them are missing. */
export function damaged(path: string, offset: number, what: string): ClusterError<LogErrorDetail> {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_DAMAGED', outcome: 'rejected', path, offset },
    `The log file ${path} is damaged at byte ${offset}: ${what}. This node cannot trust its log any more.`,
  )
}

/** The file is of a version that this program does not read. */
export function unknownFormat(path: string, found: number): ClusterError<DiskErrorDetail> {
  return new ClusterError<DiskErrorDetail>(
    { code: 'DISK_FORMAT', outcome: 'rejected', path, found, supported: FORMAT_VERSION },
    `${path} has format version ${found}, this program reads version ${FORMAT_VERSION}. ` +
      'Start the version of the program that wrote it, or use another data folder.',
  )
}

const HEAD_BYTES = 24

/** A block: magic, version (u16), unused (u16), length of the meta (u32), of the rest (f64), CRC-32C of all else (u32). */
function encodeBlock(magic: number, meta: unknown, rest: Uint8Array): Uint8Array {
  const encoded = encodeValue(meta)
  const bytes = new Uint8Array(HEAD_BYTES + encoded.length + rest.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic, true)
  view.setUint16(4, FORMAT_VERSION, true)
  view.setUint32(8, encoded.length, true)
  view.setFloat64(12, rest.length, true)
  bytes.set(encoded, HEAD_BYTES)
  bytes.set(rest, HEAD_BYTES + encoded.length)
  view.setUint32(20, crc32c(bytes.subarray(HEAD_BYTES), crc32c(bytes.subarray(0, 20))), true)
  return bytes
}

/** @returns null when the bytes are damaged @throws DISK_FORMAT */
function decodeBlock(
  path: string,
  magic: number,
  bytes: Uint8Array,
): { readonly meta: unknown; readonly rest: Uint8Array } | null {
  if (bytes.length < HEAD_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== magic) return null
  const version = view.getUint16(4, true)
  const holds = crc32c(bytes.subarray(HEAD_BYTES), crc32c(bytes.subarray(0, 20))) === view.getUint32(20, true)
  // An intact block of another version is no damage; a flipped bit in the version is.
  if (version !== FORMAT_VERSION && holds) throw unknownFormat(path, version)
  const length = view.getUint32(8, true)
  if (!holds || HEAD_BYTES + length + view.getFloat64(12, true) !== bytes.length) return null
  return {
    meta: decodeValue(bytes.subarray(HEAD_BYTES, HEAD_BYTES + length)),
    rest: bytes.subarray(HEAD_BYTES + length),
  }
}

const HARD_MAGIC = 0x44524843
const HARD_COPIES = ['hard-a', 'hard-b'] as const
const NOTHING = new Uint8Array(0)

export const isHardCopy = (path: string): boolean => HARD_COPIES.some((copy) => copy === path)

/** What the hard state's copies hold. */
export interface HardRecord {
  /** Counts the writes. */
  readonly sequence: number
  /** Null while the folder is being cleared: whatever else is in it is to be removed. */
  readonly state: HardState | null
  /** The log was durable at least to here when it was written. */
  readonly durableIndex: number
  /** The newest configuration in the log when it was written: who may have what a damaged log loses. */
  readonly group?: { readonly index: number; readonly voters: readonly NodeId[] }
}

/** Writes all copies; when it resolves, damage to one of them loses nothing. */
export async function writeCopies(
  disk: Disk,
  magic: number,
  paths: readonly string[],
  record: { readonly sequence: number },
): Promise<void> {
  const bytes = encodeBlock(magic, record, NOTHING)
  await Promise.all(paths.map((path) => disk.replace(path, bytes)))
}

/**
 * The newest readable copy; null when there is none at all. A copy that is missing or damaged is written anew.
 * @param what the copies hold, for people
 * @throws LOG_DAMAGED when there are copies and none can be read, DISK_FORMAT
 */
export async function readCopies<R extends { readonly sequence: number }>(
  disk: Disk,
  magic: number,
  paths: readonly string[],
  what: string,
): Promise<R | null> {
  let newest: R | null = null
  let files = 0
  let agreeing = 0
  for (const path of paths) {
    const bytes = await disk.read(path)
    if (bytes === null) continue
    files++
    const block = decodeBlock(path, magic, bytes)
    if (block === null) continue
    const record = block.meta as R
    agreeing = newest?.sequence === record.sequence ? agreeing + 1 : 1
    if (newest === null || record.sequence > newest.sequence) newest = record
  }
  if (newest === null && files > 0) {
    const advice = 'keep the folder for inspection, start with an empty one and let the node join again'
    throw damaged(paths[0] ?? '', 0, `neither copy of ${what} can be read; ${advice}`)
  }
  if (newest !== null && agreeing < paths.length) await writeCopies(disk, magic, paths, newest)
  return newest
}

export function writeHardRecord(disk: Disk, record: HardRecord): Promise<void> {
  return writeCopies(disk, HARD_MAGIC, HARD_COPIES, record)
}

/** @throws LOG_DAMAGED when there are copies and none can be read, DISK_FORMAT */
export function readHardRecord(disk: Disk): Promise<HardRecord | null> {
  return readCopies(disk, HARD_MAGIC, HARD_COPIES, 'term, vote and lineage')
}

export async function removeHardRecord(disk: Disk): Promise<void> {
  for (const path of HARD_COPIES) await disk.remove(path)
}

const SNAPSHOT_MAGIC = 0x50534e43
const SNAPSHOT_NAME = /^snapshot-(\d+)$/

export const snapshotPath = (index: number): string => `snapshot-${String(index).padStart(16, '0')}`

/** Indexes of the snapshots in the folder, oldest first. */
export function snapshotsIn(paths: readonly string[]): number[] {
  const indexes: number[] = []
  for (const path of paths) {
    const found = SNAPSHOT_NAME.exec(path)
    if (found !== null) indexes.push(Number(found[1]))
  }
  return indexes.sort((a, b) => a - b)
}

export async function writeSnapshot(disk: Disk, meta: SnapshotMeta, state: Uint8Array): Promise<void> {
  await disk.replace(snapshotPath(meta.index), encodeBlock(SNAPSHOT_MAGIC, meta, state))
}

/** @throws LOG_DAMAGED, DISK_FORMAT */
export async function readSnapshotFile(
  disk: Disk,
  index: number,
): Promise<{ readonly meta: SnapshotMeta; readonly state: Uint8Array }> {
  const path = snapshotPath(index)
  const bytes = await disk.read(path)
  if (bytes === null) throw damaged(path, 0, 'the file is missing')
  const block = decodeBlock(path, SNAPSHOT_MAGIC, bytes)
  if (block === null) throw damaged(path, 0, 'the checksum of the snapshot does not hold')
  const meta = block.meta as SnapshotMeta
  if (meta.index !== index) throw damaged(path, 0, `it holds the snapshot of index ${meta.index}`)
  return { meta, state: block.rest }
}
