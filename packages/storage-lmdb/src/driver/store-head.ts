import { crc32 } from 'node:zlib'
import { ByteReader, ByteWriter, type RelationId, relationId, type Version } from '@cluster/core'
import type { Environment } from './environment.ts'
import { damagedAt, otherFormat } from './lmdb-errors.ts'

/** Version of the layout of everything in the environment. */
const FORMAT = 1

const AT = 'head'

/** What a store says of itself: what its files hold, and as of which version. */
export interface StoreHead {
  readonly version: Version
  /** Rows alive, of each relation with at least one row or block. */
  readonly counts: ReadonlyMap<RelationId, number>
}

/** Written last of a checkpoint: CRC-32 u32 of the rest · format u32 · version varint · relations varint · id and count of each varint. */
export function writeHead({ meta }: Environment, { version, counts }: StoreHead): void {
  const writer = new ByteWriter(256)
  writer.u32(0)
  writer.u32(FORMAT)
  writer.varint(version)
  writer.varint(counts.size)
  for (const [relation, count] of [...counts].sort(([a], [b]) => a - b)) {
    writer.varint(relation)
    writer.varint(count)
  }
  writer.patchU32(0, crc32(writer.view().subarray(4)))
  meta.put(AT, writer.finish())
}

/** Null when no checkpoint was ever finished. @throws DISK_DAMAGED, DISK_FORMAT */
export function readHead({ meta, path }: Environment): StoreHead | null {
  const bytes = meta.get(AT)
  if (bytes === null) return null
  const reader = new ByteReader(bytes)
  if (bytes.length < 10 || reader.u32() !== crc32(bytes.subarray(4)))
    throw damagedAt(path, 'the checksum of its head does not hold')
  const format = reader.u32()
  if (format !== FORMAT) throw otherFormat(path, format, FORMAT)
  const version = reader.varint() as Version
  const counts = new Map<RelationId, number>()
  for (let left = reader.varint(); left > 0; left--) counts.set(relationId(reader.varint()), reader.varint())
  return { version, counts }
}
