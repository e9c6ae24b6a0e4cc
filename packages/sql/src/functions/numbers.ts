import { SQLSTATE, sqlError } from '../errors.ts'
import {
  absDecimal,
  compareDecimal,
  divideDecimal,
  floorDecimal,
  fromDecimal,
  isSpecial,
  multiplyDecimal,
  subtractDecimal,
  toDecimal,
} from '../types/decimal.ts'
import { doubleText, realText } from '../types/float-text.ts'
import { charToNumber, numberToChar } from '../types/number-to-char.ts'
import { fn } from './define.ts'
import { degreeFunctions } from './degrees.ts'
import type { ScalarFunction } from './function.ts'

const range = () => sqlError(SQLSTATE.numericValueOutOfRange, 'input is out of range')

/** The argument must lie within, or be NaN. */
const within =
  (low: number, high: number, inner: (value: number) => number) =>
  (value: number): number => {
    if (value < low || value > high) throw range()
    return inner(value)
  }

function factorial(value: bigint): string {
  if (value < 0n)
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'factorial of a negative number is undefined')
  if (value > 32_177n) throw sqlError(SQLSTATE.numericValueOutOfRange, 'value overflows numeric format')
  let product = 1n
  for (let n = 2n; n <= value; n++) product *= n
  return product.toString()
}

/** Digits behind the point without the zeros at the end. */
function minScale(text: string): number | null {
  if (isSpecial(text)) return null
  const [, fraction = ''] = text.split('.')
  return fraction.replace(/0+$/, '').length
}

function trimScale(text: string): string {
  const scale = minScale(text)
  if (scale === null || !text.includes('.')) return text
  return scale === 0 ? text.slice(0, text.indexOf('.')) : text.slice(0, text.indexOf('.') + 1 + scale)
}

function greatestDivisor(a: string, b: string): string {
  if (isSpecial(a) || isSpecial(b)) return 'NaN'
  const scale = Math.max(toDecimal(a).scale, toDecimal(b).scale)
  const whole = (text: string): bigint => {
    const value = toDecimal(absDecimal(text))
    return value.coefficient * 10n ** BigInt(scale - value.scale)
  }
  let [x, y] = [whole(a), whole(b)]
  while (y !== 0n) [x, y] = [y, x % y]
  return fromDecimal({ coefficient: x, scale })
}

function leastMultiple(a: string, b: string): string {
  if (isSpecial(a) || isSpecial(b)) return 'NaN'
  const scale = Math.max(toDecimal(a).scale, toDecimal(b).scale)
  const divisor = toDecimal(greatestDivisor(a, b)).coefficient
  if (divisor === 0n) return fromDecimal({ coefficient: 0n, scale })
  const at = (text: string): bigint => {
    const value = toDecimal(absDecimal(text))
    return value.coefficient * 10n ** BigInt(scale - value.scale)
  }
  return fromDecimal({ coefficient: (at(a) / divisor) * at(b), scale })
}

const bucketError = (message: string) => sqlError('2201G', message)

/** @throws 2201G */
function bucketOfFloat(value: number, low: number, high: number, count: number): number {
  if (count <= 0) throw bucketError('count must be greater than zero')
  if ([value, low, high].some(Number.isNaN))
    throw bucketError('operand, lower bound, and upper bound cannot be NaN')
  if (!Number.isFinite(low) || !Number.isFinite(high))
    throw bucketError('lower and upper bounds must be finite')
  if (low === high) throw bucketError('lower bound cannot equal upper bound')
  if (low < high)
    return value < low
      ? 0
      : value >= high
        ? count + 1
        : Math.floor(((value - low) * count) / (high - low)) + 1
  return value > low ? 0 : value <= high ? count + 1 : Math.floor(((low - value) * count) / (low - high)) + 1
}

