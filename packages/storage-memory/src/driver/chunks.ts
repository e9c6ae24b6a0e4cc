import {
  ClusterError,
  crc32c,
  type DiskErrorDetail,
  type Key,
  type RelationId,
  type Row,
  relationId,
  type Value,
} from '@cluster/core'
import { Decoder, Encoder } from 'cbor-x'

/** Version of the layout of checkpoint files and of exported chunks. */
export const FORMAT = 1

/** Rows of one relation; a null row says that the key is gone (in deltas only). */
export interface RowsChunk {
  readonly relation: RelationId
  readonly keys: readonly Key[]
  readonly rows: readonly (Row | null)[]
}

/** The last chunk: tells that nothing is missing. */
export interface EndChunk {
  readonly rowCount: number
}

const HEADER_BYTES = 8
const encoder = new Encoder({ useRecords: false, structuredClone: false, tagUint8Array: false })
const decoder = new Decoder({ useRecords: false, structuredClone: false, tagUint8Array: false })

/** What CBOR would change: −0 is `[]`, text that is not well-formed `[its UTF-16 units]`. No other value is a list. */
type Escaped = readonly [] | readonly [units: readonly number[]]

const isExact = (value: Value): boolean =>
  typeof value === 'string' ? value.isWellFormed() : !Object.is(value, -0)

function escaped(value: Value): Value | Escaped {
  if (isExact(value)) return value
  return typeof value === 'string' ? [Array.from(value.split(''), (unit) => unit.charCodeAt(0))] : []
}

const escapedRow = (row: Row | null): readonly (Value | Escaped)[] | null =>
  row === null || row.every(isExact) ? row : row.map(escaped)

function unescaped(value: Value | Escaped): Value {
  if (!Array.isArray(value)) return value as Value
  const [units] = value as Escaped
  return units === undefined ? -0 : units.map((unit) => String.fromCharCode(unit)).join('')
}

/** Reads a row back; most rows are what they are. */
const unescapedRow = (row: readonly (Value | Escaped)[] | null): Row | null =>
  row?.some(Array.isArray) ? row.map(unescaped) : (row as Row | null)

/** length (u32) · CRC-32C of the payload (u32) · payload: CBOR of [format, relation, keys, rows] or [format, rowCount]. */
export function encodeChunk(chunk: RowsChunk | EndChunk): Uint8Array {
  const payload = encoder.encode(
    'rowCount' in chunk
      ? [FORMAT, chunk.rowCount]
      : [FORMAT, chunk.relation, chunk.keys, chunk.rows.map(escapedRow)],
  )
  const bytes = new Uint8Array(HEADER_BYTES + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, payload.length)
  view.setUint32(4, crc32c(payload))
  bytes.set(payload, HEADER_BYTES)
  return bytes
}

/** Reads one framed chunk at the start of `bytes`. @throws DISK_DAMAGED, DISK_FORMAT; `path` and `offset` are for the message */
export function decodeChunk(bytes: Uint8Array, path: string, offset: number): RowsChunk | EndChunk {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const payload = bytes.subarray(
    HEADER_BYTES,
    HEADER_BYTES + (bytes.length >= HEADER_BYTES ? view.getUint32(0) : 0),
  )
  if (
    bytes.length < HEADER_BYTES ||
    payload.length !== view.getUint32(0) ||
    crc32c(payload) !== view.getUint32(4)
  ) {
    throw damaged(path, offset)
  }
  const fields = decoder.decode(payload) as [number, number, (readonly Key[])?, (readonly (Row | null)[])?]
  if (fields[0] !== FORMAT) {
    throw new ClusterError<DiskErrorDetail>(
      { code: 'DISK_FORMAT', outcome: 'rejected', path, found: fields[0], supported: FORMAT },
      `${path} has format ${fields[0]}, but this version reads format ${FORMAT}: run the version that wrote it`,
    )
  }
  const [, first, keys, rows] = fields
  return keys && rows
    ? { relation: relationId(first), keys, rows: rows.map(unescapedRow) }
    : { rowCount: first }
}

/** Bytes of the whole chunk whose first 8 bytes are `header`; null when even those are cut short. */
export function chunkBytes(header: Uint8Array): number | null {
  if (header.length < HEADER_BYTES) return null
  return HEADER_BYTES + new DataView(header.buffer, header.byteOffset, header.byteLength).getUint32(0)
}

export const CHUNK_HEADER_BYTES = HEADER_BYTES

export function damaged(path: string, offset: number): ClusterError<DiskErrorDetail> {
  return new ClusterError<DiskErrorDetail>(
    { code: 'DISK_DAMAGED', outcome: 'rejected', path, offset },
    `${path} is damaged at byte ${offset}: its checksum does not hold. The partition is copied anew from another holder.`,
  )
}
