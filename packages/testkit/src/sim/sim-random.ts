import { hash32, type Random } from '@cluster/core'

const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k))

/**
 * Seeded chance (xoshiro128**, Blackman & Vigna 2018). `fork` gives independent streams by label, so that a new
 * user of chance in one place does not shift what all others draw.
 */
export class SimRandom implements Random {
  readonly #seed: string
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(seed: number | string) {
    this.#seed = String(seed)
    this.#a = hash32(this.#seed, 1)
    this.#b = hash32(this.#seed, 2)
    this.#c = hash32(this.#seed, 3)
    this.#d = hash32(this.#seed, 4) | 1
    for (let i = 0; i < 8; i++) this.uint32()
  }

  fork(label: string): SimRandom {
    return new SimRandom(`${this.#seed}/${label}`)
  }

  uint32(): number {
    const result = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9) >>> 0
    const t = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= t
    this.#d = rotate(this.#d, 11)
    return result
  }

  bytes(length: number): Uint8Array {
    const result = new Uint8Array(length)
    for (let i = 0; i < length; i++) result[i] = this.uint32() >>> 24
    return result
  }

  /** A number from `low` (included) to `high` (excluded). */
  between(low: number, high: number): number {
    return low + (this.uint32() / 0x1_0000_0000) * (high - low)
  }
}
