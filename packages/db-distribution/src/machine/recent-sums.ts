/** So many additions behind the version of another are looked at; whoever is further behind loses. */
const ADDITIONS_MAX = 4_096

/** What was added to one row lately. Doubles are added in one order, from the youngest, so every node gets the same sums. */
export class RecentSums {
  /** When the row was replaced last, as far as it is known; 0 when it is not. */
  readonly #replacedAt: number
  #indexes: number[] = []
  #sizes: number[] = []
  #head = 0

  constructor(replacedAt: number) {
    this.#replacedAt = replacedAt
  }

  /** Indexes must grow. */
  add(index: number, size: number): void {
    this.#indexes.push(index)
    this.#sizes.push(size)
  }

  /** Whether something of `size` has room behind what was added since `version`, when nothing else happened to the row. */
  fits(version: number, size: number, room: number): boolean {
    if (this.#replacedAt > version) return false
    let sum = size
    const end = this.#indexes.length
    for (let i = end - 1; i >= this.#head && (this.#indexes[i] as number) > version; i--) {
      if (end - i > ADDITIONS_MAX) return false
      sum += this.#sizes[i] as number
    }
    return sum <= room
  }

  /** Forgets what was added up to that index. */
  trim(through: number): void {
    while (this.#head < this.#indexes.length && (this.#indexes[this.#head] as number) <= through) this.#head++
    if (this.#head < 1_024 || this.#head * 2 < this.#indexes.length) return
    this.#indexes = this.#indexes.slice(this.#head)
    this.#sizes = this.#sizes.slice(this.#head)
    this.#head = 0
  }
}
