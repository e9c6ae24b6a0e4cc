/**
 * One field of a row, as storage and links carry it. SQL maps its types onto these: integers up to 32 bits and
 * double precision are `number`, 64-bit integers and timestamps (microseconds since 1970-01-01) are `bigint`,
 * `numeric` is its canonical decimal text, `text` is `string`.
 */
export type Value = null | boolean | number | bigint | string | Uint8Array

/** A row: its fields by column position. Never changed once handed over. */
export type Row = readonly Value[]

/**
 * A key: a binary string (every char code 0 … 255) whose order by `<` is the order of the encoded tuple.
 * Made by `KeyWriter`.
 */
export type Key = string

/** Keys from `from` (included) up to `to` (excluded); an absent bound is open. */
export interface KeyRange {
  readonly from?: Key
  readonly to?: Key
}

/** True when `key` lies in `range`. */
export function inRange(range: KeyRange, key: Key): boolean {
  return (range.from === undefined || key >= range.from) && (range.to === undefined || key < range.to)
}
