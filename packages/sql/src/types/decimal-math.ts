import { SQLSTATE, sqlError } from '../errors.ts'
import {
  type Decimal,
  divideDecimal,
  fromDecimal,
  INFINITY,
  isSpecial,
  MINUS_INFINITY,
  multiplyDecimal,
  NAN,
  negateDecimal,
  rescale,
  roundDecimal,
  signDecimal,
  tenTo,
  toDecimal,
} from './decimal.ts'

/** Guard digits of intermediate results. */
const GUARD = 12
const SIGNIFICANT_DIGITS_MIN = 16
const DISPLAY_SCALE_MAX = 1_000
/** Results of more digits before the point do not fit numeric. */
const WHOLE_DIGITS_MAX = 131_072

const displayScale = (wanted: number, ...least: readonly number[]): number =>
  Math.min(Math.max(wanted, 0, ...least), DISPLAY_SCALE_MAX)

const overflow = () => sqlError(SQLSTATE.numericValueOutOfRange, 'value overflows numeric format')

const lengthOf = (value: bigint): number => (value < 0n ? -value : value).toString().length

/** The value as a fixed-point number with `digits` decimals, cut off. */
const fixed = ({ coefficient, scale }: Decimal, digits: number): bigint =>
  digits >= scale ? coefficient * tenTo(digits - scale) : coefficient / tenTo(scale - digits)

/** 2·atanh(n/d) with the decimals of `one`. */
function twiceAtanh(n: bigint, d: bigint, one: bigint): bigint {
  const ratio = (n * one) / d
  const square = (ratio * ratio) / one
  let power = ratio
  let sum = 0n
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k
    power = (power * square) / one
  }
  return sum * 2n
}

const ln2 = (one: bigint): bigint => twiceAtanh(1n, 3n, one)

/** The natural logarithm of a fixed-point number > 0. */
function fixedLn(value: bigint, one: bigint): bigint {
  let shift = value.toString(2).length - one.toString(2).length
  // value = m · 2^shift with m between 2/3 and 4/3.
  const scaled = (bits: number): bigint => (bits >= 0 ? value >> BigInt(bits) : value << BigInt(-bits))
  if (scaled(shift) * 3n > one * 4n) shift++
  else if (scaled(shift) * 3n < one * 2n) shift--
  // More bits than decimals asked for would be lost by shifting right; scale the divisor instead.
  const numerator = shift >= 0 ? value : value << BigInt(-shift)
  const denominator = shift >= 0 ? one << BigInt(shift) : one
  return twiceAtanh(numerator - denominator, numerator + denominator, one) + BigInt(shift) * ln2(one)
}

/** e to a fixed-point power. */
function fixedExp(power: bigint, one: bigint): bigint {
  const two = ln2(one)
  const shift = power / two
  const rest = power - shift * two
  let term = one
  let sum = one
  for (let k = 1n; term !== 0n; k++) {
    term = (term * rest) / (one * k)
    sum += term
  }
  return shift >= 0n ? sum << shift : sum >> -shift
}

/** Roughly the exponent of ln(value), as PostgreSQL estimates it to choose a scale. */
function lnWeight(value: Decimal): number {
  const number = Number(fromDecimal(value))
  if (number >= 0.9 && number <= 1.1) {
    const x = value.coefficient - tenTo(value.scale)
    return x === 0n ? 0 : lengthOf(x) - value.scale - 1
  }
  const digits = lengthOf(value.coefficient)
  const log = Math.log(Number(`0.${value.coefficient}`)) + (digits - value.scale) * Math.LN10
  return Math.trunc(Math.log10(Math.abs(log)))
}

function positive(value: Decimal): Decimal {
  if (value.coefficient > 0n) return value
  throw sqlError(
    SQLSTATE.invalidArgumentForLogarithm,
    `cannot take logarithm of ${value.coefficient === 0n ? 'zero' : 'a negative number'}`,
  )
}

/** Minus infinity as any negative number, infinity as any positive one. */
const finite = (a: string): Decimal =>
  isSpecial(a) ? { coefficient: a === MINUS_INFINITY ? -1n : 1n, scale: 0 } : toDecimal(a)

