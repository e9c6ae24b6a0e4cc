import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch, type Frame } from '../../compile/batch.ts'
import type { JoinType } from '../../plan/logical.ts'
import type { ExecutionContext } from '../context.ts'
import { type MemoryAccount, rowsBytes } from '../memory.ts'
import { type RowKeys, select } from '../rows/distinct.ts'
import { RowStore } from '../rows/row-store.ts'
import type { JoinSide } from '../spill/spilled-sides.ts'
import { JoinTable } from './join-table.ts'

type Columns = readonly (readonly Value[])[]

/**
 * Keeps those of the first `count` pairs for which the join condition is true: moves them to the front of both
 * lists and gives their number.
 */
export type PairFilter = (
  left: Columns,
  right: Columns,
  leftRows: Positions,
  rightRows: Positions,
  count: number,
  frame: Frame,
) => number

/** Positions of rows, as many as somebody says. */
type Positions = number[] | Int32Array

export interface JoinOptions {
  /** A right join comes as a left join with the sides swapped. */
  readonly type: Exclude<JoinType, 'right'>
  /** Keys of both sides; null: every pair is a candidate. A key of `undefined` or null matches nothing. */
  readonly keys: { readonly left: RowKeys; readonly right: RowKeys } | null
  /** Null: every candidate is a match. */
  readonly filter: PairFilter | null
  readonly leftWidth: number
  readonly rightWidth: number
  /** Which columns to give: positions of left columns, then of right ones behind `leftWidth`. */
  readonly outputs: readonly number[]
}

const PAIRS = 4 * BATCH_ROWS

/** One run of a join: the right side in memory, and what it has met. */
export class JoinRun {
  readonly #context: ExecutionContext
  readonly #options: JoinOptions
  readonly #store: RowStore
  readonly #table = new JoinTable()
  readonly #rightMatched: boolean[] = []
  /** Room for the pairs of one batch. */
  #leftRows = new Int32Array(0)
  #rightRows = new Int32Array(0)

  constructor(context: ExecutionContext, options: JoinOptions) {
    this.#context = context
    this.#options = options
    this.#store = new RowStore(options.rightWidth, context.memory)
  }

  /** What it keeps. */
  get account(): MemoryAccount {
    return this.#store.account
  }

  get isEmpty(): boolean {
    return this.#store.length === 0
  }

  build(batch: Batch): void {
    this.#store.append(batch)
    const { keys } = this.#options
    if (keys === null) return
    const values = keys.right(batch, this.#context.frame)
    this.#table.add(values, batch.length)
    this.account.take(rowsBytes([values as readonly Value[]], batch.length))
  }

  /** Puts the right side somewhere else. Nothing more is built. */
  async moveTo(side: JoinSide): Promise<void> {
    await this.#store.moveTo(side.add, this.#context)
  }

  async built(): Promise<void> {
    while (this.#table.link(BATCH_ROWS)) {
      const pause = this.#context.work(BATCH_ROWS)
      if (pause !== null) await pause
    }
  }

  /** The first candidate for a left row; −1: none. */
  #first(keys: readonly unknown[] | null, row: number): number {
    if (keys === null) return this.isEmpty ? -1 : 0
    return this.#table.first(keys[row])
  }

