import { SQLSTATE, sqlError } from '../errors.ts'

/** `coefficient × 10^−scale`: `1.50` is 150 at scale 2. */
export interface Decimal {
  readonly coefficient: bigint
  readonly scale: number
}

/** PostgreSQL's bounds. */
const SCALE_MAX = 16_383
const DISPLAY_SCALE_MAX = 1_000
const WHOLE_DIGITS_MAX = 131_072
const SIGNIFICANT_DIGITS_MIN = 16

export const NAN = 'NaN'
export const INFINITY = 'Infinity'
export const MINUS_INFINITY = '-Infinity'

/** True for NaN and the infinities, whose texts alone do not end with a digit. */
export const isSpecial = (text: string): boolean => text.charCodeAt(text.length - 1) > 57

/** What an operation gives when a side is special: the sign is all that matters of a finite one. */
function specially(a: string, b: string, operation: (a: number, b: number) => number): string {
  return String(operation(rough(a), rough(b)))
}

const rough = (text: string): number => (isSpecial(text) ? Number(text) : signDecimal(text))

const powers: bigint[] = [1n]
/** 10^exponent; exponent ≥ 0. */
export function tenTo(exponent: number): bigint {
  for (let i = powers.length; i <= exponent && i <= 64; i++) powers.push((powers[i - 1] ?? 1n) * 10n)
  return powers[exponent] ?? 10n ** BigInt(exponent)
}

/** Reads canonical text of a finite number. */
export function toDecimal(text: string): Decimal {
  const point = text.indexOf('.')
  if (point < 0) return { coefficient: BigInt(text), scale: 0 }
  return {
    coefficient: BigInt(text.slice(0, point) + text.slice(point + 1)),
    scale: text.length - point - 1,
  }
}

/** Canonical text: no plus, no exponent, one zero before a bare point; the scale shows as digits. */
export function fromDecimal({ coefficient, scale }: Decimal): string {
  if (scale === 0) return coefficient.toString()
  const negative = coefficient < 0n
  const digits = (negative ? -coefficient : coefficient).toString().padStart(scale + 1, '0')
  const whole = digits.length - scale
  return `${negative ? '-' : ''}${digits.slice(0, whole)}.${digits.slice(whole)}`
}

/** `a / b` rounded to a whole number, halves away from zero; b > 0. */
function divideRounded(a: bigint, b: bigint): bigint {
  const twice = (a < 0n ? -a : a) * 2n + b
  const rounded = twice / (b * 2n)
  return a < 0n ? -rounded : rounded
}

/** The same value at another scale (≥ 0), rounded half away from zero. */
export function rescale(value: Decimal, scale: number): Decimal {
  if (scale === value.scale) return value
  const coefficient =
    scale > value.scale
      ? value.coefficient * tenTo(scale - value.scale)
      : divideRounded(value.coefficient, tenTo(value.scale - scale))
  return { coefficient, scale }
}

const digitsOf = (value: bigint): number => (value < 0n ? -value : value).toString().length

const overflow = () => sqlError(SQLSTATE.numericValueOutOfRange, 'value overflows numeric format')

const inBounds = (value: Decimal): Decimal => {
  if (digitsOf(value.coefficient) - value.scale > WHOLE_DIGITS_MAX) throw overflow()
  return value
}

/** Brings two to one scale. */
function aligned(a: string, b: string): { readonly x: bigint; readonly y: bigint; readonly scale: number } {
  const left = toDecimal(a)
  const right = toDecimal(b)
  const scale = Math.max(left.scale, right.scale)
  return { x: rescale(left, scale).coefficient, y: rescale(right, scale).coefficient, scale }
}

export function addDecimal(a: string, b: string): string {
  if (isSpecial(a) || isSpecial(b)) return specially(a, b, (a, b) => a + b)
  const { x, y, scale } = aligned(a, b)
  return fromDecimal(inBounds({ coefficient: x + y, scale }))
}

export function subtractDecimal(a: string, b: string): string {
  if (isSpecial(a) || isSpecial(b)) return specially(a, b, (a, b) => a - b)
  const { x, y, scale } = aligned(a, b)
  return fromDecimal(inBounds({ coefficient: x - y, scale }))
}

export function multiplyDecimal(a: string, b: string): string {
  if (isSpecial(a) || isSpecial(b)) return specially(a, b, (a, b) => a * b)
  const left = toDecimal(a)
  const right = toDecimal(b)
  const scale = left.scale + right.scale
  const product = { coefficient: left.coefficient * right.coefficient, scale }
  return fromDecimal(inBounds(scale > SCALE_MAX ? rescale(product, SCALE_MAX) : product))
}

