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
      for (let start = 0; start < groups.size; start += BATCH_ROWS) {
        const end = Math.min(groups.size, start + BATCH_ROWS)
        const columns = groups.columns.map((column) => column.slice(start, end))
        for (const states of groups.states) {
          const results: Value[] = []
          for (let group = start; group < end; group++) results.push(states.result(group))
          columns.push(results)
        }
        yield { length: end - start, columns }
      }
      context.memory.give(groups.size, width)
    },
  }
}
