/** A binary heap: what comes before all others is at the top. */
export class Heap<Item> {
  readonly #before: (a: Item, b: Item) => boolean
  #items: Item[] = []

  /** @param before a strict order: never true both ways */
  constructor(before: (a: Item, b: Item) => boolean) {
    this.#before = before
  }

  get length(): number {
    return this.#items.length
  }

  peek(): Item | undefined {
    return this.#items[0]
  }

  push(item: Item): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = items[up] as Item
      if (!this.#before(item, parent)) break
      items[at] = parent
      at = up
    }
    items[at] = item
  }

  pop(): Item | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (first === undefined || last === undefined || items.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.#before(items[child + 1] as Item, items[child] as Item)) child++
      const smaller = items[child] as Item
      if (!this.#before(smaller, last)) break
      items[at] = smaller
      at = child
    }
    items[at] = last
    return first
  }

  clear(): void {
    this.#items = []
  }

  /** Keeps only these. */
  retain(keep: (item: Item) => boolean): void {
    const kept = this.#items.filter(keep)
    this.#items = []
    for (const item of kept) this.push(item)
  }
}
