import { crc32c, type LogIndex, type Term } from '@cluster/core'
import { Decoder, Encoder } from 'cbor-x'
import type { Configuration, Entry } from '../../machine/raft/types.ts'

/** Version of the segments; counted up when their layout changes. */
export const FORMAT_VERSION = 1

const encoder = new Encoder({ useRecords: false, structuredClone: false })
const decoder = new Decoder({ useRecords: false, structuredClone: false, mapsAsObjects: true })

/** A plain value as CBOR, for the small things of the log folder. */
export function encodeValue(value: unknown): Uint8Array {
  return encoder.encode(value)
}

export function decodeValue(bytes: Uint8Array): unknown {
  return decoder.decode(bytes)
}

/**
 * The head of a record, little-endian, before its payload:
 * length of the payload (u32), CRC-32C of everything after it (u32), index, term, time, wall (f64 each), how far
 * behind the index the log was known to be durable when the record was written (u32), kind (u32).
 */
export const HEAD_BYTES = 48
const CHECKED_FROM = 8
export const PAYLOAD_BYTES_MAX = 1024 * 1024 * 1024

const KINDS = ['command', 'noop', 'configuration'] as const
const NOTHING = new Uint8Array(0)

/** The bytes of entries, heads and payloads in turn; payloads are not copied. */
export function encodeRecords(entries: readonly Entry[], durableIndex: number): Uint8Array[] {
  const heads = new Uint8Array(entries.length * HEAD_BYTES)
  const view = new DataView(heads.buffer)
  const chunks: Uint8Array[] = []
  let at = 0
  for (const entry of entries) {
    const payload =
      entry.kind === 'command'
        ? entry.data
        : entry.kind === 'noop'
          ? NOTHING
          : encodeValue(entry.configuration)
    view.setUint32(at, payload.length, true)
    view.setFloat64(at + 8, entry.index, true)
    view.setFloat64(at + 16, entry.term, true)
    view.setFloat64(at + 24, entry.time, true)
    view.setFloat64(at + 32, entry.wall, true)
    view.setUint32(at + 40, entry.index - durableIndex, true)
    view.setUint32(at + 44, KINDS.indexOf(entry.kind), true)
    const head = heads.subarray(at, at + HEAD_BYTES)
    view.setUint32(at + 4, crc32c(payload, crc32c(head.subarray(CHECKED_FROM))), true)
    chunks.push(head)
    if (payload.length > 0) chunks.push(payload)
    at += HEAD_BYTES
  }
  return chunks
}

export interface RecordRead {
  readonly entry: Entry
  /** The log was durable up to here when the record was written. */
  readonly durableIndex: number
  /** Offset of the next record. */
  readonly end: number
}

/** The record at `offset`; null when there is no whole and undamaged one. The entry's bytes are a view of `bytes`. */
export function readRecord(bytes: Uint8Array, offset: number): RecordRead | null {
  if (offset + HEAD_BYTES > bytes.length) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEAD_BYTES)
  const length = view.getUint32(0, true)
  const start = offset + HEAD_BYTES
  const end = start + length
  const kind = KINDS[view.getUint32(44, true)]
  if (kind === undefined || length > PAYLOAD_BYTES_MAX || end > bytes.length) return null
  if (crc32c(bytes.subarray(offset + CHECKED_FROM, end)) !== view.getUint32(4, true)) return null
  const index = view.getFloat64(8, true)
  const head = {
    index: index as LogIndex,
    term: view.getFloat64(16, true) as Term,
    time: view.getFloat64(24, true),
    wall: view.getFloat64(32, true),
  }
  const payload = bytes.subarray(start, end)
  const entry: Entry =
    kind === 'command'
      ? { ...head, kind, data: payload }
      : kind === 'noop'
        ? { ...head, kind }
        : { ...head, kind, configuration: decodeValue(payload) as Configuration }
  return { entry, durableIndex: index - view.getUint32(40, true), end }
}

/**
 * Looks behind a record that is damaged or torn for one that was written when the log was durable up to `index`.
 * If there is one, the damaged record had been durable: it was damaged, not torn by a crash.
 */
export function wasDurable(bytes: Uint8Array, offset: number, index: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = offset + 1; at + HEAD_BYTES <= bytes.length; at++) {
    // Cheap looks first: the checksum of a byte range at every offset would take long.
    if (view.getUint32(at + 44, true) >= KINDS.length) continue
    const found = view.getFloat64(at + 8, true)
    if (!Number.isSafeInteger(found) || found <= index) continue
    if (found - view.getUint32(at + 40, true) < index) continue
    if (readRecord(bytes, at) !== null) return true
  }
  return false
}

const MAGIC = 0x474f4c43
const SEGMENT_FIXED_BYTES = 20

/** A segment's beginning: magic, version, header length, first index, cluster, checksum. */
export function encodeSegmentHeader(first: number, cluster: string): Uint8Array {
  const name = new TextEncoder().encode(cluster)
  const bytes = new Uint8Array(SEGMENT_FIXED_BYTES + name.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint16(4, FORMAT_VERSION, true)
  view.setUint16(6, bytes.length, true)
  view.setFloat64(8, first, true)
  bytes.set(name, 16)
  view.setUint32(bytes.length - 4, crc32c(bytes.subarray(0, bytes.length - 4)), true)
  return bytes
}

/**
 * Judges a segment's beginning against what it must be.
 * - `torn`: shorter than a header or different from it with nothing behind: a crash while it was made, as
 *   records are written only once the header is durable;
 * - `foreign`: a good header of another cluster.
 */
export function judgeSegmentHeader(
  bytes: Uint8Array,
  expected: Uint8Array,
): 'good' | 'torn' | 'damaged' | 'foreign' | { readonly version: number } {
  const differs = expected.some((byte, at) => bytes[at] !== byte)
  if (!differs) return 'good'
  if (bytes.length <= expected.length) return 'torn'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const length = view.getUint16(6, true)
  const holds =
    view.getUint32(0, true) === MAGIC &&
    length >= SEGMENT_FIXED_BYTES &&
    length <= bytes.length &&
    crc32c(bytes.subarray(0, length - 4)) === view.getUint32(length - 4, true)
  if (!holds) return 'damaged'
  const version = view.getUint16(4, true)
  return version === FORMAT_VERSION ? 'foreign' : { version }
}
