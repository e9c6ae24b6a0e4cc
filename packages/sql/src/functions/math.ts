import { SQLSTATE, sqlError } from '../errors.ts'
import { roundHalfEven } from '../types/convert.ts'
import {
  ceilDecimal,
  divideWholeDecimal,
  floorDecimal,
  isSpecial,
  roundDecimal,
  signDecimal,
  sqrtDecimal,
  toDecimal,
  truncateDecimal,
} from '../types/decimal.ts'
import { expDecimal, lnDecimal, logDecimal } from '../types/decimal-math.ts'
import { doubleText } from '../types/float-text.ts'
import { checkBigint, checkInteger } from './arithmetic.ts'
import { contextual, fn } from './define.ts'
import type { ScalarFunction } from './function.ts'
import { numbers } from './numbers.ts'

/** @throws 2201E for zero and negative numbers */
function logarithm(value: number, log: (value: number) => number): number {
  if (value === 0) throw sqlError(SQLSTATE.invalidArgumentForLogarithm, 'cannot take logarithm of zero')
  if (value < 0)
    throw sqlError(SQLSTATE.invalidArgumentForLogarithm, 'cannot take logarithm of a negative number')
  return log(value)
}

/** @throws 2201F */
function root(value: number): number {
  if (value < 0)
    throw sqlError(SQLSTATE.invalidArgumentForPowerFunction, 'cannot take square root of a negative number')
  return Math.sqrt(value)
}

/** @throws 22003 */
function exponential(value: number): number {
  const result = Math.exp(value)
  if (!Number.isFinite(result) && Number.isFinite(value))
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'value out of range: overflow')
  if (result === 0 && Number.isFinite(value))
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'value out of range: underflow')
  return result
}

/** @throws 22003 outside of −1 … 1 */
function arc(value: number, inverse: (value: number) => number): number {
  if (value < -1 || value > 1) throw sqlError(SQLSTATE.numericValueOutOfRange, 'input is out of range')
  return inverse(value)
}

/** @throws 22003 for what is infinite */
const ofAngle =
  (inner: (value: number) => number) =>
  (value: number): number => {
    if (Math.abs(value) === Number.POSITIVE_INFINITY)
      throw sqlError(SQLSTATE.numericValueOutOfRange, 'input is out of range')
    return inner(value)
  }

function greatestDivisor(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a
  let y = b < 0n ? -b : b
  while (y !== 0n) [x, y] = [y, x % y]
  return x
}

function leastMultiple(a: bigint, b: bigint): bigint {
  if (a === 0n || b === 0n) return 0n
  const product = (a / greatestDivisor(a, b)) * b
  return product < 0n ? -product : product
}

export const mathFunctions: readonly ScalarFunction[] = [
  ...['ceil', 'ceiling'].flatMap((name) => [
    fn(name, ['numeric'], 'numeric', ceilDecimal),
    fn(name, ['double'], 'double', Math.ceil),
  ]),
  fn('floor', ['numeric'], 'numeric', floorDecimal),
  fn('floor', ['double'], 'double', Math.floor),
  fn('round', ['numeric'], 'numeric', (value) => roundDecimal(value, 0)),
  fn('round', ['numeric', 'integer'], 'numeric', roundDecimal),
  fn('round', ['double'], 'double', (value) => {
    const whole = Number.isFinite(value) ? roundHalfEven(value) : value
    return whole === 0 && (value < 0 || Object.is(value, -0)) ? -0 : whole
  }),
  fn('trunc', ['numeric'], 'numeric', (value) => truncateDecimal(value, 0)),
  fn('trunc', ['numeric', 'integer'], 'numeric', truncateDecimal),
  fn('trunc', ['double'], 'double', Math.trunc),
  fn('sign', ['numeric'], 'numeric', (value) => (value === 'NaN' ? value : String(signDecimal(value)))),
  fn('sign', ['double'], 'double', (value) => (Number.isNaN(value) ? 0 : Math.sign(value) + 0)),
  fn('scale', ['numeric'], 'integer', (value) => (isSpecial(value) ? null : toDecimal(value).scale)),
  fn('div', ['numeric', 'numeric'], 'numeric', divideWholeDecimal),
  ...['sqrt', '|/'].flatMap((name) => [
    fn(name, ['double'], 'double', root),
    ...(name === 'sqrt' ? [fn(name, ['numeric'], 'numeric', sqrtDecimal)] : []),
  ]),
  ...['cbrt', '||/'].map((name) => fn(name, ['double'], 'double', Math.cbrt)),
  fn('exp', ['double'], 'double', exponential),
  fn('exp', ['numeric'], 'numeric', expDecimal),
  fn('ln', ['double'], 'double', (value) => logarithm(value, Math.log)),
  fn('ln', ['numeric'], 'numeric', lnDecimal),
  ...['log', 'log10'].flatMap((name) => [
    fn(name, ['double'], 'double', (value) => logarithm(value, Math.log10)),
    fn(name, ['numeric'], 'numeric', (value) => logDecimal('10', value)),
  ]),
  fn('log', ['numeric', 'numeric'], 'numeric', logDecimal),
  fn('gcd', ['integer', 'integer'], 'integer', (a, b) =>
    checkInteger(Number(greatestDivisor(BigInt(a), BigInt(b)))),
  ),
  fn('gcd', ['bigint', 'bigint'], 'bigint', (a, b) => checkBigint(greatestDivisor(a, b))),
  fn('lcm', ['integer', 'integer'], 'integer', (a, b) =>
    checkInteger(Number(leastMultiple(BigInt(a), BigInt(b)))),
  ),
  fn('lcm', ['bigint', 'bigint'], 'bigint', (a, b) => checkBigint(leastMultiple(a, b))),
  fn('pi', [], 'double', () => Math.PI),
  fn('sin', ['double'], 'double', ofAngle(Math.sin)),
  fn('cos', ['double'], 'double', ofAngle(Math.cos)),
  fn('tan', ['double'], 'double', ofAngle(Math.tan)),
  fn(
    'cot',
    ['double'],
    'double',
    ofAngle((value) => 1 / Math.tan(value)),
  ),
  fn('asin', ['double'], 'double', (value) => arc(value, Math.asin)),
  fn('acos', ['double'], 'double', (value) => arc(value, Math.acos)),
  fn('atan', ['double'], 'double', Math.atan),
  fn('atan2', ['double', 'double'], 'double', Math.atan2),
  contextual('random', [], 'double', 'volatile', (context) => context.random()),
  contextual('setseed', ['double'], 'text', 'volatile', (context, seed) => {
    // NaN is no number between the two either.
    if (!(Math.abs(Number(seed)) <= 1))
      throw sqlError(
        SQLSTATE.invalidParameterValue,
        `setseed parameter ${doubleText(Number(seed))} is out of allowed range [-1,1]`,
      )
    context.seed(Number(seed))
    return ''
  }),
  ...numbers,
]
