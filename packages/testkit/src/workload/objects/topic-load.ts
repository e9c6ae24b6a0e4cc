import { chance } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { journalOf, type OpenContainers, patienceOf } from './objects.ts'

export interface TopicInput extends Named {
  readonly publishes: boolean
}

/** Everything published so far; null for one that was published. */
export type TopicOutput = readonly string[] | null

/** What the subscribers of one node have seen in all of its lives, with the token of the last one. */
export interface Subscriber {
  token: string
  readonly seen: string[]
}

/** Publishers, and readers of the whole topic. What subscribers saw is judged with it. */
export function topicLoad<App>(
  open: OpenContainers<App>,
  subscribers: ReadonlyMap<string, Subscriber>,
): Load<App, TopicInput, TopicOutput> {
  return {
    next: (name, _client, random) => ({ name, publishes: chance(random, 0.8) }),
    last: (name) => ({ name, publishes: true }),
    closing: (name) => [{ name, publishes: false }],
    writes: ({ publishes }) => publishes,
    async perform(app, input) {
      const topic = journalOf(open(app))
      if (!input.publishes) return topic.toArray(patienceOf(input))
      await topic.publish(input.name, patienceOf(input))
      return null
    },
    judge: (told) => judgeTopic(told, subscribers),
  }
}

/** All see one order, which is that of time where publications did not overlap; nobody misses or repeats anything. */
export function judgeTopic(
  { history }: Pick<Told<TopicInput, TopicOutput>, 'history'>,
  subscribers: ReadonlyMap<string, Subscriber>,
): string | null {
  const reads = history.flatMap(({ input, callTime, end }) =>
    end === null || end.output === null ? [] : [{ by: input.name, callTime, seen: end.output }],
  )
  const order = reads.reduce<readonly string[]>(
    (longest, { seen }) => (seen.length > longest.length ? seen : longest),
    [],
  )
  const places = new Map(order.map((message, at) => [message, at]))
  if (places.size < order.length) return 'a message is in the topic twice'
  for (const { by, seen } of reads)
    for (const [at, message] of seen.entries())
      if (order[at] !== message) return `${by} saw ${message} as number ${at}, others saw ${order[at]}`
  for (const { by, callTime, seen } of reads)
    for (const { input, end } of history)
      if (input.publishes && end !== null && end.time < callTime && !seen.includes(input.name))
        return `${by} did not see ${input.name}`
  const published = history.flatMap(({ input, callTime, end }) => {
    const place = input.publishes ? places.get(input.name) : undefined
    return place === undefined ? [] : [{ name: input.name, callTime, endTime: end?.time ?? null, place }]
  })
  for (const earlier of published)
    for (const later of published)
      if (earlier.endTime !== null && earlier.endTime < later.callTime && earlier.place > later.place)
        return `${later.name} is before ${earlier.name}, which was published before it`
  if (order.length === 0) return null
  for (const [node, { seen }] of subscribers) {
    const first = places.get(seen[0] ?? '') ?? 0
    for (const [at, message] of seen.entries())
      if (order[first + at] !== message && first + at < order.length)
        return `the subscriber on ${node} got ${message} where ${order[first + at]} was next`
  }
  return null
}
