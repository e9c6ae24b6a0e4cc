import {
  afterKey,
  assert,
  type ContainerKey,
  type Database,
  type Key,
  type KeyRange,
  KeyWriter,
  type PartitionId,
  partitionId,
  type RelationId,
  type Row,
  type RowAddress,
  relationId,
} from '@cluster/core'
import { decodeKey } from '../keys.ts'

/**
 * Entries of all maps of one database: key name · life of the map · key of the entry, columns value and version. A life
 * begins when a map is made or cleared and has the number of that change, so that it is never used again. The row without
 * the key of an entry says that the life is over: it goes to those who follow the changes.
 */
export const ENTRIES = relationId(16)

export interface Held {
  readonly value: Uint8Array
  /** The version that its writer read at: greater than that of the entry before it. 0 of one that was deleted. */
  readonly version: number
  /** The span at whose end it ends; null: never. What was deleted before its end stays until then, so that its end is no news. */
  readonly span: string | null
}

const LIFE_DIGITS = 14
const NOTHING = new Uint8Array(0)

/**
 * What is to end: key name · life · span · 0 · key of the entry, in the partition of the entry; one column, the key of the entry. Only
 * entries that end have such a row.
 */
export const ENDINGS = relationId(17)

/** Attempts that lost, and why. */
export const isLost = (code: unknown): boolean => code === 'DB_CONFLICT' || code === 'DB_VERSION_GONE'

/** A life as it is in keys and tokens. */
export const lifeText = (life: number): string => life.toString(16).padStart(LIFE_DIGITS, '0')
export const isLifeText = (text: string): boolean => /^[0-9a-f]{14}$/.test(text)

export const mapPrefix = (name: string): Key => new KeyWriter().text(name).finish()

export function addressOf(database: Database, name: string, life: number, key: Key): RowAddress {
  const whole = `${mapPrefix(name)}${lifeText(life)}${key}`
  return { relation: ENTRIES, partition: database.partitionOf(whole), key: whole }
}

/** Where it is said that a life is over. */
export const markAddress = (database: Database, name: string, life: number): RowAddress =>
  addressOf(database, name, life, '')

export const markRow = (version: number): Row => [NOTHING, version]

/** All entries of one life, the mark not among them: the key of an entry begins with its type. */
export function entriesOf(name: string, life: number): KeyRange {
  const prefix = `${mapPrefix(name)}${lifeText(life)}`
  return { from: afterKey(prefix), to: `${prefix}\xff` }
}

/** Everything of lives before this one. */
export function formerLives(name: string, life: number): KeyRange {
  const prefix = mapPrefix(name)
  return { from: prefix, to: `${prefix}${lifeText(life)}` }
}

export const keyWithin = (name: string, key: Key): ContainerKey =>
  decodeKey(key.slice(mapPrefix(name).length + LIFE_DIGITS))

/** What a key of the relation says, if it is one of the map: the life, and the key of the entry, empty for the mark. */
export function partsOf(prefix: Key, key: Key): { readonly life: string; readonly entry: Key } | null {
  if (!key.startsWith(prefix)) return null
  return {
    life: key.slice(prefix.length, prefix.length + LIFE_DIGITS),
    entry: key.slice(prefix.length + LIFE_DIGITS),
  }
}

/** What is in the row, be it over or deleted. */
export function storedOf(row: Row | null): Held | null {
  if (row === null) return null
  const [value, version, span = null] = row
  assert(
    value instanceof Uint8Array && typeof version === 'number' && (span === null || typeof span === 'string'),
    'these rows are a value, a version and a span',
  )
  return { value, version, span }
}

export const rowOf = ({ value, version, span }: Held): Row =>
  span === null ? [value, version] : [value, version, span]

/** The row of what was deleted before its end. */
export const deletedRow = (span: string): Row => [NOTHING, 0, span]

/** What is in the row, unless it was deleted. Whether it is over is another question. */
export function heldOf(row: Row | null): Held | null {
  const held = storedOf(row)
  return held === null || held.version === 0 ? null : held
}

const spansOf = (name: string, life: number): Key => `${mapPrefix(name)}${lifeText(life)}`

export function endingAddress(
  { partition }: RowAddress,
  name: string,
  life: number,
  span: string,
  entry: Key,
): RowAddress {
  return { relation: ENDINGS, partition, key: `${spansOf(name, life)}${span}\0${entry}` }
}

/** What is to end in one life, span by span, those before `from` left out. */
export function endingsOf(name: string, life: number, from: string): KeyRange {
  const spans = spansOf(name, life)
  return { from: `${spans}${from}`, to: `${spans}\xff` }
}

/** The span that a key of the relation names. */
export function spanIn(name: string, key: Key): string {
  const rest = key.slice(mapPrefix(name).length + LIFE_DIGITS)
  return rest.slice(0, rest.indexOf('\0'))
}

/** The partition that a row of either relation is in: that of its entry. */
export function partitionOf(database: Database, name: string, relation: RelationId, key: Key): PartitionId {
  if (relation === ENTRIES) return database.partitionOf(key)
  const start = mapPrefix(name).length + LIFE_DIGITS
  return database.partitionOf(`${key.slice(0, start)}${key.slice(key.indexOf('\0', start) + 1)}`)
}

export const partitionsOf = ({ options }: Database): readonly PartitionId[] =>
  Array.from({ length: options.partitions }, (_, i) => partitionId(i + 1))
