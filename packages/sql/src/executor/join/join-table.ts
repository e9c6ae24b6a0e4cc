/** Places for keys that are whole numbers, per row … */
const PLACES_A_ROW = 4
/** … and for however few rows there are. */
const PLACES_MIN = 1_024

/**
 * Finds the rows of a key. Whole numbers that lie close together, as made keys do, are places in a list; all others go
 * through a `Map`.
 */
export class JoinTable {
  /** Of each row; undefined and null match nothing. */
  readonly #keys: unknown[] = []
  /** Of the keys so far, as long as all are whole numbers. */
  #whole = true
  #least = Number.POSITIVE_INFINITY
  #most = Number.NEGATIVE_INFINITY
  /** The smallest key; NaN: the keys are not for a list. */
  #base = Number.NaN
  /** Key − base → the first row with it, and one more; 0: none. */
  #places = new Int32Array(0)
  readonly #heads = new Map<unknown, number>()
  /** Row → the next one with its key; −1 ends the chain. */
  #next = new Int32Array(0)
  #unique = true
  #linked = -1

  /** The keys of some more rows; undefined and null match nothing. All come before the first `link`. */
  add(keys: readonly unknown[], count: number): void {
    for (let i = 0; i < count; i++) {
      const key = keys[i]
      this.#keys.push(key)
      if (key === undefined || key === null || !this.#whole) continue
      if (typeof key !== 'number' || !Number.isSafeInteger(key)) this.#whole = false
      else {
        if (key < this.#least) this.#least = key
        if (key > this.#most) this.#most = key
      }
    }
  }

  #begin(): void {
    const rows = this.#keys.length
    this.#linked = rows
    this.#next = new Int32Array(rows)
    const length = this.#most - this.#least + 1
    if (!this.#whole || !(length > 0 && length <= Math.max(PLACES_MIN, PLACES_A_ROW * rows))) return
    this.#base = this.#least
    this.#places = new Int32Array(length)
  }

  /** True: no key stands for two rows. */
  get unique(): boolean {
    return this.#unique
  }

  /**
   * Chains some more rows, from the last to the first, so that they come out in the order they came in.
   * @returns false when all are chained
   */
  link(rows: number): boolean {
    if (this.#linked < 0) this.#begin()
    const end = Math.max(0, this.#linked - rows)
    const byPlace = !Number.isNaN(this.#base)
    for (let row = this.#linked - 1; row >= end; row--) {
      const key = this.#keys[row]
      this.#next[row] = -1
      if (key === undefined || key === null) continue
      const before = this.first(key)
      if (before >= 0) this.#unique = false
      this.#next[row] = before
      if (byPlace) this.#places[(key as number) - this.#base] = row + 1
      else this.#heads.set(key, row)
    }
    this.#linked = end
    if (end > 0) return true
    this.#keys.length = 0
    return false
  }

  /** The first row of a key; −1: none. */
  first(key: unknown): number {
    if (Number.isNaN(this.#base)) return this.#heads.get(key) ?? -1
    return typeof key === 'number' ? (this.#places[key - this.#base] ?? 0) - 1 : -1
  }

  after(row: number): number {
    return this.#next[row] as number
  }

  /**
   * For each of the keys that has a row: its position and that row, where no key has two. Positions are left out where
   * every key has one.
   * @returns how many there are
   */
  pairs(keys: readonly unknown[], count: number, positions: Int32Array, rows: Int32Array): number {
    const all = Number.isNaN(this.#base) ? this.#rowsOf(keys, count, rows) : this.#placesOf(keys, count, rows)
    if (all) return count
    let found = 0
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number
      if (row < 0) continue
      positions[found] = i
      rows[found++] = row
    }
    return found
  }

  /** The row of each key; −1: none. @returns true when all have one */
  #rowsOf(keys: readonly unknown[], count: number, rows: Int32Array): boolean {
    let least = 0
    for (let i = 0; i < count; i++) {
      const row = this.#heads.get(keys[i]) ?? -1
      rows[i] = row
      if (row < least) least = row
    }
    return least === 0
  }

  #placesOf(keys: readonly unknown[], count: number, rows: Int32Array): boolean {
    const base = this.#base
    const places = this.#places
    const { length } = places
    let least = 0
    for (let i = 0; i < count; i++) {
      const key = keys[i]
      const place = typeof key === 'number' ? key - base : -1
      // A place that is no whole number is no place.
      const row = place >= 0 && place < length ? (places[place] ?? 0) - 1 : -1
      rows[i] = row
      if (row < least) least = row
    }
    return least === 0
  }
}
