import type {
  Key,
  PresentAction,
  ProgramFailure,
  ProgramOutcome,
  Row,
  RowExpression,
  RowProgram,
  Value,
} from '@cluster/core'
import { compareDecimals, compute, type Exact, fitDecimal, OUT_OF_RANGE, WRONG_KIND } from './exact.ts'

/** A row that a program leaves behind; null where it deleted. */
export interface ProgramWrite {
  readonly key: Key
  readonly row: Row | null
}

export interface ProgramRun {
  readonly outcome: ProgramOutcome
  /** None when it failed. */
  readonly writes: readonly ProgramWrite[]
}

/** Characters of a text that a program makes. */
const TEXT_MAX = 1_048_576

type WithoutStep<Failure> = Failure extends ProgramFailure ? Omit<Failure, 'step'> : never

/** Leaves the evaluation of a step; never leaves this file. */
class Stop {
  readonly failure: WithoutStep<ProgramFailure>

  constructor(failure: WithoutStep<ProgramFailure>) {
    this.failure = failure
  }
}

/**
 * Runs a program on the rows as they stand. Every replica that has applied as much gets the same outcome and the same
 * rows: nothing is asked but the rows and the program.
 */
export function runProgram(program: RowProgram, rowAt: (key: Key) => Row | null): ProgramRun {
  const changed: number[] = []
  const rows: Row[] = []
  const writes: ProgramWrite[] = []
  for (const [step, { key, present, absent }] of program.steps.entries()) {
    const before = rowAt(key)
    let after: Row | null
    try {
      after = before === null ? absent : act(program, present, before)
    } catch (stop) {
      if (!(stop instanceof Stop)) throw stop
      return { outcome: { type: 'failed', failure: { ...stop.failure, step } as ProgramFailure }, writes: [] }
    }
    if (after === before) continue
    changed.push(step)
    writes.push({ key, row: after })
    const shown = after ?? before
    if (program.returning && shown !== null) rows.push(shown)
  }
  return { outcome: { type: 'done', changed, rows }, writes }
}

/** The row that an action leaves: the very same one when nothing happened to it, null when it is deleted. */
function act({ checks }: RowProgram, action: PresentAction, row: Row): Row | null {
  switch (action.do) {
    case 'keep':
      return row
    case 'refuse':
      throw new Stop({ reason: 'present' })
    case 'delete':
      return holds(action.where, row) ? null : row
    case 'update': {
      if (!holds(action.where, row)) return row
      const after = [...row]
      for (const { position, value } of action.set) {
        while (after.length < position) after.push(null)
        after[position] = evaluate(value, row)
      }
      for (const [check, condition] of checks.entries())
        if (truth(evaluate(condition, after)) === false)
          throw new Stop({ reason: 'check', check, row: after })
      return after
    }
  }
}

const holds = (where: RowExpression | null, row: Row): boolean =>
  where === null || truth(evaluate(where, row)) === true

function truth(value: Value): boolean | null {
  if (value === null || typeof value === 'boolean') return value
  throw new Stop({ reason: 'kind' })
}

function evaluate(expression: RowExpression, row: Row): Value {
  switch (expression.op) {
    case 'value':
      return expression.value
    case 'column':
      return row[expression.position] ?? null
    case 'add':
    case 'subtract':
    case 'multiply': {
      const left = evaluate(expression.left, row)
      const right = evaluate(expression.right, row)
      if (left === null || right === null) return null
      const { op, type } = expression
      return exact(compute(op, type, left, right), { reason: 'range', type })
    }
    case 'fit': {
      const value = evaluate(expression.operand, row)
      const { precision, scale } = expression
      return value === null
        ? null
        : exact(fitDecimal(value, precision, scale), { reason: 'fit', precision, scale })
    }
    case 'concat': {
      const left = evaluate(expression.left, row)
      const right = evaluate(expression.right, row)
      if (left === null || right === null) return null
      if (!isText(left) || !isText(right) || left.length + right.length > TEXT_MAX)
        throw new Stop({ reason: 'kind' })
      return left + right
    }
    case 'equal':
    case 'less':
    case 'lessOrEqual': {
      const left = evaluate(expression.left, row)
      const right = evaluate(expression.right, row)
      if (left === null || right === null) return null
      const order = compare(expression.type, left, right)
      return expression.op === 'equal' ? order === 0 : expression.op === 'less' ? order < 0 : order <= 0
    }
    case 'and':
    case 'or':
      return connect(expression.operands, expression.op === 'or', row)
    case 'not': {
      const value = truth(evaluate(expression.operand, row))
      return value === null ? null : !value
    }
    case 'isNull':
      return evaluate(expression.operand, row) === null
    case 'coalesce':
      for (const operand of expression.operands) {
        const value = evaluate(operand, row)
        if (value !== null) return value
      }
      return null
  }
}

/** AND and OR of three values: `decisive` decides by itself, NULL keeps it open. */
function connect(operands: readonly RowExpression[], decisive: boolean, row: Row): boolean | null {
  let open = false
  for (const operand of operands) {
    const value = truth(evaluate(operand, row))
    if (value === decisive) return decisive
    if (value === null) open = true
  }
  return open ? null : !decisive
}

function compare(type: 'plain' | 'numeric' | 'text', left: Value, right: Value): number {
  if (type === 'numeric') {
    const order = compareDecimals(left, right)
    if (order !== null) return order
  } else if (
    type === 'text' ? isText(left) && isText(right) : isPlain(left) && typeof left === typeof right
  ) {
    // Text that differs has no order here: collations change from release to release.
    if (left === right) return 0
    return type === 'text' ? 1 : (left as number) < (right as number) ? -1 : 1
  }
  throw new Stop({ reason: 'kind' })
}

const isText = (value: Value): value is string => typeof value === 'string'

const isPlain = (value: Value): boolean =>
  typeof value === 'boolean' ||
  typeof value === 'bigint' ||
  (typeof value === 'number' && Number.isInteger(value))

function exact(result: Exact, outside: WithoutStep<ProgramFailure>): Value {
  if (typeof result !== 'symbol') return result
  if (result === OUT_OF_RANGE) throw new Stop(outside)
  if (result === WRONG_KIND) throw new Stop({ reason: 'kind' })
  return null
}
