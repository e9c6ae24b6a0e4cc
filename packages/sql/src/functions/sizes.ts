import { SQLSTATE, sqlError } from '../errors.ts'
import {
  compareDecimal,
  isSpecial,
  multiplyDecimal,
  parseDecimal,
  truncateDecimal,
} from '../types/decimal.ts'
import { fn } from './define.ts'
import type { ScalarFunction } from './function.ts'

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/**
 * Sizes as people write them. A unit is used from ten thousand of the one below on; halves of it round away from zero,
 * by way of a bit that is kept while the size is halved, as PostgreSQL does it.
 */
function pretty(size: bigint): string {
  const limit = 10_240n
  let amount = size
  let doubled = false
  for (const [i, unit] of UNITS.entries()) {
    const bound = doubled ? limit * 2n - 1n : limit
    const absolute = amount < 0n ? -amount : amount
    if (absolute < bound || i === UNITS.length - 1) {
      const rounded = doubled ? (amount + (amount > 0n ? 1n : -1n)) / 2n : amount
      return `${rounded} ${unit}`
    }
    // The next unit is 1,024 times as large; one bit stays for rounding.
    amount /= doubled ? 1_024n : 512n
    doubled = true
  }
  return ''
}

const wrong = (text: string, unit: string | null) =>
  sqlError(SQLSTATE.invalidParameterValue, `invalid size: "${text}"`, {
    ...(unit === null
      ? {}
      : {
          detail: `Invalid size unit: "${unit}".`,
          hint: 'Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".',
        }),
  })

/** `1.5 GB` in bytes. @throws 22023 */
function bytesOf(text: string): bigint {
  const [, digits, unit = ''] = /^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(.*?)\s*$/is.exec(text) ?? []
  const amount = digits === undefined ? null : parseDecimal(digits)
  if (amount === null) throw wrong(text, null)
  const at = unit === '' ? 0 : UNITS.findIndex((one) => one.toLowerCase() === unit.toLowerCase())
  if (at < 0) throw wrong(text, unit)
  const exact = multiplyDecimal(amount, (1_024n ** BigInt(at)).toString())
  const whole = BigInt(truncateDecimal(exact, 0))
  if (BigInt.asIntN(64, whole) !== whole)
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'bigint out of range')
  return whole
}

/** A numeric is shown in whole units too, but small ones keep their fraction, and what is no number has the largest unit. */
function prettyDecimal(size: string): string {
  if (isSpecial(size)) return `${size} PB`
  return compareDecimal(size.replace('-', ''), '10240') < 0
    ? `${size} bytes`
    : pretty(BigInt(truncateDecimal(size, 0)))
}

export const sizeFunctions: readonly ScalarFunction[] = [
  fn('pg_size_pretty', ['bigint'], 'text', pretty),
  fn('pg_size_pretty', ['numeric'], 'text', prettyDecimal),
  fn('pg_size_bytes', ['text'], 'bigint', bytesOf),
]
