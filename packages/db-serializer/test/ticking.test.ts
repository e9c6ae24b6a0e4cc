import { type Clock, logIndex, type NodeId } from '@cluster/core'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { Ticking } from '../src/driver/run/ticking.ts'
import type { RaftView } from '../src/machine/raft/types.ts'

/** A clock that stands still until it is told to go on. */
class HandClock implements Clock {
  #now = 0
  #timers: { readonly at: number; readonly run: () => void }[] = []

  now = (): number => this.#now
  wall = (): number => this.#now
  turn = (): Promise<void> => Promise.resolve()

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get timers(): number {
    return this.#timers.length
  }

  run(untilMs: number): void {
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.at - b.at)
      if (!next || next.at > untilMs) break
      this.#now = next.at
      this.#timers = this.#timers.filter((other) => other !== next)
      next.run()
    }
    this.#now = untilMs
  }
}

const configuration = { voters: ['a', 'b', 'c'] as NodeId[], learners: [], away: [], provisional: false }
const settled = {
  role: 'follower',
  leader: 'b' as NodeId,
  ready: false,
  configuration,
  configurationCommitted: true,
  commitIndex: logIndex(1),
  wakeAt: Number.POSITIVE_INFINITY,
} as unknown as RaftView

describe('the ticks of a log', () => {
  let clock: HandClock
  let view: RaftView | null
  let busy: boolean
  let ticks: number[]
  let ticking: Ticking

  beforeEach(() => {
    clock = new HandClock()
    view = settled
    busy = false
    ticks = []
    ticking = new Ticking({
      clock,
      maxVoters: 3,
      view: () => view,
      isBusy: () => busy,
      tick: () => {
        ticks.push(clock.now())
        ticking.arm()
      },
    })
  })

  test('are rare at rest', () => {
    ticking.arm()
    clock.run(1_000)
    expect(ticks).toEqual([1_000])
  })

  test('are frequent while somebody waits, and begin at once', () => {
    ticking.arm()
    clock.run(95)
    busy = true
    ticking.stir()
    clock.run(120)
    expect(ticks).toEqual([105, 115])
  })

  test.each([
    ['nobody leads', { ...settled, leader: null }],
    ['a change is not committed', { ...settled, configurationCommitted: false }],
    ['a leader is not ready', { ...settled, role: 'leader' }],
    [
      'a leader may promote somebody',
      {
        ...settled,
        role: 'leader',
        ready: true,
        configuration: { ...configuration, voters: ['a', 'b'], learners: ['c'] },
      },
    ],
  ])('are frequent while %s', (_, unsettled) => {
    view = unsettled as RaftView
    ticking.arm()
    clock.run(30)
    expect(ticks).toEqual([10, 20, 30])
  })

  test('come when the machine wants one, and earlier when it changes its mind', () => {
    view = { ...settled, wakeAt: 100 }
    ticking.arm()
    view = { ...settled, wakeAt: 40 }
    ticking.stir()
    clock.run(39)
    expect(ticks).toEqual([])
    view = settled
    clock.run(50)
    expect(ticks).toEqual([40])
  })

  test('end', () => {
    ticking.arm()
    ticking.stop()
    ticking.stir()
    expect(clock.timers).toBe(0)
  })
})
