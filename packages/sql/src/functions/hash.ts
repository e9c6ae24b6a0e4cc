import { fn } from './define.ts'
import type { ScalarFunction } from './function.ts'

const GOLDEN = 0x9e37_79b9
const START = 3_923_095
const WORD = 12

type State = [a: number, b: number, c: number]

const rotated = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

function mix(state: State): void {
  let [a, b, c] = state
  a = ((a - c) ^ rotated(c, 4)) | 0
  c = (c + b) | 0
  b = ((b - a) ^ rotated(a, 6)) | 0
  a = (a + c) | 0
  c = ((c - b) ^ rotated(b, 8)) | 0
  b = (b + a) | 0
  a = ((a - c) ^ rotated(c, 16)) | 0
  c = (c + b) | 0
  b = ((b - a) ^ rotated(a, 19)) | 0
  a = (a + c) | 0
  c = ((c - b) ^ rotated(b, 4)) | 0
  b = (b + a) | 0
  state.splice(0, 3, a, b, c)
}

function finish(state: State): void {
  let [a, b, c] = state
  c = ((c ^ b) - rotated(b, 14)) | 0
  a = ((a ^ c) - rotated(c, 11)) | 0
  b = ((b ^ a) - rotated(a, 25)) | 0
  c = ((c ^ b) - rotated(b, 16)) | 0
  a = ((a ^ c) - rotated(c, 4)) | 0
  b = ((b ^ a) - rotated(a, 14)) | 0
  c = ((c ^ b) - rotated(b, 24)) | 0
  state.splice(0, 3, a, b, c)
}

function begun(length: number, seed: bigint): State {
  const start = (GOLDEN + length + START) | 0
  const state: State = [start, start, start]
  if (seed === 0n) return state
  state[0] = (state[0] + Number(BigInt.asIntN(32, seed >> 32n))) | 0
  state[1] = (state[1] + Number(BigInt.asIntN(32, seed))) | 0
  mix(state)
  return state
}

/**
 * What PostgreSQL's `hash_bytes` is made of, as a little-endian machine has it.
 * @returns the state at the end: its last number is the hash of 32 bits, the two last ones that of 64
 * @see Bob Jenkins 2006, lookup3.c
 */
function hashed(bytes: Uint8Array, seed: bigint): State {
  const state = begun(bytes.length, seed)
  let at = 0
  const wordAt = (offset: number): number => {
    let word = 0
    for (let i = 0; i < 4; i++) word |= (bytes[offset + i] ?? 0) << (8 * i)
    return word
  }
  for (; bytes.length - at >= WORD; at += WORD) {
    for (let i = 0; i < 3; i++) state[i] = ((state[i] ?? 0) + wordAt(at + i * 4)) | 0
    mix(state)
  }
  // The lowest byte of the last number is kept for the length.
  for (const [i, byte] of bytes.subarray(at).entries()) {
    const shift = i < 8 ? 8 * (i % 4) : 8 * (i - 7)
    const word = i < 4 ? 0 : i < 8 ? 1 : 2
    state[word] = ((state[word] ?? 0) + (byte << shift)) | 0
  }
  finish(state)
  return state
}

function hashedWord(word: number, seed: bigint): State {
  const state = begun(4, seed)
  state[0] = (state[0] + word) | 0
  finish(state)
  return state
}

/** Of a bigint such that equal numbers of any width have the same hash. */
function folded(value: bigint): number {
  const [low, high] = [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))]
  return low ^ (value >= 0n ? high : ~high)
}

const short = ([, , c]: State): number => c
const long = ([, b, c]: State): bigint => BigInt.asIntN(64, (BigInt(b >>> 0) << 32n) | BigInt(c >>> 0))

const utf8 = new TextEncoder()
const doubleBytes = (value: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value, true)
  return new Uint8Array(view.buffer)
}
const uuidBytes = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll('-', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

/** The hashes by which PostgreSQL tells values apart; some applications name partitions or locks by them. */
export const hashFunctions: readonly ScalarFunction[] = [
  fn('hashtext', ['text'], 'integer', (text) => short(hashed(utf8.encode(text), 0n))),
  fn('hashtextextended', ['text', 'bigint'], 'bigint', (text, seed) => long(hashed(utf8.encode(text), seed))),
  fn('hashbpchar', ['char'], 'integer', (text) => short(hashed(utf8.encode(text.replace(/ +$/, '')), 0n))),
  fn('hashint2', ['smallint'], 'integer', (value) => short(hashedWord(value, 0n))),
  fn('hashint4', ['integer'], 'integer', (value) => short(hashedWord(value, 0n))),
  fn('hashint8', ['bigint'], 'integer', (value) => short(hashedWord(folded(value), 0n))),
  fn('hashint4extended', ['integer', 'bigint'], 'bigint', (value, seed) => long(hashedWord(value, seed))),
  fn('hashint8extended', ['bigint', 'bigint'], 'bigint', (value, seed) =>
    long(hashedWord(folded(value), seed)),
  ),
  fn('hashoid', ['oid'], 'integer', (value) => short(hashedWord(value | 0, 0n))),
  // Zeros of either sign are equal, and so is every NaN.
  fn('hashfloat8', ['double'], 'integer', (value) =>
    value === 0 ? 0 : short(hashed(doubleBytes(value), 0n)),
  ),
  fn('uuid_hash', ['uuid'], 'integer', (value) => short(hashed(uuidBytes(value), 0n))),
]
