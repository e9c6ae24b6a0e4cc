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
  /** The version that its writer read at: greater than that of the entry before it. */
  readonly version: number
}

const LIFE_DIGITS = 14
const NOTHING = new Uint8Array(0)

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

export function heldOf(row: Row | null): Held | null {
  if (row === null) return null
  const [value, version] = row
  assert(value instanceof Uint8Array && typeof version === 'number', 'these rows are a value and a version')
  return { value, version }
}

export const partitionsOf = ({ options }: Database): readonly PartitionId[] =>
  Array.from({ length: options.partitions }, (_, i) => partitionId(i + 1))
