import { SQLSTATE, sqlError } from '../errors.ts'
import { fn } from './define.ts'
import type { ScalarFunction } from './function.ts'

// In degrees the multiples of 30 and 45 have exact values. So the functions are put together from parts in which these
// lie at an end, each scaled by what the machine gives there.
const DEGREE = 0.017453292519943295

const range = () => sqlError(SQLSTATE.numericValueOutOfRange, 'input is out of range')

const SIN_30 = Math.sin(30 * DEGREE)
const ONE_MINUS_COS_60 = 1 - Math.cos(60 * DEGREE)
const ASIN_HALF = Math.asin(0.5)
const ACOS_HALF = Math.acos(0.5)
const ATAN_1 = Math.atan(1)

const sineTo30 = (value: number): number => Math.sin(value * DEGREE) / SIN_30 / 2
const cosineTo60 = (value: number): number => 1 - (1 - Math.cos(value * DEGREE)) / ONE_MINUS_COS_60 / 2
const sineTo90 = (value: number): number => (value <= 30 ? sineTo30(value) : cosineTo60(90 - value))
const cosineTo90 = (value: number): number => (value <= 60 ? cosineTo60(value) : sineTo30(90 - value))
const TAN_45 = sineTo90(45) / cosineTo90(45)
const COT_45 = cosineTo90(45) / sineTo90(45)

/** An angle as one from 0 to 90 degrees, and the quadrant it came from. @throws 22003 for infinite ones */
function folded(value: number): {
  readonly angle: number
  readonly negative: boolean
  readonly half: boolean
  readonly right: boolean
} {
  if (!Number.isFinite(value)) throw range()
  let angle = value % 360
  const negative = angle < 0
  if (negative) angle = -angle
  const half = angle > 180
  if (half) angle = 360 - angle
  const right = angle > 90
  if (right) angle = 180 - angle
  return { angle, negative, half, right }
}

const signed = (value: number, minus: boolean): number => (minus ? -value : value)
/** Zero has no sign here. */
const unsigned = (value: number): number => (value === 0 ? 0 : value)

/** NaN stays what it is. */
const known =
  (inner: (value: number) => number) =>
  (value: number): number =>
    Number.isNaN(value) ? value : inner(value)

const sind = known((value) => {
  const { angle, negative, half } = folded(value)
  return signed(sineTo90(angle), negative !== half)
})

const cosd = known((value) => {
  const { angle, right } = folded(value)
  return signed(cosineTo90(angle), right)
})

const tand = known((value) => {
  const { angle, negative, half, right } = folded(value)
  return unsigned(signed(sineTo90(angle) / cosineTo90(angle) / TAN_45, (negative !== half) !== right))
})

const cotd = known((value) => {
  const { angle, negative, half, right } = folded(value)
  return unsigned(signed(cosineTo90(angle) / sineTo90(angle) / COT_45, (negative !== half) !== right))
})

const arcSine = (value: number): number =>
  value <= 0.5 ? (Math.asin(value) / ASIN_HALF) * 30 : 90 - (Math.acos(value) / ACOS_HALF) * 60
const arcCosine = (value: number): number =>
  value <= 0.5 ? 90 - (Math.asin(value) / ASIN_HALF) * 30 : (Math.acos(value) / ACOS_HALF) * 60

const arc = (inner: (value: number) => number): ((value: number) => number) =>
  known((value) => {
    if (value < -1 || value > 1) throw range()
    return inner(value)
  })

/** @throws 22003 where the result is too large, or nothing though the angle is not */
function checked(result: number, value: number): number {
  if (!Number.isFinite(result) && Number.isFinite(value))
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'value out of range: overflow')
  if (result === 0 && value !== 0)
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'value out of range: underflow')
  return result
}

export const degreeFunctions: readonly ScalarFunction[] = [
  fn('degrees', ['double'], 'double', (value) => checked(value / DEGREE, value)),
  fn('radians', ['double'], 'double', (value) => checked(value * DEGREE, value)),
  fn('sind', ['double'], 'double', sind),
  fn('cosd', ['double'], 'double', cosd),
  fn('tand', ['double'], 'double', tand),
  fn('cotd', ['double'], 'double', cotd),
  fn(
    'asind',
    ['double'],
    'double',
    arc((value) => (value >= 0 ? arcSine(value) : -arcSine(-value))),
  ),
  fn(
    'acosd',
    ['double'],
    'double',
    arc((value) => (value >= 0 ? arcCosine(value) : 90 + arcSine(-value))),
  ),
  fn('atand', ['double'], 'double', (value) => (Math.atan(value) / ATAN_1) * 45),
  fn('atan2d', ['double', 'double'], 'double', (y, x) => (Math.atan2(y, x) / ATAN_1) * 45),
]
