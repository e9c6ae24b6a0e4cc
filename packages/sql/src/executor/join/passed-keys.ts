import type { Value } from '@cluster/core'
import type { Batch } from '../../compile/batch.ts'
import type { Source } from '../context.ts'
import type { RowKeys } from '../rows/distinct.ts'
import { KeySet } from '../rows/key-set.ts'

/** Keys that one side of a join tells the scans of the other side, which is read behind it. */
export interface PassedKeys {
  /** Tells them from others in the statement. */
  readonly id: number
  readonly keysOf: RowKeys
}

/** Batches after which keys that keep most rows are asked no more. */
const TRIED = 16
/** Where more rows than this share are kept, they stay where they are: copying them costs more than it spares. */
const MOST = 0.7

/** The same rows; when all have come, their keys are known to the scans that want them. */
export function tellingKeys(input: Source, passed: readonly PassedKeys[]): Source {
  if (passed.length === 0) return input
  return {
    async *open(context) {
      const sets = passed.map(() => new KeySet())
      for (const { id } of passed) context.keySets.delete(id)
      for await (const batch of input.open(context)) {
        passed.forEach(({ keysOf }, i) => {
          sets[i]?.add(keysOf(batch, context.frame), batch.length)
        })
        yield batch
      }
      passed.forEach(({ id }, i) => {
        const set = sets[i] as KeySet
        set.finish()
        context.keySets.set(id, set)
      })
    },
  }
}

/** The rows that may meet a row on the other side of the joins above; some of the others may come as well. */
export function keyedSource(input: Source, wanted: readonly PassedKeys[]): Source {
  if (wanted.length === 0) return input
  return {
    open(context) {
      const filters = wanted.flatMap(({ id, keysOf }) => {
        const set = context.keySets.get(id)
        return set === undefined ? [] : [{ set, keysOf, seen: 0, kept: 0, batches: 0 }]
      })
      if (filters.length === 0) return input.open(context)
      let rows = new Int32Array(0)
      const narrowed = (batch: Batch): Batch | null => {
        const { length } = batch
        if (rows.length < length) rows = new Int32Array(length)
        for (let i = 0; i < length; i++) rows[i] = i
        let count = length
        for (const filter of filters) {
          if (filter.batches >= TRIED && filter.kept > filter.seen * MOST) continue
          const kept = filter.set.keep(filter.keysOf(batch, context.frame), rows, count)
          filter.batches++
          filter.seen += count
          filter.kept += kept
          count = kept
          if (count === 0) return null
        }
        return count > length * MOST ? batch : gathered(batch, rows, count)
      }
      return (async function* () {
        for await (const batch of input.open(context)) {
          const rest = narrowed(batch)
          if (rest !== null) yield rest
        }
      })()
    },
  }
}

function gathered({ columns }: Batch, rows: Int32Array, count: number): Batch {
  return {
    length: count,
    columns: columns.map((column) => {
      const to: Value[] = []
      for (let i = 0; i < count; i++) to.push(column[rows[i] as number] as Value)
      return to
    }),
  }
}
