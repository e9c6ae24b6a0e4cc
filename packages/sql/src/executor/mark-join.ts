import { BATCH_ROWS } from '../compile/batch.ts'
import type { Source } from './context.ts'
import type { RowKeys } from './distinct.ts'
import type { PairFilter } from './join.ts'
import { JoinTable } from './join-table.ts'
import { RowStore } from './row-store.ts'

export interface MarkJoinOptions {
  /** True: rows with a match; false: those without. */
  readonly matched: boolean
  /** Keys of both sides; undefined and null match nothing. */
  readonly keys: { readonly left: RowKeys; readonly right: RowKeys }
  /** Null: equal keys are a match. */
  readonly filter: PairFilter | null
  readonly leftWidth: number
  /** Positions of the left columns to give. */
  readonly outputs: readonly number[]
}

/**
 * A semi or anti join whose left side is the smaller one: keeps the left rows, marks those that a row of the right side
 * matches, and gives them in the order they came. Of the right side nothing is kept.
 */
export function markJoinSource(left: Source, right: Source, options: MarkJoinOptions): Source {
  const { matched, keys, filter, leftWidth, outputs } = options
  return {
    async *open(context) {
      const store = new RowStore(leftWidth, context.memory)
      const table = new JoinTable()
      for await (const batch of left.open(context)) {
        store.append(batch)
        table.add(keys.left(batch, context.frame), batch.length)
        const pause = context.work(batch.length)
        if (pause !== null) await pause
      }
      while (table.link(BATCH_ROWS)) {
        const pause = context.work(BATCH_ROWS)
        if (pause !== null) await pause
      }
      if (store.length === 0) return
      const marked = new Uint8Array(store.length)
      let open = store.length
      for await (const { length, columns } of right.open(context)) {
        const values = keys.right({ length, columns }, context.frame)
        const leftRows: number[] = []
        const rightRows: number[] = []
        for (let row = 0; row < length; row++) {
          for (let candidate = table.first(values[row]); candidate >= 0; candidate = table.after(candidate)) {
            if (marked[candidate] === 1) continue
            leftRows.push(candidate)
            rightRows.push(row)
            if (leftRows.length < BATCH_ROWS) continue
            mark(leftRows, rightRows, columns)
            const pause = context.work(BATCH_ROWS)
            if (pause !== null) await pause
          }
        }
        mark(leftRows, rightRows, columns)
        const pause = context.work(length)
        if (pause !== null) await pause
        if (open === 0) break
      }
      const rows: number[] = []
      for (let row = 0; row < marked.length; row++) if ((marked[row] === 1) === matched) rows.push(row)
      for (const batch of store.gather(rows)) {
        const pause = context.work(batch.length)
        if (pause !== null) await pause
        yield { length: batch.length, columns: outputs.map((position) => batch.columns[position] ?? []) }
      }
      store.clear()

      /** Marks the left rows of the pairs that match, and empties the lists. */
      function mark(leftRows: number[], rightRows: number[], right: Parameters<PairFilter>[1]): void {
        const count =
          filter === null
            ? leftRows.length
            : filter(store.columns, right, leftRows, rightRows, leftRows.length, context.frame)
        for (let pair = 0; pair < count; pair++) {
          const row = leftRows[pair] as number
          if (marked[row] === 0) open--
          marked[row] = 1
        }
        leftRows.length = 0
        rightRows.length = 0
      }
    },
  }
}
