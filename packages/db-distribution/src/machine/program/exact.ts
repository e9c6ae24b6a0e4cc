import { PROGRAM_DIGITS_MAX, type ProgramNumber, type Value } from '@cluster/core'

/** A number left the bounds of its type. */
export const OUT_OF_RANGE = Symbol('out of range')
/** A value is not what the operation is made for. */
export const WRONG_KIND = Symbol('wrong kind')

export type Exact = Value | typeof OUT_OF_RANGE | typeof WRONG_KIND

export type Arithmetic = 'add' | 'subtract' | 'multiply'

/** `coefficient × 10^−scale`. */
interface Decimal {
  readonly coefficient: bigint
  readonly scale: number
}

const NAN = 'NaN'
const DECIMAL = /^-?\d+(?:\.\d+)?$/

/** Computes on two values that are not NULL. Whole numbers and decimals are exact, so every platform gives the same. */
export function compute(op: Arithmetic, type: ProgramNumber, left: Value, right: Value): Exact {
  switch (type) {
    case 'smallint':
      return small(op, left, right, 0x7fff)
    case 'integer':
      return small(op, left, right, 0x7fff_ffff)
    case 'bigint':
      if (typeof left !== 'bigint' || typeof right !== 'bigint') return WRONG_KIND
      return within64(op === 'add' ? left + right : op === 'subtract' ? left - right : left * right)
    case 'numeric':
      return decimal(op, left, right)
  }
}

function small(op: Arithmetic, left: Value, right: Value, max: number): Exact {
  if (!isSmall(left, max) || !isSmall(right, max)) return WRONG_KIND
  // A product of two 32-bit numbers may be inexact, but then it is far out of bounds.
  const result = op === 'add' ? left + right : op === 'subtract' ? left - right : left * right
  // + 0 turns −0 into 0.
  return result > max || result < -max - 1 ? OUT_OF_RANGE : result + 0
}

const isSmall = (value: Value, max: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value <= max && value >= -max - 1

const within64 = (value: bigint): Exact => (BigInt.asIntN(64, value) === value ? value : OUT_OF_RANGE)

function decimal(op: Arithmetic, left: Value, right: Value): Exact {
  if (left === NAN || right === NAN) return isDecimal(left) && isDecimal(right) ? NAN : WRONG_KIND
  const a = parse(left)
  const b = parse(right)
  if (a === null || b === null) return WRONG_KIND
  if (op === 'multiply')
    return print({ coefficient: a.coefficient * b.coefficient, scale: a.scale + b.scale })
  const scale = Math.max(a.scale, b.scale)
  const x = scaled(a, scale)
  const y = scaled(b, scale)
  return print({ coefficient: op === 'add' ? x + y : x - y, scale })
}

const isDecimal = (value: Value): boolean => value === NAN || parse(value) !== null

/** Null for what is no decimal, or has too many digits. */
function parse(value: Value): Decimal | null {
  if (typeof value !== 'string' || value.length > PROGRAM_DIGITS_MAX || !DECIMAL.test(value)) return null
  const point = value.indexOf('.')
  if (point < 0) return { coefficient: BigInt(value), scale: 0 }
  return {
    coefficient: BigInt(value.slice(0, point) + value.slice(point + 1)),
    scale: value.length - point - 1,
  }
}

const scaled = ({ coefficient, scale }: Decimal, to: number): bigint =>
  coefficient * 10n ** BigInt(to - scale)

function print({ coefficient, scale }: Decimal): string {
  if (scale === 0) return coefficient.toString()
  const negative = coefficient < 0n
  const digits = (negative ? -coefficient : coefficient).toString().padStart(scale + 1, '0')
  const whole = digits.length - scale
  return `${negative ? '-' : ''}${digits.slice(0, whole)}.${digits.slice(whole)}`
}

/** Rounds a decimal half away from zero to `scale` places. OUT_OF_RANGE when it has more than `precision` digits then. */
export function fitDecimal(value: Value, precision: number, scale: number): Exact {
  if (value === NAN) return NAN
  const parsed = parse(value)
  if (parsed === null) return WRONG_KIND
  const coefficient =
    parsed.scale <= scale
      ? scaled(parsed, scale)
      : rounded(parsed.coefficient, 10n ** BigInt(parsed.scale - scale))
  const bound = 10n ** BigInt(precision)
  return coefficient >= bound || coefficient <= -bound ? OUT_OF_RANGE : print({ coefficient, scale })
}

/** `a / unit`, halves away from zero; unit > 0. */
function rounded(a: bigint, unit: bigint): bigint {
  const quotient = ((a < 0n ? -a : a) * 2n + unit) / (unit * 2n)
  return a < 0n ? -quotient : quotient
}

/** −1, 0 or 1; null when the values cannot be compared so. NaN is greater than every number, and equal to itself. */
export function compareDecimals(left: Value, right: Value): number | null {
  if (!isDecimal(left) || !isDecimal(right)) return null
  if (left === right) return 0
  if (left === NAN) return 1
  if (right === NAN) return -1
  const a = parse(left)
  const b = parse(right)
  if (a === null || b === null) return null
  const scale = Math.max(a.scale, b.scale)
  const x = scaled(a, scale)
  const y = scaled(b, scale)
  return x < y ? -1 : x > y ? 1 : 0
}
