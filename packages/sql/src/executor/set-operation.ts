import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch } from '../compile/batch.ts'
import type { SetPlan } from '../plan/logical.ts'
import type { ExecutionContext, Source } from './context.ts'
import { distinctSource, type RowKeys, select } from './distinct.ts'
import { MemoryAccount, rowsBytes } from './memory.ts'
import { Partitions } from './spill/partitions.ts'
import { SpillFiles } from './spill/spill-file.ts'
import type { SpilledRows } from './spill/spilled-rows.ts'

/** One after the other; the columns go by position. */
export function concatSource(left: Source, right: Source): Source {
  return {
    async *open(context) {
      yield* left.open(context)
      yield* right.open(context)
    },
  }
}

export interface MatchOptions {
  /** The node of the plan, by which EXPLAIN ANALYZE knows it. */
  readonly node: object
  readonly operator: Exclude<SetPlan['operator'], 'union'>
  readonly all: boolean
  readonly keysOf: RowKeys
  readonly width: number
}

/**
 * INTERSECT and EXCEPT. With ALL a row comes as often as SQL counts it: the lesser of both counts, or the
 * difference; without, once.
 */
export function matchSource(left: Source, right: Source, options: MatchOptions): Source {
  const matched: Source = {
    async *open(context) {
      const files = new SpillFiles(context, options.node)
      files.batches = 1
      try {
        yield* matchedRows(left, keyCounts(right, options.keysOf), options, files, 0)
      } finally {
        if (files.used) await files.close('hash')
      }
    },
  }
  return options.all ? matched : distinctSource(matched, options)
}

/** Keys and how often they come, as two columns. */
function keyCounts(source: Source, keysOf: RowKeys): Source {
  return {
    async *open(context) {
      for await (const batch of source.open(context)) {
        const keys = keysOf(batch, context.frame) as readonly Value[]
        yield { length: batch.length, columns: [keys, new Array<Value>(batch.length).fill(1)] }
      }
    },
  }
}

/**
 * The left rows that the counts let through. When there are too many keys, both go to partitions on disk.
 * @param counts of the right side: keys, some perhaps several times, and how often they come
 */
async function* matchedRows(
  left: Source,
  counts: Source,
  options: MatchOptions,
  files: SpillFiles,
  level: number,
): AsyncGenerator<Batch> {
  const { context } = files
  const { keysOf, width } = options
  const account = new MemoryAccount(context.memory)
  try {
    const table = await countedKeys(counts, files, account, level)
    files.kept(account)
    if (table instanceof Map) {
      for await (const batch of left.open(context)) {
        const kept = passing(keysOf(batch, context.frame), batch.length, table, options)
        const pause = context.work(batch.length)
        if (pause !== null) await pause
        if (kept.length > 0) yield select(batch, kept)
      }
      return
    }
    const rows = await Partitions.make(files, width, level)
    for await (const batch of left.open(context)) {
      await rows.add(batch, keysOf(batch, context.frame))
      const pause = context.work(batch.length)
      if (pause !== null) await pause
    }
    await rows.finish()
    for (const [i, part] of rows.parts.entries()) {
      if (part.length === 0) continue
      files.batches++
      yield* matchedRows(part.source, (table.parts[i] as SpilledRows).source, options, files, level + 1)
    }
    await table.remove()
    await rows.remove()
  } finally {
    account.clear()
  }
}

/** The positions of the rows that come through. */
function passing(
  keys: readonly unknown[],
  length: number,
  counts: Map<unknown, number>,
  { operator, all }: MatchOptions,
): readonly number[] {
  const kept: number[] = []
  for (let i = 0; i < length; i++) {
    const count = counts.get(keys[i]) ?? 0
    if (all && count > 0) counts.set(keys[i], count - 1)
    if (count > 0 === (operator === 'intersect')) kept.push(i)
  }
  return kept
}

/** Every place in a table takes this beside the key. */
const COUNT_BYTES = 24
/** A table is divided no further than that: its keys then differ in little but their hash. */
const LEVELS_MAX = 6

/** How often each key comes: as a table, or, when they are too many, in partitions. */
async function countedKeys(
  source: Source,
  files: SpillFiles,
  account: MemoryAccount,
  level: number,
): Promise<Map<unknown, number> | Partitions> {
  const { context } = files
  const counts = new Map<unknown, number>()
  let partitions: Partitions | null = null
  for await (const batch of source.open(context)) {
    const [keys = [], times = []] = batch.columns
    if (partitions !== null) await partitions.add(batch, keys)
    else {
      const before = counts.size
      for (let i = 0; i < batch.length; i++)
        counts.set(keys[i], (counts.get(keys[i]) ?? 0) + (times[i] as number))
      const share = (counts.size - before) / Math.max(1, batch.length)
      account.take(Math.ceil(share * rowsBytes([keys], batch.length)) + (counts.size - before) * COUNT_BYTES)
      if (account.over && level < LEVELS_MAX) {
        partitions = await Partitions.make(files, 2, level)
        await moveCounts(counts, partitions, context)
        account.clear()
      }
    }
    const pause = context.work(batch.length)
    if (pause !== null) await pause
  }
  await partitions?.finish()
  return partitions ?? counts
}

/** Empties the table. */
async function moveCounts(
  counts: Map<unknown, number>,
  partitions: Partitions,
  context: ExecutionContext,
): Promise<void> {
  let keys: Value[] = []
  let times: Value[] = []
  const write = async (): Promise<void> => {
    await partitions.add({ length: keys.length, columns: [keys, times] }, keys)
    const pause = context.work(keys.length)
    if (pause !== null) await pause
    keys = []
    times = []
  }
  for (const [key, count] of counts) {
    keys.push(key as Value)
    times.push(count)
    if (keys.length === BATCH_ROWS) await write()
  }
  await write()
  counts.clear()
}
