import {
  ClusterError,
  type Key,
  type KeyRange,
  type PartitionId,
  type RelationId,
  type Row,
  type RowBatch,
  type Value,
  type Version,
} from '@cluster/core'
import { ByteReader, ByteWriter, type MalformedDetail } from '../machine/bytes.ts'

/** Version of the messages' layout; the second byte of each request. */
const WIRE_FORMAT = 1
/** The name of the service in `Peers`. */
export const SERVICE = 'db'
/** Frames are kept below this, so that they share a link well with others. */
const FRAME_BYTES_TARGET = 256 * 1024

/** More columns than any row has; a larger number is garbage. */
const COLUMNS_MAX = 4_096

const GET = 1
const SCAN = 2
const EXPORT = 3
const GET_OUTCOMES = 4

const ROWS = 1
const END = 2
const FAILED = 3
const COPY = 4
const CHUNK = 5
const CHUNK_PART = 6

export interface PointRequest {
  readonly partition: PartitionId
  readonly relation: RelationId
  readonly key: Key
}

export interface GetRequest {
  readonly database: number
  readonly version: Version
  readonly points: readonly PointRequest[]
}

/** A scan over several partitions of one holder. */
export interface HolderScan {
  readonly database: number
  readonly version: Version
  readonly relation: RelationId
  readonly range: KeyRange
  readonly partitions: readonly PartitionId[]
  /** Merged in key order over the partitions; otherwise one partition after another. */
  readonly ordered: boolean
  readonly reverse: boolean
  readonly columns: readonly number[] | null
  readonly limit: number | null
}

export interface ExportRequest {
  readonly database: number
  readonly partition: PartitionId
  /** The copy must not be older. */
  readonly version: Version
  /** Nor newer. */
  readonly exact?: boolean
}

export type StreamRequest =
  | ({ readonly type: 'scan' } & HolderScan)
  | ({ readonly type: 'export' } & ExportRequest)

