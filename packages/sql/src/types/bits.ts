import { SQLSTATE, sqlError } from '../errors.ts'
import { type SqlType, typeName } from './type.ts'

/**
 * Fits a string of bits into bit(n) or bit varying(n): an explicit cast cuts on the right and fills up with zeros.
 * @throws 22026 for bit(n) of another length, 22001 for a bit varying(n) that is too long
 */
export function fitBits(type: SqlType, bits: string, explicit: boolean): string {
  const { length } = type
  if (length === null) return bits
  if (type.id === 'bit') {
    if (bits.length === length) return bits
    if (explicit) return bits.slice(0, length).padEnd(length, '0')
    throw sqlError('22026', `bit string length ${bits.length} does not match type bit(${length})`)
  }
  if (bits.length <= length) return bits
  if (explicit) return bits.slice(0, length)
  throw sqlError(SQLSTATE.stringDataRightTruncation, `bit string too long for type bit varying(${length})`)
}

/** `101`, `b101` or `x5f`. @throws 22P02, and as `fitBits` */
export function parseBits(type: SqlType, text: string): string {
  const hex = /^[xX]/.test(text)
  const digits = /^[bBxX]/.test(text) ? text.slice(1) : text
  const bad = (hex ? /[^0-9a-fA-F]/ : /[^01]/).exec(digits)
  if (bad !== null)
    throw sqlError(
      SQLSTATE.invalidTextRepresentation,
      `"${bad[0]}" is not a valid ${hex ? 'hexadecimal' : 'binary'} digit`,
    )
  return fitBits(type, hex ? bitsOfHex(digits) : digits, false)
}

/** Four bits a digit. */
const bitsOfHex = (digits: string): string =>
  [...digits].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('')

/** The whole number that the bits are, read as two's complement of `width` bits. @throws 22003 when they are more */
export function bitsToWhole(bits: string, width: 32 | 64, type: SqlType): bigint {
  if (bits.length > width) throw sqlError(SQLSTATE.numericValueOutOfRange, `${typeName(type)} out of range`)
  return BigInt.asIntN(width, bits === '' ? 0n : BigInt(`0b${bits}`))
}

/** The lowest `length` bits of a whole number, its sign repeated to the left. */
export function wholeToBits(value: bigint, length: number): string {
  return BigInt.asUintN(length, value).toString(2).padStart(length, '0').slice(-length)
}
