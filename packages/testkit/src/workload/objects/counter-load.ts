import { below, chance, pick } from '@cluster/core'
import { type CounterInput, type CounterOutput, judgeCounters } from '../counts.ts'
import type { Load } from '../load.ts'
import { drawn, type OpenContainers, patienceOf } from './objects.ts'

const NAMES = ['one', 'two', 'three']
/** Added to in memory, and flushed. */
const FAST = 'three'

/** Counters that only grow. The answer is the count before; null when it is not told. */
export function sumLoad<App>(open: OpenContainers<App>): Load<App, CounterInput, CounterOutput> {
  return {
    next: (name, _client, random) => ({
      name,
      counter: pick(random, NAMES),
      add: chance(random, 0.6) ? 1 + below(random, 9) : 0,
    }),
    last: (name) => ({ name, counter: 'one', add: 1 }),
    closing: (name) => NAMES.map((counter) => ({ name: `${name}/${counter}`, counter, add: 0 })),
    writes: () => false,
    async perform(app, input) {
      const { counter: name, add } = input
      const containers = open(app)
      if (add === 0) return containers.counter(name).value(patienceOf(input))
      if (name === FAST) {
        const counter = containers.fastCounter(name, { flushMs: 40 })
        counter.add(add)
        await counter.flush()
        return null
      }
      if (drawn(input, 'transaction') % 4 === 0) {
        await containers.transaction(async (tx) => tx.add(name, add), patienceOf(input))
        return null
      }
      return (await containers.counter(name).add(add, patienceOf(input))) - add
    },
    judge: judgeCounters,
  }
}
