import type { Clock, ColumnBatch, FragmentEvaluator, OpenInput, Transaction, Value } from '@cluster/core'
import { storedReader } from '../catalog/row-layout.ts'
import type { Batch, Frame } from '../compile/batch.ts'
import { compilePlan } from '../compile/compile-plan.ts'
import { ExecutionContext, type Source, type TableRows } from '../executor/context.ts'
import { MemoryBudget } from '../executor/memory.ts'
import type { FunctionContext } from '../functions/function.ts'
import { Lru } from '../session/lru.ts'
import { FormUnknownError, type PlanForm } from './form.ts'
import { decodeProgram } from './program.ts'
import { inputTable, type MissingColumn, readPlan, sentTable } from './read-plan.ts'

export interface FragmentOptions {
  /** What one fragment may keep in memory, by a rough estimate. Default 64 MiB. */
  readonly memoryBytesMax?: number
  /** Compiled fragments that are kept. Default 200. */
  readonly plansMax?: number
}

interface Compiled {
  readonly source: Source
  readonly missing: ReadonlyMap<number, readonly MissingColumn[]>
}

/** Computes parts of queries over rows of this node, for the SQL engines of all nodes, by the same compiled operators. */
export function sqlFragments(
  options: FragmentOptions = {},
): (ports: { readonly clock: Clock }) => FragmentEvaluator {
  return ({ clock }) => new Evaluator(clock, options)
}

class Evaluator implements FragmentEvaluator {
  readonly #clock: Clock
  readonly #memoryBytesMax: number
  readonly #plans: Lru<string, Compiled>

  constructor(clock: Clock, { memoryBytesMax = 64 * 1024 * 1024, plansMax = 200 }: FragmentOptions) {
    this.#clock = clock
    this.#memoryBytesMax = memoryBytesMax
    this.#plans = new Lru(plansMax)
  }

  async *evaluate(
    bytes: Uint8Array,
    inputs: readonly OpenInput[],
    signal: AbortSignal,
  ): AsyncGenerator<ColumnBatch> {
    const { plan, given, sent } = decodeProgram(bytes)
    const { source, missing } = this.#compiled(plan)
    const frame: Frame = { parameters: given, outer: [], functions: refusing<FunctionContext>() }
    const context = new ExecutionContext({
      transaction: refusing<Transaction>(),
      clock: this.#clock,
      frame,
      memory: new MemoryBudget({ bytesMax: this.#memoryBytesMax }),
      signal,
    })
    inputs.forEach((open, i) => {
      context.tables.set(inputTable(i), rowsOf(open, missing.get(i) ?? []))
    })
    sent.forEach((batches, i) => {
      context.tables.set(sentTable(i), rowsSent(batches))
    })
    yield* source.open(context)
  }

  #compiled(plan: string): Compiled {
    const known = this.#plans.get(plan)
    if (known !== undefined) return known
    const { plan: physical, missing } = readPlan(parse(plan))
    const compiled = { source: compilePlan(physical, null).source, missing }
    this.#plans.set(plan, compiled)
    return compiled
  }
}

function parse(text: string): PlanForm {
  try {
    return JSON.parse(text) as PlanForm
  } catch (error) {
    throw new FormUnknownError('a plan is damaged', { cause: error })
  }
}

/** Rows that came with the fragment; what they take in memory is counted as they come. */
const rowsSent = (batches: readonly Batch[]): TableRows => ({
  async *read() {
    yield* batches
  },
})

/** The rows of an input; columns that older rows do not have get what the table says. */
function rowsOf(open: OpenInput, missing: readonly MissingColumn[]): TableRows {
  const readers = missing.map(({ at, value, type }) => ({ at, read: storedReader(value, type.id) }))
  return {
    async *read() {
      for await (const batch of open()) {
        if (readers.length === 0) {
          yield batch
          continue
        }
        const columns: (readonly Value[])[] = [...batch.columns]
        for (const { at, read } of readers) columns[at] = (columns[at] ?? []).map(read)
        yield { length: batch.length, columns }
      }
    },
  }
}

/** Stands where a fragment has nothing: it reads its inputs only, and its functions ask no session. */
const refusing = <T extends object>(): T =>
  new Proxy({} as T, {
    get: (_, name) => {
      throw new TypeError(`a fragment asked for ${String(name)}, which only a session has`)
    },
  })
