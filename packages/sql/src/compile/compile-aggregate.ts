import { assert, type Value } from '@cluster/core'
import { sizeOf } from '../executor/memory.ts'
import {
  type AggregateOptions,
  type AggregateStates,
  type AggregateUpdate,
  blankHash,
  textHash,
} from '../executor/rows/aggregate.ts'
import {
  CountStates,
  DecimalSumStates,
  FloatSumStates,
  WholeSumStates,
} from '../executor/rows/number-states.ts'
import type { RowComparator } from '../executor/rows/sorted-rows.ts'
import { addFloat } from '../functions/arithmetic.ts'
import type { AggregateFunction } from '../functions/function.ts'
import type { Expr } from '../plan/expression.ts'
import type { AggregateCall, Output } from '../plan/logical.ts'
import { sameWithoutBlanks } from '../types/compare.ts'
import { WHOLE_MAX } from '../types/scaled.ts'
import type { TypeId } from '../types/type.ts'
import { compileComparator, type Layout, rowEmitter, type Slots } from './compile-map.ts'
import type { Emitted } from './emitted.ts'
import type { ExpressionEmitter } from './expression-emitter.ts'
import { FunctionWriter } from './function-writer.ts'
import { hashKeyCode } from './hash-key.ts'
import { filteredRows } from './selection.ts'

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
  readonly makeStates: () => AggregateStates
  /** Writes the update of group `g` in `states` with arguments that are not NULL, if the function is strict. */
  update(writer: FunctionWriter, states: string, args: readonly string[]): void
  /** Writes everything from the argument on; absent: the arguments come ready. */
  readonly whole?: (writer: FunctionWriter, emitter: ExpressionEmitter, states: string) => void
}

const compared: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'bigint', 'timestamp', 'date'])
/** Sums are exact in a double up to here, one more number of 32 bits included. */
const SUM_MAX = 2 ** 53 - 2 ** 32

/** The common aggregates as plain JavaScript; null: by the function's own steps. */
function inlineCode({ fn, args, distinct }: AggregateCall, emitter: ExpressionEmitter): CallCode | null {
  const type = fn.args[0]?.id
  if (fn.name === 'count')
    return {
      makeStates: () => new CountStates(),
      update: (writer, states) => writer.line(`${states}.counts[g]++`),
    }
  const summing = fn.name === 'sum' || fn.name === 'avg'
  if (summing && (type === 'integer' || type === 'smallint')) return wholeSum(fn)
  if (summing && type === 'double') return floatSum(fn)
  const [arg] = args
  if (summing && type === 'numeric' && arg !== undefined && !distinct) return decimalSum(fn, arg, emitter)
  if ((fn.name === 'min' || fn.name === 'max') && type !== undefined && compared.has(type)) {
    const sign = fn.name === 'min' ? '<' : '>'
    return {
      makeStates: () =>
        new StateList(
          () => null,
          (value) => value as Value,
        ),
      update(writer, states, [value]) {
        const state = `${states}.values[g]`
        writer.line(`if (${state} === null || ${value} ${sign} ${state}) ${state} = ${value}`)
      },
    }
  }
  return null
}

function wholeSum(fn: AggregateFunction): CallCode {
  const finish = (sum: bigint, count: number): Value => {
    if (count === 0) return null
    return fn.finish([count, sum])
  }
  return {
    makeStates: () => new WholeSumStates(fn, finish),
    update(writer, states, [value]) {
      const sum = writer.declare(`${states}.sums[g] + ${value}`, 's')
      writer.line(`if (${sum} <= ${SUM_MAX} && ${sum} >= ${-SUM_MAX}) ${states}.sums[g] = ${sum}`)
      writer.line(`else ${states}.spill(g, ${value})`)
      writer.line(`${states}.counts[g]++`)
    },
  }
}

function floatSum(fn: AggregateFunction): CallCode {
  return {
    makeStates: () => new FloatSumStates(fn.name === 'avg'),
    update(writer, states, [value]) {
      const sum = writer.declare(`${states}.sums[g] + ${value}`, 's')
      // What is no finite number is judged by the function itself.
      const add = writer.capture(addFloat, 'f')
      writer.line(`${states}.sums[g] = ${sum} - ${sum} === 0 ? ${sum} : ${add}(${states}.sums[g], ${value})`)
      writer.line(`${states}.counts[g]++`)
    },
  }
}

