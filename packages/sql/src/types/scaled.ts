import type { Value } from '@cluster/core'

/** Whole numbers up to this, of either sign, are exact as JavaScript numbers. */
export const WHOLE_MAX = Number.MAX_SAFE_INTEGER

/**
 * A decimal as a whole number of units of 10^−scale: `12.50` at scale 2 is 1250. NaN for NULL, for what is not a finite
 * number with exactly that many decimals, and for what is larger than `max` units or has too many digits to be exact.
 */
export function scaledNumber(value: Value, scale: number, max = WHOLE_MAX): number {
  if (typeof value !== 'string') return Number.NaN
  const { length } = value
  if (length > 17) return Number.NaN
  const point = scale === 0 ? -1 : length - scale - 1
  let at = 0
  const negative = value.charCodeAt(0) === 45
  if (negative) at = 1
  if (at >= length || point === at) return Number.NaN
  let number = 0
  for (; at < length; at++) {
    const code = value.charCodeAt(at)
    if (at === point) {
      if (code !== 46) return Number.NaN
    } else {
      if (code < 48 || code > 57) return Number.NaN
      number = number * 10 + (code - 48)
    }
  }
  if (point >= 0 ? point < 1 : scale > 0) return Number.NaN
  if (number > max) return Number.NaN
  return negative ? -number : number
}

/** The canonical text of so many units of 10^−scale; any whole number that is exact. */
export function scaledText(units: number, scale: number): string {
  if (scale === 0) return String(units + 0)
  const negative = units < 0
  const digits = String(negative ? -units : units + 0).padStart(scale + 1, '0')
  const whole = digits.length - scale
  return `${negative ? '-' : ''}${digits.slice(0, whole)}.${digits.slice(whole)}`
}

interface Converted {
  readonly scale: number
  readonly max: number
  readonly numbers: Float64Array
}

const converted = new WeakMap<readonly Value[], Converted>()

/**
 * The values of a column as `scaledNumber` has them. A column that a storage engine hands out again and again, the very same
 * list, is converted once.
 */
export function scaledColumn(column: readonly Value[], scale: number, max: number): Float64Array {
  const known = converted.get(column)
  if (known !== undefined && known.scale === scale && known.max === max) return known.numbers
  const numbers = new Float64Array(column.length)
  for (let i = 0; i < column.length; i++) numbers[i] = scaledNumber(column[i] as Value, scale, max)
  converted.set(column, { scale, max, numbers })
  return numbers
}
