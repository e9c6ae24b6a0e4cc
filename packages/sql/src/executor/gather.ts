import { ByteWriter, type ColumnBatch, type FragmentInput, writeColumnBatch } from '@cluster/core'
import type { Batch } from '../compile/batch.ts'
import { isSqlError } from '../errors.ts'
import { encodeProgram } from '../fragment/program.ts'
import type { ExecutionContext, Source, TableRows } from './context.ts'
import type { RangeAccess } from './scan.ts'

/** A fragment that is ready to be sent. */
export interface GatherPlan {
  /** The form of the plan, as JSON. */
  readonly plan: string
  readonly together: boolean
  readonly inputs: readonly (Omit<FragmentInput, 'range'> & { readonly range: RangeAccess })[]
  /** Told at the end how many rows each of the inputs had. */
  readonly onRead: (rows: readonly number[]) => void
  /** Values that are sent along. @throws SQL's errors */
  given(context: ExecutionContext): readonly Batch['columns'][number][number][]
  /** Tables that are sent along. */
  readonly sent: readonly Source[]
  /** What is left to do with the results, which it reads as the table `gathered`; null: nothing. */
  readonly rest: Source | null
  readonly gathered: number
}

export interface GatherOptions {
  /** The table that makes it worth while. */
  readonly probe: FragmentInput
  /** Made when it is needed first; null: nothing can be computed elsewhere. */
  readonly plan: () => GatherPlan | null
  /** Does all of it here, reading rows from wherever they are. */
  readonly here: Source
}

/** Tables up to this size, encoded, are sent along with a fragment. */
const SENT_BYTES_MAX = 256 * 1024
const OUT_OF_MEMORY = '53200'

/** Lets holders compute a part of a plan where its rows are on other nodes, and nothing of them was written by the transaction. */
export function gatherSource({ probe, plan, here }: GatherOptions): Source {
  return {
    open(context) {
      const { fragments } = context.reads
      if (fragments === undefined || !fragments.isSpread([probe])) return here.open(context)
      const made = plan()
      return made === null ? here.open(context) : gather(made, here, context)
    },
  }
}

async function* gather(plan: GatherPlan, here: Source, context: ExecutionContext): AsyncGenerator<Batch> {
  const batches = await gathered(plan, context)
  if (batches !== null) {
    let begun = false
    try {
      for await (const batch of finished(plan, batches, context)) {
        begun = true
        yield batch
      }
      return
    } catch (error) {
      // A fragment has less room than a statement, which may do without it.
      if (begun || !isSqlError(error) || error.detail.sqlstate !== OUT_OF_MEMORY) throw error
    }
  }
  yield* here.open(context)
}

/** The results, with what is left to do done. */
function finished(
  plan: GatherPlan,
  batches: AsyncIterable<ColumnBatch>,
  context: ExecutionContext,
): AsyncIterable<Batch> {
  const paced: TableRows = { read: () => inTurns(batches, context) }
  if (plan.rest === null) return paced.read()
  context.tables.set(plan.gathered, paced)
  return plan.rest.open(context)
}

async function* inTurns(
  batches: AsyncIterable<ColumnBatch>,
  context: ExecutionContext,
): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    const pause = context.work(batch.length)
    if (pause !== null) await pause
    yield batch
  }
}

/** Null: it is better done here. */
async function gathered(
  plan: GatherPlan,
  context: ExecutionContext,
): Promise<AsyncIterable<ColumnBatch> | null> {
  const { fragments } = context.reads
  const inputs: FragmentInput[] = []
  for (const { range, relation, columns, keys, from } of plan.inputs) {
    const wanted = range(context.frame)
    // Nothing matches: that is found here, too.
    if (wanted === null) return null
    inputs.push({ relation, columns, keys, from, range: wanted })
  }
  const given = givenOf(plan, context)
  if (given === null) return null
  const sent: Batch[][] = []
  for (const source of plan.sent) {
    const batches = await small(source, context)
    if (batches === null) return null
    sent.push(batches)
  }
  const program = encodeProgram({ plan: plan.plan, given, sent })
  const { together, onRead } = plan
  return fragments?.compute({ inputs, program, together, onRead }) ?? null
}

/** A value that cannot be computed may not be needed: whether it is shows when rows are looked at. */
function givenOf(plan: GatherPlan, context: ExecutionContext): ReturnType<GatherPlan['given']> | null {
  try {
    return plan.given(context)
  } catch (error) {
    if (isSqlError(error)) return null
    throw error
  }
}

/** All rows of a table that is small enough to be sent along; null: it is not. */
async function small(source: Source, context: ExecutionContext): Promise<Batch[] | null> {
  const out = new ByteWriter()
  const batches: Batch[] = []
  for await (const batch of source.open(context)) {
    writeColumnBatch(out, batch)
    if (out.length > SENT_BYTES_MAX) return null
    batches.push(batch)
  }
  return batches
}
