import type { Key, PartitionId, RelationId } from '@cluster/core'
import type { ByteReader, ByteWriter } from './bytes.ts'

/** A range read: keys from `from` up to `to`, open where null, in all hash partitions where `partitions` is null. */
export interface RangeRead {
  readonly relation: RelationId
  readonly partitions: readonly PartitionId[] | null
  readonly from: Key | null
  readonly to: Key | null
}

export interface PointRead {
  readonly relation: RelationId
  readonly key: Key
}

/** What a transaction has read, to be judged. */
export interface Reads {
  /** What the reads saw. */
  readonly version: number
  readonly points: readonly PointRead[]
  readonly ranges: readonly RangeRead[]
}

export function writeReads(writer: ByteWriter, { points, ranges }: Omit<Reads, 'version'>): void {
  writer.varint(points.length)
  for (const { relation, key } of points) writer.varint(relation).key(key)
  writer.varint(ranges.length)
  for (const { relation, partitions, from, to } of ranges) {
    writer.varint(relation).varint(partitions === null ? 0 : partitions.length + 1)
    if (partitions !== null) for (const partition of partitions) writer.varint(partition)
    writeBound(writer, from)
    writeBound(writer, to)
  }
}

function writeBound(writer: ByteWriter, bound: Key | null): void {
  if (bound === null) writer.byte(0)
  else writer.byte(1).key(bound)
}

/** @throws DB_FRAME_DAMAGED */
export function readReads(reader: ByteReader): Omit<Reads, 'version'> {
  const points: PointRead[] = []
  for (let left = reader.count(2); left > 0; left--) {
    const relation = reader.varint() as RelationId
    points.push({ relation, key: reader.key() })
  }
  const ranges: RangeRead[] = []
  for (let left = reader.count(4); left > 0; left--) ranges.push(readRange(reader))
  return { points, ranges }
}

function readRange(reader: ByteReader): RangeRead {
  const relation = reader.varint() as RelationId
  const listed = reader.count()
  let partitions: PartitionId[] | null = null
  if (listed > 0) {
    partitions = []
    for (let i = 1; i < listed; i++) partitions.push(reader.varint() as PartitionId)
  }
  const from = reader.byte() === 0 ? null : reader.key()
  const to = reader.byte() === 0 ? null : reader.key()
  return { relation, partitions, from, to }
}
