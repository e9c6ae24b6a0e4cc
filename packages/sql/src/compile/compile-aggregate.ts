import type { Value } from '@cluster/core'
import type { AggregateStates, AggregateUpdate } from '../executor/aggregate.ts'
import type { RowComparator } from '../executor/sorted-rows.ts'
import type { AggregateFunction } from '../functions/function.ts'
import type { Expr } from '../plan/expression.ts'
import type { AggregateCall, Output } from '../plan/logical.ts'
import type { TypeId } from '../types/type.ts'
import { compileComparator, type Layout, rowEmitter, type Slots } from './compile-map.ts'
import type { Emitted, ExpressionEmitter } from './expression-emitter.ts'
import { FunctionWriter } from './function-writer.ts'
import { hashKeyCode } from './hash-key.ts'

/** One state a group in `values`; what a state is, the code that updates it knows. */
class StateList implements AggregateStates {
  readonly values: unknown[] = []
  readonly #init: () => unknown
  readonly #finish: (state: unknown) => Value

  constructor(init: () => unknown, finish: (state: unknown) => Value) {
    this.#init = init
    this.#finish = finish
  }

  grow(): void {
    this.values.push(this.#init())
  }

  result(group: number): Value {
    return this.#finish(this.values[group])
  }
}

/** How one call is updated and read. */
interface CallCode {
  readonly makeStates: () => StateList
  /** Writes the update of `states[g]` with arguments that are not NULL, if the function is strict. */
  update(writer: FunctionWriter, state: string, args: readonly string[]): void
}

const compared: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'bigint', 'timestamp', 'date'])

/** The common aggregates as plain JavaScript; null: by the function's own steps. */
function inlineCode(fn: AggregateFunction): CallCode | null {
  const type = fn.args[0]?.id
  if (fn.name === 'count')
    return {
      makeStates: () =>
        new StateList(
          () => 0,
          (count) => BigInt(count as number),
        ),
      update: (writer, state) => writer.line(`${state}++`),
    }
  // Sums of 32-bit integers are exact in doubles for the first 2^21 rows at least, and beyond 2^53 they are not:
  // the running sum moves to a bigint before that.
  if (fn.name === 'sum' && (type === 'integer' || type === 'smallint') && fn.returns.id === 'bigint')
    return {
      makeStates: () =>
        new StateList(
          () => null,
          (sum) => (sum === null ? null : BigInt(sum as number)),
        ),
      update(writer, state, [value]) {
        writer.line(`if (typeof ${state} === 'bigint') ${state} += BigInt(${value})`)
        writer.block('else', () => {
          writer.line(`${state} = ${state} === null ? ${value} : ${state} + ${value}`)
          writer.line(
            `if (${state} > 4503599627370496 || ${state} < -4503599627370496) ${state} = BigInt(${state})`,
          )
        })
      },
    }
  if ((fn.name === 'min' || fn.name === 'max') && type !== undefined && compared.has(type)) {
    const sign = fn.name === 'min' ? '<' : '>'
    return {
      makeStates: () =>
        new StateList(
          () => null,
          (value) => value as Value,
        ),
      update: (writer, state, [value]) =>
        writer.line(`if (${state} === null || ${value} ${sign} ${state}) ${state} = ${value}`),
    }
  }
  return null
}

function steppedCode(fn: AggregateFunction): CallCode {
  return {
    makeStates: () =>
      new StateList(
        () => fn.init(),
        (state) => fn.finish(state),
      ),
    update(writer, state, args) {
      const step = writer.capture(fn.step, 'f')
      writer.line(`${state} = ${step}(${[state, ...args].join(', ')})`)
    },
  }
}

/** Keeps the arguments of all rows with their sort keys, and steps through them in order at the end. */
function orderedCode({ fn, orderBy, args }: AggregateCall): CallCode {
  const compare: RowComparator = compileComparator(
    orderBy.map(({ descending, nulls, expr }, i) => ({
      descending,
      nulls,
      type: expr.type,
      position: args.length + i,
    })),
  )
  return {
    makeStates: () =>
      new StateList(
        () => [],
        (state) => {
          const rows = state as Value[][]
          const columns = Array.from({ length: args.length + orderBy.length }, (_, c) =>
            rows.map((row) => row[c] as Value),
          )
          const order = rows.map((_, i) => i).sort((a, b) => compare(columns, a, b))
          let result = fn.init()
          for (const row of order) result = fn.step(result, ...(rows[row] as Value[]).slice(0, args.length))
          return fn.finish(result)
        },
      ),
    update: (writer, state, values) => writer.line(`${state}.push([${values.join(', ')}])`),
  }
}

