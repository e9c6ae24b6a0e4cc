/** Places for whole numbers, per key … */
const PLACES_A_KEY = 256
/** … and for however few keys there are. */
const PLACES_MIN = 65_536

/** The keys that one side of a join has. Whole numbers that lie close together are places in a list, all others a `Set`. */
export class KeySet {
  readonly #keys = new Set<unknown>()
  #places: Uint8Array | null = null
  #base = 0

  /** Undefined and null match nothing. */
  add(keys: readonly unknown[], count: number): void {
    for (let i = 0; i < count; i++) {
      const key = keys[i]
      if (key !== undefined && key !== null) this.#keys.add(key)
    }
  }

  /** All are there. */
  finish(): void {
    let least = Number.POSITIVE_INFINITY
    let most = Number.NEGATIVE_INFINITY
    for (const key of this.#keys) {
      if (typeof key !== 'number' || !Number.isSafeInteger(key)) return
      if (key < least) least = key
      if (key > most) most = key
    }
    const length = most - least + 1
    if (!(length > 0 && length <= Math.max(PLACES_MIN, PLACES_A_KEY * this.#keys.size))) return
    const places = new Uint8Array(length)
    for (const key of this.#keys) places[(key as number) - least] = 1
    this.#places = places
    this.#base = least
    this.#keys.clear()
  }

  /**
   * Keeps of these rows those whose key is in the set.
   * @param rows positions in `keys`, the first `count` of the list; what is kept moves to its front
   * @returns how many there are
   */
  keep(keys: readonly unknown[], rows: Int32Array, count: number): number {
    const places = this.#places
    let kept = 0
    if (places === null) {
      for (let i = 0; i < count; i++) {
        const row = rows[i] as number
        if (this.#keys.has(keys[row])) rows[kept++] = row
      }
      return kept
    }
    const base = this.#base
    const { length } = places
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number
      const key = keys[row]
      if (typeof key !== 'number') continue
      const place = key - base
      if (place >= 0 && place < length && places[place] === 1) rows[kept++] = row
    }
    return kept
  }
}
