import {
  type ColumnBatch,
  ByteWriter as ColumnWriter,
  type FragmentInput,
  type FragmentRequest,
  type PartitionId,
  type RelationId,
  readColumnBatch,
  type Version,
  writeColumnBatch,
} from '@cluster/core'
import { ByteReader, ByteWriter } from '../../machine/bytes.ts'
import { damaged, decodeFrame, openMessage, optionalKey, readRange, type StreamFrame } from '../wire.ts'

/** The type of the stream; nodes that do not know it answer that its opening is damaged. */
const COMPUTE = 5
/** Layout of these messages. */
const COMPUTE_FORMAT = 1

const RESULT = 7
const DONE = 8
const WORKING = 9

/** Columns of one input at most, and inputs of one fragment. */
const COLUMNS_MAX = 4_096
const INPUTS_MAX = 64

/** A fragment as one holder computes it, from some of its partitions. */
export interface HolderFragment extends Omit<FragmentRequest, 'onRead'> {
  readonly database: number
  readonly version: Version
  readonly partitions: readonly PartitionId[]
  /** So many results of the first partition are there already. */
  readonly skip: number
}

export type ComputeFrame =
  | { readonly type: 'result'; readonly batch: ColumnBatch }
  /** All results of one partition have come, or of all of them when they are computed together; with the rows of each input. */
  | { readonly type: 'done'; readonly read: readonly number[] }
  /** It takes its time. */
  | { readonly type: 'working' }
  | StreamFrame

export const isCompute = (opening: Uint8Array): boolean => opening[0] === COMPUTE

export function encodeCompute(fragment: HolderFragment): Uint8Array {
  const writer = new ByteWriter().byte(COMPUTE).byte(COMPUTE_FORMAT)
  writer.varint(fragment.database).varint(fragment.version).varint(fragment.partitions.length)
  for (const partition of fragment.partitions) writer.varint(partition)
  writer.byte(fragment.together ? 1 : 0).varint(fragment.skip)
  writer.varint(fragment.inputs.length)
  for (const { relation, range, columns, keys, from } of fragment.inputs) {
    writer.varint(relation)
    optionalKey(writer, range.from)
    optionalKey(writer, range.to)
    writer.byte((keys ? 1 : 0) | (from === 'everywhere' ? 2 : 0)).varint(columns.length)
    for (const column of columns) writer.varint(column)
  }
  return writer.blob(fragment.program).finish()
}

/** @throws DB_FRAME_DAMAGED */
export function decodeCompute(bytes: Uint8Array): HolderFragment {
  const { reader } = openMessage(bytes, COMPUTE_FORMAT)
  const database = reader.varint()
  const version = reader.varint() as Version
  const partitions: PartitionId[] = []
  for (let left = reader.count(); left > 0; left--) partitions.push(reader.varint() as PartitionId)
  const together = reader.byte() === 1
  const skip = reader.varint()
  const inputs: FragmentInput[] = []
  const count = reader.count(4)
  if (count > INPUTS_MAX) throw damaged(`a fragment has ${count} inputs`)
  while (inputs.length < count) inputs.push(readInput(reader))
  return { database, version, partitions, together, skip, inputs, program: reader.blob() }
}

function readInput(reader: ByteReader): FragmentInput {
  const relation = reader.varint() as RelationId
  const range = readRange(reader)
  const flags = reader.byte()
  const width = reader.count()
  if (width > COLUMNS_MAX) throw damaged(`a fragment reads ${width} columns`)
  const columns: number[] = []
  while (columns.length < width) columns.push(reader.varint())
  const from = (flags & 2) === 0 ? 'spread' : 'everywhere'
  return { relation, range, columns, keys: (flags & 1) === 1, from }
}

const results = new ColumnWriter()

export function encodeResult(batch: ColumnBatch): Uint8Array {
  results.reset().u8(RESULT)
  writeColumnBatch(results, batch)
  return results.finish()
}

export function encodeDone(read: readonly number[]): Uint8Array {
  const writer = new ByteWriter().byte(DONE).varint(read.length)
  // A zero stands for an input of which not all was read.
  for (const rows of read) writer.varint(Number.isNaN(rows) ? 0 : rows + 1)
  return writer.finish()
}

export const encodeWorking = (): Uint8Array => new ByteWriter().byte(WORKING).finish()

/** @throws DB_FRAME_DAMAGED */
export function decodeComputeFrame(bytes: Uint8Array): ComputeFrame {
  const reader = new ByteReader(bytes)
  switch (reader.byte()) {
    case RESULT:
      return { type: 'result', batch: readResult(bytes.subarray(1)) }
    case DONE: {
      const read: number[] = []
      for (let left = reader.count(); left > 0; left--) read.push((reader.varint() || Number.NaN) - 1)
      return { type: 'done', read }
    }
    case WORKING:
      return { type: 'working' }
    default:
      return decodeFrame(bytes)
  }
}

function readResult(bytes: Uint8Array): ColumnBatch {
  try {
    return readColumnBatch(bytes)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw damaged(`results of a fragment cannot be read, ${error.message}`)
  }
}
