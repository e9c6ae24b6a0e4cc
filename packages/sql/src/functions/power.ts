import { SQLSTATE, sqlError } from '../errors.ts'

export { powerDecimal } from '../types/decimal-math.ts'

/** @throws 2201F for zero to a negative power and roots of negative numbers, 22003 */
export function powerFloat(a: number, b: number): number {
  if (a === 1 || b === 0) return 1
  if (a === 0 && b < 0)
    throw sqlError(SQLSTATE.invalidArgumentForPowerFunction, 'zero raised to a negative power is undefined')
  if (a < 0 && Number.isFinite(b) && !Number.isInteger(b))
    throw sqlError(
      SQLSTATE.invalidArgumentForPowerFunction,
      'a negative number raised to a non-integer power yields a complex result',
    )
  if (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) return 1
  const result = a ** b
  const finite = Number.isFinite(a) && Number.isFinite(b)
  if (finite && !Number.isFinite(result))
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'value out of range: overflow')
  if (finite && result === 0 && a !== 0)
    throw sqlError(SQLSTATE.numericValueOutOfRange, 'value out of range: underflow')
  return result
}
