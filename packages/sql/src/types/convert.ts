import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { isSpecial, parseDecimal, roundDecimal } from './decimal.ts'
import { type SqlType, typeName } from './type.ts'

/** @throws 22003 */
export const outOfRange = (type: SqlType) =>
  sqlError(SQLSTATE.numericValueOutOfRange, `${typeName(type)} out of range`)

const limits: Readonly<Record<string, number>> = { smallint: 32_768, integer: 2_147_483_648 }
const BIGINT_BOUND = 9_223_372_036_854_775_808n

/** A whole number into an integer type. @throws 22003 */
export function toWhole(type: SqlType, value: number | bigint): number | bigint {
  if (type.id === 'bigint') {
    const wide = BigInt(value)
    if (wide >= BIGINT_BOUND || wide < -BIGINT_BOUND) throw outOfRange(type)
    return wide
  }
  const limit = limits[type.id] ?? 0
  if (value >= limit || value < -limit) throw outOfRange(type)
  return Number(value)
}

/** Halves go to the even neighbour, as the processor rounds. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest < 0.5) return floor
  if (rest > 0.5) return floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

/** @throws 22003, also for NaN and the infinities */
export function floatToWhole(type: SqlType, value: number): number | bigint {
  if (!Number.isFinite(value)) throw outOfRange(type)
  return toWhole(type, roundHalfEven(value) + 0)
}

/** @throws 22003; 0A000 for NaN and the infinities */
export function decimalToWhole(type: SqlType, value: string): number | bigint {
  if (isSpecial(value))
    throw sqlError(
      SQLSTATE.featureNotSupported,
      `cannot convert ${value === 'NaN' ? 'NaN' : 'infinity'} to ${typeName(type)}`,
    )
  return toWhole(type, BigInt(roundDecimal(value, 0)))
}

/** With as many digits as the type is sure of: 15, or 6 of a real. */
export function floatToDecimal(value: number, single: boolean): string {
  if (!Number.isFinite(value)) return String(value)
  const shown = value.toPrecision(single ? 6 : 15)
  const [digits = '', power] = shown.split('e')
  const short = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits
  return parseDecimal(power === undefined ? short : `${short}e${power}`) ?? 'NaN'
}

/** @throws 22003 when it becomes infinite, or nothing */
export function toSingle(value: number): number {
  const single = Math.fround(value)
  if (!Number.isFinite(single) && Number.isFinite(value))
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'value out of range: overflow')
  if (single === 0 && value !== 0)
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'value out of range: underflow')
  return single
}

/** @throws 22003 when it becomes infinite */
export function decimalToFloat(value: string, type: SqlType): number {
  const exact = Number(value)
  const number = type.id === 'real' ? Math.fround(exact) : exact
  const lost = number === 0 && /[1-9]/.test(value)
  if ((!Number.isFinite(number) && !isSpecial(value)) || lost)
    throw sqlError(SQLSTATE.numericValueOutOfRange, `"${value}" is out of range for type ${typeName(type)}`)
  return number
}

/** The identity, where a cast changes nothing but the type's name. */
export const same = (value: Value): Value => value
