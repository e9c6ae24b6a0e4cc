import { type CastContext, castFor } from '../functions/cast.ts'
import type { ScalarFunction } from '../functions/function.ts'
import { resolveFunction, resolveOperator } from '../functions/resolve.ts'
import type { CallExpr, Expr } from '../plan/expression.ts'
import { type CallForm, type ExprForm, FormUnknownError, type FunctionForm } from './form.ts'
import { readType, readValue } from './values.ts'

/** Deeper expressions are refused: reading them must not use up the stack. */
const DEPTH_MAX = 500

/**
 * The expression of a form; columns have the numbers that it says.
 * @throws FormUnknownError, and SQL's errors where a function is not known
 */
export function readExpression(form: ExprForm, depth = 0): Expr {
  if (depth > DEPTH_MAX) throw new FormUnknownError('an expression is too deep')
  const type = readType(form.t)
  const read = (part: ExprForm): Expr => readExpression(part, depth + 1)
  switch (form.k) {
    case 'constant':
      return { kind: 'constant', type, value: readValue(form.v) }
    case 'given':
      return { kind: 'parameter', type, index: count(form.n) + 1 }
    case 'column':
      return { kind: 'column', type, column: { id: count(form.n), name: '', type } }
    case 'call':
      return readCall(form, listOf(form.a).map(read))
    case 'and':
    case 'or':
      return { kind: form.k, type, operands: listOf(form.a).map(read) }
    case 'coalesce':
      return { kind: 'coalesce', type, args: listOf(form.a).map(read) }
    case 'not':
      return { kind: 'not', type, operand: read(form.a) }
    case 'is': {
      if (!['null', 'true', 'false'].includes(form.test)) throw new FormUnknownError('IS what?')
      return { kind: 'is', type, test: form.test, operand: read(form.a), negated: form.not === true }
    }
    case 'distinct': {
      const [left, right] = [read(form.a), read(form.b)]
      const equal = readCall(form.equal, [left, right])
      return { kind: 'distinctFrom', type, left, right, equal, negated: form.not === true }
    }
    case 'case':
      return {
        kind: 'case',
        type,
        branches: listOf(form.when).map(([when, result]) => ({ when: read(when), result: read(result) })),
        otherwise: read(form.else),
      }
    case 'in': {
      const operand = read(form.a)
      const list = listOf(form.list).map(read)
      const equal = readCall(form.equal, [operand, ...list.slice(0, 1)])
      return { kind: 'inList', type, operand, list, equal, negated: form.not === true }
    }
    default:
      throw new FormUnknownError('an expression is of a kind that is not known here')
  }
}

export function count(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new FormUnknownError('a number is none')
}

export function listOf<T>(list: readonly T[]): readonly T[] {
  if (Array.isArray(list)) return list
  throw new FormUnknownError('a list is none')
}

function readCall(form: CallForm, args: readonly Expr[]): CallExpr {
  const fn = readFunction(form.f)
  if (fn.contextual !== null || fn.volatility !== 'immutable')
    throw new FormUnknownError(`${fn.name} is not computed for others`)
  const as = form.as
  if (!['infix', 'prefix', 'function', 'cast'].includes(as)) throw new FormUnknownError('a call is none')
  return { kind: 'call', type: readType(form.t), fn, form: as, args }
}

function readFunction(form: FunctionForm): ScalarFunction {
  if (form[0] === 'cast') {
    const [, from, to, context] = form
    const fn = isContext(context) ? castFor(readType(from), readType(to), context) : null
    if (fn === null || fn === 'same') throw new FormUnknownError('there is no such cast')
    return fn
  }
  const [kind, name, list] = form
  const types = listOf(list).map(readType)
  const [first, second] = types
  const fn =
    kind === 'function'
      ? resolveFunction(name, types)
      : first === undefined
        ? null
        : second === undefined
          ? resolveOperator(name, null, first)
          : resolveOperator(name, first, second)
  const alike = fn?.args.length === types.length && fn.args.every(({ id }, i) => id === types[i]?.id)
  if (fn === null || !alike) throw new FormUnknownError(`${name} of these types is not known here`)
  return fn
}

const isContext = (context: string): context is CastContext =>
  context === 'implicit' || context === 'assignment' || context === 'explicit'
