import type { Batch } from '../../compile/batch.ts'
import { type JoinOptions, JoinRun } from '../join/join.ts'
import { MemoryAccount } from '../memory.ts'
import type { SpillFiles } from './spill-file.ts'
import type { SpilledRows } from './spilled-rows.ts'
import { JoinSide, pairsOf } from './spilled-sides.ts'

/** Joins what both sides have on disk, part by part. */
export async function* joinedParts(
  left: JoinSide,
  right: JoinSide,
  options: JoinOptions,
  files: SpillFiles,
  level: number,
): AsyncGenerator<Batch> {
  for (const { own, others, useful } of await pairsOf(right, left, level)) {
    if (others.length === 0 && (own.length === 0 || options.type !== 'full')) continue
    if (own.length === 0 && (options.type === 'inner' || options.type === 'semi')) continue
    files.batches++
    yield* joinedPart(others, own, options, files, useful ? level : null)
  }
  await left.remove()
  await right.remove()
}

/** @param level by which both are divided again when the right side is still too large; null: that is of no use */
async function* joinedPart(
  left: SpilledRows,
  right: SpilledRows,
  options: JoinOptions,
  files: SpillFiles,
  level: number | null,
): AsyncGenerator<Batch> {
  const { context } = files
  const account = new MemoryAccount(context.memory)
  let join = new JoinRun(context, options)
  let side: JoinSide | null = null
  /** For each batch of the left side: which of its rows have met one of the right. */
  let met: readonly Uint8Array<ArrayBuffer>[] | null = null
  try {
    for await (const batch of right.read(context)) {
      if (side !== null) {
        await side.add(batch)
        continue
      }
      join.build(batch)
      if (!join.account.over) continue
      if (level !== null) {
        side = await JoinSide.make(files, options, 'right', level)
        await join.moveTo(side)
      } else {
        if (options.type !== 'inner') met ??= metOf(left, account)
        yield* pass(met, false)
        join.close()
        files.kept(join.account)
        join = new JoinRun(context, options)
      }
    }
    files.kept(join.account)
    if (side === null) {
      // Rows that have met nothing, in this block and those before, are told now.
      yield* pass(met, true)
      return
    }
    const other = await JoinSide.make(files, options, 'left', level ?? 0)
    for await (const batch of left.read(context)) await other.add(batch)
    yield* joinedParts(other, side, options, files, (level ?? 0) + 1)
  } finally {
    join.close()
    account.clear()
  }

  /** The left side past what of the right one is in memory. */
  async function* pass(known: typeof met, last: boolean): AsyncGenerator<Batch> {
    await join.built()
    if (join.isEmpty && (options.type === 'inner' || options.type === 'semi')) return
    let chunk = 0
    for await (const batch of left.read(context)) yield* join.probe(batch, known?.[chunk++], last)
    yield* join.unmatchedRight()
  }
}

/** Room for what every row of the left side has met, in the batches in which it is read. */
function metOf(left: SpilledRows, account: MemoryAccount): readonly Uint8Array<ArrayBuffer>[] {
  const met = left.chunkRows.map((rows) => new Uint8Array(rows))
  account.take(left.length)
  return met
}
