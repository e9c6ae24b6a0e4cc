import { ClusterError, crc32c, type Disk, type DiskErrorDetail, type LogErrorDetail } from '@cluster/core'
import { decodeValue, encodeValue } from './records.ts'

/** The folder's files are damaged, or some of them are missing. */
export function damaged(path: string, offset: number, what: string): ClusterError<LogErrorDetail> {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_DAMAGED', outcome: 'rejected', path, offset },
    `The log file ${path} is damaged at byte ${offset}: ${what}. This node cannot trust its log any more.`,
  )
}

/** The file is of a version that this program does not read. */
export function unknownFormat(path: string, found: number, supported: number): ClusterError<DiskErrorDetail> {
  return new ClusterError<DiskErrorDetail>(
    { code: 'DISK_FORMAT', outcome: 'rejected', path, found, supported },
    `${path} has format version ${found}, this program reads version ${supported}. ` +
      'Start the version of the program that wrote it, or use another data folder.',
  )
}

/** What a block is of: four letters, and the version of the layout of what it holds. */
export interface BlockKind {
  readonly magic: number
  readonly version: number
}

const HEAD_BYTES = 24

/** A block: magic, version (u16), unused (u16), length of the meta (u32), of the rest (f64), CRC-32C of all else (u32). */
export function encodeBlock({ magic, version }: BlockKind, meta: unknown, rest: Uint8Array): Uint8Array {
  const encoded = encodeValue(meta)
  const bytes = new Uint8Array(HEAD_BYTES + encoded.length + rest.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic, true)
  view.setUint16(4, version, true)
  view.setUint32(8, encoded.length, true)
  view.setFloat64(12, rest.length, true)
  bytes.set(encoded, HEAD_BYTES)
  bytes.set(rest, HEAD_BYTES + encoded.length)
  view.setUint32(20, crc32c(bytes.subarray(HEAD_BYTES), crc32c(bytes.subarray(0, 20))), true)
  return bytes
}

/**
 * The block that the bytes begin with.
 * @returns null when there is no intact one @throws DISK_FORMAT
 */
export function decodeBlock(
  path: string,
  { magic, version }: BlockKind,
  bytes: Uint8Array,
): { readonly meta: unknown; readonly rest: Uint8Array; readonly length: number } | null {
  if (bytes.length < HEAD_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== magic) return null
  const metaEnd = HEAD_BYTES + view.getUint32(8, true)
  const length = metaEnd + view.getFloat64(12, true)
  if (!Number.isSafeInteger(length) || length < metaEnd || length > bytes.length) return null
  const checksum = crc32c(bytes.subarray(HEAD_BYTES, length), crc32c(bytes.subarray(0, 20)))
  if (checksum !== view.getUint32(20, true)) return null
  // An intact block of another version is no damage; a flipped bit in the version is.
  const found = view.getUint16(4, true)
  if (found !== version) throw unknownFormat(path, found, version)
  return {
    meta: decodeValue(bytes.subarray(HEAD_BYTES, metaEnd)),
    rest: bytes.subarray(metaEnd, length),
    length,
  }
}

const NOTHING = new Uint8Array(0)

/** Writes all copies; when it resolves, damage to one of them loses nothing. */
export async function writeCopies(
  disk: Disk,
  kind: BlockKind,
  paths: readonly string[],
  record: { readonly sequence: number },
): Promise<void> {
  const bytes = encodeBlock(kind, record, NOTHING)
  await Promise.all(paths.map((path) => disk.replace(path, bytes)))
}

/**
 * The newest readable copy; null when there is none at all. A copy that is missing or damaged is written anew.
 * @param what the copies hold, for people
 * @throws LOG_DAMAGED when there are copies and none can be read, DISK_FORMAT
 */
export async function readCopies<R extends { readonly sequence: number }>(
  disk: Disk,
  kind: BlockKind,
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
    const block = decodeBlock(path, kind, bytes)
    if (block === null || block.length !== bytes.length) continue
    const record = block.meta as R
    agreeing = newest?.sequence === record.sequence ? agreeing + 1 : 1
    if (newest === null || record.sequence > newest.sequence) newest = record
  }
  if (newest === null && files > 0) throw unreadable(paths[0] ?? '', what)
  if (newest !== null && agreeing < paths.length) await writeCopies(disk, kind, paths, newest)
  return newest
}

/** No copy of something that only the operator can do without can be read. */
export function unreadable(path: string, what: string): ClusterError<LogErrorDetail> {
  const advice = 'keep the folder for inspection, start with an empty one and let the node join again'
  return damaged(path, 0, `neither copy of ${what} can be read; ${advice}`)
}