/** The place of the first digit in base 10,000, and that digit, as PostgreSQL keeps numbers. */
function leading({ coefficient, scale }: Decimal): { readonly weight: number; readonly digit: number } {
  if (coefficient === 0n) return { weight: 0, digit: 0 }
  const text = (coefficient < 0n ? -coefficient : coefficient).toString()
  const exponent = text.length - scale - 1
  const weight = Math.floor(exponent / 4)
  const width = exponent - weight * 4 + 1
  return { weight, digit: Number(text.slice(0, width).padEnd(width, '0')) }
}

const boundedScale = (wanted: number, ...least: readonly number[]): number =>
  Math.min(Math.max(wanted, 0, ...least), DISPLAY_SCALE_MAX)

/** At least 16 significant digits, and no fewer decimals than either side has. @throws 22012 */
export function divideDecimal(a: string, b: string): string {
  if (isSpecial(a) || isSpecial(b)) return divideSpecially(a, b)
  const left = toDecimal(a)
  const right = toDecimal(b)
  if (right.coefficient === 0n) throw divisionByZero()
  const top = leading(left)
  const bottom = leading(right)
  const weight = top.weight - bottom.weight - (top.digit <= bottom.digit ? 1 : 0)
  const scale = boundedScale(SIGNIFICANT_DIGITS_MIN - weight * 4, left.scale, right.scale)
  return fromDecimal(inBounds(quotient(left, right, scale)))
}

function divideSpecially(a: string, b: string): string {
  if (a !== NAN && signDecimal(b) === 0) throw divisionByZero()
  return specially(a, b, (a, b) => a / b + 0)
}

function quotient(left: Decimal, right: Decimal, scale: number): Decimal {
  const shift = scale - left.scale + right.scale
  let x = left.coefficient
  let y = right.coefficient
  if (shift >= 0) x *= tenTo(shift)
  else y *= tenTo(-shift)
  if (y < 0n) {
    x = -x
    y = -y
  }
  return { coefficient: divideRounded(x, y), scale }
}

/** The rest has the sign of the dividend. @throws 22012 */
export function moduloDecimal(a: string, b: string): string {
  if (a === NAN || b === NAN) return NAN
  if (isSpecial(a)) return signDecimal(b) === 0 ? divideSpecially(a, b) : NAN
  if (isSpecial(b)) return a
  const { x, y, scale } = aligned(a, b)
  if (y === 0n) throw divisionByZero()
  return fromDecimal({ coefficient: x % y, scale })
}

/** The quotient as a whole number, cut towards zero. @throws 22012 */
export function divideWholeDecimal(a: string, b: string): string {
  if (isSpecial(a) || isSpecial(b)) return divideSpecially(a, b)
  const { x, y } = aligned(a, b)
  if (y === 0n) throw divisionByZero()
  return (x / y).toString()
}

export const divisionByZero = () => sqlError(SQLSTATE.divisionByZero, 'division by zero')

export function negateDecimal(a: string): string {
  if (a === NAN) return NAN
  if (a.startsWith('-')) return a.slice(1)
  return signDecimal(a) === 0 ? a : `-${a}`
}

export const absDecimal = (a: string): string => (a.startsWith('-') ? a.slice(1) : a)

const specialRank = (text: string): number =>
  text === NAN ? 2 : text === INFINITY ? 1 : text === MINUS_INFINITY ? -1 : 0

/** Negative, 0 or positive. NaN is greater than every number and equal to itself. */
export function compareDecimal(a: string, b: string): number {
  if (a === b) return 0
  if (isSpecial(a) || isSpecial(b)) return specialRank(a) - specialRank(b)
  // Numbers that differ by more than their rounding are told apart without their digits.
  const difference = Number(a) - Number(b)
  if (Math.abs(difference) > 1e-14 * Math.abs(Number(a))) return difference < 0 ? -1 : 1
  const { x, y } = aligned(a, b)
  return x < y ? -1 : x > y ? 1 : 0
}

/** −1, 0 or 1; 1 for NaN. */
export const signDecimal = (a: string): number =>
  a.startsWith('-') ? -1 : isSpecial(a) || /[1-9]/.test(a) ? 1 : 0

/** To `digits` decimals, half away from zero; negative digits round to tens, hundreds, … */
export function roundDecimal(a: string, digits: number): string {
  if (isSpecial(a)) return a
  const bounded = Math.min(Math.max(digits, -WHOLE_DIGITS_MAX), SCALE_MAX)
  const value = toDecimal(a)
  if (bounded >= 0) return fromDecimal(inBounds(rescale(value, bounded)))
  const unit = tenTo(value.scale - bounded)
  return fromDecimal({ coefficient: divideRounded(value.coefficient, unit) * tenTo(-bounded), scale: 0 })
}

