import type { Key } from './value.ts'

/** Keys a block holds before it is split; small enough that an insert moves little memory. */
const BLOCK_MAX = 512

/** A run of keys in order, with the item of each. */
export interface Block<Item> {
  readonly keys: Key[]
  readonly items: Item[]
  /** What somebody has computed from the block; every change of the block forgets it. */
  derived: unknown
}

/**
 * An ordered map from keys to items: a list of sorted blocks. Lookups are two binary searches, inserts move
 * at most one block (and, once in 256 inserts, the list of blocks), and a scan walks plain arrays.
 */
export class SortedBlocks<Item> {
  readonly #blocks: Block<Item>[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: Key): Item | undefined {
    const block = this.#blocks[this.#blockOf(key)]
    if (!block) return undefined
    const at = lowerBound(block.keys, key)
    return block.keys[at] === key ? block.items[at] : undefined
  }

  /** Inserts or replaces. */
  set(key: Key, item: Item): void {
    const index = this.#blockOf(key)
    const block = this.#blocks[index]
    if (!block) {
      this.#blocks.push({ keys: [key], items: [item], derived: null })
      this.#size = 1
      return
    }
    const at = lowerBound(block.keys, key)
    block.derived = null
    if (block.keys[at] === key) {
      block.items[at] = item
      return
    }
    this.#size++
    // Appending keys in order, the usual load, goes to the end without moving anything.
    if (at === block.keys.length) {
      block.keys.push(key)
      block.items.push(item)
    } else {
      block.keys.splice(at, 0, key)
      block.items.splice(at, 0, item)
    }
    if (block.keys.length > BLOCK_MAX) this.#split(index, block, at)
  }

  delete(key: Key): boolean {
    const index = this.#blockOf(key)
    const block = this.#blocks[index]
    if (!block) return false
    const at = lowerBound(block.keys, key)
    if (block.keys[at] !== key) return false
    block.derived = null
    this.#size--
    if (block.keys.length === 1) this.#blocks.splice(index, 1)
    else {
      block.keys.splice(at, 1)
      block.items.splice(at, 1)
    }
    return true
  }

  /** The block with the first key ≥ `from` (or the very first), and where in it that key stands; null: there is none. */
  seek(from: Key | undefined): { readonly block: Readonly<Block<Item>>; readonly at: number } | null {
    let index = from === undefined ? 0 : this.#blockOf(from)
    let block = this.#blocks[index]
    if (!block) return null
    const at = from === undefined ? 0 : lowerBound(block.keys, from)
    if (at < block.keys.length) return { block, at }
    block = this.#blocks[++index]
    return block ? { block, at: 0 } : null
  }

  /** Visits from the first key ≥ `from` (or the very first) upwards until `visit` returns false. */
  ascend(from: Key | undefined, visit: (key: Key, item: Item) => boolean): void {
    let index = from === undefined ? 0 : this.#blockOf(from)
    let at = from === undefined ? 0 : lowerBound(this.#blocks[index]?.keys ?? [], from)
    for (let block = this.#blocks[index]; block; block = this.#blocks[++index], at = 0) {
      const { keys, items } = block
      for (; at < keys.length; at++) if (!visit(keys[at] as Key, items[at] as Item)) return
    }
  }

  /** Visits from the last key < `before` (or the very last) downwards until `visit` returns false. */
  descend(before: Key | undefined, visit: (key: Key, item: Item) => boolean): void {
    let index = before === undefined ? this.#blocks.length - 1 : this.#blockOf(before)
    let block = this.#blocks[index]
    if (!block) return
    let at = (before === undefined ? block.keys.length : lowerBound(block.keys, before)) - 1
    for (;;) {
      const { keys, items } = block
      for (; at >= 0; at--) if (!visit(keys[at] as Key, items[at] as Item)) return
      block = this.#blocks[--index]
      if (!block) return
      at = block.keys.length - 1
    }
  }

  #split(index: number, block: Block<Item>, insertedAt: number): void {
    // After an insert at the very end the load is likely ascending: leave the full block full.
    const cut = insertedAt === block.keys.length - 1 ? block.keys.length - 1 : block.keys.length >> 1
    const upper = { keys: block.keys.splice(cut), items: block.items.splice(cut), derived: null }
    this.#blocks.splice(index + 1, 0, upper)
  }

  /** The last block that starts at or below the key; the first one when none does. */
  #blockOf(key: Key): number {
    const blocks = this.#blocks
    let low = 0
    let high = blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (((blocks[middle] as Block<Item>).keys[0] as Key) <= key) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** The position of the first key ≥ `key` in sorted keys; their number when there is none. */
export function lowerBound(keys: readonly Key[], key: Key): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] as Key) < key) low = middle + 1
    else high = middle
  }
  return low
}
