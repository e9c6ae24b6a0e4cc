import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch, type Frame } from '../compile/batch.ts'
import type { Source } from './context.ts'

/** The states of one aggregate call: one a group, in a form that only its own code knows. */
export interface AggregateStates {
  /** Adds the state of a new group. */
  grow(): void
  /** The call's value for a group. */
  result(group: number): Value
}

/** The groups of one run. Compiled code fills them. */
export class Groups {
  /** Hash key → number of the group. */
  readonly byKey = new Map<unknown, number>()
  /** The grouping values: a list for each grouping column, one value a group. */
  readonly columns: readonly Value[][]
  readonly states: readonly AggregateStates[]
  #size = 0

  constructor(width: number, states: readonly AggregateStates[]) {
    this.columns = Array.from({ length: width }, () => [])
    this.states = states
  }

  get size(): number {
    return this.#size
  }

  /** A new group under this key; the caller adds its grouping values. */
  add(key: unknown): number {
    const group = this.#size++
    this.byKey.set(key, group)
    for (const states of this.states) states.grow()
    return group
  }
}

/** Adds the rows of a batch to their groups. */
export type AggregateUpdate = (batch: Batch, groups: Groups, frame: Frame) => void

export interface AggregateOptions {
  readonly groupWidth: number
  readonly makeStates: readonly (() => AggregateStates)[]
  readonly update: AggregateUpdate
}

export interface SetOptions extends AggregateOptions {
  /** Which of all grouping columns the set has, in order. */
  readonly positions: readonly number[]
}

/**
 * Groups the same rows in several ways at once, each with a hash table of its own. The columns are all grouping
 * columns (NULL where the set does not have them), the aggregates, and the number of the set.
 */
export function groupingSetsSource(input: Source, groupWidth: number, sets: readonly SetOptions[]): Source {
  const width = groupWidth + (sets[0]?.makeStates.length ?? 0)
  return {
    async *open(context) {
      const all = sets.map(({ groupWidth: own, makeStates }) => {
        const groups = new Groups(
          own,
          makeStates.map((make) => make()),
        )
        if (own === 0) groups.add(null)
        return groups
      })
      const count = (): number => all.reduce((sum, { size }) => sum + size, 0)
      for await (const batch of input.open(context)) {
        const before = count()
        for (const [s, groups] of all.entries()) {
          sets[s]?.update(batch, groups, context.frame)
          const pause = context.work(batch.length)
          if (pause !== null) await pause
        }
        context.memory.take(count() - before, width)
      }
      for (const [s, groups] of all.entries()) {
        const positions = sets[s]?.positions ?? []
        for (let start = 0; start < groups.size; start += BATCH_ROWS) {
          const { length, columns } = resultsOf(groups, start)
          const grouped = Array.from({ length: groupWidth }, (_, position) => {
            const own = positions.indexOf(position)
            return own < 0 ? new Array<Value>(length).fill(null) : (columns[own] as readonly Value[])
          })
          const numbers = new Array<Value>(length).fill(s)
          yield { length, columns: [...grouped, ...columns.slice(positions.length), numbers] }
        }
      }
      context.memory.give(count(), width)
    },
  }
}

/** A batch of groups: their values, then what the aggregates gave. */
function resultsOf(groups: Groups, start: number): Batch {
  const end = Math.min(groups.size, start + BATCH_ROWS)
  const columns = groups.columns.map((column) => column.slice(start, end))
  for (const states of groups.states) {
    const results: Value[] = []
    for (let group = start; group < end; group++) results.push(states.result(group))
    columns.push(results)
  }
  return { length: end - start, columns }
}

/** Hash aggregation. Without grouping columns there is one group, also without rows. */
export function aggregateSource(input: Source, { groupWidth, makeStates, update }: AggregateOptions): Source {
  return {
    async *open(context) {
      const groups = new Groups(
        groupWidth,
        makeStates.map((make) => make()),
      )
      const width = groupWidth + makeStates.length
      if (groupWidth === 0) groups.add(null)
      for await (const batch of input.open(context)) {
        const before = groups.size
        update(batch, groups, context.frame)
        context.memory.take(groups.size - before, width)
        const pause = context.work(batch.length)
        if (pause !== null) await pause
      }
      for (let start = 0; start < groups.size; start += BATCH_ROWS) yield resultsOf(groups, start)
      context.memory.give(groups.size, width)
    },
  }
}
