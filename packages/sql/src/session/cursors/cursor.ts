import type { Value } from '@cluster/core'
import { type Batch, rowsOf } from '../../compile/batch.ts'
import { sqlError } from '../../errors.ts'
import { type MemoryAccount, rowsBytes } from '../../executor/memory.ts'
import type { ResultColumn } from '../../plan/statement.ts'
import type { FetchDirection } from '../../syntax/ast.ts'

export interface CursorOptions {
  readonly columns: readonly ResultColumn[]
  readonly batches: AsyncIterable<Batch> | Iterable<Batch>
  /** False: rows that were fetched are let go, and it only goes forward. */
  readonly scroll: boolean
  /** Of the rows that it keeps. */
  readonly memory: MemoryAccount
}

/** The rows of a query, and a place among them: 0 is before the first row, n on row n. */
export class Cursor {
  readonly columns: readonly ResultColumn[]
  readonly #scroll: boolean
  readonly #memory: MemoryAccount
  #source: AsyncIterator<Batch> | Iterator<Batch> | null
  /** Rows from `#dropped` + 1 on. */
  #rows: Value[][] = []
  #dropped = 0
  #place = 0

  constructor({ columns, batches, scroll, memory }: CursorOptions) {
    this.columns = columns
    this.#scroll = scroll
    this.#memory = memory
    this.#source =
      Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]()
  }

  /**
   * The rows that FETCH gives, in the order of its way. @throws 55000 when it would go back and cannot
   * @param keep false: they are only counted, as MOVE does
   */
  async fetch({ way, count }: FetchDirection, keep = true): Promise<{ rows: Value[][]; count: number }> {
    switch (way) {
      case 'forward':
        return count === 'all' || count > 0
          ? this.#forward(count, keep)
          : this.fetch({ way: 'backward', count: -count }, keep)
      case 'backward':
        if (count !== 'all' && count < 0) return this.#forward(-count, keep)
        return count === 0 ? this.#again(keep) : this.#backward(count, keep)
      case 'absolute':
        return this.#absolute(count as number, keep)
      case 'relative': {
        const steps = count as number
        if (steps === 0) return this.#again(keep)
        if (steps > 0) return this.#to(this.#place + steps, keep)
        this.#needScroll()
        return this.#to(Math.max(0, this.#place + steps), keep)
      }
    }
  }

  /** Reads what is left, so that it does without its transaction from now on. @throws 53200 */
  async settle(): Promise<void> {
    while (await this.#more());
  }

  async close(): Promise<void> {
    const source = this.#source
    this.#source = null
    this.#memory.clear()
    this.#rows = []
    await source?.return?.()
  }

  get #last(): number {
    return this.#dropped + this.#rows.length
  }

  async #forward(count: number | 'all', keep: boolean) {
    const rows: Value[][] = []
    let moved = 0
    while (count === 'all' || moved < count) {
      const row = await this.#row(this.#place + 1)
      if (row === null) {
        this.#place = this.#last + 1
        break
      }
      this.#place++
      moved++
      if (keep) rows.push(row)
      this.#forget()
    }
    return { rows, count: moved }
  }

  async #backward(count: number | 'all', keep: boolean) {
    this.#needScroll()
    const rows: Value[][] = []
    let moved = 0
    while ((count === 'all' || moved < count) && this.#place > 1) {
      this.#place--
      moved++
      if (keep) rows.push((await this.#row(this.#place)) ?? [])
    }
    if (count === 'all' || moved < count) this.#place = 0
    return { rows, count: moved }
  }

  /** The row that it stands on. */
  async #again(keep: boolean) {
    if (this.#place === 0) return { rows: [], count: 0 }
    this.#needScroll()
    return this.#to(this.#place, keep)
  }

  async #absolute(count: number, keep: boolean) {
    if (count < 0) {
      await this.settle()
      const place = this.#last + 1 + count
      if (place <= this.#place) this.#needScroll()
      return this.#to(Math.max(0, place), keep)
    }
    if (count <= this.#place && this.#place > 0) this.#needScroll()
    return this.#to(count, keep)
  }

  async #to(place: number, keep: boolean) {
    if (place === 0) {
      this.#place = 0
      return { rows: [], count: 0 }
    }
    while (!this.#scroll && this.#place < place - 1) {
      const { count } = await this.#forward(1, false)
      if (count === 0) return { rows: [], count: 0 }
    }
    const row = await this.#row(place)
    this.#place = row === null ? this.#last + 1 : place
    if (row === null) return { rows: [], count: 0 }
    this.#forget()
    return { rows: keep ? [row] : [], count: 1 }
  }

  async #row(place: number): Promise<Value[] | null> {
    while (place > this.#last) if (!(await this.#more())) return null
    return this.#rows[place - this.#dropped - 1] ?? null
  }

  async #more(): Promise<boolean> {
    const next = await this.#source?.next()
    if (next === undefined || next.done === true) {
      this.#source = null
      return false
    }
    this.#memory.take(rowsBytes(next.value.columns, next.value.length))
    for (const row of rowsOf(next.value)) this.#rows.push(row)
    return true
  }

  /** Rows that nobody comes back to are let go, many at a time. */
  #forget(): void {
    const behind = this.#place - this.#dropped
    if (this.#scroll || behind < this.#rows.length) return
    this.#memory.clear()
    this.#rows = []
    this.#dropped = this.#place
  }

  #needScroll(): void {
    if (this.#scroll) return
    throw sqlError('55000', 'cursor can only scan forward', {
      hint: 'Declare it with SCROLL option to enable backward scan.',
    })
  }
}
