import { SQLSTATE, sqlError } from '../errors.ts'
import { outOfRange, toSingle } from '../types/convert.ts'
import {
  absDecimal,
  addDecimal,
  divideDecimal,
  divisionByZero,
  moduloDecimal,
  multiplyDecimal,
  negateDecimal,
  subtractDecimal,
} from '../types/decimal.ts'
import { BIGINT, INTEGER, SMALLINT } from '../types/type.ts'
import { fn } from './define.ts'
import type { Capture, ScalarFunction } from './function.ts'
import { powerDecimal, powerFloat } from './power.ts'

/** @throws 22003 when a sum or product has left the range. Also turns −0 into 0. */
export function checkInteger(value: number): number {
  const cut = value | 0
  if (cut !== value) throw outOfRange(INTEGER)
  return cut
}

export function checkSmallint(value: number): number {
  if (value > 32_767 || value < -32_768) throw outOfRange(SMALLINT)
  return value + 0
}

export function checkBigint(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw outOfRange(BIGINT)
  return value
}

/** Cuts towards zero. @throws 22012 */
export function divideInteger(a: number, b: number): number {
  if (b === 0) throw divisionByZero()
  return checkInteger(Math.trunc(a / b))
}

export function moduloInteger(a: number, b: number): number {
  if (b === 0) throw divisionByZero()
  return (a % b) | 0
}

export function divideBigint(a: bigint, b: bigint): bigint {
  if (b === 0n) throw divisionByZero()
  return checkBigint(a / b)
}

export function moduloBigint(a: bigint, b: bigint): bigint {
  if (b === 0n) throw divisionByZero()
  return a % b
}

const overflow = () => sqlError(SQLSTATE.numericValueOutOfRange, 'value out of range: overflow')
const underflow = () => sqlError(SQLSTATE.numericValueOutOfRange, 'value out of range: underflow')

/** An infinity must come from one. */
function checkFloat(value: number, a: number, b: number): number {
  if (Number.isFinite(value) || Number.isNaN(value)) return value
  if (Number.isFinite(a) && Number.isFinite(b)) throw overflow()
  return value
}

export const addFloat = (a: number, b: number): number => checkFloat(a + b, a, b)
export const subtractFloat = (a: number, b: number): number => checkFloat(a - b, a, b)

export function multiplyFloat(a: number, b: number): number {
  const product = checkFloat(a * b, a, b)
  if (product === 0 && a !== 0 && b !== 0) throw underflow()
  return product
}

export function divideFloat(a: number, b: number): number {
  if (b === 0 && !Number.isNaN(a)) throw divisionByZero()
  const quotient = a / b
  if (!Number.isFinite(quotient) && Number.isFinite(a)) return checkFloat(quotient, a, b)
  if (quotient === 0 && a !== 0 && Number.isFinite(b)) throw underflow()
  return quotient
}

const checked =
  (sign: string, check: unknown) =>
  ([a, b]: readonly string[], capture: Capture): string =>
    `${capture(check)}(${a} ${sign} ${b})`

const called =
  (impl: unknown) =>
  (args: readonly string[], capture: Capture): string =>
    `${capture(impl)}(${args.join(', ')})`

const single =
  (impl: (a: number, b: number) => number) =>
  (a: number, b: number): number =>
    toSingle(impl(a, b))

type FloatOperation = (a: number, b: number) => number

/** Real with real stays real; with a double it becomes one. */
const floats = (sign: string, impl: FloatOperation): ScalarFunction[] => [
  fn(sign, ['real', 'real'], 'real', single(impl)),
  fn(sign, ['real', 'double'], 'double', impl, { js: called(impl) }),
  fn(sign, ['double', 'real'], 'double', impl, { js: called(impl) }),
  fn(sign, ['double', 'double'], 'double', impl, { js: called(impl) }),
]

