import type { Value } from '@cluster/core'
import type { AggregateFunction } from '../../functions/function.ts'
import { type Bounds, boundsOf, eachPart, type FrameSpec } from './frame.ts'
import { STRIDE, type WindowEvaluator } from './functions.ts'
import type { Partition } from './partition.ts'

/** Adds a row to a state, or gives the state back when the row does not count. */
type Step = (state: unknown, row: number) => unknown

/** An aggregate over frames. */
export interface AggregateOver {
  readonly fn: AggregateFunction
  /** The columns that hold the arguments. */
  readonly args: readonly number[]
  /** The column that is true for rows that count; null: all do. */
  readonly filter: number | null
  readonly spec: FrameSpec
}

/**
 * An aggregate over frames, by the cheapest way that the frame allows: one value where all rows are in it, one
 * running state where it only grows, a state from which rows are taken back where that is exact, else a tree of
 * partial states.
 */
export function aggregateEvaluator(over: AggregateOver): WindowEvaluator {
  const { spec, fn } = over
  const whole = spec.exclude === 'no others'
  const grows = whole && spec.start.kind === 'unbounded preceding'
  return function* evaluate(partition, frame) {
    const bounds = boundsOf(partition, spec, frame)
    if (grows) return yield* running(over, partition, bounds)
    if (whole && fn.inverse !== undefined) return yield* sliding(over, partition, bounds)
    return yield* byTree(over, partition, bounds)
  }
}

function stepper({ fn, args, filter }: AggregateOver, partition: Partition, inverse = false): Step {
  const columns = args.map((column) => partition.columns[column] as readonly Value[])
  const test = filter === null ? null : (partition.columns[filter] as readonly Value[])
  const { from } = partition
  const add = (inverse ? fn.inverse : fn.step)?.bind(fn) as AggregateFunction['step']
  const counts = (row: number): boolean =>
    (test === null || test[from + row] === true) &&
    (!fn.strict || columns.every((column) => column[from + row] !== null))
  const [first] = columns
  if (first !== undefined && columns.length === 1)
    return (state, row) => (counts(row) ? add(state, first[from + row] as Value) : state)
  return (state, row) =>
    counts(row) ? add(state, ...columns.map((column) => column[from + row] as Value)) : state
}

function* running(over: AggregateOver, partition: Partition, { ends }: Bounds): Generator<number, Value[]> {
  const { fn } = over
  const step = stepper(over, partition)
  const values: Value[] = []
  let state = fn.init()
  let behind = 0
  let value = fn.finish(state)
  for (let row = 0; row < partition.length; row++) {
    const end = ends[row] as number
    if (behind < end) {
      for (; behind < end; behind++) {
        state = step(state, behind)
        if (behind % STRIDE === STRIDE - 1) yield STRIDE
      }
      value = fn.finish(state)
    }
    values.push(value)
    if (row % STRIDE === STRIDE - 1) yield STRIDE
  }
  return values
}

function* sliding(
  over: AggregateOver,
  partition: Partition,
  { starts, ends }: Bounds,
): Generator<number, Value[]> {
  const { fn } = over
  const step = stepper(over, partition)
  const back = stepper(over, partition, true)
  const values: Value[] = []
  let state = fn.init()
  let first = 0
  let behind = 0
  for (let row = 0; row < partition.length; row++) {
    const start = starts[row] as number
    const end = ends[row] as number
    if (start >= behind) {
      // Nothing of what was added stays.
      state = fn.init()
      first = start
      behind = start
    }
    for (; behind < end; behind++) {
      state = step(state, behind)
      if (behind % STRIDE === STRIDE - 1) yield STRIDE
    }
    for (; first < start; first++) state = back(state, first)
    values.push(fn.finish(state))
    if (row % STRIDE === STRIDE - 1) yield STRIDE
  }
  return values
}

/** Frames of at most this many rows are aggregated row by row. */
const SHORT = 16

function* byTree(
  over: AggregateOver,
  partition: Partition,
  { starts, ends }: Bounds,
): Generator<number, Value[]> {
  const { fn, spec } = over
  const step = stepper(over, partition)
  const values: Value[] = []
  let tree: StateTree | null = null
  for (let row = 0; row < partition.length; row++) {
    const start = starts[row] as number
    const end = ends[row] as number
    if (tree === null && end - start > SHORT) {
      tree = new StateTree(fn, step, partition.length)
      yield* tree.build()
    }
    let state = fn.init()
    eachPart(partition, spec.exclude, row, start, end, (from, to) => {
      let part = fn.init()
      if (to - from <= SHORT || tree === null) for (let at = from; at < to; at++) part = step(part, at)
      else part = tree.between(from, to)
      // Only a state of its own is stepped on: a merged one may be part of the tree.
      state = fn.merge(state, part)
      return false
    })
    values.push(fn.finish(state))
    if (row % 256 === 255) yield 1_024
  }
  return values
}

/** Partial states of 1, 2, 4, … rows side by side: any run of rows is made of few of them. */
class StateTree {
  readonly #fn: AggregateFunction
  readonly #step: Step
  readonly #leaves: number
  /** Level by level from the leaves, which hold one row each. */
  readonly #levels: unknown[][] = []

  constructor(fn: AggregateFunction, step: Step, leaves: number) {
    this.#fn = fn
    this.#step = step
    this.#leaves = leaves
  }

  *build(): Generator<number, void> {
    let below: unknown[] = []
    for (let row = 0; row < this.#leaves; row++) {
      below.push(this.#step(this.#fn.init(), row))
      if (row % STRIDE === STRIDE - 1) yield STRIDE
    }
    this.#levels.push(below)
    while (below.length > 1) {
      const level: unknown[] = []
      for (let i = 0; i + 1 < below.length; i += 2) {
        level.push(this.#fn.merge(below[i], below[i + 1]))
        if (level.length % STRIDE === 0) yield STRIDE
      }
      if (below.length % 2 === 1) level.push(below[below.length - 1])
      this.#levels.push(level)
      below = level
    }
  }

  /** The state of the rows from `from` up to `to`, in their order. */
  between(from: number, to: number): unknown {
    const right: unknown[] = []
    let left = this.#fn.init()
    let low = from
    let high = to
    for (const level of this.#levels) {
      if (low >= high) break
      if (low % 2 === 1) left = this.#fn.merge(left, level[low++])
      if (high % 2 === 1) right.push(level[--high])
      low /= 2
      high /= 2
    }
    for (let i = right.length - 1; i >= 0; i--) left = this.#fn.merge(left, right[i])
    return left
  }
}
