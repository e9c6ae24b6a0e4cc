import { crc32c, hash32, type Key, type RelationId, type Row } from '@cluster/core'
import { ByteWriter } from './bytes.ts'

/** Rows of a relation fall into so many buckets by their keys, so that a difference is found without comparing all of them. */
const BUCKETS = 1_024

/** What some rows are, in 64 bits; the order in which they were added does not matter. */
export interface Digest {
  readonly rows: number
  readonly high: number
  readonly low: number
}

export const NO_ROWS: Digest = { rows: 0, high: 0, low: 0 }

export const sameDigest = (a: Digest, b: Digest): boolean =>
  a.rows === b.rows && a.high === b.high && a.low === b.low

/** Sums, not exclusive ors: two equal wrongs do not make a right. */
export const addDigest = (a: Digest, b: Digest): Digest => ({
  rows: a.rows + b.rows,
  high: (a.high + b.high) >>> 0,
  low: (a.low + b.low) >>> 0,
})

export function digestRow(relation: RelationId, key: Key, row: Row): Digest {
  const bytes = new ByteWriter().varint(relation).key(key).row(row).finish()
  const high = crc32c(bytes)
  // A second function that does not follow from the first.
  let low = hash32(key, high)
  for (const byte of bytes) low = Math.imul(low ^ byte, 0x01000193)
  low ^= low >>> 15
  return { rows: 1, high, low: Math.imul(low, 0x2c1b3c6d) >>> 0 }
}

export const bucketOf = (key: Key): number => hash32(key, 0x5bd1e995) % BUCKETS

/** Members by what they have, the largest group first, then by the smallest member. */
export function groupsOf<Member extends string>(names: ReadonlyMap<Member, string>): Member[][] {
  const groups = new Map<string, Member[]>()
  for (const [member, name] of [...names].sort(([a], [b]) => (a < b ? -1 : 1)))
    groups.set(name, [...(groups.get(name) ?? []), member])
  return [...groups.values()].sort((a, b) => b.length - a.length)
}
