import { assert, type Key, type RelationId, type Row } from '@cluster/core'
import type { Environment } from './environment.ts'
import { BLOCK_BYTES, type Blocks, blockBytes, type StoredBlock } from './stored-block.ts'
import { blockKey, FENCE_BYTES_MAX } from './stored-keys.ts'

/** A row in the blocks; a null row is gone, but older versions of it may still be read. */
export interface RowState {
  readonly version: number
  readonly row: Row | null
}

/** Says what becomes of the row with the i-th key, given what is stored; null: nothing is left of it. */
export type Settle = (i: number, stored: RowState | null) => RowState | null

interface Rows {
  readonly keys: Key[]
  readonly rows: (Row | null)[]
  readonly versions: number[]
}

/** A block below this part of a full one takes in its neighbour. */
const SMALL_PART = 4
/** Rows tried in the first block of a relation. */
const FIRST_GUESS = 64
/** Room left when a size is guessed. */
const SLACK = 0.97
/** A block filled less than this is tried again with more rows. */
const FILLED = 0.85

/** Changes rows in the blocks of an environment. Belongs inside a step. */
export class BlockWriter {
  readonly #env: Environment
  readonly #blocks: Blocks
  /** Rows that fitted into the last block cut, by relation. */
  readonly #guesses = new Map<RelationId, number>()

  constructor(env: Environment, blocks: Blocks) {
    this.#env = env
    this.#blocks = blocks
  }

  /**
   * Lets `settle` decide on the rows with the keys from position `from` on that belong into one block.
   * @param keys ascending
   * @param oldest rows gone since this version or longer are dropped from the block
   * @returns the position behind the last key that was done
   */
  rewrite(relation: RelationId, keys: readonly Key[], from: number, oldest: number, settle: Settle): number {
    const block = this.#blocks.covering(relation, keys[from] as Key)
    let to = from + 1
    while (to < keys.length && (block === null || block.covers(keys[to] as Key))) to++
    this.#store(relation, block, merged(block, keys, from, to, oldest, settle))
    return to
  }

  /** Adds a relation's rows, in key order, behind all its blocks. @param last false when more rows follow */
  append(
    relation: RelationId,
    rows: Rows,
    lower: Key,
    last: boolean,
  ): { readonly left: Rows; readonly lower: Key } {
    const { from, at } = this.#cut(relation, lower, null, rows, true, !last)
    const rest = <T>(list: T[]): T[] => list.slice(from)
    return {
      left: { keys: rest(rows.keys), rows: rest(rows.rows), versions: rest(rows.versions) },
      lower: at,
    }
  }

