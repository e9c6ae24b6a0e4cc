/** Places for keys that are whole numbers, per row … */
const PLACES_A_ROW = 4
/** … and for however few rows there are. */
const PLACES_MIN = 1_024

/**
 * Finds the rows of a key. Whole numbers that lie close together, as made keys do, are places in a list; all others go
 * through a `Map`.
 */
export class JoinTable {
  readonly #keys: readonly unknown[]
  /** The smallest key; NaN: the keys are not for a list. */
  readonly #base: number
  /** Key − base → the first row with it, and one more; 0: none. */
  readonly #places: Int32Array
  readonly #heads = new Map<unknown, number>()
  /** Row → the next one with its key; −1 ends the chain. */
  readonly #next: Int32Array
  #unique = true
  #linked: number

  /** @param keys of each row; undefined: it matches nothing */
  constructor(keys: readonly unknown[]) {
    this.#keys = keys
    this.#next = new Int32Array(keys.length)
    this.#linked = keys.length
    const { base, length } = span(keys)
    this.#base = base
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
    const end = Math.max(0, this.#linked - rows)
    const byPlace = !Number.isNaN(this.#base)
    for (let row = this.#linked - 1; row >= end; row--) {
      const key = this.#keys[row]
      this.#next[row] = -1
      if (key === undefined) continue
      const before = this.first(key)
      if (before >= 0) this.#unique = false
      this.#next[row] = before
      if (byPlace) this.#places[(key as number) - this.#base] = row + 1
      else this.#heads.set(key, row)
    }
    this.#linked = end
    return end > 0
  }

  /** The first row of a key; −1: none. */
  first(key: unknown): number {
    if (Number.isNaN(this.#base)) return key === undefined ? -1 : (this.#heads.get(key) ?? -1)
    return typeof key === 'number' ? (this.#places[key - this.#base] ?? 0) - 1 : -1
  }

  after(row: number): number {
    return this.#next[row] as number
  }

  /** For each of the keys that has a row: its position and that row, where no key has two. */
  pairs(keys: readonly unknown[], count: number, positions: number[], rows: number[]): void {
    if (Number.isNaN(this.#base)) {
      for (let i = 0; i < count; i++) {
        const row = this.first(keys[i])
        if (row < 0) continue
        positions.push(i)
        rows.push(row)
      }
      return
    }
    const base = this.#base
    const places = this.#places
    const { length } = places
    for (let i = 0; i < count; i++) {
      const key = keys[i]
      if (typeof key !== 'number') continue
      const place = key - base
      if (!(place >= 0 && place < length)) continue
      const row = (places[place] ?? 0) - 1
      if (row < 0) continue
      positions.push(i)
      rows.push(row)
    }
  }
}

/** Where a list of places begins and how long it is. */
function span(keys: readonly unknown[]): { readonly base: number; readonly length: number } {
  const none = { base: Number.NaN, length: 0 }
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const key of keys) {
    if (key === undefined) continue
    if (typeof key !== 'number' || !Number.isSafeInteger(key)) return none
    if (key < least) least = key
    if (key > most) most = key
  }
  const length = most - least + 1
  if (!(length > 0 && length <= Math.max(PLACES_MIN, PLACES_A_ROW * keys.length))) return none
  return { base: least, length }
}