function lnTo(value: Decimal, digits: number): bigint {
  // Small values need as many more decimals as they have leading zeros.
  const zeros = Math.max(0, value.scale - lengthOf(value.coefficient))
  const places = digits + zeros + GUARD
  return fixedLn(fixed(value, places), tenTo(places)) / tenTo(zeros + GUARD)
}

const rounded = (coefficient: bigint, from: number, scale: number): string =>
  fromDecimal(rescale({ coefficient, scale: from }, scale))

/** @throws 2201E */
export function lnDecimal(a: string): string {
  if (a === NAN || a === INFINITY) return a
  const value = positive(finite(a))
  const scale = displayScale(SIGNIFICANT_DIGITS_MIN - lnWeight(value), value.scale)
  return rounded(lnTo(value, scale + GUARD), scale + GUARD, scale)
}

/** The logarithm of `a` to a base. @throws 2201E, 22012 for base 1 */
export function logDecimal(base: string, a: string): string {
  if (base === NAN || a === NAN) return NAN
  const bottom = positive(finite(base))
  const top = positive(finite(a))
  // Of the logarithms only their signs matter then.
  if (isSpecial(base) || isSpecial(a)) return divideDecimal(lnDecimal(a), lnDecimal(base))
  const weight = lnWeight(top) - lnWeight(bottom)
  const scale = displayScale(SIGNIFICANT_DIGITS_MIN - weight, bottom.scale, top.scale)
  const digits = scale + GUARD + Math.abs(weight) + 4
  const divisor = lnTo(bottom, digits)
  if (divisor === 0n) throw sqlError(SQLSTATE.divisionByZero, 'division by zero')
  return rounded((lnTo(top, digits) * tenTo(digits)) / divisor, digits, scale)
}

/** @throws 22003 */
export function expDecimal(a: string): string {
  if (isSpecial(a)) return a === MINUS_INFINITY ? '0' : a
  const value = toDecimal(a)
  // Where PostgreSQL draws the line.
  if (Math.abs(Number(a)) >= 6_000 && value.coefficient > 0n) throw overflow()
  const weight = Math.trunc(Number(a) * Math.LOG10E)
  if (weight > WHOLE_DIGITS_MAX) throw overflow()
  const scale = displayScale(SIGNIFICANT_DIGITS_MIN - Math.max(weight, -2_000), value.scale)
  if (weight < -scale - 2) return rounded(0n, 0, scale)
  const digits = scale + Math.max(weight, 0) + GUARD
  return rounded(fixedExp(fixed(value, digits), tenTo(digits)), digits, scale)
}

/** @throws 2201F for zero to a negative power and roots of negative numbers, 22003 */
export function powerDecimal(a: string, b: string): string {
  if (isSpecial(a) || isSpecial(b)) return specialPower(a, b)
  const base = toDecimal(a)
  const power = toDecimal(b)
  if (base.coefficient === 0n && power.coefficient < 0n)
    throw sqlError(SQLSTATE.invalidArgumentForPowerFunction, 'zero raised to a negative power is undefined')
  if (power.coefficient % tenTo(power.scale) === 0n) {
    const whole = power.coefficient / tenTo(power.scale)
    if (whole >= -2_147_483_648n && whole <= 2_147_483_647n) return wholePower(base, Number(whole))
  }
  if (base.coefficient === 0n) return rounded(0n, 0, SIGNIFICANT_DIGITS_MIN)
  if (base.coefficient < 0n && power.coefficient % tenTo(power.scale) === 0n) {
    const size = powerDecimal(negateDecimal(a), b)
    return (power.coefficient / tenTo(power.scale)) % 2n === 0n ? size : negateDecimal(size)
  }
  if (base.coefficient < 0n)
    throw sqlError(
      SQLSTATE.invalidArgumentForPowerFunction,
      'a negative number raised to a non-integer power yields a complex result',
    )
  // The weight of the result is estimated from as few digits of the logarithm as PostgreSQL takes.
  const log = Number(lnTo(base, 30)) / 1e30
  const few = Math.max(0, 8 - Math.floor(Math.log10(Math.abs(log) || 1)))
  const short = rounded(lnTo(base, 30), 30, few)
  const weight = Number(roundDecimal(multiplyDecimal(short, b), few)) * Math.LOG10E
  if (weight > WHOLE_DIGITS_MAX) throw overflow()
  const scale = displayScale(
    SIGNIFICANT_DIGITS_MIN - Math.trunc(Math.max(weight, -2_000)),
    base.scale,
    power.scale,
  )
  if (weight < -scale - 2) return rounded(0n, 0, scale)
  const size = Math.max(0, lengthOf(power.coefficient) - power.scale)
  const digits = scale + Math.max(Math.trunc(weight), 0) + size + GUARD
  const exponent = (lnTo(base, digits) * power.coefficient) / tenTo(power.scale)
  return rounded(fixedExp(exponent, tenTo(digits)), digits, scale)
}

