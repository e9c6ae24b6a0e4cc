// SHA-256 of FIPS 180-4 over 32-bit integers. Passwords are salted through thousands of rounds of it, for which the
// general one of `sha256()`, which also does 64-bit words, is too slow.

const primes = (count: number): readonly number[] => {
  const found: number[] = []
  for (let n = 2; found.length < count; n++) if (found.every((p) => n % p !== 0)) found.push(n)
  return found
}

/** The first 32 bits of the fraction of a root: doubles have enough digits for them. */
const fraction = (root: number): number => Math.floor((root - Math.floor(root)) * 0x1_0000_0000) | 0

const CONSTANTS = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)))
const START = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)))
const BLOCK = 64

const turn = (x: number, by: number): number => (x >>> by) | (x << (32 - by))

export function sha256(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK) * BLOCK)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n)
  const state = Int32Array.from(START)
  const w = new Int32Array(64)
  for (let at = 0; at < padded.length; at += BLOCK) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4)
    compress(state, w)
  }
  const out = new Uint8Array(32)
  const words = new DataView(out.buffer)
  state.forEach((value, i) => {
    words.setInt32(i * 4, value)
  })
  return out
}

function compress(state: Int32Array, w: Int32Array): void {
  const at = (list: Int32Array, i: number): number => list[i] ?? 0
  for (let i = 16; i < 64; i++) {
    const [x, y] = [at(w, i - 15), at(w, i - 2)]
    const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)
    const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10)
    w[i] = (at(w, i - 16) + s0 + at(w, i - 7) + s1) | 0
  }
  let a = at(state, 0)
  let b = at(state, 1)
  let c = at(state, 2)
  let d = at(state, 3)
  let e = at(state, 4)
  let f = at(state, 5)
  let g = at(state, 6)
  let h = at(state, 7)
  for (let i = 0; i < 64; i++) {
    const choice = (e & f) ^ (~e & g)
    const t1 = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + at(CONSTANTS, i) + at(w, i)) | 0
    const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = (at(state, i) + value) | 0
}

/** @see RFC 2104 */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  const short = key.length > BLOCK ? sha256(key) : key
  const pad = (byte: number): Uint8Array => {
    const block = new Uint8Array(BLOCK).fill(byte)
    short.forEach((value, i) => {
      block[i] = value ^ byte
    })
    return block
  }
  return sha256(joined(pad(0x5c), sha256(joined(pad(0x36), data))))
}

/** The first block of PBKDF2, which is all that SCRAM uses. @see RFC 8018 */
export function pbkdf2Sha256(password: Uint8Array, salt: Uint8Array, iterations: number): Uint8Array {
  let last = hmacSha256(password, joined(salt, Uint8Array.of(0, 0, 0, 1)))
  const sum = Uint8Array.from(last)
  for (let i = 1; i < iterations; i++) {
    last = hmacSha256(password, last)
    last.forEach((byte, at) => {
      sum[at] = (sum[at] ?? 0) ^ byte
    })
  }
  return sum
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length)
  all.set(a)
  all.set(b, a.length)
  return all
}
