import { ClusterError } from '../errors.ts'
import type { DiskErrorDetail } from '../host/disk.ts'
import { type RelationId, relationId } from '../ids.ts'
import { crc32c } from '../tools/checksum.ts'
import type { Key, Row } from '../values/value.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { RowBlock, writeRowBlock } from './row-block.ts'

/** Version of the layout of chunks. */
export const CHUNK_FORMAT = 2

/** Bytes in front of a chunk's payload. */
export const CHUNK_HEADER_BYTES = 8

/** Rows of one relation, in key order; a null row says that the key is gone. */
export interface RowsChunk {
  readonly relation: RelationId
  readonly keys: readonly Key[]
  readonly rows: readonly (Row | null)[]
}

/** The last chunk: tells that nothing is missing. */
export interface EndChunk {
  readonly rowCount: number
}

const writer = new ByteWriter()

/**
 * A chunk of rows on its way: between two stores of a partition, whatever their engines, or to a file. Little-endian:
 * length of the payload u32 · its CRC-32C u32 · payload: format u8 · 0 · relation varint · a block of rows; or
 * format u8 · 1 · number of rows varint.
 */
export function encodeChunk(chunk: RowsChunk | EndChunk): Uint8Array<ArrayBuffer> {
  writer.reset()
  writer.u32(0)
  writer.u32(0)
  writer.u8(CHUNK_FORMAT)
  if ('rowCount' in chunk) {
    writer.u8(1)
    writer.varint(chunk.rowCount)
  } else {
    writer.u8(0)
    writer.varint(chunk.relation)
    writeRowBlock(writer, chunk)
  }
  writer.patchU32(0, writer.length - CHUNK_HEADER_BYTES)
  writer.patchU32(4, crc32c(writer.view().subarray(CHUNK_HEADER_BYTES)))
  return writer.finish()
}

/**
 * Reads one chunk at the start of `bytes`.
 * @param path where it comes from, and `offset` at which byte; for the message
 * @throws DISK_DAMAGED, DISK_FORMAT
 */
export function decodeChunk(bytes: Uint8Array, path: string, offset: number): RowsChunk | EndChunk {
  const size = chunkBytes(bytes)
  if (size === null || size > bytes.length || size < CHUNK_HEADER_BYTES + 2) throw chunkDamaged(path, offset)
  const payload = bytes.subarray(CHUNK_HEADER_BYTES, size)
  const reader = new ByteReader(payload)
  if (crc32c(payload) !== new ByteReader(bytes, 4).u32()) throw chunkDamaged(path, offset)
  const format = reader.u8()
  if (format !== CHUNK_FORMAT) {
    throw new ClusterError<DiskErrorDetail>(
      { code: 'DISK_FORMAT', outcome: 'rejected', path, found: format, supported: CHUNK_FORMAT },
      `${path} has format ${format}, but this version reads format ${CHUNK_FORMAT}: run the version that wrote it`,
    )
  }
  if (reader.u8() === 1) return { rowCount: reader.varint() }
  const relation = relationId(reader.varint())
  const block = new RowBlock(payload, reader.at)
  return { relation, keys: block.keys(), rows: block.rows() }
}

/** Bytes of the whole chunk that begins with `header`; null when even the header is cut short. */
export function chunkBytes(header: Uint8Array): number | null {
  if (header.length < CHUNK_HEADER_BYTES) return null
  return CHUNK_HEADER_BYTES + new ByteReader(header).u32()
}

export function chunkDamaged(path: string, offset: number): ClusterError<DiskErrorDetail> {
  return new ClusterError<DiskErrorDetail>(
    { code: 'DISK_DAMAGED', outcome: 'rejected', path, offset },
    `${path} is damaged at byte ${offset}: its checksum does not hold. The partition is copied anew from another holder.`,
  )
}
