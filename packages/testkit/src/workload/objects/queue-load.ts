import {
  type Clock,
  type Containers,
  chance,
  delay,
  isClusterError,
  pick,
  type QueueMessage,
} from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { drawn, type OpenContainers, patienceOf } from './objects.ts'

export interface QueueInput extends Named {
  /** `drain` works until the queue is empty. */
  readonly action: 'push' | 'work' | 'drain'
  /** Of a push: how long nobody may take it. */
  readonly delayMs?: number
}

/** A delivery, as the one who took the message saw it. */
export interface Delivery {
  readonly message: string
  readonly deliveries: number
  readonly redelivered: boolean
  /** When its taking was called, and when it was there. */
  readonly called: number
  readonly at: number
  /** When acknowledging was called, and when it was done; null while nobody knows. */
  acknowledging: number | null
  acknowledged: number | null
}

/** A lease, in milliseconds; some work takes longer. */
const LEASE_MS = 1_500
const DELAYS_MS = [200, 1_000, 4_000]
/** Whoever works on a message so often and does not acknowledge it will not do so either. */
const DELIVERIES_MAX = 3
/** No clock of any world is faster by more than this. */
const RATE = 1.12
const CLOSING_TAKES_MAX = 2_000

export interface QueueLoadOptions<App> {
  readonly open: OpenContainers<App>
  /** The time that all operations are written down with, milliseconds. */
  readonly now: () => number
  readonly clockOf: (app: App) => Clock
}

/** Producers and workers of one queue. Workers write down what they got; some are too slow. */
export function queueLoad<App>({
  open,
  now,
  clockOf,
}: QueueLoadOptions<App>): Load<App, QueueInput, boolean> {
  const deliveries: Delivery[] = []
  const queueOf = (containers: Containers) =>
    containers.queue<string>('jobs', { leaseMs: LEASE_MS, deliveriesMax: DELIVERIES_MAX })
  const work = async (app: App, input: QueueInput, timeoutMs: number): Promise<boolean> => {
    const called = now()
    const message = await queueOf(open(app)).take({ timeoutMs })
    if (message === null) return false
    const { value, deliveries: number, redelivered } = message
    const delivery: Delivery = {
      message: value,
      deliveries: number,
      redelivered,
      called,
      at: now(),
      acknowledging: null,
      acknowledged: null,
    }
    deliveries.push(delivery)
    const luck = drawn(input, 'pace') % 10
    const drains = input.action === 'drain'
    // Every tenth forgets it, and some work longer than the lease.
    if (luck === 0 && !drains) return true
    if (luck < 4 && !drains) await delay(clockOf(app), luck * 700)
    await settle(message, delivery, input)
    return true
  }
  /** Acknowledges, or gives back. */
  const settle = async (
    message: QueueMessage<string>,
    delivery: Delivery,
    input: QueueInput,
  ): Promise<void> => {
    const gives = input.action === 'work' && drawn(input, 'gives') % 8 === 0
    try {
      if (gives) return await message.release(patienceOf(input))
      delivery.acknowledging = now()
      await message.acknowledge(patienceOf(input))
      delivery.acknowledged = now()
    } catch (error) {
      // Somebody else has it by then, or will.
      if (!isClusterError(error) || error.code !== 'CONTAINER_LEASE_LOST') throw error
      delivery.acknowledging = null
    }
  }
  return {
    next: (name, _client, random) => {
      if (!chance(random, 0.5)) return { name, action: 'work' }
      return chance(random, 0.2)
        ? { name, action: 'push', delayMs: pick(random, DELAYS_MS) }
        : { name, action: 'push' }
    },
    last: (name) => ({ name, action: 'push' }),
    closing: (name) => [{ name, action: 'drain' }],
    writes: () => false,
    async perform(app, input) {
      if (input.action === 'push') {
        const { name, delayMs } = input
        await queueOf(open(app)).push(name, {
          ...patienceOf(input),
          ...(delayMs !== undefined && { delayMs }),
        })
        return true
      }
      if (input.action === 'work') return work(app, input, drawn(input, 'waits') % 800)
      for (let takes = 0; takes < CLOSING_TAKES_MAX; takes++) {
        const { ready, taken, delayed } = await queueOf(open(app)).size()
        if (ready + taken + delayed === 0) return true
        await work(app, input, LEASE_MS)
      }
      return false
    },
    judge: (told) => judgeQueue(told, deliveries),
  }
}