export type StreamFrame =
  /** Rows; of one partition, or of any when `partition` is null. */
  | { readonly type: 'rows'; readonly partition: PartitionId | null; readonly batch: RowBatch }
  | { readonly type: 'end' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  /** The head of a copy: it stands at this version. */
  | { readonly type: 'copy'; readonly version: Version }
  /** A piece of a copy; `more` when its chunk goes on in the next frame. */
  | { readonly type: 'chunk'; readonly bytes: Uint8Array; readonly more: boolean }

export const damaged = (what: string): ClusterError<MalformedDetail> =>
  new ClusterError(
    { code: 'DB_FRAME_DAMAGED', outcome: 'rejected' },
    `A message of the databases cannot be read: ${what}. Run the same version on all nodes.`,
  )

export const optionalKey = (writer: ByteWriter, key: Key | undefined): void => {
  if (key === undefined) writer.byte(0)
  else writer.byte(1).key(key)
}

export function readRange(reader: ByteReader): KeyRange {
  const from = reader.byte() === 0 ? undefined : reader.key()
  const to = reader.byte() === 0 ? undefined : reader.key()
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

/** The head of a message: its type, and the format of its layout. @throws DB_FRAME_DAMAGED for another format */
export function openMessage(
  bytes: Uint8Array,
  known: number = WIRE_FORMAT,
): { readonly reader: ByteReader; readonly type: number } {
  const reader = new ByteReader(bytes)
  const type = reader.byte()
  const format = reader.byte()
  if (format !== known) throw damaged(`it has format ${format}, this version reads ${known}`)
  return { reader, type }
}

export function encodeGet({ database, version, points }: GetRequest): Uint8Array {
  const writer = new ByteWriter().byte(GET).byte(WIRE_FORMAT).varint(database).varint(version)
  writer.varint(points.length)
  for (const { partition, relation, key } of points) writer.varint(partition).varint(relation).key(key)
  return writer.finish()
}

/** Asks what came of the program that the log applied at `version`. */
export interface OutcomeRequest {
  readonly partition: PartitionId
  readonly version: Version
}

export function encodeGetOutcomes(database: number, asked: readonly OutcomeRequest[]): Uint8Array {
  const writer = new ByteWriter().byte(GET_OUTCOMES).byte(WIRE_FORMAT).varint(database).varint(asked.length)
  for (const { partition, version } of asked) writer.varint(partition).varint(version)
  return writer.finish()
}

export type Request =
  | ({ readonly type: 'get' } & GetRequest)
  | { readonly type: 'outcomes'; readonly database: number; readonly asked: readonly OutcomeRequest[] }

/** @throws DB_FRAME_DAMAGED */
export function decodeRequest(bytes: Uint8Array): Request {
  const { reader, type } = openMessage(bytes)
  const database = reader.varint()
  if (type === GET_OUTCOMES) {
    const asked: OutcomeRequest[] = []
    for (let left = reader.count(2); left > 0; left--) {
      const partition = reader.varint() as PartitionId
      asked.push({ partition, version: reader.varint() as Version })
    }
    return { type: 'outcomes', database, asked }
  }
  if (type !== GET) throw damaged(`the request has the unknown type ${type}`)
  const version = reader.varint() as Version
  const points: PointRequest[] = []
  for (let left = reader.count(3); left > 0; left--) {
    const partition = reader.varint() as PartitionId
    const relation = reader.varint() as RelationId
    points.push({ partition, relation, key: reader.key() })
  }
  return { type: 'get', database, version, points }
}

/** The first outcomes, as many as make a frame but at least one; null for one that is gone. */
export function encodeOutcomes(outcomes: readonly (Uint8Array | null)[]): Uint8Array {
  const body = new ByteWriter()
  let count = 0
  for (const outcome of outcomes) {
    if (outcome === null) body.byte(0)
    else body.byte(1).blob(outcome)
    count++
    if (body.length >= FRAME_BYTES_TARGET) break
  }
  return new ByteWriter().varint(count).append(body).finish()
}

/** @throws DB_FRAME_DAMAGED */
export function decodeOutcomes(bytes: Uint8Array, most: number): (Uint8Array | null)[] {
  const reader = new ByteReader(bytes)
  const count = reader.count()
  if (count < 1 || count > most) throw damaged(`${count} outcomes answer ${most} questions`)
  const outcomes: (Uint8Array | null)[] = []
  while (outcomes.length < count) outcomes.push(reader.byte() === 0 ? null : reader.blob())
  return outcomes
}

/** The first rows, as many as make a frame but at least one: whoever asked for more asks again for the rest. */
export function encodeRows(rows: readonly (Row | null)[]): Uint8Array {
  const body = new ByteWriter()
  let count = 0
  for (const row of rows) {
    if (row === null) body.byte(0)
    else body.byte(1).row(row)
    count++
    if (body.length >= FRAME_BYTES_TARGET) break
  }
  return new ByteWriter().varint(count).append(body).finish()
}

/**
 * @param most as many rows were asked for; fewer may come, but at least one
 * @throws DB_FRAME_DAMAGED
 */
export function decodeRows(bytes: Uint8Array, most: number): (Row | null)[] {
  const reader = new ByteReader(bytes)
  const rows: (Row | null)[] = []
  const count = reader.count()
  if (count < 1 || count > most) throw damaged(`${count} rows answer ${most} questions`)
  while (rows.length < count) rows.push(reader.byte() === 0 ? null : reader.row())
  return rows
}

export function encodeScan(scan: HolderScan): Uint8Array {
  const writer = new ByteWriter().byte(SCAN).byte(WIRE_FORMAT).varint(scan.database).varint(scan.version)
  writer.varint(scan.relation)
  optionalKey(writer, scan.range.from)
  optionalKey(writer, scan.range.to)
  writer.varint(scan.partitions.length)
  for (const partition of scan.partitions) writer.varint(partition)
  writer.byte((scan.ordered ? 1 : 0) | (scan.reverse ? 2 : 0))
  writer.varint(scan.columns === null ? 0 : scan.columns.length + 1)
  for (const column of scan.columns ?? []) writer.varint(column)
  return writer.varint(scan.limit === null ? 0 : scan.limit + 1).finish()
}

export function encodeExport({ database, partition, version, exact = false }: ExportRequest): Uint8Array {
  return new ByteWriter()
    .byte(EXPORT)
    .byte(WIRE_FORMAT)
    .varint(database)
    .varint(partition)
    .varint(version)
    .byte(exact ? 1 : 0)
    .finish()
}

/** @throws DB_FRAME_DAMAGED */
export function decodeStreamRequest(bytes: Uint8Array): StreamRequest {
  const { reader, type } = openMessage(bytes)
  const database = reader.varint()
  if (type === EXPORT) {
    const partition = reader.varint() as PartitionId
    const version = reader.varint() as Version
    return { type: 'export', database, partition, version, exact: reader.byte() === 1 }
  }
  if (type !== SCAN) throw damaged(`the stream has the unknown type ${type}`)
  const version = reader.varint() as Version
  const relation = reader.varint() as RelationId
  const range = readRange(reader)
  const partitions: PartitionId[] = []
  for (let left = reader.count(); left > 0; left--) partitions.push(reader.varint() as PartitionId)
  const flags = reader.byte()
  const columnCount = reader.count()
  if (columnCount > COLUMNS_MAX + 1) throw damaged(`a scan asks for ${columnCount - 1} columns`)
  let columns: number[] | null = null
  if (columnCount > 0) {
    columns = []
    for (let i = 1; i < columnCount; i++) columns.push(reader.varint())
  }
  const limit = reader.varint()
  return {
    type: 'scan',
    database,
    version,
    relation,
    range,
    partitions,
    ordered: (flags & 1) !== 0,
    reverse: (flags & 2) !== 0,
    columns,
    limit: limit === 0 ? null : limit - 1,
  }
}

/** The frames of a batch: one, or several when its rows are large. */
export function encodeBatch(partition: PartitionId | null, batch: RowBatch): Uint8Array[] {
  const writer = new ByteWriter().byte(ROWS).varint(partition === null ? 0 : partition + 1)
  writer.varint(batch.length).varint(batch.columns.length)
  for (const key of batch.keys) writer.key(key)
  for (const column of batch.columns) for (const value of column) writer.value(value)
  if (writer.length <= FRAME_BYTES_TARGET || batch.length <= 1) return [writer.finish()]
  const half = batch.length >> 1
  return [
    ...encodeBatch(partition, sliceBatch(batch, 0, half)),
    ...encodeBatch(partition, sliceBatch(batch, half, batch.length)),
  ]
}

export function sliceBatch(batch: RowBatch, from: number, to: number): RowBatch {
  return {
    length: to - from,
    keys: batch.keys.slice(from, to),
    columns: batch.columns.map((column) => column.slice(from, to)),
  }
}

export const encodeEnd = (): Uint8Array => new ByteWriter().byte(END).finish()

export const encodeFailed = (code: string, message: string): Uint8Array =>
  new ByteWriter().byte(FAILED).text(code).text(message).finish()

export const encodeCopy = (version: Version): Uint8Array =>
  new ByteWriter().byte(COPY).varint(version).finish()

/** The frames of one chunk of a copy. */
export function encodeChunk(chunk: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = []
  let at = 0
  do {
    const end = Math.min(chunk.length, at + FRAME_BYTES_TARGET)
    const more = end < chunk.length
    frames.push(
      new ByteWriter()
        .byte(more ? CHUNK_PART : CHUNK)
        .raw(chunk.subarray(at, end))
        .finish(),
    )
    at = end
  } while (at < chunk.length)
  return frames
}

/** @throws DB_FRAME_DAMAGED */
export function decodeFrame(bytes: Uint8Array): StreamFrame {
  const reader = new ByteReader(bytes)
  const type = reader.byte()
  switch (type) {
    case ROWS: {
      const tag = reader.varint()
      const length = reader.count()
      const width = reader.varint()
      if (width > COLUMNS_MAX) throw damaged(`a batch has ${width} columns`)
      const keys: Key[] = []
      for (let i = 0; i < length; i++) keys.push(reader.key())
      const columns: Value[][] = []
      for (let c = 0; c < width; c++) {
        const column: Value[] = []
        for (let i = 0; i < length; i++) column.push(reader.value())
        columns.push(column)
      }
      const partition = tag === 0 ? null : ((tag - 1) as PartitionId)
      return { type: 'rows', partition, batch: { length, keys, columns } }
    }
    case END:
      return { type: 'end' }
    case FAILED: {
      const code = reader.text()
      return { type: 'failed', code, message: reader.text() }
    }
    case COPY:
      return { type: 'copy', version: reader.varint() as Version }
    case CHUNK:
    case CHUNK_PART:
      return { type: 'chunk', bytes: bytes.slice(1), more: type === CHUNK_PART }
    default:
      throw damaged(`a frame has the unknown type ${type}`)
  }
}
