import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../src/errors.ts'
import { castFor, commonType } from '../../src/functions/cast.ts'
import type { FunctionContext } from '../../src/functions/function.ts'
import { resolveFunction, resolveOperator } from '../../src/functions/resolve.ts'
import type { Expression } from '../../src/syntax/ast.ts'
import { numberLiteral } from '../../src/types/literal.ts'
import { resolveType } from '../../src/types/resolve-name.ts'
import { UTC } from '../../src/types/time-zone.ts'
import { BOOLEAN, formatType, type SqlType, TEXT, UNKNOWN } from '../../src/types/type.ts'

export interface Result {
  readonly type: SqlType
  readonly value: Value
}

function noSequence(): never {
  throw new Error('there are no sequences here')
}

function noCatalog(): never {
  throw new Error('there is no catalog here')
}

const context: FunctionContext = {
  transactionMicros: 1_704_164_645_678_000n,
  statementMicros: 1_704_164_645_678_000n,
  clockMicros: () => 1_704_164_645_678_000n,
  random: () => 0.25,
  seed: () => {},
  zone: UTC,
  randomBytes: (count) => new Uint8Array(count).fill(0x5a),
  locks: {
    call: () => {
      throw new Error('there are no locks here')
    },
  },
  sequences: { next: noSequence, current: noSequence, set: noSequence, state: noSequence, last: noSequence },
  user: 'nora',
  sessionUser: 'nora',
  pid: () => 7,
  channels: () => [],
  notify: () => {},
  database: 'shop',
  catalog: noCatalog,
  setting: (name) => (name === 'search_path' ? 'public' : ''),
  settings: () => [['search_path', 'public']],
  set: () => {},
}

function cast({ type, value }: Result, to: SqlType, how: 'implicit' | 'assignment' | 'explicit'): Value {
  const fn = castFor(type, to, how)
  if (fn === null)
    throw sqlError(SQLSTATE.cannotCoerce, `cannot cast type ${formatType(type)} to ${formatType(to)}`)
  if (fn === 'same' || value === null) return value
  return fn.contextual === null ? fn.impl(value) : fn.contextual(context, value)
}

function apply(fn: ReturnType<typeof resolveFunction>, args: readonly Result[], inline: boolean): Result {
  const values = args.map((arg, i) => cast(arg, fn.args[i] ?? TEXT, 'explicit'))
  if (fn.strict && values.includes(null)) return { type: fn.returns, value: null }
  if (fn.contextual !== null) return { type: fn.returns, value: fn.contextual(context, ...values) }
  const value = fn.impl(...values)
  if (inline && fn.js !== null) {
    // The inlined code must do what the function does.
    const captured: unknown[] = []
    const code = fn.js(
      values.map((_, i) => `v[${i}]`),
      (captive) => `c[${captured.push(captive) - 1}]`,
    )
    const other = new Function('v', 'c', `return ${code}`)(values, captured) as Value
    if (!Object.is(other, value) && !(other === 0 && value === 0))
      throw new Error(`inlined ${fn.name} gives ${String(other)}, not ${String(value)}`)
  }
  return { type: fn.returns, value }
}

/** Evaluates an expression of constants: a naive binder, enough to try types and functions. */
export function evaluate(node: Expression): Result {
  switch (node.kind) {
    case 'null':
      return { type: UNKNOWN, value: null }
    case 'boolean':
      return { type: BOOLEAN, value: node.value }
    case 'number':
      return numberLiteral(node.text)
    case 'string':
      return { type: UNKNOWN, value: node.value }
    case 'cast': {
      const type = resolveType(node.type)
      return { type, value: cast(evaluate(node.operand), type, 'explicit') }
    }
    case 'unary': {
      const operand = evaluate(node.operand)
      return apply(resolveOperator(node.operator, null, operand.type), [operand], true)
    }
    case 'binary': {
      const args = [evaluate(node.left), evaluate(node.right)] as const
      return apply(resolveOperator(node.operator, args[0].type, args[1].type), args, true)
    }
    case 'like': {
      const pattern = evaluate(node.pattern)
      const escaped =
        node.escape === null
          ? pattern
          : apply(resolveFunction('like_escape', [TEXT, TEXT]), [pattern, evaluate(node.escape)], true)
      const args = [evaluate(node.operand), escaped] as const
      const sign = `${node.negated ? '!' : ''}~~${node.caseInsensitive ? '*' : ''}`
      return apply(resolveOperator(sign, args[0].type, args[1].type), args, true)
    }
    case 'call': {
      const args = node.args.map(evaluate)
      const name = node.name.parts.at(-1)?.name ?? ''
      return apply(
        resolveFunction(
          name,
          args.map(({ type }) => type),
        ),
        args,
        true,
      )
    }
    case 'coalesce': {
      const args = node.args.map(evaluate)
      const common = commonType(args.map(({ type }) => type))
      if ('clash' in common) throw new Error('clash')
      const first = args.find(({ value }) => value !== null)
      return { type: common.type, value: first === undefined ? null : cast(first, common.type, 'implicit') }
    }
    default:
      throw new Error(`no ${node.kind} here`)
  }
}
