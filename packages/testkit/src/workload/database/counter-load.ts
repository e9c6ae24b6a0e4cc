import { assert, below, chance, pick, type RowExpression, relationId } from '@cluster/core'
import { type CounterInput, type CounterOutput, judgeCounters } from '../counts.ts'
import type { Load } from '../load.ts'
import { executeStep, luckOf, type OpenDatabase, type Rows, transact } from './rows.ts'

export const COUNTERS = relationId(23)

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