/** Null when the argument is not made of numbers with declared scales. */
function decimalSum(fn: AggregateFunction, arg: Expr, emitter: ExpressionEmitter): CallCode | null {
  const form = emitter.scaledForm(arg)
  if (form === null) return null
  return {
    makeStates: () => new DecimalSumStates(fn, form.scale, form.varies),
    update(writer, states, [value]) {
      writer.line(`${states}.other(g, ${value})`)
    },
    whole(writer, inner, states) {
      const scaled = inner.emitScaled(arg)
      assert(scaled !== null, 'the argument of a sum has changed')
      const { code, shown } = scaled
      inner.block(`if (${code} === ${code})`, () => {
        const sum = writer.declare(`${states}.sums[g] + ${code}`, 's')
        writer.line(`if (${sum} <= ${WHOLE_MAX} && ${sum} >= ${-WHOLE_MAX}) ${states}.sums[g] = ${sum}`)
        writer.line(`else ${states}.spill(g, ${code})`)
        writer.line(`${states}.counts[g]++`)
        if (shown !== null) writer.line(`if (${shown} > ${states}.shown[g]) ${states}.shown[g] = ${shown}`)
      })
      inner.block('else', () => {
        const { code: value, nullable } = inner.emit(arg)
        writer.line(`${nullable ? `if (${value} !== null) ` : ''}${states}.other(g, ${value})`)
      })
    },
  }
}

function steppedCode(fn: AggregateFunction): CallCode {
  return {
    makeStates: () =>
      new StateList(
        () => fn.init(),
        (state) => fn.finish(state),
      ),
    update(writer, states, args) {
      const step = writer.capture(fn.step, 'f')
      const state = `${states}.values[g]`
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
    update: (writer, states, values) => writer.line(`${states}.values[g].push([${values.join(', ')}])`),
  }
}

export type CompiledAggregate = Pick<AggregateOptions, 'update' | 'updateJudged' | 'makeStates'>

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
    call.orderBy.length > 0 ? orderedCode(call) : (inlineCode(call, emitter) ?? steppedCode(call.fn)),
  )
  writer.line('const n = batch.length')
  if (groups.length === 0) writer.line('const g = 0')
  filteredRows(writer, emitter, filter, () => {
    if (groups.length > 0) findGroup(writer, emitter, groups)
    calls.forEach((call, c) => {
      const states = writer.hoist(`groups.states[${c}]`)
      updateCall(writer, emitter, call, codes[c] as CallCode, c, states)
    })
  })
  // Rows that were written to disk have met the filter, which may be one that says something else every time.
  let judged: AggregateUpdate | null = null
  const update = writer.build<AggregateUpdate>(['batch', 'groups', 'frame'])
  return {
    update,
    updateJudged() {
      judged ??= filter === null ? update : compileAggregate(layout, slots, null, groups, calls).update
      return judged
    },
    makeStates: calls.map((call, c) => {
      const { makeStates } = codes[c] as CallCode
      return () => (call.distinct ? withSeen(makeStates()) : makeStates())
    }),
  }
}

/** Gives a list of states the sets that tell which values of DISTINCT came before. */
function withSeen(states: AggregateStates): AggregateStates & { readonly seen: Set<unknown>[] } {
  return Object.assign(states, { seen: [] as Set<unknown>[] })
}

type Part = Emitted & { readonly type: Expr['type'] }

const whole: ReadonlySet<TypeId> = new Set(['smallint', 'integer'])
/** Whose values `===` finds equal exactly when SQL does; char but for its blanks. */
const exact: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'date', 'text', 'varchar', 'char', 'uuid'])

function findGroup(writer: FunctionWriter, emitter: ExpressionEmitter, groups: readonly Output[]): void {
  const parts = groups.map(({ expr }): Part => ({ type: expr.type, ...emitter.emit(expr) }))
  const [only] = parts
  if (parts.length === 1 && only !== undefined && whole.has(only.type.id)) findWhole(writer, only)
  else if (parts.length > 1 && parts.every(({ type }) => exact.has(type.id))) findHashed(writer, parts)
  else findByKey(writer, parts)
}

function pushValues(writer: FunctionWriter, parts: readonly Part[]): void {
  parts.forEach(({ code }, c) => {
    writer.line(`${writer.hoist(`groups.columns[${c}]`)}.push(${code})`)
  })
}

