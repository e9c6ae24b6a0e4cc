import { isSqlError } from '../errors.ts'
import { castFor } from '../functions/cast.ts'
import type { ScalarFunction } from '../functions/function.ts'
import { resolveFunction, resolveOperator } from '../functions/resolve.ts'
import type { CallExpr, Expr } from '../plan/expression.ts'
import { columnsIn, hasSubquery, isVolatile } from '../plan/traverse.ts'
import type { CallForm, ExprForm, FunctionForm } from './form.ts'
import { UnsendableError } from './form.ts'
import { hasForm, writeType, writeValue } from './values.ts'

/** What an expression stands among. */
export interface Surroundings {
  /** True for columns that the fragment itself makes; others are those of outer queries. */
  isOwn(column: number): boolean
  /** The place of a value that is computed by whoever asks, once a run. */
  given(expr: Expr): number
}

/**
 * The form of an expression. What depends on no row of the fragment is computed by whoever asks and sent along: parameters, `now()`,
 * columns of outer queries.
 * @throws UnsendableError
 */
export function writeExpression(expr: Expr, around: Surroundings): ExprForm {
  const t = writeType(expr.type)
  if (expr.kind === 'constant' && hasForm(expr.value)) return { k: 'constant', t, v: writeValue(expr.value) }
  if (hasSubquery(expr) || isVolatile(expr))
    throw new UnsendableError('subqueries and volatile functions stay')
  if (isGiven(expr, around)) return { k: 'given', t, n: around.given(expr) }
  const write = (part: Expr): ExprForm => writeExpression(part, around)
  switch (expr.kind) {
    case 'column':
      return { k: 'column', t, n: expr.column.id }
    case 'call':
      return writeCall(expr, around)
    case 'and':
    case 'or':
      return { k: expr.kind, t, a: expr.operands.map(write) }
    case 'coalesce':
      return { k: 'coalesce', t, a: expr.args.map(write) }
    case 'not':
      return { k: 'not', t, a: write(expr.operand) }
    case 'is':
      return { k: 'is', t, test: expr.test, a: write(expr.operand), not: expr.negated }
    case 'distinctFrom': {
      const { left, right, equal, negated } = expr
      return { k: 'distinct', t, a: write(left), b: write(right), equal: writeEqual(equal), not: negated }
    }
    case 'case':
      return {
        k: 'case',
        t,
        when: expr.branches.map(({ when, result }) => [write(when), write(result)] as const),
        else: write(expr.otherwise),
      }
    case 'inList': {
      const { operand, list, equal, negated } = expr
      return { k: 'in', t, a: write(operand), list: list.map(write), equal: writeEqual(equal), not: negated }
    }
    default:
      throw new UnsendableError(`there is no form of ${expr.kind}`)
  }
}

function isGiven(expr: Expr, { isOwn }: Surroundings): boolean {
  for (const id of columnsIn(expr).keys()) if (isOwn(id)) return false
  return true
}

function writeCall(expr: CallExpr, around: Surroundings): CallForm {
  const a = expr.args.map((arg) => writeExpression(arg, around))
  return { k: 'call', t: writeType(expr.type), f: writeFunction(expr), as: expr.form, a }
}

/** A comparison whose own arguments do not matter. */
const writeEqual = (call: CallExpr): CallForm => ({
  k: 'call',
  t: writeType(call.type),
  f: writeFunction(call),
  as: call.form,
  a: [],
})

function writeFunction({ fn }: CallExpr): FunctionForm {
  if (fn.contextual !== null || fn.volatility !== 'immutable')
    throw new UnsendableError(`${fn.name} needs its session`)
  const types = fn.args.map(writeType)
  const { castContext } = fn
  if (castContext !== undefined) {
    const [from] = fn.args
    if (from === undefined || typeof castFor(from, fn.returns, castContext) !== 'object')
      throw new UnsendableError('the cast is not a plain one')
    return ['cast', writeType(from), writeType(fn.returns), castContext]
  }
  // Only what the other node will find, too: the very function.
  if (found(fn, 'operator') === fn) return ['operator', fn.name, types]
  if (found(fn, 'function') === fn) return ['function', fn.name, types]
  throw new UnsendableError(`${fn.name} is not found by its name`)
}

function found({ name, args }: ScalarFunction, kind: 'operator' | 'function'): ScalarFunction | null {
  try {
    if (kind === 'function') return resolveFunction(name, args)
    const [first, second] = args
    if (first === undefined || args.length > 2) return null
    return second === undefined ? resolveOperator(name, null, first) : resolveOperator(name, first, second)
  } catch (error) {
    if (isSqlError(error)) return null
    throw error
  }
}
