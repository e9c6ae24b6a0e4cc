import { type LogEntry, logIndex, nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeResult, encodeCommand, encodeRequirement, type MutexCommand } from '../../src/machine/codec.ts'
import { MutexMachine } from '../../src/machine/machine.ts'
import type { MutexEffect } from '../../src/machine/state.ts'
import { LEASE_MS, NaiveLocks } from './naive-locks.ts'

const NODES = ['a', 'b', 'c'] as const
const node = fc.constantFrom(...NODES)
const kinds = fc.constantFrom(
  { name: 'x', mode: 'exclusive', permits: 1, limit: 0 } as const,
  { name: 'x', mode: 'shared', permits: 1, limit: 0 } as const,
  { name: 'y', mode: 'shared', permits: 1, limit: 0 } as const,
  { name: 'y', mode: 'permits', permits: 1, limit: 2 } as const,
  { name: 'z', mode: 'permits', permits: 1, limit: 3 } as const,
  { name: 'z', mode: 'permits', permits: 2, limit: 3 } as const,
  { name: 'z', mode: 'barrier', permits: 1, limit: 3 } as const,
  { name: 'w', mode: 'barrier', permits: 1, limit: 2 } as const,
)
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const), node }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('renew' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('gone' as const), node }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('expire' as const), node }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      node,
      kind: kinds,
      wait: fc.boolean(),
      owner: fc.nat(2),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('latch' as const), node, set: fc.boolean(), count: fc.nat(3) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('release' as const), node, back: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(LEASE_MS) }) },
)
type Play = typeof step extends fc.Arbitrary<infer T> ? T : never

/** The machine and its naive twin, driven by the same steps. */
class Twins {
  readonly effects: MutexEffect[] = []
  readonly machine = new MutexMachine(undefined, (effects) => this.effects.push(...effects))
  readonly naive = new NaiveLocks()
  readonly entries: LogEntry[] = []
  /** What was answered to each. */
  readonly answers: Uint8Array[] = []
  readonly #sessions = new Map<string, number>()
  #requests = 0
  #time = 0

  entry(origin: string, command: MutexCommand): LogEntry {
    return {
      index: logIndex(this.entries.length + 1),
      time: this.#time,
      wall: this.#time,
      origin: nodeId(origin),
      command: encodeCommand(command),
    }
  }

  send(origin: string, command: MutexCommand): ReturnType<typeof decodeResult> {
    const entry = this.entry(origin, command)
    this.entries.push(entry)
    const answer = this.machine.apply(entry)
    this.answers.push(answer)
    return decodeResult(answer)
  }

  play(play: Play): void {
    if (play.do === 'pass') {
      this.#time += play.ms
      return
    }
    const session = this.#sessions.get(play.node) ?? 0
    switch (play.do) {
      case 'open': {
        const known = this.machine.counter
        const { value } = this.send(play.node, { type: 'open', uid: `u${known}`, known, leaseMs: LEASE_MS })
        this.#sessions.set(play.node, value)
        this.naive.open(value, play.node, this.#time)
        return
      }
      case 'renew':
        this.send(play.node, { type: 'renew', session })
        this.naive.renew(session, this.#time)
        return
      case 'close':
        this.send(play.node, { type: 'close', session })
        this.naive.end(session)
        return
      case 'gone':
        this.send('a', { type: 'gone', node: nodeId(play.node), upTo: this.machine.counter })
        this.naive.gone(play.node)
        return
      case 'expire':
        this.send('a', { type: 'expire', session })
        this.naive.expire(session, this.#time)
        return
      case 'acquire': {
        const request = ++this.#requests
        const { name, mode, permits, limit } = play.kind
        const wish = { session, request, mode, permits, owner: play.owner }
        const wait = play.wait || mode === 'barrier'
        const { status } = this.send(play.node, {
          type: 'acquire',
          ...wish,
          name,
          limit,
          wait,
        })
        expect(status).toBe(this.naive.acquire(name, wish, limit, wait))
        return
      }
      case 'latch': {
        const { set } = play
        const count = play.count + 1
        const { value } = this.send(play.node, { type: 'latch', name: 'l', set, count })
        expect(value).toBe(this.naive.latch('l', set, count))
        return
      }
      case 'release': {
        const request = this.#requests - play.back
        if (request < 1) return
        this.send(play.node, { type: 'release', session, request })
        this.naive.release(session, request)
      }
    }
  }

  /** Both say the same, and what must always hold does. */
  compare(): void {
    const { machine, naive } = this
    const view = [...machine.locks.values()].map(({ name, holders, queue }) => ({
      name,
      held: holders.map(({ request }) => request),
      queue: queue.map(({ request }) => request),
    }))
    const expected = [...naive.lines].map(([name, { claims }]) => ({
      name,
      held: claims.filter(({ held }) => held).map(({ request }) => request),
      queue: claims.filter(({ held }) => !held).map(({ request }) => request),
    }))
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)
    expect(view.sort(byName)).toEqual(expected.sort(byName))
    expect([...machine.sessions.keys()].sort()).toEqual(naive.sessions.map(({ id }) => id).sort())
    for (const { holders, queue, taken, limit } of machine.locks.values()) {
      expect(holders.length + queue.length).toBeGreaterThan(0)
      if (holders.some(({ mode }) => mode === 'exclusive')) expect(holders.length).toBe(1)
      if (queue.some(({ mode }) => mode === 'barrier')) expect(queue.length).toBeLessThan(limit)
      else if (limit > 0 && holders.every(({ mode }) => mode === 'permits'))
        expect(taken).toBeLessThanOrEqual(limit)
      for (const { session } of [...holders, ...queue]) expect(machine.sessions.has(session)).toBe(true)
    }
    expect(machine.latches.get('l') ?? 0).toBe(naive.latches.get('l') ?? 0)
    const tokens = this.effects.flatMap((effect) => (effect.type === 'granted' ? [effect.token] : []))
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b))
  }
}

