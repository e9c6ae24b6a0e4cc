import { assert, type Value } from '@cluster/core'

/** Reading the definitions that catalog rows hold: whatever is not as it was written stops the node. */

export type Json = Readonly<Record<string, unknown>>

export function object(value: unknown): Json {
  assert(
    typeof value === 'object' && value !== null && !Array.isArray(value),
    'catalog row without an object',
  )
  return value as Json
}

export function list(value: unknown): readonly unknown[] {
  assert(Array.isArray(value), 'catalog row without a list')
  return value
}

export function string(value: unknown): string {
  assert(typeof value === 'string', 'catalog row without a text')
  return value
}

export function number(value: unknown): number {
  assert(typeof value === 'number', 'catalog row without a number')
  return value
}

export const stringOrNull = (value: unknown): string | null =>
  value === null || value === undefined ? null : string(value)

/** One of some words. */
export function word<const Word extends string>(value: unknown, words: readonly Word[]): Word {
  const found = words.find((one) => one === value)
  assert(found !== undefined, `catalog row with the word ${String(value)}`)
  return found
}

/** What JSON has no word for goes as a pair. */
export function encodeValue(value: Value): unknown {
  if (typeof value === 'bigint') return { bigint: value.toString() }
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) }
  return Object.is(value, -0) ? { number: '-0' } : value
}

export function decodeValue(value: unknown): Value {
  if (typeof value !== 'object' || value === null) return (value ?? null) as Value
  const json = object(value)
  if (json['bigint'] !== undefined) return BigInt(string(json['bigint']))
  if (json['number'] !== undefined) return Number(string(json['number']))
  return Uint8Array.from(list(json['bytes']).map(number))
}
