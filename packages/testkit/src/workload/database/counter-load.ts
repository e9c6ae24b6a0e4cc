import { assert, below, chance, pick, type RowExpression, relationId } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { executeStep, luckOf, type OpenDatabase, type Rows, transact } from './rows.ts'

export const COUNTERS = relationId(23)

export interface CounterInput extends Named {
  readonly counter: string
  /** 0 reads. */
  readonly add: number
}

/** The count before; null when it was not looked at. */
export type CounterOutput = number | null

const NAMES = ['one', 'two', 'three']

/** Counters that only grow: what is read lies between what was acknowledged and what was tried. */
export function counterLoad<App>(open: OpenDatabase<App>): Load<App, CounterInput, CounterOutput> {
  return {
    next: (name, _client, random) => ({
      name,
      counter: pick(random, NAMES),
      add: chance(random, 0.6) ? 1 + below(random, 9) : 0,
    }),
    last: (name) => ({ name, counter: name, add: 1 }),
    closing: (name) => NAMES.map((counter) => ({ name: `${name}/${counter}`, counter, add: 0 })),
    writes: (input) => input.add > 0 && wayOf(input) !== 'program',
    perform: (app, input) => {
      const way = wayOf(input)
      if (way === 'program') return increment(open, app, input)
      return transact<App, CounterOutput>(open, app, input, {
        readOnly: input.add === 0,
        async run(rows) {
          if (way === 'addition' && (await rows.add(COUNTERS, input.counter, input.add)))
            return { output: await looked(rows, input), commit: true }
          const before = await rows.getNumber(COUNTERS, input.counter)
          if (input.add > 0) rows.putNumber(COUNTERS, input.counter, before + input.add)
          return { output: before, commit: input.add > 0 }
        },
      })
    },
    judge: judgeCounters,
  }
}

const WAYS = ['program', 'addition', 'row'] as const

/** How it is incremented. */
const wayOf = (input: CounterInput): (typeof WAYS)[number] =>
  input.add === 0 ? 'row' : (WAYS[luckOf(input, 'way') % WAYS.length] ?? 'row')

/** Every other one looks at the sum that it has made. */
const looked = async (rows: Rows, input: CounterInput): Promise<CounterOutput> =>
  luckOf(input, 'look') % 2 > 0 ? null : (await rows.getNumber(COUNTERS, input.counter)) - input.add

/** The increment as a program, which never loses a race. It says what the count is afterwards. */
async function increment<App>(
  open: OpenDatabase<App>,
  app: App,
  { counter, add }: CounterInput,
): Promise<number> {
  const count: RowExpression = { op: 'column', position: 1 }
  const sum: RowExpression = {
    op: 'add',
    type: 'integer',
    left: count,
    right: { op: 'value', value: add },
  }
  const outcome = await executeStep(open, app, COUNTERS, {
    name: counter,
    present: { do: 'update', set: [{ position: 1, value: sum }], where: null },
    absent: [counter, add],
  })
  assert(outcome.type === 'done', 'the count fits into an integer')
  const after = outcome.rows[0]?.[1]
  assert(typeof after === 'number', 'a count is a number')
  return after - add
}

/** Every output is the count before, if any, and no two increments begin at or within the same one. */
export function judgeCounters({ history }: Told<CounterInput, CounterOutput>): string | null {
  return outOfBounds(history) ?? twice(history)
}

type Counted = Told<CounterInput, CounterOutput>['history']

function outOfBounds(history: Counted): string | null {
  for (const { input, callTime, end } of history) {
    if (end === null || end.output === null) continue
    let least = 0
    let most = 0
    for (const other of history) {
      if (other.input.counter !== input.counter || other.input.add === 0 || other.input === input) continue
      if (other.end !== null && other.end.time < callTime) least += other.input.add
      if (other.callTime <= end.time) most += other.input.add
    }
    if (end.output < least || end.output > most)
      return `${input.name} read ${end.output} of counter ${input.counter}, which was from ${least} to ${most}`
  }
  return null
}

function twice(history: Counted): string | null {
  const last = new Map<string, { readonly input: CounterInput; readonly before: number }>()
  const steps = history
    .map(({ input, end }) => ({ input, before: end?.output ?? null }))
    .filter(
      (step): step is { input: CounterInput; before: number } => step.before !== null && step.input.add > 0,
    )
    .sort((a, b) => a.before - b.before)
  for (const step of steps) {
    const { counter, name } = step.input
    const earlier = last.get(counter)
    if (earlier !== undefined && earlier.before + earlier.input.add > step.before)
      return `${name} found ${step.before} in counter ${counter}, where ${earlier.input.name} added ${earlier.input.add} to ${earlier.before}`
    last.set(counter, step)
  }
  return null
}
