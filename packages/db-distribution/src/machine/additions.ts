import { ADDITION_DIGITS_MAX, type Addition, type ProgramNumber, type Row, type Value } from '@cluster/core'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { compute } from './program/exact.ts'

/**
 * What nodes that do not hold a row know of what is added to it. Whoever adds has read the row at its version; as long as nobody
 * replaces it, the sizes of all that was added since tell how far its numbers can have moved, so every node can judge alike
 * that no number leaves its bounds.
 */
export interface AddedKey {
  /** By how much a number of the row moves at most, ≥ 0. */
  readonly size: number
  /** How far each of its numbers could move from what was read, ≥ 0. */
  readonly room: number
}

/** A row that a transaction adds to. */
export interface AddedRow extends AddedKey {
  /** As it was read. */
  readonly base: Row
  /** One a position. */
  readonly additions: readonly Addition[]
  /** The sums, as of the version that was read. */
  readonly row: Row
}

export const NOTHING_ADDED: ReadonlyMap<number, AddedKey> = new Map()

const TYPES: readonly ProgramNumber[] = ['smallint', 'integer', 'bigint', 'numeric']
const LARGEST = { smallint: 0x7fff, integer: 0x7fff_ffff, bigint: 2 ** 63 - 1024 } as const
const DECIMAL = /^-?(\d+)(?:\.(\d+))?$/

/** Sums of doubles are a little off; so much of the room is left alone. */
const SLACK = 1 - 2 ** -30

/**
 * What the additions make of the row, with those that the transaction made before.
 * @returns null when the row does not hold such numbers, or has no room
 */
export function addedRow(
  base: Row,
  before: readonly Addition[],
  additions: readonly Addition[],
): AddedRow | null {
  const all = together(before, additions)
  if (all === null) return null
  const row = addTo(base, all)
  if (row === null) return null
  let size = 0
  let room = Number.MAX_VALUE
  for (const addition of all) {
    const value = base[addition.position] ?? null
    if (value === null) continue
    const largest = largestOf(addition, value)
    if (largest === null) return null
    size = Math.max(size, magnitude(addition.by))
    room = Math.min(room, (largest - magnitude(value)) * SLACK)
  }
  return size <= room ? { base, additions: all, row, size, room } : null
}

/** The row with the sums; null when it does not hold such numbers. */
export function addTo(row: Row, additions: readonly Addition[]): Row | null {
  const after = [...row]
  for (const { position, type, by } of additions) {
    const value = row[position] ?? null
    if (value === null) continue
    const sum = compute('add', type, value, by)
    if (typeof sum === 'symbol') return null
    after[position] = sum
  }
  return after
}

/** One addition a position; null when what is added to one leaves its bounds. */
function together(before: readonly Addition[], additions: readonly Addition[]): readonly Addition[] | null {
  const all = new Map<number, Addition>()
  for (const addition of [...before, ...additions]) {
    const { position, type, by } = addition
    const earlier = all.get(position)
    const sum = earlier === undefined ? by : compute('add', type, earlier.by, by)
    if (typeof sum === 'symbol' || (earlier !== undefined && earlier.type !== type)) return null
    all.set(position, { ...addition, by: sum })
  }
  return [...all.values()]
}

/** The largest magnitude that the field may have; null when it is none that can be added to. */
function largestOf({ type, by, digits }: Addition, value: Value): number | null {
  if (type !== 'numeric') return LARGEST[type]
  const behind = digits?.behind ?? ADDITION_DIGITS_MAX
  const before = Math.min(digits?.before ?? ADDITION_DIGITS_MAX, ADDITION_DIGITS_MAX)
  return placesOf(by) <= behind && placesOf(value) <= ADDITION_DIGITS_MAX ? 10 ** before : null
}

/** Digits behind the point; infinitely many in what is no decimal. */
function placesOf(value: Value): number {
  const match = typeof value === 'string' ? DECIMAL.exec(value) : null
  return match === null ? Number.POSITIVE_INFINITY : (match[2]?.length ?? 0)
}

const magnitude = (value: Value): number => Math.abs(Number(value))

export function writeAdditions(writer: ByteWriter, additions: readonly Addition[]): void {
  writer.varint(additions.length)
  for (const { position, type, by } of additions) writer.varint(position).byte(TYPES.indexOf(type)).value(by)
}

/** @throws DB_FRAME_DAMAGED */
export function readAdditions(reader: ByteReader): Addition[] {
  const additions: Addition[] = []
  for (let left = reader.count(3); left > 0; left--) {
    const position = reader.varint()
    const type = TYPES[reader.byte()] ?? 'numeric'
    additions.push({ position, type, by: reader.value() })
  }
  return additions
}
