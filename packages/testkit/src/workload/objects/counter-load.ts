import { below, chance, pick } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { drawn, type OpenContainers, patienceOf } from './objects.ts'

export interface SumInput extends Named {
  readonly counter: string
  /** 0 reads. */
  readonly add: number
}

const NAMES = ['one', 'two', 'three']
/** Added to in memory, and flushed. */
const FAST = 'three'

/** Counters that only grow. The answer is the count before; null when it is not told. */
export function sumLoad<App>(open: OpenContainers<App>): Load<App, SumInput, number | null> {
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
    judge: judgeSums,
  }
}

/** What is read lies between what was acknowledged and what was tried; no two additions begin at the same count. */
export function judgeSums({ history }: Pick<Told<SumInput, number | null>, 'history'>): string | null {
  const begun = new Map<string, string>()
  for (const { input, callTime, end } of history) {
    if (end === null || end.output === null) continue
    let least = 0
    let most = 0
    for (const other of history) {
      if (other.input.counter !== input.counter || other.input.add === 0 || other.input === input) continue
      if (other.end !== null && other.end.time < callTime) least += other.input.add
      if (other.callTime <= end.time) most += other.input.add
    }
    const { name, counter, add } = input
    if (end.output < least || end.output > most)
      return `${name} saw ${end.output} of counter ${counter}, which was from ${least} to ${most}`
    if (add === 0) continue
    const at = `${counter} ${end.output}`
    if (begun.has(at)) return `${name} and ${begun.get(at)} both added to ${end.output} of counter ${counter}`
    begun.set(at, name)
  }
  return null
}
