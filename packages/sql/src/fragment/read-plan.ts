import type { Column, Expr } from '../plan/expression.ts'
import type { AggregateCall, Output, ScanColumn } from '../plan/logical.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { BIGINT } from '../types/type.ts'
import { type ColumnForm, type ExprForm, FormUnknownError, type OutputForm, type PlanForm } from './form.ts'
import { partialCall } from './partial-aggregates.ts'
import { count, listOf, readExpression } from './read-expression.ts'
import { readType, readValue } from './values.ts'

/** Deeper plans are refused. */
const DEPTH_MAX = 100

/** Columns of an input whose stored NULLs mean something. */
export interface MissingColumn {
  readonly at: number
  readonly value: ReturnType<typeof readValue>
  readonly type: Column['type']
}

/** A fragment's plan, whose leaves are tables that the run provides, by number. */
export interface ReadPlan {
  readonly plan: PhysicalPlan
  /** For each input, under its number: the columns of which older rows have nothing. */
  readonly missing: ReadonlyMap<number, readonly MissingColumn[]>
}

/** The number under which an input, or rows that were sent along, are read. */
export const inputTable = (input: number): number => input * 2
export const sentTable = (sent: number): number => sent * 2 + 1

/** @throws FormUnknownError, and SQL's errors where a function is not known */
export function readPlan(form: PlanForm): ReadPlan {
  const reader = new PlanReader()
  return { plan: reader.read(form, 0), missing: reader.missing }
}

class PlanReader {
  readonly missing = new Map<number, readonly MissingColumn[]>()

  read(form: PlanForm, depth: number): PhysicalPlan {
    if (depth > DEPTH_MAX) throw new FormUnknownError('a plan is too deep')
    const below = (plan: PlanForm): PhysicalPlan => this.read(plan, depth + 1)
    switch (form.k) {
      case 'rows': {
        const columns = listOf(form.c)
        const missing = columns.flatMap(({ at, t, missing: value }) =>
          value === undefined ? [] : [{ at: count(at), value: readValue(value), type: readType(t) }],
        )
        this.missing.set(count(form.i), missing)
        const scanned = columns.map((one): ScanColumn => ({ column: columnOf(one), position: count(one.at) }))
        return table(inputTable(count(form.i)), scanned)
      }
      case 'sent':
        return table(
          sentTable(count(form.i)),
          listOf(form.c).map((one, position) => ({ column: columnOf(one), position })),
        )
      case 'map':
        return {
          kind: 'map',
          input: below(form.of),
          filter: optional(form.where),
          outputs: form.o === null ? null : listOf(form.o).map(outputOf),
        }
      case 'group':
        return {
          kind: 'aggregate',
          input: below(form.of),
          groups: listOf(form.by).map(outputOf),
          calls: listOf(form.calls).map(
            (call): AggregateCall => ({
              column: columnOf(call),
              fn: partialCall(call.name, listOf(call.types).map(readType), call.state === true),
              args: listOf(call.a).map((arg) => readExpression(arg)),
              distinct: false,
              filter: optional(call.where),
              orderBy: [],
            }),
          ),
          sets: null,
        }
      case 'top':
        return {
          kind: 'top',
          input: below(form.of),
          keys: listOf(form.by).map(({ e, down, nulls }) => ({
            expr: readExpression(e),
            descending: down === true,
            nulls: nulls === 'first' ? 'first' : 'last',
          })),
          limit: rowsGiven(form.n),
          offset: null,
          counts: null,
        }
      case 'limit':
        return {
          kind: 'limit',
          input: below(form.of),
          limit: rowsGiven(form.n),
          offset: null,
          ties: null,
          counts: null,
        }
      case 'unique':
        return { kind: 'distinct', input: below(form.of), on: null }
      case 'join': {
        if (!['inner', 'left', 'semi', 'anti'].includes(form.type)) throw new FormUnknownError('such a join')
        return {
          kind: 'join',
          method: 'hash',
          type: form.type,
          left: below(form.left),
          right: below(form.right),
          keys: listOf(form.on).map(([left, right]) => ({
            left: readExpression(left),
            right: readExpression(right),
          })),
          residual: optional(form.where),
          outputs: listOf(form.o).map(columnOf),
        }
      }
      default:
        throw new FormUnknownError('a part of a plan is of a kind that is not known here')
    }
  }
}

const table = (id: number, columns: readonly ScanColumn[]): PhysicalPlan => ({
  kind: 'cteScan',
  id,
  name: 'rows',
  alias: 'rows',
  columns,
})

const columnOf = ({ n, t }: ColumnForm): Column => ({ id: count(n), name: '', type: readType(t) })

const outputOf = (form: OutputForm): Output => ({ column: columnOf(form), expr: readExpression(form.e) })

const optional = (form: ExprForm | null): Expr | null => (form === null ? null : readExpression(form))

const rowsGiven = (n: number): Expr => ({ kind: 'parameter', type: BIGINT, index: count(n) + 1 })
