/** Keeps the entries used last, at most `size` of them. */
export class Lru<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #size: number
  /** The entry used last; undefined when it is not known. */
  #last: K | undefined

  constructor(size: number) {
    this.#size = size
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined || key === this.#last) return value
    // A map keeps the order of insertion: the entry goes to the end.
    this.#entries.delete(key)
    this.#entries.set(key, value)
    this.#last = key
    return value
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    this.#last = key
    if (this.#entries.size <= this.#size) return
    const [oldest] = this.#entries.keys()
    this.#entries.delete(oldest as K)
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }
}