/** No group is added when there is no room for one. */
const missIfFrozen = (writer: FunctionWriter, key: string): void =>
  writer.block('if (groups.frozen)', () => {
    writer.line(`groups.miss(i, ${key})`)
    writer.line('continue rows')
  })

function findByKey(writer: FunctionWriter, parts: readonly Part[]): void {
  writer.line(`const key = ${hashKeyCode(writer, parts)}`)
  writer.line(`let g = ${writer.hoist('groups.byKey')}.get(key)`)
  writer.block('if (g === undefined)', () => {
    missIfFrozen(writer, 'key')
    writer.line('g = groups.add(key)')
    pushValues(writer, parts)
  })
}

/** One whole number is its own place in a list. */
function findWhole(writer: FunctionWriter, part: Part): void {
  const { code, nullable } = part
  const known = nullable ? `${code} !== null && ` : ''
  writer.line(
    `let g = ${known}${code} >= 0 && ${code} < groups.dense.length ? groups.dense[${code}] - 1 : groups.find(${code})`,
  )
  writer.block('if (g < 0)', () => {
    writer.line(`g = groups.find(${code})`)
    writer.block('if (g < 0)', () => {
      missIfFrozen(writer, code)
      writer.line(`g = groups.addWhole(${code})`)
      pushValues(writer, [part])
    })
  })
}

/** Several values: a table with open addressing, whose hash is made of all of them. */
function findHashed(writer: FunctionWriter, parts: readonly Part[]): void {
  const hash = writer.declare('0', 'x')
  for (const { type, code } of parts) {
    const own =
      type.id === 'char'
        ? `${writer.capture(blankHash, 'f')}(${code})`
        : whole.has(type.id) || type.id === 'date'
          ? `(${code} | 0)`
          : `${writer.capture(textHash, 'f')}(${code})`
    writer.line(`${hash} = Math.imul(${hash} ^ ${own}, 0x9e3779b1)`)
  }
  writer.line(`${hash} ^= ${hash} >>> 15`)
  const equal = parts.map(({ type, code, nullable }, c) => {
    const kept = `${writer.hoist(`groups.columns[${c}]`)}[g]`
    if (type.id !== 'char') return `${kept} === ${code}`
    const same = `${writer.capture(sameWithoutBlanks, 'f')}(${kept}, ${code})`
    return nullable ? `(${kept} === ${code} || (${kept} !== null && ${code} !== null && ${same}))` : same
  })
  writer.line(`let at = ${hash} & (groups.slots.length - 1)`)
  writer.line('let g')
  writer.block('for (;;)', () => {
    writer.line('g = groups.slots[at]')
    writer.block('if (g < 0)', () => {
      missIfFrozen(writer, hash)
      writer.line(`g = groups.addHashed(at, ${hash})`)
      pushValues(writer, parts)
      writer.line('break')
    })
    writer.line(`if (groups.hashes[g] === ${hash} && ${equal.join(' && ')}) break`)
    writer.line('at = (at + 1) & (groups.slots.length - 1)')
  })
}

/** Counts values that a state keeps. */
function hold(writer: FunctionWriter, values: readonly string[]): void {
  const size = writer.capture(sizeOf, 'f')
  const sizes = values.map((value) => `${size}(${value})`).join(' + ')
  writer.line(
    `groups.heldBytes += ${HELD_BYTES * (values.length + 1)}${values.length === 0 ? '' : ` + ${sizes}`}`,
  )
}
/** A value in a list or set of a state. */
const HELD_BYTES = 24

function updateCall(
  writer: FunctionWriter,
  emitter: ExpressionEmitter,
  call: AggregateCall,
  code: CallCode,
  index: number,
  states: string,
): void {
  const end = writer.fresh('end')
  emitter.block(`${end}:`, () => {
    if (call.filter !== null) emitter.require(call.filter, `break ${end}`)
    if (code.whole !== undefined) {
      code.whole(writer, emitter, states)
      return
    }
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
      hold(writer, [key])
    }
    const values = args.map(({ code: arg }) => arg)
    const keys = call.orderBy.map(({ expr }) => emitter.emit(expr).code)
    // The state of a function that depends on the order grows with every row.
    if (call.orderBy.length > 0 || call.fn.ordered) hold(writer, [...values, ...keys])
    code.update(writer, states, [...values, ...keys])
  })
}
