import { type ContainerKey, type Key, KeyWriter } from '@cluster/core'
import { optionInvalid } from '../errors.ts'

// Each field begins with its type, and types sort in this order. A tuple ends with what sorts before every field.
const END = '\x00'
const NULL = '\x01'
const FALSE = '\x02'
const TRUE = '\x03'
const NUMBER = '\x04'
const BIGINT = '\x05'
const TEXT = '\x06'
const BYTES = '\x07'
const TUPLE = '\x08'

const DEPTH_MAX = 8
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const scratch = new DataView(new ArrayBuffer(8))

/** The key as bytes whose order is that of keys. @throws CONTAINER_OPTION_INVALID */
export function encodeKey(key: ContainerKey, depth = 0): Key {
  switch (typeof key) {
    case 'boolean':
      return key ? TRUE : FALSE
    case 'number':
      if (Number.isNaN(key)) throw notAKey(key)
      return NUMBER + new KeyWriter().double(key).finish().slice(1)
    case 'bigint':
      if (BigInt.asIntN(64, key) !== key) throw notAKey(key)
      return BIGINT + new KeyWriter().int64(key).finish().slice(1)
    case 'string':
      if (!key.isWellFormed()) throw notAKey(key)
      return TEXT + new KeyWriter().text(key).finish().slice(1)
    case 'object':
      if (key === null) return NULL
      if (key instanceof Uint8Array) return BYTES + new KeyWriter().bytes(key).finish().slice(1)
      if (Array.isArray(key) && depth < DEPTH_MAX)
        return `${TUPLE}${key.map((field: ContainerKey) => encodeKey(field, depth + 1)).join('')}${END}`
      throw notAKey(key)
    default:
      throw notAKey(key)
  }
}

const notAKey = (key: unknown): Error =>
  optionInvalid(
    'key',
    key,
    'null, a boolean, a number that is one, a bigint of 64 bits, a well-formed string, bytes, or a tuple of these',
  )

export function decodeKey(key: Key): ContainerKey {
  return new KeyReader(key).field()
}

class KeyReader {
  readonly #key: Key
  #at = 0

  constructor(key: Key) {
    this.#key = key
  }

  field(): ContainerKey {
    const type = this.#key[this.#at++]
    switch (type) {
      case NULL:
        return null
      case FALSE:
        return false
      case TRUE:
        return true
      case NUMBER:
        return this.#number()
      case BIGINT:
        this.#load()
        scratch.setUint8(0, scratch.getUint8(0) ^ 0x80)
        return scratch.getBigInt64(0)
      case TEXT:
        return decoder.decode(this.#terminated())
      case BYTES:
        return this.#terminated()
      case TUPLE: {
        const fields: ContainerKey[] = []
        while (this.#key[this.#at] !== END) fields.push(this.field())
        this.#at++
        return fields
      }
      default:
        throw new RangeError('no such type of a key')
    }
  }

  #number(): number {
    this.#load()
    if (scratch.getUint8(0) >= 0x80) scratch.setUint8(0, scratch.getUint8(0) ^ 0x80)
    else {
      scratch.setUint32(0, ~scratch.getUint32(0))
      scratch.setUint32(4, ~scratch.getUint32(4))
    }
    return scratch.getFloat64(0)
  }

  #load(): void {
    for (let i = 0; i < 8; i++) scratch.setUint8(i, this.#key.charCodeAt(this.#at + i))
    this.#at += 8
  }

  /** Up to 0x00 0x00; 0x00 0xff stands for a zero byte. */
  #terminated(): Uint8Array {
    const bytes: number[] = []
    for (;;) {
      const code = this.#key.charCodeAt(this.#at++)
      if (Number.isNaN(code)) throw new RangeError('the key ends too early')
      if (code === 0 && this.#key.charCodeAt(this.#at++) === 0) return Uint8Array.from(bytes)
      bytes.push(code)
    }
  }
}
