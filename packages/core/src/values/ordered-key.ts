import type { Key } from './value.ts'

// Tags keep NULL behind every value (NULLS LAST) and make a prefix of a tuple a prefix of its key.
const TAG_VALUE = '\x01'
const TAG_NULL = '\xff'

/** Around the heads of finite numbers, \x01 … \x03. */
const specialDecimals: Readonly<Record<string, string>> = {
  '-Infinity': '\x00',
  Infinity: '\x03\xff',
  NaN: '\x04',
}

const scratch = new DataView(new ArrayBuffer(8))
const utf8 = (text: string): string => {
  let result = ''
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      result += text[i]
      continue
    }
    const point = text.codePointAt(i) ?? 0xfffd
    if (point > 0xffff) i++
    if (point < 0x800) result += String.fromCharCode(0xc0 | (point >> 6), 0x80 | (point & 63))
    else if (point < 0x10000)
      result += String.fromCharCode(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63))
    else
      result += String.fromCharCode(
        0xf0 | (point >> 18),
        0x80 | ((point >> 12) & 63),
        0x80 | ((point >> 6) & 63),
        0x80 | (point & 63),
      )
  }
  return result
}

const eightBytes = (): string =>
  String.fromCharCode(
    scratch.getUint8(0),
    scratch.getUint8(1),
    scratch.getUint8(2),
    scratch.getUint8(3),
    scratch.getUint8(4),
    scratch.getUint8(5),
    scratch.getUint8(6),
    scratch.getUint8(7),
  )

const invert = (text: string): string => {
  let result = ''
  for (let i = 0; i < text.length; i++) result += String.fromCharCode(255 - text.charCodeAt(i))
  return result
}

/** Zero bytes inside are escaped, so that the closing 0x00 0x00 sorts before every continuation. */
const terminated = (bytes: string): string => `${bytes.replaceAll('\x00', '\x00\xff')}\x00\x00`

/**
 * Builds the order-preserving key of a tuple, one field after another. For each column use one method only:
 * keys of different methods do not compare. −0 and 0 are one key; NaN sorts above every number, as SQL has it.
 */
export class KeyWriter {
  #key = ''

  null(): this {
    this.#key += TAG_NULL
    return this
  }

  boolean(value: boolean): this {
    this.#key += value ? '\x01\x01' : '\x01\x00'
    return this
  }

  double(value: number): this {
    if (Number.isNaN(value)) {
      this.#key += `${TAG_VALUE}\xff\xff\xff\xff\xff\xff\xff\xff`
      return this
    }
    scratch.setFloat64(0, value === 0 ? 0 : value)
    if (value < 0) {
      scratch.setUint32(0, ~scratch.getUint32(0))
      scratch.setUint32(4, ~scratch.getUint32(4))
    } else scratch.setUint8(0, scratch.getUint8(0) | 0x80)
    this.#key += TAG_VALUE + eightBytes()
    return this
  }

  /** @param value −2^63 … 2^63 − 1 */
  int64(value: bigint): this {
    scratch.setBigInt64(0, value)
    scratch.setUint8(0, scratch.getUint8(0) ^ 0x80)
    this.#key += TAG_VALUE + eightBytes()
    return this
  }

  /** Sorts by code point. A lone surrogate is encoded as it is. */
  text(value: string): this {
    this.#key += TAG_VALUE + terminated(utf8(value))
    return this
  }

  bytes(value: Uint8Array): this {
    let text = ''
    for (const byte of value) text += String.fromCharCode(byte)
    this.#key += TAG_VALUE + terminated(text)
    return this
  }

  /**
   * An exact decimal. Equal numbers give equal keys, whatever their trailing zeros.
   * @param value `-?digits[.digits]`, `-Infinity`, which sorts first, `Infinity`, or `NaN`, which sorts last
   */
  decimal(value: string): this {
    const special = specialDecimals[value]
    if (special !== undefined) {
      this.#key += TAG_VALUE + special
      return this
    }
    const negative = value.startsWith('-')
    const [whole = '', fraction = ''] = (negative ? value.slice(1) : value).split('.')
    const digits = (whole + fraction).replace(/^0+/, '')
    const significant = digits.replace(/0+$/, '')
    if (significant === '') {
      this.#key += `${TAG_VALUE}\x02`
      return this
    }
    // value = 0.significant × 10^exponent
    const exponent = digits.length - fraction.length
    scratch.setInt32(0, exponent)
    scratch.setUint8(0, scratch.getUint8(0) ^ 0x80)
    const head = String.fromCharCode(
      scratch.getUint8(0),
      scratch.getUint8(1),
      scratch.getUint8(2),
      scratch.getUint8(3),
    )
    const body = `${head}${significant}\x00`
    this.#key += TAG_VALUE + (negative ? `\x01${invert(body)}` : `\x03${body}`)
    return this
  }

  /** The key so far. */
  finish(): Key {
    return this.#key
  }
}

/** The first key behind every key that starts with `prefix`; undefined when there is none. */
export function afterPrefix(prefix: Key): Key | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const code = prefix.charCodeAt(i)
    if (code < 255) return prefix.slice(0, i) + String.fromCharCode(code + 1)
  }
  return undefined
}

/** The first key behind exactly `key`. */
export const afterKey = (key: Key): Key => `${key}\x00`
