import type { Value } from '@cluster/core'
import type { AggregateFunction } from '../../functions/function.ts'
import { fromDecimal, rescale } from '../../types/decimal.ts'
import type { AggregateStates } from './aggregate.ts'

const FIRST = 16

/** A longer list with the same numbers. */
function longer(numbers: Float64Array): Float64Array<ArrayBuffer> {
  const next = new Float64Array(numbers.length * 2)
  next.set(numbers)
  return next
}

/** Counts a group. Compiled code adds to `counts` itself. */
export class CountStates implements AggregateStates {
  counts: Float64Array<ArrayBuffer> = new Float64Array(FIRST)
  #size = 0

  grow(): void {
    if (++this.#size > this.counts.length) this.counts = longer(this.counts)
  }

  result(group: number): Value {
    return BigInt(this.counts[group] ?? 0)
  }
}

/**
 * Exact sums of whole numbers a group: in `sums` as long as they are exact there, and what went beyond that in bigints. Compiled
 * code adds to `sums` and `counts` itself.
 */
export class WholeSumStates implements AggregateStates {
  sums: Float64Array<ArrayBuffer> = new Float64Array(FIRST)
  counts: Float64Array<ArrayBuffer> = new Float64Array(FIRST)
  /** Values that were not numbers of units, as the function itself keeps them. */
  readonly #others = new Map<number, unknown>()
  readonly #spilled = new Map<number, bigint>()
  readonly #fn: AggregateFunction
  readonly #finish: (sum: bigint, count: number, group: number) => Value
  #size = 0

  /** @param finish makes the result of what the fast way has summed up; null: see `decimalSums` */
  constructor(fn: AggregateFunction, finish: (sum: bigint, count: number, group: number) => Value) {
    this.#fn = fn
    this.#finish = finish
  }

  grow(): void {
    this.#size++
    if (this.#size > this.sums.length) this.sums = longer(this.sums)
    if (this.#size > this.counts.length) this.counts = longer(this.counts)
  }

  /** Makes room in the group's number for one more value. */
  spill(group: number, value: number): void {
    const spilled = this.#spilled.get(group) ?? 0n
    this.#spilled.set(group, spilled + BigInt(this.sums[group] ?? 0) + BigInt(value))
    this.sums[group] = 0
  }

  /** A value by the function's own step. */
  other(group: number, value: Value): void {
    const state = this.#others.has(group) ? this.#others.get(group) : this.#fn.init()
    this.#others.set(group, this.#fn.step(state, value))
  }

  protected otherState(group: number): unknown {
    return this.#others.get(group)
  }

  protected hasOther(group: number): boolean {
    return this.#others.has(group)
  }

  sumOf(group: number): bigint {
    return (this.#spilled.get(group) ?? 0n) + BigInt(this.sums[group] ?? 0)
  }

  result(group: number): Value {
    return this.#finish(this.sumOf(group), this.counts[group] ?? 0, group)
  }
}

/** Sums and averages of numerics: numbers of units of 10^−scale, and the rest by the function's own steps. */
export class DecimalSumStates extends WholeSumStates {
  /** The largest scale that a group's values show. */
  shown: Float64Array<ArrayBuffer> = new Float64Array(FIRST)
  readonly #scale: number
  readonly #varies: boolean
  readonly #own: AggregateFunction

  /** @param varies true when rows have scales of their own, up to `scale` */
  constructor(fn: AggregateFunction, scale: number, varies: boolean) {
    super(fn, () => null)
    this.#own = fn
    this.#scale = scale
    this.#varies = varies
  }

  override grow(): void {
    super.grow()
    if (this.sums.length > this.shown.length) this.shown = longer(this.shown)
  }

  override result(group: number): Value {
    const fn = this.#own
    const count = this.counts[group] ?? 0
    if (count === 0) return fn.finish(this.hasOther(group) ? this.otherState(group) : fn.init())
    const exact = { coefficient: this.sumOf(group), scale: this.#scale }
    const sum = fromDecimal(this.#varies ? rescale(exact, this.shown[group] ?? 0) : exact)
    const state = fn.name === 'sum' ? sum : [count, sum]
    return fn.finish(this.hasOther(group) ? fn.merge(state, this.otherState(group)) : state)
  }
}

/** Sums of floating numbers, in the order of the rows. Compiled code adds to `sums` and `counts` itself. */
export class FloatSumStates implements AggregateStates {
  sums: Float64Array<ArrayBuffer>
  counts: Float64Array<ArrayBuffer> = new Float64Array(FIRST)
  readonly #average: boolean
  /** A sum is what its first value is, −0 too; an average begins with 0. */
  readonly #start: number
  #size = 0

  constructor(average: boolean) {
    this.#average = average
    this.#start = average ? 0 : -0
    this.sums = new Float64Array(FIRST).fill(this.#start)
  }

  grow(): void {
    this.#size++
    if (this.#size > this.sums.length) {
      this.sums = longer(this.sums).fill(this.#start, this.sums.length)
      this.counts = longer(this.counts)
    }
  }

  result(group: number): Value {
    const count = this.counts[group] ?? 0
    if (count === 0) return null
    const sum = this.sums[group] ?? 0
    return this.#average ? sum / count : sum
  }
}
