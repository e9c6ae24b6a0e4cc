import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch } from '../../compile/batch.ts'
import type { ExecutionContext } from '../context.ts'
import { MemoryAccount, type MemoryBudget, rowsBytes } from '../memory.ts'

/** Rows kept in memory as long columns, counted against the statement's budget. */
export class RowStore {
  readonly columns: readonly Value[][]
  readonly account: MemoryAccount
  #length = 0

  constructor(width: number, memory: MemoryBudget) {
    this.columns = Array.from({ length: width }, () => [])
    this.account = new MemoryAccount(memory)
  }

  get length(): number {
    return this.#length
  }

  /** @throws 53200 */
  append(batch: Batch): void {
    const start = this.#length
    for (let c = 0; c < this.columns.length; c++) {
      const from = batch.columns[c] as readonly Value[]
      const to = this.columns[c] as Value[]
      for (let i = 0; i < batch.length; i++) to.push(from[i] as Value)
    }
    this.#length += batch.length
    this.account.take(rowsBytes(this.columns, this.#length, start))
  }

  /** The rows at these positions, in this order, `width` columns wide, in batches. */
  *gather(order: ArrayLike<number>, width = this.columns.length): Generator<Batch> {
    for (let start = 0; start < order.length; start += BATCH_ROWS) {
      const end = Math.min(order.length, start + BATCH_ROWS)
      yield { length: end - start, columns: this.#pick(order, start, end, width) }
    }
  }

  #pick(order: ArrayLike<number>, start: number, end: number, width: number): Value[][] {
    const result: Value[][] = []
    for (let c = 0; c < width; c++) {
      const from = this.columns[c] as readonly Value[]
      const to: Value[] = []
      for (let i = start; i < end; i++) to.push(from[order[i] as number] as Value)
      result.push(to)
    }
    return result
  }

  /** Puts all rows somewhere else, some at a time. */
  async moveTo(add: (batch: Batch) => Promise<void>, context: ExecutionContext): Promise<void> {
    for (let start = 0; start < this.#length; start += BATCH_ROWS) {
      const end = Math.min(this.#length, start + BATCH_ROWS)
      await add({ length: end - start, columns: this.columns.map((column) => column.slice(start, end)) })
      const pause = context.work(end - start)
      if (pause !== null) await pause
    }
    this.clear()
  }

  /** Keeps only the rows at these positions, in this order. */
  retain(order: ArrayLike<number>): void {
    const kept = this.#pick(order, 0, order.length, this.columns.length)
    for (let c = 0; c < this.columns.length; c++) {
      const to = this.columns[c] as Value[]
      to.length = 0
      for (const value of kept[c] as Value[]) to.push(value)
    }
    this.#length = order.length
    this.#recount()
  }

  /** Forgets the first rows. */
  drop(count: number): void {
    for (const column of this.columns) column.splice(0, count)
    this.#length -= count
    this.#recount()
  }

  #recount(): void {
    this.account.clear()
    this.account.take(rowsBytes(this.columns, this.#length))
  }

  /** Gives all memory back. */
  clear(): void {
    this.account.clear()
    for (const column of this.columns) column.length = 0
    this.#length = 0
  }
}
