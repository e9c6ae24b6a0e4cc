import { assert, below, chance, pick, type RowExpression, relationId } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { executeStep, luckOf, type OpenDatabase, transact } from './rows.ts'

export const COUNTERS = relationId(23)

export interface CounterInput extends Named {
  readonly counter: string
  /** 0 reads. */
  readonly add: number
}

const NAMES = ['one', 'two', 'three']

/** Counters that only grow: what is read lies between what was acknowledged and what was tried. */
export function counterLoad<App>(open: OpenDatabase<App>): Load<App, CounterInput, number> {
  return {
    next: (name, _client, random) => ({
      name,
      counter: pick(random, NAMES),
      add: chance(random, 0.6) ? 1 + below(random, 9) : 0,
    }),
    last: (name) => ({ name, counter: name, add: 1 }),
    closing: (name) => NAMES.map((counter) => ({ name: `${name}/${counter}`, counter, add: 0 })),
    writes: (input) => input.add > 0 && !isProgram(input),
    perform: (app, input) => {
      if (isProgram(input)) return increment(open, app, input)
      return transact<App, number>(open, app, input, {
        readOnly: input.add === 0,
        async run(rows) {
          const before = await rows.getNumber(COUNTERS, input.counter)
          if (input.add > 0) rows.putNumber(COUNTERS, input.counter, before + input.add)
          return { output: before, commit: input.add > 0 }
        },
      })
    },
    judge: judgeCounters,
  }
}

/** Every other increment. */
const isProgram = (input: CounterInput): boolean => input.add > 0 && luckOf(input, 'program') % 2 === 0

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

/** Every output is the count before. */
export function judgeCounters({ history }: Told<CounterInput, number>): string | null {
  for (const { input, callTime, end } of history) {
    if (end === null) continue
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
