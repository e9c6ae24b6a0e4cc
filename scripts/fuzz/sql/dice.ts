import { SimRandom } from '@cluster/testkit'

/** Choices that follow from a seed. */
export class Dice {
  readonly #random: SimRandom

  constructor(seed: number | string) {
    this.#random = new SimRandom(`fuzz ${seed}`)
  }

  /** From 0 up to `bound`, excluded. */
  below(bound: number): number {
    return this.#random.uint32() % bound
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** True in `percent` of a hundred cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)]
    if (one === undefined) throw new RangeError('there is nothing to pick from')
    return one
  }

  /** One of the pairs, by weight. */
  weighted<T>(list: readonly (readonly [weight: number, value: T])[]): T {
    let at = this.below(list.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, value] of list) {
      if (at < weight) return value
      at -= weight
    }
    throw new RangeError('there is nothing to pick from')
  }

  /** `least` to `most` of what `make` makes. */
  some<T>(least: number, most: number, make: (i: number) => T): T[] {
    return Array.from({ length: this.between(least, most) }, (_, i) => make(i))
  }

  shuffled<T>(list: readonly T[]): T[] {
    const all = [...list]
    for (let i = all.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[all[i], all[j]] = [all[j] as T, all[i] as T]
    }
    return all
  }
}
