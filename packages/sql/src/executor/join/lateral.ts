import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch } from '../../compile/batch.ts'
import type { Source } from '../context.ts'
import type { PairFilter } from './join.ts'

export interface LateralOptions {
  readonly type: 'inner' | 'left'
  /** Where the columns that the right side refers to come from: left column → slot of `Frame.outer`. */
  readonly outer: readonly { readonly slot: number; readonly position: number }[]
  /** Null: every row of the right side is a match. */
  readonly filter: PairFilter | null
  readonly leftWidth: number
  /** Which columns to give: positions of left columns, then of right ones behind `leftWidth`. */
  readonly outputs: readonly number[]
}

/** Runs the right side for each row of the left one, with the values of that row. */
export function lateralSource(left: Source, right: Source, options: LateralOptions): Source {
  const { type, outer, filter, leftWidth, outputs } = options
  return {
    async *open(context) {
      const { frame } = context
      let columns: Value[][] = outputs.map(() => [])
      let length = 0
      const add = (batch: Batch, row: number, found: Batch | null, foundRow: number): void => {
        outputs.forEach((position, o) => {
          const value =
            position < leftWidth
              ? batch.columns[position]?.[row]
              : (found?.columns[position - leftWidth]?.[foundRow] ?? null)
          columns[o]?.push(value as Value)
        })
        length++
      }
      const taken = (): Batch => {
        const full = { length, columns }
        columns = outputs.map(() => [])
        length = 0
        return full
      }
      for await (const batch of left.open(context)) {
        for (let row = 0; row < batch.length; row++) {
          // Others may have used the slots since the row before.
          for (const { slot, position } of outer) frame.outer[slot] = batch.columns[position]?.[row] as Value
          let matched = false
          for await (const found of right.open(context)) {
            const rows = Array.from({ length: found.length }, (_, i) => i)
            const lefts = rows.map(() => row)
            const count =
              filter === null
                ? found.length
                : filter(batch.columns, found.columns, lefts, rows, found.length, frame)
            for (let i = 0; i < count; i++) add(batch, row, found, rows[i] as number)
            matched ||= count > 0
            if (length >= BATCH_ROWS) {
              yield taken()
              for (const { slot, position } of outer)
                frame.outer[slot] = batch.columns[position]?.[row] as Value
            }
          }
          if (!matched && type === 'left') add(batch, row, null, 0)
          const pause = context.work(1)
          if (pause !== null) await pause
        }
        if (length >= BATCH_ROWS) yield taken()
      }
      if (length > 0) yield taken()
    },
  }
}