  #after(keys: readonly unknown[] | null, candidate: number): number {
    if (keys !== null) return this.#table.after(candidate)
    return candidate + 1 < this.#store.length ? candidate + 1 : -1
  }

  /**
   * Gives what rows of the left side make with the right one.
   * @param matched a byte for each left row: 1 when it has met a row of the right side; where that comes in several blocks, of those before
   * @param last false: there are more blocks, so nobody can say yet that a row meets none
   */
  async *probe(
    batch: Batch,
    matched = new Uint8Array(this.#options.type === 'inner' ? 0 : batch.length),
    last = true,
  ): AsyncGenerator<Batch> {
    const { keys, type } = this.#options
    const context = this.#context
    if (type === 'semi' || type === 'anti') {
      const fresh = await this.#matches(batch, matched)
      const kept: number[] = type === 'semi' ? fresh : []
      if (type === 'anti' && last) for (let i = 0; i < batch.length; i++) if (matched[i] === 0) kept.push(i)
      if (kept.length > 0) yield this.#output(select(batch, kept), null, [], kept.length)
      return
    }
    if (this.once) {
      const pause = context.work(batch.length)
      if (pause !== null) await pause
      const output = this.probeOnce(batch)
      if (output !== null) yield output
      return
    }
    const values = keys === null ? null : keys.left(batch, context.frame)
    let leftRows: number[] = []
    let rightRows: number[] = []
    for (let i = 0; i < batch.length; i++) {
      let candidate = this.#first(values, i)
      while (candidate >= 0) {
        leftRows.push(i)
        rightRows.push(candidate)
        candidate = this.#after(values, candidate)
        if (leftRows.length < PAIRS) continue
        const pause = context.work(leftRows.length)
        if (pause !== null) await pause
        const output = this.#flush(batch, leftRows, rightRows, matched)
        if (output !== null) yield output
        leftRows = []
        rightRows = []
      }
    }
    const pause = context.work(batch.length + leftRows.length)
    if (pause !== null) await pause
    const output = this.#flush(batch, leftRows, rightRows, matched)
    if (output !== null) yield output
    if (type === 'inner' || !last) return
    const alone: number[] = []
    for (let i = 0; i < batch.length; i++) if (matched[i] === 0) alone.push(i)
    if (alone.length > 0) yield this.#output(batch, alone, null, alone.length)
  }

  /** True when a left row gives one row at most, and `probeOnce` tells which, without ado. Known once all is built. */
  get once(): boolean {
    const { keys, type } = this.#options
    return keys !== null && type === 'inner' && this.#table.unique
  }

  /** What rows of the left side make with the right one, if `once` is true. Where all make one, their columns stay as they are. */
  probeOnce(batch: Batch): Batch | null {
    const { keys, filter } = this.#options
    if (keys === null) return null
    const { frame } = this.#context
    if (this.#leftRows.length < batch.length) {
      this.#leftRows = new Int32Array(batch.length)
      this.#rightRows = new Int32Array(batch.length)
    }
    const [leftRows, rightRows] = [this.#leftRows, this.#rightRows]
    const found = this.#table.pairs(keys.left(batch, frame), batch.length, leftRows, rightRows)
    if (filter !== null && found === batch.length) for (let i = 0; i < found; i++) leftRows[i] = i
    const count =
      filter === null ? found : filter(batch.columns, this.#store.columns, leftRows, rightRows, found, frame)
    if (count === 0) return null
    return this.#output(batch, count === batch.length ? null : leftRows, rightRows, count)
  }

  /**
   * For semi and anti joins: notes which left rows have a match, and stops at the first of each row where it can.
   * @returns those that had none before
   */
  async #matches(batch: Batch, matched: Uint8Array): Promise<number[]> {
    const { keys, filter } = this.#options
    const values = keys === null ? null : keys.left(batch, this.#context.frame)
    const fresh: number[] = []
    if (filter === null) {
      for (let i = 0; i < batch.length; i++) {
        if (matched[i] !== 0 || this.#first(values, i) < 0) continue
        matched[i] = 1
        fresh.push(i)
      }
      return fresh
    }
    for (let i = 0; i < batch.length; i++) {
      if (matched[i] !== 0) continue
      let candidate = this.#first(values, i)
      // Blocks that double: a match is often near, and a long chain is still judged in few calls.
      for (let block = 8; candidate >= 0 && matched[i] === 0; block = Math.min(PAIRS, block * 2)) {
        const leftRows: number[] = []
        const rightRows: number[] = []
        while (candidate >= 0 && leftRows.length < block) {
          leftRows.push(i)
          rightRows.push(candidate)
          candidate = this.#after(values, candidate)
        }
        const count = leftRows.length
        if (filter(batch.columns, this.#store.columns, leftRows, rightRows, count, this.#context.frame) > 0) {
          matched[i] = 1
          fresh.push(i)
        }
        const pause = this.#context.work(count)
        if (pause !== null) await pause
      }
    }
    return fresh
  }

  #flush(batch: Batch, leftRows: number[], rightRows: number[], matched: Uint8Array): Batch | null {
    const { filter, type } = this.#options
    const { frame } = this.#context
    const count =
      filter === null
        ? leftRows.length
        : filter(batch.columns, this.#store.columns, leftRows, rightRows, leftRows.length, frame)
    if (count === 0) return null
    if (type !== 'inner') for (let p = 0; p < count; p++) matched[leftRows[p] as number] = 1
    if (type === 'full') for (let p = 0; p < count; p++) this.#rightMatched[rightRows[p] as number] = true
    return this.#output(batch, leftRows, rightRows, count)
  }

  /** Null rows on a side mean: the rows as they are (left, with right rows given), or a side of NULLs. */
  #output(
    batch: Batch | null,
    leftRows: ArrayLike<number> | null,
    rightRows: ArrayLike<number> | null,
    count: number,
  ): Batch {
    const { outputs, leftWidth } = this.#options
    const columns = outputs.map((position) => {
      const isLeft = position < leftWidth
      const from = isLeft ? batch?.columns[position] : this.#store.columns[position - leftWidth]
      const rows = isLeft ? leftRows : rightRows
      if (isLeft && batch !== null && leftRows === null) return from as readonly Value[]
      return from === undefined || rows === null ? nulls(count) : gathered(from, rows, count)
    })
    return { length: count, columns }
  }

  /** A full join's right rows that met no left one. */
  *unmatchedRight(): Generator<Batch> {
    if (this.#options.type !== 'full') return
    let rows: number[] = []
    for (let i = 0; i < this.#store.length; i++) {
      if (this.#rightMatched[i] === true) continue
      rows.push(i)
      if (rows.length < BATCH_ROWS) continue
      yield this.#output(null, null, rows, rows.length)
      rows = []
    }
    if (rows.length > 0) yield this.#output(null, null, rows, rows.length)
  }

  close(): void {
    this.#store.clear()
  }
}

function nulls(count: number): Value[] {
  const to: Value[] = []
  for (let i = 0; i < count; i++) to.push(null)
  return to
}

/** The values at some positions. */
function gathered(from: readonly Value[], rows: ArrayLike<number>, count: number): Value[] {
  // Copies of lists are made fast, and are of the kind that the list is: of whole numbers, of floating ones, or of any.
  const to = from.slice(0, count)
  const ready = to.length
  for (let i = 0; i < ready; i++) to[i] = from[rows[i] as number] as Value
  for (let i = ready; i < count; i++) to.push(from[rows[i] as number] as Value)
  return to
}
