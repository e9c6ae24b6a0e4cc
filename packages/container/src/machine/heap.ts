/** What is to be looked at when log time has come to `deadline`; it may be out of date by then. */
export interface Deadline {
  readonly deadline: number
  readonly container: string
  /** Key of an entry, or receipt of a message. */
  readonly key: string
  /** Number of the write that set it: no two of one heap are the same. */
  readonly number: number
}

/** The earliest deadline first, and of equal ones the one that was set first. */
export class DeadlineHeap {
  #items: Deadline[] = []

  get size(): number {
    return this.#items.length
  }

  peek(): Deadline | undefined {
    return this.#items[0]
  }

  clear(): void {
    this.#items = []
  }

  push(item: Deadline): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = items[up] as Deadline
      if (!before(item, parent)) break
      items[at] = parent
      at = up
    }
    items[at] = item
  }

  pop(): Deadline | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (first === undefined || last === undefined || items.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= items.length) break
      if (child + 1 < items.length && before(items[child + 1] as Deadline, items[child] as Deadline)) child++
      const smaller = items[child] as Deadline
      if (!before(smaller, last)) break
      items[at] = smaller
      at = child
    }
    items[at] = last
    return first
  }

  /** Forgets what is out of date, once that may be most of it. */
  tidy(alive: number, isAlive: (item: Deadline) => boolean): void {
    if (this.#items.length < 1_024 || this.#items.length < alive * 4) return
    const kept = this.#items.filter(isAlive)
    this.#items = []
    for (const item of kept) this.push(item)
  }
}

const before = (a: Deadline, b: Deadline): boolean =>
  a.deadline < b.deadline || (a.deadline === b.deadline && a.number < b.number)