export const arithmetic: readonly ScalarFunction[] = [
  fn('+', ['smallint', 'smallint'], 'smallint', (a, b) => checkSmallint(a + b)),
  fn('+', ['integer', 'integer'], 'integer', (a, b) => checkInteger(a + b), {
    js: checked('+', checkInteger),
  }),
  fn('+', ['bigint', 'bigint'], 'bigint', (a, b) => checkBigint(a + b), { js: checked('+', checkBigint) }),
  fn('+', ['numeric', 'numeric'], 'numeric', addDecimal),
  ...floats('+', addFloat),
  fn('-', ['smallint', 'smallint'], 'smallint', (a, b) => checkSmallint(a - b)),
  fn('-', ['integer', 'integer'], 'integer', (a, b) => checkInteger(a - b), {
    js: checked('-', checkInteger),
  }),
  fn('-', ['bigint', 'bigint'], 'bigint', (a, b) => checkBigint(a - b), { js: checked('-', checkBigint) }),
  fn('-', ['numeric', 'numeric'], 'numeric', subtractDecimal),
  ...floats('-', subtractFloat),
  fn('*', ['smallint', 'smallint'], 'smallint', (a, b) => checkSmallint(a * b)),
  fn('*', ['integer', 'integer'], 'integer', (a, b) => checkInteger(a * b), {
    js: checked('*', checkInteger),
  }),
  fn('*', ['bigint', 'bigint'], 'bigint', (a, b) => checkBigint(a * b), { js: checked('*', checkBigint) }),
  fn('*', ['numeric', 'numeric'], 'numeric', multiplyDecimal),
  ...floats('*', multiplyFloat),
  fn('/', ['smallint', 'smallint'], 'smallint', (a, b) => checkSmallint(divideInteger(a, b))),
  fn('/', ['integer', 'integer'], 'integer', divideInteger, { js: called(divideInteger) }),
  fn('/', ['bigint', 'bigint'], 'bigint', divideBigint, { js: called(divideBigint) }),
  fn('/', ['numeric', 'numeric'], 'numeric', divideDecimal),
  ...floats('/', divideFloat),
  ...['%', 'mod'].flatMap((name) => [
    fn(name, ['smallint', 'smallint'], 'smallint', moduloInteger),
    fn(name, ['integer', 'integer'], 'integer', moduloInteger, { js: called(moduloInteger) }),
    fn(name, ['bigint', 'bigint'], 'bigint', moduloBigint, { js: called(moduloBigint) }),
    fn(name, ['numeric', 'numeric'], 'numeric', moduloDecimal),
  ]),
  ...['^', 'power', 'pow'].flatMap((name) => [
    fn(name, ['numeric', 'numeric'], 'numeric', powerDecimal),
    fn(name, ['double', 'double'], 'double', powerFloat),
  ]),
  fn('-', ['smallint'], 'smallint', (a) => checkSmallint(-a)),
  fn('-', ['integer'], 'integer', (a) => checkInteger(-a), {
    js: ([a], capture) => `${capture(checkInteger)}(-${a})`,
  }),
  fn('-', ['bigint'], 'bigint', (a) => checkBigint(-a)),
  fn('-', ['numeric'], 'numeric', negateDecimal),
  fn('-', ['real'], 'real', (a) => -a),
  fn('-', ['double'], 'double', (a) => -a),
  ...(['smallint', 'integer', 'bigint', 'numeric', 'real', 'double'] as const).map((id) =>
    fn('+', [id], id, (a) => a),
  ),
  ...['@', 'abs'].flatMap((name) => [
    fn(name, ['smallint'], 'smallint', (a) => checkSmallint(Math.abs(a))),
    fn(name, ['integer'], 'integer', (a) => checkInteger(Math.abs(a))),
    fn(name, ['bigint'], 'bigint', (a) => checkBigint(a < 0n ? -a : a)),
    fn(name, ['numeric'], 'numeric', absDecimal),
    fn(name, ['real'], 'real', Math.abs),
    fn(name, ['double'], 'double', Math.abs),
  ]),
  // Bits.
  fn('&', ['integer', 'integer'], 'integer', (a, b) => a & b),
  fn('&', ['bigint', 'bigint'], 'bigint', (a, b) => a & b),
  fn('|', ['integer', 'integer'], 'integer', (a, b) => a | b),
  fn('|', ['bigint', 'bigint'], 'bigint', (a, b) => a | b),
  fn('#', ['integer', 'integer'], 'integer', (a, b) => a ^ b),
  fn('#', ['bigint', 'bigint'], 'bigint', (a, b) => a ^ b),
  fn('~', ['integer'], 'integer', (a) => ~a),
  fn('~', ['bigint'], 'bigint', (a) => ~a),
  fn('<<', ['integer', 'integer'], 'integer', (a, b) => a << b),
  fn('<<', ['bigint', 'integer'], 'bigint', (a, b) => BigInt.asIntN(64, a << BigInt(b & 63))),
  fn('>>', ['integer', 'integer'], 'integer', (a, b) => a >> b),
  fn('>>', ['bigint', 'integer'], 'bigint', (a, b) => a >> BigInt(b & 63)),
]
