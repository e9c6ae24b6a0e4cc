import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch } from '../../compile/batch.ts'
import type { SetPlan } from '../../plan/logical.ts'
import type { Source } from '../context.ts'
import { MemoryAccount, rowsBytes } from '../memory.ts'
import { Partitions } from '../spill/partitions.ts'
import { SpillFiles } from '../spill/spill-file.ts'
import type { SpilledRows } from '../spill/spilled-rows.ts'
import { type RowKeys, select } from './distinct.ts'

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
  return {
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
 * @param right as keys, some perhaps several times, and how often they come
 */
async function* matchedRows(
  left: Source,
  right: Source,
  options: MatchOptions,
  files: SpillFiles,
  level: number,
): AsyncGenerator<Batch> {
  const { context } = files
  const { keysOf, width } = options
  const account = new MemoryAccount(context.memory)
  try {
    const counts = new Map<unknown, number>()
    let spilled = await count(right, counts, files, account, level)
    let rows: Partitions | null = null
    for await (const batch of left.open(context)) {
      const keys = keysOf(batch, context.frame)
      if (spilled !== null) {
        rows ??= await Partitions.make(files, width, level)
        await rows.add(batch, keys)
      } else {
        const before = counts.size
        const kept = passing(keys, batch.length, counts, options)
        const some = select(batch, kept)
        if (counts.size > before) account.take(keyBytes(keys, batch.length, counts.size - before))
        if (kept.length > 0) yield some
        // What was given is in the table, so that it does not come again.
        if (counts.size > before && account.over && level < LEVELS_MAX)
          spilled = await moved(counts, files, account, level)
      }
      const pause = context.work(batch.length)
      if (pause !== null) await pause
    }
    files.kept(account)
    await rows?.finish()
    await spilled?.finish()
    for (const [i, part] of (rows?.parts ?? []).entries()) {
      if (part.length === 0 || spilled === null) continue
      files.batches++
      yield* matchedRows(part.source, (spilled.parts[i] as SpilledRows).source, options, files, level + 1)
    }
    await spilled?.remove()
    await rows?.remove()
  } finally {
    account.clear()
  }
}

/** The positions of the rows that come through. Without ALL the table is changed so that each comes through once. */
function passing(
  keys: readonly unknown[],
  length: number,
  counts: Map<unknown, number>,
  { operator, all }: MatchOptions,
): readonly number[] {
  const kept: number[] = []
  const wanted = operator === 'intersect'
  for (let i = 0; i < length; i++) {
    const key = keys[i]
    const count = counts.get(key) ?? 0
    if (all && count > 0) counts.set(key, count - 1)
    if (count > 0 !== wanted) continue
    if (!all) counts.set(key, wanted ? 0 : 1)
    kept.push(i)
  }
  return kept
}

/** Every place in a table takes this beside the key. */
const COUNT_BYTES = 24
/** A table is divided no further than that: its keys then differ in little but their hash. */
const LEVELS_MAX = 6

/** About what some new places in a table take. */
const keyBytes = (keys: readonly unknown[], length: number, places: number): number =>
  Math.ceil((places / Math.max(1, length)) * rowsBytes([keys as readonly Value[]], length)) +
  places * COUNT_BYTES

/** Counts how often each key comes. @returns null; or where all counts are, when they are too many for the table */
async function count(
  source: Source,
  counts: Map<unknown, number>,
  files: SpillFiles,
  account: MemoryAccount,
  level: number,
): Promise<Partitions | null> {
  const { context } = files
  let partitions: Partitions | null = null
  for await (const batch of source.open(context)) {
    const [keys = [], times = []] = batch.columns
    if (partitions !== null) await partitions.add(batch, keys)
    else {
      const before = counts.size
      for (let i = 0; i < batch.length; i++)
        counts.set(keys[i], (counts.get(keys[i]) ?? 0) + (times[i] as number))
      account.take(keyBytes(keys, batch.length, counts.size - before))
      if (account.over && level < LEVELS_MAX) partitions = await moved(counts, files, account, level)
    }
    const pause = context.work(batch.length)
    if (pause !== null) await pause
  }
  return partitions
}

/** Empties the table into partitions. */
async function moved(
  counts: Map<unknown, number>,
  files: SpillFiles,
  account: MemoryAccount,
  level: number,
): Promise<Partitions> {
  const { context } = files
  const partitions = await Partitions.make(files, 2, level)
  let keys: Value[] = []
  let times: Value[] = []
  const write = async (): Promise<void> => {
    await partitions.add({ length: keys.length, columns: [keys, times] }, keys)
    const pause = context.work(keys.length)
    if (pause !== null) await pause
    keys = []
    times = []
  }
  for (const [key, often] of counts) {
    keys.push(key as Value)
    times.push(often)
    if (keys.length === BATCH_ROWS) await write()
  }
  await write()
  counts.clear()
  files.kept(account)
  account.clear()
  return partitions
}
