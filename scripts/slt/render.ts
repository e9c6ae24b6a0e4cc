import { createHash } from 'node:crypto'
import { formatValue, type SqlResult, type SqlType } from '@cluster/sql'
import type { SortMode } from './script.ts'

type SqlValue = SqlResult['rows'][number][number]

const utf8 = new TextEncoder()

/** A value as scripts write it, by the letter of its column. */
export function renderValue(value: SqlValue, type: SqlType, letter: string): string {
  if (value === null) return 'NULL'
  if (letter === 'T') return printable(typeof value === 'string' ? value : formatValue(type, value))
  if (letter === 'R') return fixed(Number(typeof value === 'boolean' ? value : formatValue(type, value)))
  return whole(value, type)
}

function printable(text: string): string {
  if (text === '') return '(empty)'
  if (/^[\x20-\x7e]*$/.test(text)) return text
  // Each byte counts, not each character.
  return [...utf8.encode(text)]
    .map((byte) => (byte < 0x20 || byte > 0x7e ? '@' : String.fromCharCode(byte)))
    .join('')
}

/** `%d` of the number, cut towards zero; a text counts as far as it is a whole number. */
function whole(value: SqlValue, type: SqlType): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'number') return String(Math.trunc(value) + 0)
  if (typeof value === 'bigint') return value.toString()
  const digits = /^\s*[-+]?\d+/.exec(value === null ? '' : formatValue(type, value))?.[0] ?? '0'
  return BigInt(digits.trim().replace('+', '')).toString()
}

/** `%.3f`: of two neighbours that are equally near the even one, where `toFixed` takes the larger. */
export function fixed(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  const scaled = Math.abs(value) * 2_000
  // Doubles with a half at the fourth decimal are exact multiples of 1/16, so that this product is exact.
  const tie = Number.isInteger(Math.abs(value) * 16) && scaled % 2 === 1
  if (!tie) return value.toFixed(3)
  const down = (scaled - 1) / 2
  const even = down % 2 === 0 ? down : down + 1
  return `${value < 0 ? '-' : ''}${(even / 1_000).toFixed(3)}`
}

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The rendered values of a result, one after another, in the order in which they are compared. */
export function renderResult({ columns, rows }: SqlResult, types: string, sort: SortMode): string[] {
  const rendered = rows.map((row) =>
    row.map((value, i) => renderValue(value, (columns[i] as { type: SqlType }).type, types[i] ?? 'T')),
  )
  if (sort === 'rowsort') {
    rendered.sort((a, b) => {
      for (let i = 0; i < a.length; i++) {
        const order = byBytes(a[i] ?? '', b[i] ?? '')
        if (order !== 0) return order
      }
      return 0
    })
  }
  const values = rendered.flat()
  return sort === 'valuesort' ? values.sort(byBytes) : values
}

export function hashOf(values: readonly string[]): string {
  const hash = createHash('md5')
  for (const value of values) hash.update(`${value}\n`)
  return hash.digest('hex')
}

const hashed = /^(\d+) values hashing to ([0-9a-f]{32})$/

/** What is wrong with the values; null: they are as expected. */
export function difference(values: readonly string[], expected: readonly string[]): string | null {
  const summary = expected.length === 1 ? hashed.exec(expected[0] ?? '') : null
  if (summary !== null) {
    if (values.length !== Number(summary[1])) return `${values.length} values, not ${summary[1]}`
    return hashOf(values) === summary[2] ? null : 'other values than expected (by their hash)'
  }
  if (values.length !== expected.length) return `${values.length} values, not ${expected.length}`
  const at = values.findIndex((value, i) => value !== expected[i])
  return at < 0 ? null : `value ${at + 1} is ${values[at]}, not ${expected[at]}`
}
