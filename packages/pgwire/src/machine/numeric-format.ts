/**
 * PostgreSQL's binary numeric: digits to the base 10,000, each 16 bits.
 * @see PostgreSQL, src/backend/utils/adt/numeric.c, numeric_send: count, weight of the first digit, sign, scale, digits
 */
const BASE_DIGITS = 4
const SIGNS = { plus: 0x0000, minus: 0x4000, nan: 0xc000, infinity: 0xd000, minusInfinity: 0xf000 } as const
const SPECIAL: Readonly<Record<string, number>> = {
  NaN: SIGNS.nan,
  Infinity: SIGNS.infinity,
  '-Infinity': SIGNS.minusInfinity,
}

function pack(weight: number, sign: number, scale: number, digits: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 + digits.length * 2)
  const view = new DataView(bytes.buffer)
  view.setInt16(0, digits.length)
  view.setInt16(2, weight)
  view.setUint16(4, sign)
  view.setInt16(6, scale)
  for (const [i, digit] of digits.entries()) view.setInt16(8 + i * 2, digit)
  return bytes
}

/** @param text plain decimal text, such as `-12.50`, or NaN, Infinity, -Infinity */
export function encodeNumeric(text: string): Uint8Array {
  const special = SPECIAL[text]
  if (special !== undefined) return pack(0, special, 0, [])
  const negative = text.startsWith('-')
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.')
  const digits: number[] = []
  const padded = whole.padStart(Math.ceil(whole.length / BASE_DIGITS) * BASE_DIGITS, '0')
  for (let at = 0; at < padded.length; at += BASE_DIGITS)
    digits.push(Number(padded.slice(at, at + BASE_DIGITS)))
  let weight = digits.length - 1
  const tail = fraction.padEnd(Math.ceil(fraction.length / BASE_DIGITS) * BASE_DIGITS, '0')
  for (let at = 0; at < tail.length; at += BASE_DIGITS) digits.push(Number(tail.slice(at, at + BASE_DIGITS)))
  while (digits[0] === 0) {
    digits.shift()
    weight--
  }
  while (digits.at(-1) === 0) digits.pop()
  if (digits.length === 0) return pack(0, SIGNS.plus, fraction.length, [])
  return pack(weight, negative ? SIGNS.minus : SIGNS.plus, fraction.length, digits)
}

/** @returns null when the bytes are no numeric */
export function decodeNumeric(bytes: Uint8Array): string | null {
  if (bytes.length < 8) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = view.getInt16(0)
  const weight = view.getInt16(2)
  const sign = view.getUint16(4)
  const scale = view.getInt16(6)
  const special = Object.entries(SPECIAL).find(([, code]) => code === sign)
  if (special) return special[0]
  if (count < 0 || bytes.length !== 8 + count * 2 || scale < 0) return null
  const digit = (position: number): string => {
    const index = weight - position
    const value = index >= 0 && index < count ? view.getInt16(8 + index * 2) : 0
    return String(value).padStart(BASE_DIGITS, '0')
  }
  let whole = ''
  for (let position = weight; position >= 0; position--) whole += digit(position)
  let fraction = ''
  for (let position = -1; fraction.length < scale; position--) fraction += digit(position)
  const text = whole.replace(/^0+(?=\d)/, '') || '0'
  const decimals = fraction.slice(0, scale)
  return `${sign === SIGNS.minus ? '-' : ''}${text}${decimals === '' ? '' : `.${decimals}`}`
}