/** @throws 2201G */
function bucketOfDecimal(value: string, low: string, high: string, count: number): number {
  if (count <= 0) throw bucketError('count must be greater than zero')
  if ([value, low, high].includes('NaN'))
    throw bucketError('operand, lower bound, and upper bound cannot be NaN')
  if (isSpecial(low) || isSpecial(high)) throw bucketError('lower and upper bounds must be finite')
  const order = compareDecimal(low, high)
  if (order === 0) throw bucketError('lower bound cannot equal upper bound')
  const up = order < 0
  if (up ? compareDecimal(value, low) < 0 : compareDecimal(value, low) > 0) return 0
  if (up ? compareDecimal(value, high) >= 0 : compareDecimal(value, high) <= 0) return count + 1
  const span = absDecimal(subtractDecimal(high, low))
  const at = absDecimal(subtractDecimal(value, low))
  // The quotient has the digits of a division, so it may be rounded up to the next bucket.
  return Number(floorDecimal(divideDecimal(multiplyDecimal(at, String(count)), span))) + 1
}

/** Numbers beyond what every program needs: degrees, hyperbolas, buckets, templates. */
export const numbers: readonly ScalarFunction[] = [
  fn('factorial', ['bigint'], 'numeric', factorial),
  fn('min_scale', ['numeric'], 'integer', minScale),
  fn('trim_scale', ['numeric'], 'numeric', trimScale),
  fn('gcd', ['numeric', 'numeric'], 'numeric', greatestDivisor),
  fn('lcm', ['numeric', 'numeric'], 'numeric', leastMultiple),
  fn('width_bucket', ['double', 'double', 'double', 'integer'], 'integer', bucketOfFloat),
  fn('width_bucket', ['numeric', 'numeric', 'numeric', 'integer'], 'integer', bucketOfDecimal),
  fn('sinh', ['double'], 'double', Math.sinh),
  fn('cosh', ['double'], 'double', Math.cosh),
  fn('tanh', ['double'], 'double', Math.tanh),
  fn('asinh', ['double'], 'double', Math.asinh),
  fn('acosh', ['double'], 'double', within(1, Number.POSITIVE_INFINITY, Math.acosh)),
  fn('atanh', ['double'], 'double', within(-1, 1, Math.atanh)),
  ...degreeFunctions,
  fn('#', ['smallint', 'smallint'], 'smallint', (a, b) => a ^ b),
  fn('&', ['smallint', 'smallint'], 'smallint', (a, b) => a & b),
  fn('|', ['smallint', 'smallint'], 'smallint', (a, b) => a | b),
  fn('~', ['smallint'], 'smallint', (a) => ~a),
  fn('<<', ['smallint', 'integer'], 'smallint', (a, b) => ((a << (b & 31)) << 16) >> 16),
  fn('>>', ['smallint', 'integer'], 'smallint', (a, b) => a >> (b & 31)),
  fn('to_char', ['numeric', 'text'], 'text', (value, format) => numberToChar(value, format)),
  fn('to_char', ['integer', 'text'], 'text', (value, format) => numberToChar(String(value), format)),
  fn('to_char', ['bigint', 'text'], 'text', (value, format) => numberToChar(value.toString(), format)),
  fn('to_char', ['double', 'text'], 'text', (value, format) =>
    numberToChar(plainFloat(doubleText(value)), format, 15),
  ),
  fn('to_char', ['real', 'text'], 'text', (value, format) =>
    numberToChar(plainFloat(realText(value)), format, 6),
  ),
  fn('to_number', ['text', 'text'], 'numeric', charToNumber),
]

/** Without an exponent. */
function plainFloat(text: string): string {
  if (!text.includes('e')) return text
  const [mantissa = '', power = '0'] = text.split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const at = whole.length + Number(power)
  const digits = whole + fraction
  const shown =
    at <= 0
      ? `0.${'0'.repeat(-at)}${digits}`
      : `${digits.padEnd(at, '0').slice(0, at)}.${digits.slice(at) || '0'}`
  return mantissa.startsWith('-') ? `-${shown}` : shown
}