/** As POSIX has it for doubles. */
function specialPower(a: string, b: string): string {
  const one = (text: string): boolean => !isSpecial(text) && Number(text) === 1
  // One to any power, and any number to zero, is one even for NaN.
  if (one(a) || signDecimal(b) === 0) return '1'
  if (a === NAN || b === NAN) return NAN
  if (isSpecial(b)) {
    const size = isSpecial(a) ? 2 : Math.abs(Number(a))
    if (size === 1) return '1'
    if (signDecimal(a) === 0 && b === MINUS_INFINITY)
      throw sqlError(SQLSTATE.invalidArgumentForPowerFunction, 'zero raised to a negative power is undefined')
    return size > 1 === (b === INFINITY) ? INFINITY : '0'
  }
  const { coefficient, scale } = toDecimal(b)
  if (coefficient < 0n) return '0'
  const whole = coefficient % tenTo(scale) === 0n
  if (a === MINUS_INFINITY && !whole)
    throw sqlError(
      SQLSTATE.invalidArgumentForPowerFunction,
      'a negative number raised to a non-integer power yields a complex result',
    )
  return a === INFINITY || (coefficient / tenTo(scale)) % 2n === 0n ? INFINITY : MINUS_INFINITY
}

/** Squares and multiplies, with only as many digits as the result can show. */
function wholePower(base: Decimal, exponent: number): string {
  const scale = displayScale(SIGNIFICANT_DIGITS_MIN, base.scale)
  if (exponent === 0) return rounded(1n, 0, scale)
  if (base.coefficient === 0n) return rounded(0n, 0, scale)
  const magnitude = lengthOf(base.coefficient)
  const log = Math.log10(Number(`0.${String(base.coefficient).replace('-', '')}`)) + magnitude - base.scale
  const weight = log * exponent
  if (weight > WHOLE_DIGITS_MAX) throw overflow()
  if (weight < -scale - 1) return rounded(0n, 0, scale)
  const digits =
    Math.ceil(Math.max(weight, 0)) + scale + GUARD + Math.ceil(Math.log10(Math.abs(exponent))) + 8
  const trim = (value: Decimal): Decimal => {
    const excess = lengthOf(value.coefficient) - digits
    return excess <= 0
      ? value
      : { coefficient: value.coefficient / tenTo(excess), scale: value.scale - excess }
  }
  let result: Decimal = { coefficient: 1n, scale: 0 }
  let square = base
  for (let rest = Math.abs(exponent); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1)
      result = trim({
        coefficient: result.coefficient * square.coefficient,
        scale: result.scale + square.scale,
      })
    if (rest > 1)
      square = trim({ coefficient: square.coefficient * square.coefficient, scale: square.scale * 2 })
  }
  if (exponent < 0) {
    // 1 / (c·10^−s) with enough digits behind the point.
    const places = Math.max(0, scale + GUARD)
    const shift = places + result.scale
    const numerator = shift >= 0 ? tenTo(shift) : 1n
    const divisor = shift >= 0 ? result.coefficient : result.coefficient * tenTo(-shift)
    return rounded(numerator / divisor, places, scale)
  }
  return result.scale >= 0
    ? rounded(result.coefficient, result.scale, scale)
    : rounded(result.coefficient * tenTo(-result.scale), 0, scale)
}