/** Null when nothing was lost and nothing doubled without a mark, in the order of the queue. */
export function judgeQueue(
  { history, rejected }: Told<QueueInput, boolean>,
  deliveries: readonly Delivery[],
): string | null {
  const pushes = new Map(
    history.flatMap((each) => (each.input.action === 'push' ? [[each.input.name, each]] : [])),
  )
  const refused = new Set(rejected.map(({ name }) => name))
  const numbers = new Set<string>()
  const firsts = new Map<string, Delivery>()
  for (const delivery of deliveries) {
    const { message, deliveries: number, redelivered } = delivery
    if (refused.has(message)) return `${message} was delivered although its push was refused`
    if (!pushes.has(message)) return `${message} was delivered and nobody had pushed it`
    if (numbers.has(`${number} ${message}`)) return `${message} was delivered twice as delivery ${number}`
    numbers.add(`${number} ${message}`)
    if (number > DELIVERIES_MAX) return `${message} was delivered again after it was set aside`
    const { input, callTime } = pushes.get(message) ?? {}
    if (delivery.at < (callTime ?? 0) + (input?.delayMs ?? 0) / RATE)
      return `${message} was delivered before its time`
    if (redelivered !== number > 1) return `delivery ${number} of ${message} is marked ${redelivered}`
    if (number === 1) firsts.set(message, delivery)
  }
  return doubled(deliveries) ?? overtaken(history, firsts) ?? lost(history, deliveries)
}

/** Once it is acknowledged nobody gets it, and only the newest delivery acknowledges. */
function doubled(deliveries: readonly Delivery[]): string | null {
  const done = new Map<string, Delivery>()
  for (const delivery of deliveries) {
    if (delivery.acknowledged === null) continue
    const other = done.get(delivery.message)
    if (other)
      return `${delivery.message} was acknowledged by deliveries ${other.deliveries} and ${delivery.deliveries}`
    done.set(delivery.message, delivery)
  }
  for (const { message, called, deliveries: number } of deliveries) {
    const by = done.get(message)
    if (by?.acknowledged != null && called > by.acknowledged)
      return `${message} was delivered as ${number} although delivery ${by.deliveries} had been acknowledged`
  }
  for (const { message, at, deliveries: number } of deliveries) {
    const by = done.get(message)
    if (by?.acknowledging != null && number > by.deliveries && at < by.acknowledging)
      return `delivery ${by.deliveries} of ${message} was acknowledged after delivery ${number}`
  }
  return null
}

/** Who was pushed before another one began is taken no later, the first time. */
function overtaken(
  history: Told<QueueInput, boolean>['history'],
  firsts: ReadonlyMap<string, Delivery>,
): string | null {
  const pushed = history.flatMap(({ input, callTime, end }) => {
    const first = input.action === 'push' && input.delayMs === undefined ? firsts.get(input.name) : undefined
    return first
      ? [{ name: input.name, callTime, endTime: end?.time ?? Number.POSITIVE_INFINITY, first }]
      : []
  })
  for (const earlier of pushed)
    for (const later of pushed)
      if (earlier.endTime < later.callTime && later.first.at < earlier.first.called)
        return `${later.name} overtook ${earlier.name}`
  return null
}

/** After everything was drained each push that was acknowledged was delivered. */
function lost(history: Told<QueueInput, boolean>['history'], deliveries: readonly Delivery[]): string | null {
  const drains = history.flatMap(({ input, callTime, end }) =>
    input.action === 'drain' && end !== null ? [{ callTime, emptied: end.output }] : [],
  )
  if (drains.some(({ emptied }) => !emptied)) return 'the queue could not be emptied'
  const drained = Math.max(Number.NEGATIVE_INFINITY, ...drains.map(({ callTime }) => callTime))
  const seen = new Set(deliveries.map(({ message }) => message))
  for (const { input, end } of history)
    if (input.action === 'push' && end !== null && end.time < drained && !seen.has(input.name))
      return `${input.name} was pushed and never delivered`
  return null
}
