import type { Batch } from '../compile/batch.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { ExecutionContext, Source } from './context.ts'
import type { RowKeys } from './rows/distinct.ts'

/** Counts of LIMIT and OFFSET; null: none. */
export interface Counts {
  readonly limit: number | null
  readonly offset: number | null
}

/** Evaluated once a run. */
export type CountsOf = (context: ExecutionContext) => Counts | Promise<Counts>

/** @param ties keys by which rows are equal to the last one and come too; null: they do not */
export function limitSource(input: Source, countsOf: CountsOf, ties: RowKeys | null): Source {
  return {
    async *open(context) {
      const { limit, offset } = await countsOf(context)
      if (ties !== null && limit === null)
        throw sqlError(
          SQLSTATE.invalidRowCountInLimit,
          'row count cannot be null in FETCH FIRST ... WITH TIES clause',
        )
      let skip = offset ?? 0
      let left = limit ?? Number.POSITIVE_INFINITY
      if (left === 0) return
      let lastKey: unknown
      for await (const batch of input.open(context)) {
        if (skip >= batch.length) {
          skip -= batch.length
          continue
        }
        const keys = ties === null ? null : ties(batch, context.frame)
        let end = Math.min(batch.length, skip + left)
        left -= end - skip
        if (keys !== null && left === 0) {
          if (end > skip) lastKey = keys[end - 1]
          while (end < batch.length && keys[end] === lastKey) end++
        }
        if (end > skip) yield slice(batch, skip, end)
        skip = 0
        if (left === 0 && (keys === null || end < batch.length)) return
      }
    },
  }
}

function slice(batch: Batch, start: number, end: number): Batch {
  if (start === 0 && end === batch.length) return batch
  return { length: end - start, columns: batch.columns.map((column) => column.slice(start, end)) }
}

/** Lets one row through. @throws 21000 when there is another */
export function singleSource(input: Source): Source {
  return {
    async *open(context) {
      let count = 0
      for await (const batch of input.open(context)) {
        count += batch.length
        if (count > 1) throw severalRows()
        if (batch.length > 0) yield batch
      }
    },
  }
}

export const severalRows = () =>
  sqlError(SQLSTATE.cardinalityViolation, 'more than one row returned by a subquery used as an expression', {
    hint: 'Add LIMIT 1, an aggregate, or a condition that leaves one row.',
  })
