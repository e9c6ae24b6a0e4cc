import type { Value } from '@cluster/core'
import type { AggregateFunction } from '../functions/function.ts'
import { isBuiltIn, resolveAggregate } from '../functions/resolve.ts'
import { columnExpr } from '../plan/build.ts'
import type { Column } from '../plan/expression.ts'
import type { AggregateCall } from '../plan/logical.ts'
import { BIGINT, type SqlType, TEXT, type TypeId } from '../types/type.ts'
import { FormUnknownError } from './form.ts'

/** One aggregate that a holder computes over its rows for a call. */
export interface PartialCall {
  readonly fn: AggregateFunction
  /** True: its state is what travels. */
  readonly state: boolean
  readonly type: SqlType
}

/** How a call is computed in parts: what holders compute, and what makes one of what they give. */
export interface PartialAggregate {
  readonly parts: readonly PartialCall[]
  /** Takes the columns of the parts. */
  finish(call: AggregateCall, columns: readonly Column[]): AggregateCall
}

const wholes: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'bigint'])
/** What they give for parts makes, folded once more, what they give for all: of whatever type they take. */
const folded: ReadonlySet<string> = new Set([
  'min',
  'max',
  'bool_and',
  'bool_or',
  'every',
  'bit_and',
  'bit_or',
  'bit_xor',
])
const spreads: ReadonlySet<string> = new Set([
  'variance',
  'var_samp',
  'var_pop',
  'stddev',
  'stddev_samp',
  'stddev_pop',
])
const exactTypes: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'bigint', 'numeric'])

const plain = (fn: AggregateFunction): PartialCall => ({ fn, state: false, type: fn.returns })

/** The same aggregate over what it gave for each part. */
const again = (fn: AggregateFunction): PartialAggregate => ({
  parts: [plain(fn)],
  finish: (call, [column]) => ({
    ...call,
    args: column === undefined ? [] : [columnExpr(column)],
    filter: null,
  }),
})

type Merging = Pick<AggregateFunction, 'name' | 'args'> & {
  /** The state that some values of the parts stand for. */
  stateOf(...values: readonly Value[]): unknown
}

/** Joins the states that the parts gave, by the aggregate's own rules. */
function merging(
  fn: AggregateFunction,
  parts: readonly PartialCall[],
  { name, args, stateOf }: Merging,
): PartialAggregate {
  const merged: AggregateFunction = {
    name,
    args,
    returns: fn.returns,
    strict: true,
    ordered: false,
    init: () => fn.init(),
    step: (state, ...values) => fn.merge(state, stateOf(...values)),
    merge: (a, b) => fn.merge(a, b),
    finish: (state) => fn.finish(state),
  }
  return {
    parts,
    finish: (call, columns) => ({ ...call, fn: merged, args: columns.map(columnExpr), filter: null }),
  }
}

/** Null: its states do not merge exactly, as those of floating sums, or depend on the order of the rows. */
export function partialAggregate({ fn, distinct, orderBy }: AggregateCall): PartialAggregate | null {
  if (distinct || orderBy.length > 0) return null
  const [arg] = fn.args
  if (fn.name === 'count' && fn.args.length <= 1)
    return merging(fn, [plain(fn)], {
      name: 'sum of counts',
      args: [BIGINT],
      stateOf: (count) => Number(count),
    })
  if (arg === undefined || fn.args.length !== 1) return null
  const known = isBuiltIn(fn) && resolveAggregate(fn.name, fn.args) === fn
  if (!known) return null
  if (folded.has(fn.name)) return again(fn)
  if (fn.name === 'sum' && (arg.id === 'numeric' || arg.id === 'interval')) return again(fn)
  if (fn.name === 'sum' && wholes.has(arg.id))
    return merging(fn, [plain(fn)], {
      name: 'sum of sums',
      args: [fn.returns],
      // The count only tells that there was something.
      stateOf: (sum) => [1, BigInt(sum as bigint | string)],
    })
  if (fn.name === 'avg' && exactTypes.has(arg.id)) {
    const parts = [plain(resolveAggregate('sum', fn.args)), plain(resolveAggregate('count', fn.args))]
    const whole = wholes.has(arg.id)
    return merging(fn, parts, {
      name: 'average of sums',
      args: parts.map(({ type }) => type),
      stateOf: (sum, count) => [Number(count), whole ? BigInt(sum as bigint | string) : sum],
    })
  }
  if (spreads.has(fn.name) && exactTypes.has(arg.id))
    return merging(fn, [{ fn, state: true, type: TEXT }], {
      name: `${fn.name} of states`,
      args: [TEXT],
      stateOf: (state) => JSON.parse(state as string),
    })
  return null
}

/**
 * What a holder computes of that name and types.
 * @throws FormUnknownError
 */
export function partialCall(name: string, types: readonly SqlType[], state: boolean): AggregateFunction {
  const fn = resolveAggregate(name, types)
  const parts = partialAggregate({
    fn,
    distinct: false,
    orderBy: [],
    args: [],
    filter: null,
    column: NONE,
  })?.parts
  const known = parts?.some((part) => part.fn.name === name && part.state === state)
  if (known !== true || fn.args.length !== types.length)
    throw new FormUnknownError(`${name} is not computed in parts`)
  return state ? { ...fn, name: `state of ${name}`, finish: (own) => JSON.stringify(own) } : fn
}

const NONE: Column = { id: 0, name: '', type: BIGINT }
