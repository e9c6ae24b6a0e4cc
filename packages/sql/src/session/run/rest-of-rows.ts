import type { Value } from '@cluster/core'
import { toSqlError } from '../errors.ts'
import type { RowsBatch } from '../types.ts'

type Rows = readonly (readonly Value[])[]

/** What is left of a query's rows. The session is let go at their end, and when nobody wants them. */
export class RestOfRows implements AsyncIterator<Rows> {
  readonly #batches: AsyncGenerator<RowsBatch>
  readonly #release: () => void
  #next: RowsBatch | null

  /** @param next what was taken already and comes first; null: nothing */
  constructor(batches: AsyncGenerator<RowsBatch>, next: RowsBatch | null, release: () => void) {
    this.#batches = batches
    this.#next = next
    this.#release = release
  }

  async next(): Promise<IteratorResult<Rows, undefined>> {
    const first = this.#next
    this.#next = null
    if (first !== null) return { done: false, value: first.rows }
    try {
      const { done, value } = await this.#batches.next()
      if (!done) return { done: false, value: value.rows }
    } catch (error) {
      this.#release()
      throw toSqlError(error)
    }
    this.#release()
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<Rows, undefined>> {
    this.#next = null
    try {
      await this.#batches.return(undefined)
    } finally {
      this.#release()
    }
    return { done: true, value: undefined }
  }
}
