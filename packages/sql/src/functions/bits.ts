import { SQLSTATE, sqlError } from '../errors.ts'
import { fn } from './define.ts'
import type { ScalarFunction } from './function.ts'

/** Digit by digit. @throws 22026 */
function combined(word: string, a: string, b: string, digit: (x: string, y: string) => boolean): string {
  if (a.length !== b.length) throw sqlError('22026', `cannot ${word} bit strings of different sizes`)
  return [...a].map((x, i) => (digit(x, b.charAt(i)) ? '1' : '0')).join('')
}

/** The length stays: what is shifted out is gone. */
function shifted(bits: string, count: number): string {
  const { length } = bits
  if (Math.abs(count) >= length) return '0'.repeat(length)
  return count >= 0
    ? bits.slice(count).padEnd(length, '0')
    : bits.slice(0, length + count).padStart(length, '0')
}

/** @param count null: to the end */
function part(bits: string, start: number, count: number | null): string {
  if (count !== null && count < 0)
    throw sqlError(SQLSTATE.substringError, 'negative substring length not allowed')
  return bits.slice(Math.max(start - 1, 0), count === null ? undefined : Math.max(start - 1 + count, 0))
}

function overlaid(bits: string, put: string, start: number, count: number): string {
  if (start <= 0) throw sqlError(SQLSTATE.substringError, 'negative substring length not allowed')
  return part(bits, 1, start - 1) + put + part(bits, start + count, null)
}

function checkIndex(index: number, length: number): number {
  if (index >= 0 && index < length) return index
  throw sqlError('2202E', `bit index ${index} out of valid range (0..${length - 1})`)
}

const ones = (bits: string): bigint => BigInt(bits.replaceAll('0', '').length)

/** Operators and functions of bit strings. Values are strings of the digits 0 and 1. */
export const bitFunctions: readonly ScalarFunction[] = [
  fn('||', ['varbit', 'varbit'], 'varbit', (a, b) => a + b),
  fn('&', ['bit', 'bit'], 'bit', (a, b) => combined('AND', a, b, (x, y) => x === '1' && y === '1')),
  fn('|', ['bit', 'bit'], 'bit', (a, b) => combined('OR', a, b, (x, y) => x === '1' || y === '1')),
  fn('#', ['bit', 'bit'], 'bit', (a, b) => combined('XOR', a, b, (x, y) => x !== y)),
  fn('~', ['bit'], 'bit', (bits) => [...bits].map((x) => (x === '1' ? '0' : '1')).join('')),
  fn('<<', ['bit', 'integer'], 'bit', shifted),
  fn('>>', ['bit', 'integer'], 'bit', (bits, count) => shifted(bits, -count)),
  fn('length', ['bit'], 'integer', (bits) => bits.length),
  fn('bit_length', ['bit'], 'integer', (bits) => bits.length),
  fn('octet_length', ['bit'], 'integer', (bits) => Math.ceil(bits.length / 8)),
  fn('bit_count', ['bit'], 'bigint', ones),
  fn('get_bit', ['bit', 'integer'], 'integer', (bits, at) => Number(bits[checkIndex(at, bits.length)])),
  fn('set_bit', ['bit', 'integer', 'integer'], 'bit', (bits, at, value) => {
    const index = checkIndex(at, bits.length)
    if (value !== 0 && value !== 1) throw sqlError(SQLSTATE.invalidParameterValue, 'new bit must be 0 or 1')
    return bits.slice(0, index) + String(value) + bits.slice(index + 1)
  }),
  fn('substring', ['bit', 'integer'], 'bit', (bits, start) => part(bits, start, null)),
  fn('substring', ['bit', 'integer', 'integer'], 'bit', part),
  fn('position', ['bit', 'bit'], 'integer', (bits, wanted) => bits.indexOf(wanted) + 1),
  fn('overlay', ['bit', 'bit', 'integer'], 'bit', (bits, put, start) =>
    overlaid(bits, put, start, put.length),
  ),
  fn('overlay', ['bit', 'bit', 'integer', 'integer'], 'bit', overlaid),
]