  /** Puts the rows in the block's place. */
  #store(relation: RelationId, block: StoredBlock | null, rows: Rows): void {
    const lower = block?.lower ?? ''
    let upper = block?.upper ?? null
    // Blocks that shrank are joined with the ones behind them, so that a table that is emptied does not keep its blocks.
    let bytes = this.#bytes(relation, lower, upper, rows, 0, rows.keys.length)
    while (upper !== null && bytes.length < BLOCK_BYTES / SMALL_PART) {
      const next = this.#blocks.at(relation, upper)
      this.#env.rows.remove(blockKey(relation, next.lower))
      for (const key of next.rows.keys()) rows.keys.push(key)
      for (const row of next.rows.rows()) rows.rows.push(row)
      for (const version of next.rows.versions()) rows.versions.push(version)
      upper = next.upper
      bytes = this.#bytes(relation, lower, upper, rows, 0, rows.keys.length)
    }
    if (rows.keys.length === 0 && lower === '') {
      assert(upper === null, 'an empty first block has taken in all others')
      if (block !== null) this.#env.rows.remove(blockKey(relation, ''))
      return
    }
    if (bytes.length <= BLOCK_BYTES || rows.keys.length < 2) {
      this.#env.rows.put(blockKey(relation, lower), bytes)
      return
    }
    // At the end of a relation more rows are likely to follow; elsewhere halves leave room on both sides.
    const pieces = Math.ceil(bytes.length / (BLOCK_BYTES * SLACK))
    const greedy = upper === null || pieces > 3
    if (!greedy) this.#guesses.set(relation, Math.ceil(rows.keys.length / pieces))
    this.#cut(relation, lower, upper, rows, greedy, false)
  }

  /**
   * Cuts the rows into blocks and writes them.
   * @param greedy fills each block; else each takes as many rows as guessed
   * @param keepLast leaves the rows of the last block, which others will follow
   * @returns what is left, and where the block of these begins
   */
  #cut(
    relation: RelationId,
    lower: Key,
    upper: Key | null,
    rows: Rows,
    greedy: boolean,
    keepLast: boolean,
  ): { readonly from: number; readonly at: Key } {
    const total = rows.keys.length
    let count = this.#guesses.get(relation) ?? FIRST_GUESS
    let from = 0
    let at = lower
    while (from < total) {
      let to = 0
      let bytes: Uint8Array
      let fence: Key | null
      for (let grown = !greedy; ; ) {
        to = fencedCut(rows.keys, from, Math.min(from + count, total))
        if (to === total && keepLast) return { from, at }
        fence = to === total ? upper : separator(rows.keys[to - 1] as Key, rows.keys[to] as Key)
        bytes = this.#bytes(relation, at, fence, rows, from, to)
        const fitting = Math.floor(((to - from) * BLOCK_BYTES * SLACK) / bytes.length)
        if (bytes.length > BLOCK_BYTES && count > 1 && to - from > 1) {
          count = Math.max(1, Math.min(count - 1, fitting))
          grown = true
        } else if (!grown && to < total && bytes.length < BLOCK_BYTES * FILLED) {
          count = Math.max(count, fitting)
          grown = true
        } else break
      }
      this.#env.rows.put(blockKey(relation, at), bytes)
      if (fence === null || to === total) return { from: to, at }
      from = to
      at = fence
      if (greedy) this.#guesses.set(relation, count)
    }
    return { from, at }
  }

  #bytes(
    relation: RelationId,
    lower: Key,
    upper: Key | null,
    { keys, rows, versions }: Rows,
    from: number,
    to: number,
  ): Uint8Array {
    const part = <T>(list: T[]): T[] => (from === 0 && to === list.length ? list : list.slice(from, to))
    return blockBytes(blockKey(relation, lower), upper, {
      keys: part(keys),
      rows: part(rows),
      versions: part(versions),
    })
  }
}

/** The block's rows with those changed that `settle` decides on. */
function merged(
  block: StoredBlock | null,
  keys: readonly Key[],
  from: number,
  to: number,
  oldest: number,
  settle: Settle,
): Rows {
  const result: Rows = { keys: [], rows: [], versions: [] }
  const add = (key: Key, state: RowState | null): void => {
    if (state === null) return
    result.keys.push(key)
    result.rows.push(state.row)
    result.versions.push(state.version)
  }
  const stored = block?.rows
  const storedKeys = stored?.keys() ?? []
  const storedRows = stored?.rows() ?? []
  const versions = stored?.versions() ?? []
  let i = from
  for (let at = 0; at < storedKeys.length; at++) {
    const key = storedKeys[at] as Key
    for (; i < to && (keys[i] as Key) < key; i++) add(keys[i] as Key, settle(i, null))
    const state = { version: versions[at] as number, row: storedRows[at] ?? null }
    if (i < to && keys[i] === key) add(key, settle(i++, state))
    else if (state.row !== null || state.version > oldest) add(key, state)
  }
  for (; i < to; i++) add(keys[i] as Key, settle(i, null))
  return result
}

/** The shortest key above `before` and not above `after`. */
function separator(before: Key, after: Key): Key {
  let i = 0
  while (i < before.length && before.charCodeAt(i) === after.charCodeAt(i)) i++
  return after.slice(0, i + 1)
}

/** The first place at or behind `to` where the fence is short enough; very long keys that begin alike stay together. */
function fencedCut(keys: readonly Key[], from: number, to: number): number {
  let cut = Math.max(to, from + 1)
  while (cut < keys.length && separator(keys[cut - 1] as Key, keys[cut] as Key).length > FENCE_BYTES_MAX)
    cut++
  return cut
}
