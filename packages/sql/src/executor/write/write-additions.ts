import type { Addition, ProgramNumber, RowExpression, Value } from '@cluster/core'
import type { Frame } from '../../compile/batch.ts'
import type { LoweredExpression } from '../../optimizer/lower-expression.ts'
import type { LoweredUpdate, LoweredWrite } from '../../optimizer/lower-write.ts'
import type { ExecutionContext } from '../context.ts'
import { keyOfValues, partitionOfRow } from '../rows/row-keys.ts'
import { finish, type WriteTarget, type Written } from './write.ts'

/** Adds to a row; null when that does not do this time, and nothing was done: the statement runs as any other then. */
export type RunAdditions = (context: ExecutionContext) => Promise<Written | null>

export interface AdditionsOptions {
  readonly target: WriteTarget
  readonly lowered: LoweredWrite
  /** Computes `LoweredWrite.constants`. */
  readonly constants: (frame: Frame) => readonly Value[]
}

/**
 * Runs `UPDATE … SET n = n + 1 WHERE id = 7` so that it does not lose against others that add to the same row. Null for statements
 * that do anything else, or tell what came of it.
 */
export function additionsRunner({ target, lowered, constants }: AdditionsOptions): RunAdditions | null {
  if (lowered.kind !== 'update' || target.returning !== null) return null
  const [key, ...others] = lowered.keys
  const { update } = lowered
  if (key === undefined || others.length > 0 || !isAdding(update)) return null
  const { database, table } = target
  const columns = table.primaryKey?.columns ?? []
  return async (context) => {
    const { transaction, frame, profile } = context
    // Whoever measures wants to see what the plan does.
    if (transaction.add === undefined || profile !== null) return null
    let values: readonly Value[]
    try {
      values = constants(frame)
    } catch {
      // An error in what may not even be needed is told, or not, by the ordinary way of running it.
      return null
    }
    const named = key.map((at) => values[at] as Value)
    if (named.includes(null)) return null
    const additions = additionsOf(update, values)
    if (additions === null) return null
    const rowKey = keyOfValues(table, columns, named)
    const partition = partitionOfRow(database, table, rowKey)
    const came = await transaction.add({ partition, relation: table.relation, key: rowKey }, additions)
    return came === 'unfit' ? null : finish(target, context, [], came === 'added' ? 1 : 0)
  }
}

/** Whether, whatever the constants are, all that the change does may be to add. */
const isAdding = ({ set, where, checks }: LoweredUpdate): boolean =>
  where === null &&
  checks.length === 0 &&
  set.length > 0 &&
  set.every(({ position, value }) => sumOf(position, formOf(value)) !== null)

const formOf = (expression: LoweredExpression): RowExpression =>
  expression.make({ constants: [], proposed: [] })

function additionsOf({ set }: LoweredUpdate, constants: readonly Value[]): readonly Addition[] | null {
  const additions: Addition[] = []
  for (const { position, value } of set) {
    const sum = sumOf(position, value.make({ constants, proposed: [] }))
    const by = sum === null || sum.by === null ? null : signed(sum.by, sum.negated)
    if (sum === null || by === null) return null
    const { type, digits } = sum
    additions.push(digits === null ? { position, type, by } : { position, type, by, digits })
  }
  return additions
}

interface Sum {
  readonly type: ProgramNumber
  readonly by: Value
  readonly negated: boolean
  readonly digits: { readonly before: number; readonly behind: number } | null
}

/** What the expression adds to the field; null when it is no such sum. */
function sumOf(position: number, expression: RowExpression): Sum | null {
  if (expression.op === 'fit') {
    const { precision, scale: behind, operand } = expression
    const sum = sumOf(position, operand)
    return sum === null || sum.digits !== null
      ? null
      : { ...sum, digits: { before: precision - behind, behind } }
  }
  if (expression.op !== 'add' && expression.op !== 'subtract') return null
  const { op, type, left, right } = expression
  const isField = (side: RowExpression): boolean => side.op === 'column' && side.position === position
  const negated = op === 'subtract'
  if (isField(left) && right.op === 'value') return { type, by: right.value, negated, digits: null }
  if (!negated && isField(right) && left.op === 'value')
    return { type, by: left.value, negated, digits: null }
  return null
}

/** Null for what has no such negative. */
function signed(value: Value, negated: boolean): Value {
  if (!negated) return value
  if (typeof value === 'bigint') return -value
  // 0 − 0 is 0, and −0 is none of SQL's numbers.
  if (typeof value === 'number') return 0 - value
  if (typeof value !== 'string') return null
  return value.startsWith('-') ? value.slice(1) : `-${value}`
}
