import type { Value } from '@cluster/core'
import type { Batch, Frame } from '../../compile/batch.ts'
import type { ExecutionContext, Source } from '../context.ts'
import { severalRows } from '../limit.ts'
import type { RowKeys } from '../rows/distinct.ts'
import { RowStore } from '../rows/row-store.ts'

type Columns = readonly (readonly Value[])[]

/** Judges one left row against all rows of a subquery: true, false or NULL by the rules of ANY and ALL. */
export type QuantifiedTest = (
  left: Columns,
  row: number,
  right: Columns,
  count: number,
  frame: Frame,
) => Value

export type SubqueryResult =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'exists'; readonly negated: boolean }
  | {
      readonly kind: 'quantified'
      readonly negated: boolean
      /** True: there must be no more than one row. */
      readonly single: boolean
      readonly test: QuantifiedTest
      /** Set when the test is equality that a hash can answer: the left keys and the subquery's. */
      readonly hash: { readonly left: RowKeys; readonly right: RowKeys } | null
    }

export interface ApplyOptions {
  readonly subquery: Source
  readonly result: SubqueryResult
  readonly subqueryWidth: number
  /** The column that is true where the value is needed; elsewhere it is NULL. Null: needed everywhere. */
  readonly when: number | null
  /** Where the columns that the subquery refers to come from: input column → slot of `Frame.outer`. */
  readonly outer: readonly { readonly slot: number; readonly position: number }[]
  /** Keys of those columns, so that equal outer rows share one run; null when there are none. */
  readonly outerKeys: RowKeys | null
}

/** What one run of the subquery gave. */
interface Run {
  readonly value: Value
  readonly rows: RowStore | null
  /** Hash keys of `rows`, for equality tests. */
  readonly keys: ReadonlySet<unknown> | null
  readonly hasNull: boolean
}

const RUNS_KEPT = 10_000

/**
 * Adds one column: the value of a subquery for each row. A subquery that does not refer to the row runs once;
 * one that does runs once for each distinct set of values that it refers to.
 */
export function applySource(input: Source, options: ApplyOptions): Source {
  return {
    async *open(context) {
      const runs = new Map<unknown, Run>()
      for await (const batch of input.open(context)) {
        const keys = options.outerKeys?.(batch, context.frame) ?? null
        const leftKeys =
          options.result.kind === 'quantified'
            ? (options.result.hash?.left(batch, context.frame) ?? null)
            : null
        const column: Value[] = []
        const when = options.when === null ? null : batch.columns[options.when]
        for (let i = 0; i < batch.length; i++) {
          if (when !== null && when?.[i] !== true) {
            column.push(null)
            continue
          }
          const key = keys === null ? null : keys[i]
          let run = runs.get(key)
          if (run === undefined) {
            run = await runSubquery(batch, i, options, context)
            if (runs.size >= RUNS_KEPT) forgetOldest(runs)
            runs.set(key, run)
          }
          column.push(valueFor(run, batch, i, leftKeys, options.result, context.frame))
          // Without a hash every row of the subquery was looked at.
          const looked = run.keys === null && run.rows !== null ? run.rows.length : 0
          const pause = looked > 0 ? context.work(looked) : null
          if (pause !== null) await pause
        }
        const pause = context.work(batch.length)
        if (pause !== null) await pause
        yield { length: batch.length, columns: [...batch.columns, column] }
      }
      for (const run of runs.values()) run.rows?.clear()
    },
  }
}

function forgetOldest(runs: Map<unknown, Run>): void {
  for (const [key, run] of runs) {
    run.rows?.clear()
    runs.delete(key)
    return
  }
}

async function runSubquery(
  batch: Batch,
  row: number,
  { subquery, result, subqueryWidth, outer }: ApplyOptions,
  context: ExecutionContext,
): Promise<Run> {
  for (const { slot, position } of outer) context.frame.outer[slot] = batch.columns[position]?.[row] as Value
  if (result.kind === 'quantified') {
    const rows = new RowStore(subqueryWidth, context.memory)
    const keys = result.hash === null ? null : new Set<unknown>()
    let hasNull = false
    for await (const found of subquery.open(context)) {
      rows.append(found)
      if (result.single && rows.length > 1) throw severalRows()
      if (result.hash === null || keys === null) continue
      for (const key of result.hash.right(found, context.frame))
        if (key === undefined) hasNull = true
        else keys.add(key)
    }
    return { value: null, rows, keys, hasNull }
  }
  let value: Value = null
  let count = 0
  for await (const found of subquery.open(context)) {
    if (found.length === 0) continue
    count += found.length
    if (result.kind === 'exists') break
    if (count > 1) throw severalRows()
    value = found.columns[0]?.[0] as Value
  }
  if (result.kind === 'exists') value = count > 0 !== result.negated
  return { value, rows: null, keys: null, hasNull: false }
}

function valueFor(
  run: Run,
  batch: Batch,
  row: number,
  leftKeys: readonly unknown[] | null,
  result: SubqueryResult,
  frame: Frame,
): Value {
  if (result.kind !== 'quantified' || run.rows === null) return run.value
  const value = quantified(run, run.rows, batch, row, leftKeys, result.test, frame)
  return result.negated && value !== null ? !value : value
}

function quantified(
  run: Run,
  rows: RowStore,
  batch: Batch,
  row: number,
  leftKeys: readonly unknown[] | null,
  test: QuantifiedTest,
  frame: Frame,
): Value {
  if (run.keys === null || leftKeys === null)
    return test(batch.columns, row, rows.columns, rows.length, frame)
  if (rows.length === 0) return false
  const key = leftKeys[row]
  if (key === undefined) return null
  return run.keys.has(key) ? true : run.hasNull ? null : false
}