export interface CompiledAggregate {
  readonly update: AggregateUpdate
  readonly makeStates: readonly (() => AggregateStates)[]
}

/** One loop that filters rows, finds their groups and updates every aggregate. */
export function compileAggregate(
  layout: Layout,
  slots: Slots,
  filter: Expr | null,
  groups: readonly Output[],
  calls: readonly AggregateCall[],
): CompiledAggregate {
  const writer = new FunctionWriter()
  const emitter = rowEmitter(writer, layout, slots)
  const codes = calls.map((call) =>
    call.orderBy.length > 0 ? orderedCode(call) : (inlineCode(call.fn) ?? steppedCode(call.fn)),
  )
  writer.line('const n = batch.length')
  if (groups.length === 0) writer.line('const g = 0')
  emitter.block('for (let i = 0; i < n; i++)', () => {
    if (filter !== null) emitter.require(filter)
    if (groups.length > 0) findGroup(writer, emitter, groups)
    calls.forEach((call, c) => {
      const state = `${writer.hoist(`groups.states[${c}].values`)}[g]`
      updateCall(writer, emitter, call, codes[c] as CallCode, c, state)
    })
  })
  return {
    update: writer.build<AggregateUpdate>(['batch', 'groups', 'frame']),
    makeStates: calls.map((call, c) => {
      const { makeStates } = codes[c] as CallCode
      return () => (call.distinct ? withSeen(makeStates()) : makeStates())
    }),
  }
}

/** Gives a list of states the sets that tell which values of DISTINCT came before. */
function withSeen(states: StateList): StateList & { readonly seen: Set<unknown>[] } {
  return Object.assign(states, { seen: [] as Set<unknown>[] })
}

function findGroup(writer: FunctionWriter, emitter: ExpressionEmitter, groups: readonly Output[]): void {
  const parts = groups.map(({ expr }) => ({ type: expr.type, ...emitter.emit(expr) }))
  const key = hashKeyCode(writer, parts)
  writer.line(`const key = ${key}`)
  const map = writer.hoist('groups.byKey')
  writer.line(`let g = ${map}.get(key)`)
  writer.block('if (g === undefined)', () => {
    writer.line('g = groups.add(key)')
    parts.forEach(({ code }, c) => {
      writer.line(`${writer.hoist(`groups.columns[${c}]`)}.push(${code})`)
    })
  })
}

function updateCall(
  writer: FunctionWriter,
  emitter: ExpressionEmitter,
  call: AggregateCall,
  code: CallCode,
  index: number,
  state: string,
): void {
  const end = writer.fresh('end')
  emitter.block(`${end}:`, () => {
    if (call.filter !== null) emitter.require(call.filter, `break ${end}`)
    const args: (Emitted & { type: Expr['type'] })[] = call.args.map((arg) => ({
      type: arg.type,
      ...emitter.emit(arg),
    }))
    if (call.fn.strict)
      for (const { code: arg, nullable } of args)
        if (nullable) writer.line(`if (${arg} === null) break ${end}`)
    if (call.distinct) {
      const known = call.fn.strict ? args.map((arg) => ({ ...arg, nullable: false })) : args
      const seen = writer.declare(`${writer.hoist(`groups.states[${index}].seen`)}[g] ??= new Set()`, 's')
      const key = writer.declare(hashKeyCode(writer, known), 'd')
      writer.line(`if (${seen}.has(${key})) break ${end}`)
      writer.line(`${seen}.add(${key})`)
    }
    const values = args.map(({ code: arg }) => arg)
    const keys = call.orderBy.map(({ expr }) => emitter.emit(expr).code)
    code.update(writer, state, [...values, ...keys])
  })
}