/** To `digits` decimals, towards zero. */
export function truncateDecimal(a: string, digits: number): string {
  if (isSpecial(a)) return a
  const bounded = Math.min(Math.max(digits, -WHOLE_DIGITS_MAX), SCALE_MAX)
  const value = toDecimal(a)
  if (bounded >= value.scale) return fromDecimal(rescale(value, bounded))
  const cut = value.coefficient / tenTo(value.scale - bounded)
  return bounded >= 0
    ? fromDecimal({ coefficient: cut, scale: bounded })
    : fromDecimal({ coefficient: cut * tenTo(-bounded), scale: 0 })
}

export function floorDecimal(a: string): string {
  if (isSpecial(a)) return a
  const { coefficient, scale } = toDecimal(a)
  const unit = tenTo(scale)
  const cut = coefficient / unit
  return (coefficient < 0n && cut * unit !== coefficient ? cut - 1n : cut).toString()
}

export const ceilDecimal = (a: string): string => negateDecimal(floorDecimal(negateDecimal(a)))

/** The square root by Newton's method on whole numbers. @throws 2201F for a negative number */
export function sqrtDecimal(a: string): string {
  if (a === NAN || a === INFINITY) return a
  const value = a === MINUS_INFINITY ? { coefficient: -1n, scale: 0 } : toDecimal(a)
  if (value.coefficient < 0n)
    throw sqlError(SQLSTATE.invalidArgumentForPowerFunction, 'cannot take square root of a negative number')
  const { weight } = leading(value)
  const places = Math.trunc(((weight + 1) * 4) / 2) - 1
  return rootTo(value, boundedScale(SIGNIFICANT_DIGITS_MIN - places, value.scale))
}

/** The square root with as many digits behind the point as the number has, as deviations have it. */
export function sqrtInScale(a: string): string {
  if (a === NAN || a === INFINITY) return a
  const value = toDecimal(a)
  return rootTo(value, value.scale)
}

function rootTo(value: Decimal, scale: number): string {
  // One digit more than wanted, then rounded: √(c·10^−s) = √(c·10^(2t−s))·10^−t.
  const digits = scale + 1
  const scaled = value.coefficient * tenTo(2 * digits - value.scale)
  const root = wholeRoot(scaled)
  // A root that was cut off cannot sit exactly on a half, unless it is exact.
  return fromDecimal(rescale({ coefficient: root, scale: digits }, scale))
}

function wholeRoot(value: bigint): bigint {
  if (value < 2n) return value
  let guess = 1n << BigInt((value.toString(2).length + 1) >> 1)
  for (;;) {
    const next = (guess + value / guess) >> 1n
    if (next >= guess) return guess
    guess = next
  }
}

/**
 * Reads what people and programs write: blanks around it, a sign, an exponent, `NaN`, `inf`.
 * @returns canonical text, or null when it is no number
 * @throws 22003 when it is too large
 */
export function parseDecimal(text: string): string | null {
  const trimmed = text.trim()
  if (/^nan$/i.test(trimmed)) return NAN
  if (/^[-+]?inf(?:inity)?$/i.test(trimmed)) return trimmed.startsWith('-') ? MINUS_INFINITY : INFINITY
  const match = /^([-+]?)(\d*)(?:\.(\d*))?(?:e([-+]?\d+))?$/i.exec(trimmed)
  if (match === null) return null
  const [, sign = '', whole = '', fraction = '', power = '0'] = match
  if (whole === '' && fraction === '') return null
  const exponent = Number(power)
  if (Math.abs(exponent) > WHOLE_DIGITS_MAX + SCALE_MAX) throw overflow()
  const coefficient = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n)
  const scale = fraction.length - exponent
  if (scale > SCALE_MAX) throw overflow()
  if (scale >= 0) return fromDecimal(inBounds({ coefficient, scale }))
  return fromDecimal(inBounds({ coefficient: coefficient * tenTo(-scale), scale: 0 }))
}

/** Rounds to the scale of `numeric(precision, scale)`. @throws 22003 when it does not fit */
export function fitDecimal(a: string, precision: number, scale: number): string {
  if (a === NAN) return NAN
  if (isSpecial(a))
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} cannot hold an infinite value.`,
    })
  const value = rescale(toDecimal(a), scale)
  const bound = tenTo(precision)
  if (value.coefficient >= bound || value.coefficient <= -bound) {
    const digits = precision - scale
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${
        digits === 0 ? '1' : `10^${digits}`
      }.`,
    })
  }
  return fromDecimal(scale < 0 ? rescale(value, 0) : value)
}
