/** One thing that will happen at a virtual time. */
export interface SimEvent {
  readonly time: number
  /** Orders events of one time by when they were scheduled. */
  readonly sequence: number
  /** Null once cancelled. */
  run: (() => void) | null
}

const before = (a: SimEvent, b: SimEvent): boolean =>
  a.time < b.time || (a.time === b.time && a.sequence < b.sequence)

/** A binary heap of events by (time, sequence). Cancelled events stay in until their time. */
export class EventQueue {
  readonly #heap: SimEvent[] = []
  #sequence = 0

  get length(): number {
    return this.#heap.length
  }

  peek(): SimEvent | undefined {
    return this.#heap[0]
  }

  push(time: number, run: () => void): SimEvent {
    const event: SimEvent = { time, sequence: this.#sequence++, run }
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up] as SimEvent
      if (!before(event, parent)) break
      heap[at] = parent
      at = up
    }
    heap[at] = event
    return event
  }

  pop(): SimEvent | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= heap.length) break
      if (down + 1 < heap.length && before(heap[down + 1] as SimEvent, heap[down] as SimEvent)) down++
      const child = heap[down] as SimEvent
      if (!before(child, last)) break
      heap[at] = child
      at = down
    }
    heap[at] = last
    return top
  }
}
