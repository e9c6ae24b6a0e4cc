import { ByteReader, ByteWriter, hash32, readColumnBatch, type Value, writeColumnBatch } from '@cluster/core'
import type { Batch } from '../compile/batch.ts'
import { builtIns } from '../functions/resolve.ts'
import { typeName } from '../types/type.ts'
import { FormUnknownError, FRAGMENT_FORMAT } from './form.ts'

/*
 * A program: format varint · dialect u32 · the plan's form (length varint, JSON) · the given values (length varint, a batch of
 * one row) · how many tables are sent along varint, for each how many batches varint, for each its length varint and itself.
 */

export interface Program {
  /** The form of the plan, as JSON. */
  readonly plan: string
  readonly given: readonly Value[]
  readonly sent: readonly (readonly Batch[])[]
}

let known: number | null = null

/** Tells releases with other functions apart: they do not compute for each other. */
function dialect(): number {
  if (known !== null) return known
  const { functions, aggregates } = builtIns()
  const signatures = [...functions, ...aggregates].map(
    ({ name, args, returns }) => `${name}(${args.map(typeName).join(',')}) ${typeName(returns)}`,
  )
  known = hash32(signatures.sort().join('\n'))
  return known
}

export function encodeProgram({ plan, given, sent }: Program): Uint8Array {
  const out = new ByteWriter(1024)
  out.varint(FRAGMENT_FORMAT)
  out.u32(dialect())
  const text = new ByteWriter(1024)
  text.text(plan)
  out.varint(text.length)
  out.raw(text.view())
  const part = new ByteWriter(1024)
  writeColumnBatch(part, { length: 1, columns: given.map((value) => [value]) })
  out.varint(part.length)
  out.raw(part.view())
  out.varint(sent.length)
  for (const batches of sent) {
    out.varint(batches.length)
    for (const batch of batches) {
      writeColumnBatch(part.reset(), batch)
      out.varint(part.length)
      out.raw(part.view())
    }
  }
  return out.finish()
}

/** @throws FormUnknownError when another release wrote it, or it is damaged */
export function decodeProgram(bytes: Uint8Array): Program {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof RangeError) throw new FormUnknownError('a program is damaged', { cause: error })
    throw error
  }
}

function decode(bytes: Uint8Array): Program {
  const reader = new ByteReader(bytes)
  if (reader.varint() !== FRAGMENT_FORMAT || reader.u32() !== dialect())
    throw new FormUnknownError('a program of another release')
  const plan = reader.text(within(reader, reader.varint()))
  const next = (): Batch => {
    const length = within(reader, reader.varint())
    const { at } = reader
    reader.at += length
    return readColumnBatch(bytes.subarray(at, at + length))
  }
  const given = next().columns.map(([value]) => value as Value)
  const sent: Batch[][] = []
  for (let tables = within(reader, reader.varint()); tables > 0; tables--) {
    const batches: Batch[] = []
    for (let left = within(reader, reader.varint()); left > 0; left--) batches.push(next())
    sent.push(batches)
  }
  return { plan, given, sent }
}

/** A length or a count that fits into what is left. */
function within({ at, bytes }: ByteReader, length: number): number {
  if (length > bytes.length - at) throw new RangeError('a program ends too early')
  return length
}
