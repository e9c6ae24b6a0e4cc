import type { Key } from '../values/value.ts'

/** Keys a block holds before it is split; small enough that an insert moves little memory. */
const BLOCK_MAX = 1_024
/** Look-ups in a block, since it was made, from which on it is worth a table of its keys. */
const LOOKUPS_MIN = 8

/** A run of keys in order, with the item of each. */
export interface Block<Item> {
  readonly keys: Key[]
  readonly items: Item[]
  /** What somebody has computed from the block; every change of the block forgets it. */
  derived: unknown
}

/** A block and a position in it. `index` says where the block stands as long as `SortedBlocks.shape` is the same. */
export interface BlockPlace<Item> {
  readonly block: Readonly<Block<Item>>
  readonly index: number
  readonly at: number
}

/** A block that can be asked for a key without a search, once it was asked often. */
class SearchedBlock<Item> implements Block<Item> {
  readonly keys: Key[]
  readonly items: Item[]
  derived: unknown = null
  #table: Map<Key, Item> | null = null
  #lookups = 0

  constructor(keys: Key[], items: Item[]) {
    this.keys = keys
    this.items = items
  }

  get(key: Key): Item | undefined {
    if (this.#table !== null) return this.#table.get(key)
    if (++this.#lookups >= LOOKUPS_MIN) this.#table = this.#tableOfKeys()
    const at = lowerBound(this.keys, key)
    return this.keys[at] === key ? this.items[at] : undefined
  }

  #tableOfKeys(): Map<Key, Item> {
    const table = new Map<Key, Item>()
    for (let i = 0; i < this.keys.length; i++) table.set(this.keys[i] as Key, this.items[i] as Item)
    return table
  }

  replace(at: number, key: Key, item: Item): void {
    this.derived = null
    this.items[at] = item
    this.#table?.set(key, item)
  }

  insert(at: number, key: Key, item: Item): void {
    this.derived = null
    this.#table?.set(key, item)
    // Appending keys in order, the usual load, goes to the end without moving anything.
    if (at === this.keys.length) {
      this.keys.push(key)
      this.items.push(item)
    } else {
      this.keys.splice(at, 0, key)
      this.items.splice(at, 0, item)
    }
  }

  remove(at: number, key: Key): void {
    this.derived = null
    this.#table?.delete(key)
    this.keys.splice(at, 1)
    this.items.splice(at, 1)
  }

  /** What stands from `cut` on, as a block of its own; this one keeps the rest. */
  split(cut: number): SearchedBlock<Item> {
    this.derived = null
    this.#table = null
    this.#lookups = 0
    return new SearchedBlock(this.keys.splice(cut), this.items.splice(cut))
  }
}

/**
 * An ordered map from keys to items: a list of sorted blocks. A lookup is a binary search among the first keys of the
 * blocks, and another one in the block; blocks that are asked often have a table instead. Inserts move at most one
 * block (and, once in 512 inserts, the list of blocks), and a scan walks plain arrays.
 */
export class SortedBlocks<Item> {
  readonly #blocks: SearchedBlock<Item>[] = []
  /** The first key of each block, in a list of their own: a search touches nothing else. */
  readonly #firsts: Key[] = []
  #size = 0
  #shape = 0

  get size(): number {
    return this.#size
  }

  /** Changes whenever blocks come or go. */
  get shape(): number {
    return this.#shape
  }

  get(key: Key): Item | undefined {
    return this.#blocks[this.#blockOf(key)]?.get(key)
  }

  /** Inserts or replaces. */
  set(key: Key, item: Item): void {
    const index = this.#blockOf(key)
    const block = this.#blocks[index]
    if (!block) {
      this.#blocks.push(new SearchedBlock([key], [item]))
      this.#firsts.push(key)
      this.#shape++
      this.#size = 1
      return
    }
    const at = lowerBound(block.keys, key)
    if (block.keys[at] === key) {
      block.replace(at, key, item)
      return
    }
    this.#size++
    block.insert(at, key, item)
    if (at === 0) this.#firsts[index] = key
    if (block.keys.length > BLOCK_MAX) this.#split(index, block, at)
  }

  delete(key: Key): boolean {
    const index = this.#blockOf(key)
    const block = this.#blocks[index]
    if (!block) return false
    const at = lowerBound(block.keys, key)
    if (block.keys[at] !== key) return false
    this.#size--
    block.remove(at, key)
    if (block.keys.length === 0) {
      this.#blocks.splice(index, 1)
      this.#firsts.splice(index, 1)
      this.#shape++
    } else if (at === 0) this.#firsts[index] = block.keys[0] as Key
    return true
  }

  /** The place of the first key ≥ `from` (or of the very first); null: there is none. */
  seek(from: Key | undefined): BlockPlace<Item> | null {
    const index = from === undefined ? 0 : this.#blockOf(from)
    const block = this.#blocks[index]
    if (!block) return null
    const at = from === undefined ? 0 : lowerBound(block.keys, from)
    return at < block.keys.length ? { block, index, at } : this.blockAt(index + 1)
  }

  /** The start of a block, counted from 0; null: there are not so many. */
  blockAt(index: number): BlockPlace<Item> | null {
    const block = this.#blocks[index]
    return block === undefined ? null : { block, index, at: 0 }
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

  #split(index: number, block: SearchedBlock<Item>, insertedAt: number): void {
    // After an insert at the very end the load is likely ascending: leave the full block full.
    const { length } = block.keys
    const upper = block.split(insertedAt === length - 1 ? length - 1 : length >> 1)
    this.#blocks.splice(index + 1, 0, upper)
    this.#firsts.splice(index + 1, 0, upper.keys[0] as Key)
    this.#shape++
  }

  /** The last block that starts at or below the key; the first one when none does. */
  #blockOf(key: Key): number {
    const firsts = this.#firsts
    let low = 0
    let high = firsts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((firsts[middle] as Key) <= key) low = middle
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
