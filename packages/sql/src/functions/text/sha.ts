// SHA-2 of FIPS 180-4. The round constants are the first bits of the fractional parts of cube roots of primes, and the
// start values those of square roots: they are computed, not listed.

const primes = (count: number): number[] => {
  const found: number[] = []
  for (let n = 2; found.length < count; n++) if (found.every((p) => n % p !== 0)) found.push(n)
  return found
}

/** ⌊value^(1/k)⌋ */
function root(value: bigint, k: bigint): bigint {
  let low = 0n
  let high = 1n << BigInt(Math.ceil(value.toString(2).length / Number(k)) + 1)
  while (high - low > 1n) {
    const middle = (low + high) / 2n
    if (middle ** k <= value) low = middle
    else high = middle
  }
  return low
}

/** `bits` bits of the fraction of the k-th root of a prime. */
const fraction = (prime: number, k: bigint, bits: bigint): bigint =>
  root(BigInt(prime) << (bits * k), k) & ((1n << bits) - 1n)

interface Variant {
  readonly bits: bigint
  /** Bytes of a block. */
  readonly block: number
  readonly rounds: number
  readonly big: readonly [bigint, bigint, bigint, bigint, bigint, bigint]
  readonly small: readonly [bigint, bigint, bigint, bigint, bigint, bigint]
}

const narrow: Variant = {
  bits: 32n,
  block: 64,
  rounds: 64,
  big: [2n, 13n, 22n, 6n, 11n, 25n],
  small: [7n, 18n, 3n, 17n, 19n, 10n],
}
const wide: Variant = {
  bits: 64n,
  block: 128,
  rounds: 80,
  big: [28n, 34n, 39n, 14n, 18n, 41n],
  small: [1n, 8n, 7n, 19n, 61n, 6n],
}

function digest(variant: Variant, start: readonly bigint[], bytes: Uint8Array, length: number): Uint8Array {
  const { bits, block, rounds, big, small } = variant
  const mask = (1n << bits) - 1n
  const turn = (x: bigint, by: bigint): bigint => ((x >> by) | (x << (bits - by))) & mask
  const constants = constantsOf(variant)
  const word = Number(bits) / 8
  const tail = block / 8
  const padded = new Uint8Array(Math.ceil((bytes.length + 1 + tail) / block) * block)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n)
  const state = [...start]
  for (let at = 0; at < padded.length; at += block) {
    const w: bigint[] = []
    for (let i = 0; i < 16; i++) {
      let value = 0n
      for (let b = 0; b < word; b++) value = (value << 8n) | BigInt(padded[at + i * word + b] ?? 0)
      w.push(value)
    }
    for (let i = 16; i < rounds; i++) {
      const [x, y] = [w[i - 15] as bigint, w[i - 2] as bigint]
      const s0 = turn(x, small[0]) ^ turn(x, small[1]) ^ (x >> small[2])
      const s1 = turn(y, small[3]) ^ turn(y, small[4]) ^ (y >> small[5])
      w.push(((w[i - 16] as bigint) + s0 + (w[i - 7] as bigint) + s1) & mask)
    }
    let [a, b, c, d, e, f, g, h] = state as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint]
    for (let i = 0; i < rounds; i++) {
      const s1 = turn(e, big[3]) ^ turn(e, big[4]) ^ turn(e, big[5])
      const choice = (e & f) ^ (~e & mask & g)
      const t1 = h + s1 + choice + (constants[i] as bigint) + (w[i] as bigint)
      const s0 = turn(a, big[0]) ^ turn(a, big[1]) ^ turn(a, big[2])
      const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c))
      h = g
      g = f
      f = e
      e = (d + t1) & mask
      d = c
      c = b
      b = a
      a = (t1 + t2) & mask
    }
    ;[a, b, c, d, e, f, g, h].forEach((value, i) => {
      state[i] = ((state[i] as bigint) + value) & mask
    })
  }
  const out = state.flatMap((value) =>
    Array.from({ length: word }, (_, b) => Number((value >> BigInt((word - 1 - b) * 8)) & 255n)),
  )
  return Uint8Array.from(out.slice(0, length))
}

const known = new Map<bigint, readonly bigint[]>()

function constantsOf({ bits, rounds }: Variant): readonly bigint[] {
  let constants = known.get(bits)
  if (constants === undefined) {
    constants = primes(rounds).map((prime) => fraction(prime, 3n, bits))
    known.set(bits, constants)
  }
  return constants
}

const roots = (from: number, bits: bigint): bigint[] =>
  primes(from + 8)
    .slice(from)
    .map((prime) => fraction(prime, 2n, bits))

export const sha256 = (bytes: Uint8Array): Uint8Array => digest(narrow, roots(0, 32n), bytes, 32)
export const sha512 = (bytes: Uint8Array): Uint8Array => digest(wide, roots(0, 64n), bytes, 64)
export const sha384 = (bytes: Uint8Array): Uint8Array => digest(wide, roots(8, 64n), bytes, 48)
/** Starts with the lower halves of the values of SHA-384. */
export const sha224 = (bytes: Uint8Array): Uint8Array =>
  digest(
    narrow,
    roots(8, 64n).map((value) => value & 0xffff_ffffn),
    bytes,
    28,
  )
