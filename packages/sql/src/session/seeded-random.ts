const U64 = 0xffff_ffff_ffff_ffffn
/** The largest that the fraction of a double holds: what a seed of 1 stands for. */
const SEED_UNIT = 2 ** 52 - 1

const rotated = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & U64

/**
 * The numbers that PostgreSQL 15's `random()` gives after `setseed`: xoroshiro128**, begun by splitmix64.
 * @see Blackman & Vigna 2018, "Scrambled linear pseudorandom number generators"
 */
export class SeededRandom {
  #first: bigint
  #second: bigint

  /** @param seed −1 … 1 */
  constructor(seed: number) {
    let state = BigInt.asUintN(64, BigInt(Math.trunc(SEED_UNIT * seed)))
    const split = (): bigint => {
      state = (state + 0x9e37_79b9_7f4a_7c15n) & U64
      const one = ((state ^ (state >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & U64
      const two = ((one ^ (one >> 27n)) * 0x94d0_49bb_1331_11ebn) & U64
      return two ^ (two >> 31n)
    }
    this.#first = split()
    this.#second = split()
  }

  /** From 0 up to 1, excluded. */
  next(): number {
    const first = this.#first
    const mixed = this.#second ^ first
    const value = (rotated((first * 5n) & U64, 7n) * 9n) & U64
    this.#first = rotated(first, 24n) ^ mixed ^ ((mixed << 16n) & U64)
    this.#second = rotated(mixed, 37n)
    return Number(value >> 12n) / 2 ** 52
  }
}
