import type { Key, LogIndex } from '@cluster/core'
import type { Stored } from './stored.ts'

export const CHANGE_TYPES = ['set', 'removed', 'expired', 'evicted', 'cleared', 'published'] as const

export type ChangeType = (typeof CHANGE_TYPES)[number]

/** Something that changed, for those who follow. Never changed. */
export interface Change {
  readonly number: number
  readonly index: LogIndex
  readonly type: ChangeType
  /** Empty when it is of no key; the position for lists. */
  readonly key: Key | number
  readonly before: Stored | null
  readonly after: Stored | null
}

const OVERHEAD = 64

const lengthOf = (stored: Stored | null): number =>
  stored === null ? 0 : typeof stored === 'number' ? 8 : stored.length

/** Counted bytes of a change. */
const changeBytes = ({ key, before, after }: Change): number =>
  OVERHEAD + (typeof key === 'number' ? 8 : key.length) + lengthOf(before) + lengthOf(after)

/** The newest changes of a container, by their numbers. */
export class Feed {
  /** Number of the newest change that is not kept any more, or that of the container itself. */
  lost: number
  #items: Change[] = []
  #head = 0
  #bytes = 0

  constructor(lost: number) {
    this.lost = lost
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Number of the newest change, kept or not. */
  get newest(): number {
    return this.#items.at(-1)?.number ?? this.lost
  }

  push(change: Change): void {
    this.#items.push(change)
    this.#bytes += changeBytes(change)
  }

  /** Takes back the newest one. */
  unpush(): void {
    const change = this.#items.pop()
    if (change) this.#bytes -= changeBytes(change)
  }

  /** Lets the oldest go until the rest is within the bounds. */
  trim(sizeMax: number, bytesMax: number): void {
    while (this.size > sizeMax || (this.#bytes > bytesMax && this.size > 0)) {
      const oldest = this.#items[this.#head++] as Change
      this.#bytes -= changeBytes(oldest)
      this.lost = oldest.number
    }
    if (this.#head > 64 && this.#head > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
  }

  /** The first kept change with a greater number. */
  after(number: number): Change | undefined {
    let low = this.#head
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#items[middle] as Change).number <= number) low = middle + 1
      else high = middle
    }
    return this.#items[low]
  }

  /** All that are kept, oldest first. */
  toArray(): Change[] {
    return this.#items.slice(this.#head)
  }
}
