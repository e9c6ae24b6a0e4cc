import { type Clock, chance, delay, type MapOptions, pick } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { drawn, type OpenContainers, patienceOf } from './objects.ts'

export interface TtlInput extends Named {
  readonly action: 'set' | 'touch' | 'get' | 'list'
  readonly key: string
  /** 0 where it does not matter. */
  readonly ttlMs: number
}

/** Whether it was there, or which keys are. */
export type TtlOutput = boolean | readonly string[]

const TTLS_MS = [500, 2_000, 6_000, 20_000]
/** No clock of any world is faster by more than this. */
const RATE = 1.12
/** In a healthy cluster nothing stays longer than the longest of them, and a little. */
const PATIENCE_MS = 30_000
const LOOK_MS = 500

export interface TtlLoadOptions<App> {
  readonly open: OpenContainers<App>
  readonly clockOf: (app: App) => Clock
  /** Of the map besides its time to live. */
  readonly options?: MapOptions<string>
}

/** Entries that are written once, live for a while, sometimes longer by a touch, and are looked at. */
export function ttlLoad<App>({
  open,
  clockOf,
  options: kind = {},
}: TtlLoadOptions<App>): Load<App, TtlInput, TtlOutput> {
  const recent: string[] = []
  return {
    next(name, _client, random) {
      const known = recent.slice(-12)
      const ttlMs = pick(random, TTLS_MS)
      if (known.length === 0 || chance(random, 0.35)) {
        recent.push(name)
        return { name, action: 'set', key: name, ttlMs }
      }
      const key = pick(random, known)
      return chance(random, 0.25)
        ? { name, action: 'touch', key, ttlMs }
        : { name, action: 'get', key, ttlMs: 0 }
    },
    last: (name) => ({ name, action: 'set', key: name, ttlMs: 500 }),
    closing: (name) => [{ name, action: 'list', key: '', ttlMs: 0 }],
    writes: () => false,
    // Once more makes it stay longer, at most.
    mayRepeat: ({ action }) => action === 'set',
    async perform(app, input) {
      const map = open(app).map<string, string>(kind.distributed ? 'spread sessions' : 'sessions', {
        ...kind,
        ttlMs: 60_000,
      })
      const { action, key, ttlMs } = input
      const options = patienceOf(input)
      switch (action) {
        case 'set':
          await map.set(key, key, { ...options, ttlMs })
          return true
        case 'touch':
          return map.touch(key, ttlMs, options)
        case 'get':
          return drawn(input, 'has') % 2 === 0
            ? map.has(key, options)
            : (await map.get(key, options)) !== undefined
        case 'list':
          // When all is well everything ends; what is there after that is the answer.
          for (let waited = 0; waited < PATIENCE_MS; waited += LOOK_MS) {
            if ((await map.size(options)) === 0) break
            await delay(clockOf(app), LOOK_MS)
          }
          for await (const left of map.keys(options)) return [left]
          return []
      }
    },
    judge: judgeTtl,
  }
}

/** Nothing ends before its time, whatever clocks say, and nothing stays for ever. */
export function judgeTtl({ history }: Pick<Told<TtlInput, TtlOutput>, 'history'>): string | null {
  for (const { input, callTime, end } of history) {
    if (end === null) continue
    if (input.action === 'list') {
      const [stays] = Array.isArray(end.output) ? end.output : []
      if (stays !== undefined) return `${stays} is still there ${end.time - callTime} ms after all was well`
    } else if (end.output === false) {
      const until = surelyUntil(history, input.key, callTime)
      if (end.time < until)
        return `${input.name} found ${input.key} gone at ${end.time}, which was to stay until ${until}`
    }
  }
  return null
}

type History = Told<TtlInput, TtlOutput>['history']

/** Until when the key must be there, by what ended before `time`; minus infinity when nothing says so. */
function surelyUntil(history: History, key: string, time: number): number {
  let until = Number.NEGATIVE_INFINITY
  for (const { input, callTime, end } of history) {
    if (input.key !== key || input.action === 'get' || input.action === 'list') continue
    const over = callTime + input.ttlMs / RATE
    if (end !== null && end.time < time && end.output === true) until = Math.max(until, over)
  }
  // A touch that makes it shorter, and may have come later, decides.
  for (const { input, callTime, end } of history) {
    if (input.key !== key || input.action !== 'touch' || end?.output === false) continue
    until = Math.min(until, callTime + input.ttlMs / RATE)
  }
  return until
}
