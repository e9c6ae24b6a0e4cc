import type { SetPlan } from '../plan/logical.ts'
import type { ExecutionContext, Source } from './context.ts'
import { type RowKeys, select } from './distinct.ts'
import { MemoryAccount, rowsBytes } from './memory.ts'

/** One after the other; the columns go by position. */
export function concatSource(left: Source, right: Source): Source {
  return {
    async *open(context) {
      yield* left.open(context)
      yield* right.open(context)
    },
  }
}

async function countRows(source: Source, context: ExecutionContext, keysOf: RowKeys, account: MemoryAccount) {
  const counts = new Map<unknown, number>()
  for await (const batch of source.open(context)) {
    const keys = keysOf(batch, context.frame)
    const before = counts.size
    for (let i = 0; i < batch.length; i++) counts.set(keys[i], (counts.get(keys[i]) ?? 0) + 1)
    const share = (counts.size - before) / Math.max(1, batch.length)
    account.take(Math.ceil(share * rowsBytes(batch.columns, batch.length)))
    const pause = context.work(batch.length)
    if (pause !== null) await pause
  }
  return counts
}

/**
 * INTERSECT and EXCEPT. With ALL a row comes as often as SQL counts it: the lesser of both counts, or the
 * difference; without, once.
 */
export function matchSource(
  left: Source,
  right: Source,
  operator: Exclude<SetPlan['operator'], 'union'>,
  all: boolean,
  keysOf: RowKeys,
): Source {
  return {
    async *open(context) {
      const account = new MemoryAccount(context.memory)
      const counts = await countRows(right, context, keysOf, account)
      const given = new Set<unknown>()
      for await (const batch of left.open(context)) {
        const keys = keysOf(batch, context.frame)
        const kept: number[] = []
        for (let i = 0; i < batch.length; i++) {
          const key = keys[i]
          const count = counts.get(key) ?? 0
          if (all && count > 0) counts.set(key, count - 1)
          if (count > 0 !== (operator === 'intersect')) continue
          if (!all) {
            if (given.has(key)) continue
            given.add(key)
          }
          kept.push(i)
        }
        const pause = context.work(batch.length)
        if (pause !== null) await pause
        if (kept.length > 0) yield select(batch, kept)
      }
      account.clear()
    },
  }
}
