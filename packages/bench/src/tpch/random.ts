/** A sequence of numbers that is the same on every machine. @see Marsaglia 2003, xorshift */
export class Sequence {
  #state: number

  /** @param seed any whole number but 0 */
  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e37_79b1) | 1
    for (let i = 0; i < 8; i++) this.#next()
  }

  #next(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return x >>> 0
  }

  /** A whole number from `low` to `high`, both of them among it. */
  between(low: number, high: number): number {
    return low + Math.floor((this.#next() / 0x1_0000_0000) * (high - low + 1))
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.between(0, items.length - 1)] as Item
  }
}