describe('the machine of locks', () => {
  test('does what a naive one does, and tokens only grow', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (plays) => {
        const twins = new Twins()
        for (const play of plays) {
          twins.play(play)
          twins.compare()
        }
      }),
      { numRuns: 200 },
    )
  })

  test('equal logs give equal bytes, through a snapshot at any place', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), (plays, cut) => {
        const twins = new Twins()
        for (const play of plays) twins.play(play)
        const other = new MutexMachine()
        for (const [at, entry] of twins.entries.entries()) {
          if (at === cut) {
            const state = other.snapshot()
            other.restore(state, logIndex(at))
            expect(other.snapshot()).toEqual(state)
          }
          expect(other.apply(entry)).toEqual(twins.answers[at])
        }
        expect(other.snapshot()).toEqual(twins.machine.snapshot())
      }),
      { numRuns: 100 },
    )
  })

  test('a bundle that is rolled back leaves nothing behind, and nobody hears of it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 20 }), (before, inside) => {
        const twins = new Twins()
        for (const play of before) twins.play(play)
        const state = twins.machine.snapshot()
        const heard = twins.effects.length
        twins.machine.bundles.begin()
        for (const play of inside) twins.play(play)
        twins.machine.bundles.rollback()
        expect(twins.machine.snapshot()).toEqual(state)
        expect(twins.effects.length).toBe(heard)
      }),
      { numRuns: 100 },
    )
  })

  test('bytes of any kind are answered, and change nothing when they are no command', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const machine = new MutexMachine()
        const command = Uint8Array.of(1, ...bytes)
        const result = machine.apply({ index: logIndex(1), time: 0, wall: 0, origin: nodeId('a'), command })
        expect(decodeResult(result).status).not.toBe('granted')
        expect(machine.bundles.check(command)).toBe(false)
        expect(machine.locks.size).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  test('a requirement holds for one grant of one session', () => {
    const twins = new Twins()
    const { value: session } = twins.send('a', { type: 'open', uid: 'u', known: 0, leaseMs: LEASE_MS })
    const wish = { mode: 'exclusive', permits: 1, limit: 0, wait: true } as const
    const { value: token } = twins.send('a', { type: 'acquire', session, request: 1, name: 'x', ...wish })
    const holds = (name: string, number: number, uid: string): boolean =>
      twins.machine.bundles.check(encodeRequirement({ name, token: number, uid }))
    expect(holds('x', token, 'u')).toBe(true)
    expect(holds('y', token, 'u')).toBe(false)
    expect(holds('x', token + 1, 'u')).toBe(false)
    expect(holds('x', token, 'v')).toBe(false)
    twins.send('b', { type: 'break', name: 'x', reason: 'why' })
    expect(holds('x', token, 'u')).toBe(false)
  })
})
