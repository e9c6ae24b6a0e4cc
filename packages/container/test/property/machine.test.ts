import { type ContainerKind, type LogEntry, logIndex, nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeResults, END, encodeCommand, type Operation, type Targeted } from '../../src/machine/codec.ts'
import { ContainerMachine } from '../../src/machine/machine.ts'
import { NaiveContainers } from './naive-containers.ts'

const bytes = fc.constantFrom(Uint8Array.of(), Uint8Array.of(1), Uint8Array.of(2, 3), new Uint8Array(40))
const key = fc.constantFrom('a', 'b', 'c')
const ttl = fc.constantFrom(0, 1, 11, 51)
const when = fc.oneof(
  fc.constantFrom({ is: 'any' } as const, { is: 'absent' } as const, { is: 'present' } as const),
  bytes.map((value) => ({ is: 'equal', value }) as const),
  fc.nat(20).map((version) => ({ is: 'version', version }) as const),
)
const position = fc.oneof(fc.nat(4), fc.constant(END))
const receipt = fc.constantFrom('r', 's', 't')
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, value: bytes, ttl, when }),
  fc.record({ type: fc.constant('remove' as const), key, when }),
  fc.record({ type: fc.constant('touch' as const), key, ttl }),
  fc.record({ type: fc.constant('add' as const), key, by: fc.integer({ min: -3, max: 3 }) }),
  fc.record({ type: fc.constantFrom('insert' as const, 'place' as const), at: position, value: bytes }),
  fc.record({ type: fc.constant('cut' as const), at: position, version: fc.constantFrom(0, 0, 0, 7) }),
  fc.record({ type: fc.constant('push' as const), value: bytes, priority: fc.constantFrom(0, 0, 1, -1) }),
  fc.record({
    type: fc.constant('pushLater' as const),
    value: bytes,
    priority: fc.constantFrom(0, 1),
    delayMs: fc.constantFrom(0, 10, 50),
    wall: fc.constantFrom(0, 0, 30),
  }),
  fc.record({
    type: fc.constant('postpone' as const),
    id: fc.nat(30),
    receipt,
    delayMs: fc.constantFrom(0, 10),
  }),
  fc.record({ type: fc.constantFrom('putBack' as const, 'discard' as const), id: fc.nat(12) }),
  fc.record({ type: fc.constant('take' as const), receipt, leaseMs: fc.constantFrom(5, 30) }),
  fc.record({
    type: fc.constantFrom('acknowledge' as const, 'release' as const, 'redeliver' as const),
    id: fc.nat(30),
    receipt,
  }),
  fc.record({ type: fc.constant('publish' as const), value: bytes }),
  fc.record({ type: fc.constantFrom('clear' as const, 'destroy' as const) }),
)
/** One container of each of these kinds, so small that its bounds are met. */
const KINDS = ['map', 'sortedMap', 'cache', 'multiset', 'list', 'priorityQueue', 'ring'] as const
const wanted = { bytesMax: 1_024, historyMax: 4, sizeMax: 2, ttlMs: 0, leaseMs: 20, deliveriesMax: 2 }
const targeted: fc.Arbitrary<Targeted> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(fc.constantFrom(...KINDS), operation).map(([kind, each]) => on(kind, each)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...KINDS).map((kind) => on(kind, { type: 'open', wanted })) },
  { weight: 2, arbitrary: fc.constant({ sweep: true } as const) },
)
const step = fc.record({
  passMs: fc.constantFrom(0, 0, 5, 40),
  operations: fc.array(targeted, { minLength: 1, maxLength: 3 }),
})

const on = (kind: ContainerKind, each: Operation): Targeted => ({ name: kind, kind, operation: each })
const opening = KINDS.map((kind) => on(kind, { type: 'open', wanted }))

interface Step {
  readonly passMs: number
  readonly operations: readonly Targeted[]
}

class Player {
  readonly machine = new ContainerMachine()
  readonly naive = new NaiveContainers()
  readonly entries: LogEntry[] = []
  #time = 0

  constructor() {
    this.play({ passMs: 0, operations: opening })
  }

  play({ passMs, operations }: Step): void {
    this.#time += passMs
    const entry: LogEntry = {
      index: logIndex(this.entries.length + 1),
      time: this.#time,
      wall: 0,
      origin: nodeId('a'),
      command: encodeCommand(operations),
    }
    this.entries.push(entry)
    const results = decodeResults(this.machine.apply(entry))
    for (const [i, each] of operations.entries()) {
      const status = results[i]?.status
      if ('sweep' in each) this.naive.sweep(this.#time)
      else
        expect([each.operation.type, this.naive.run(each, this.#time, wanted)]).toEqual([
          each.operation.type,
          status,
        ])
    }
  }

  compare(): void {
    for (const container of this.machine.containers.values()) {
      const { name, entries, elements, queue, feed, bytes: counted, settings } = container
      const naive = this.naive.look(name)
      const keys: string[] = []
      let sum = 0
      entries.ascend(undefined, (each, { value }) => {
        keys.push(each)
        sum += 64 + each.length + (typeof value === 'number' ? 8 : value.length)
        return true
      })
      for (const { value } of elements) sum += 64 + value.length
      for (const { value } of queue.messages.values()) sum += 64 + value.length
      expect([name, counted]).toEqual([name, sum])
      expect(counted).toBeLessThanOrEqual(settings.bytesMax)
      expect(keys.sort()).toEqual(naive.keys)
      expect(elements.map(({ value }) => value)).toEqual(naive.values)
      const waiting: Uint8Array[] = []
      queue.ready.ascend(undefined, (_key, id) => {
        waiting.push(queue.messages.get(id)?.value ?? new Uint8Array(0))
        return true
      })
      expect(waiting).toEqual(naive.waiting)
      const { ready, receipts, delayed, aside } = queue
      expect(queue.messages.size).toBe(ready.size + receipts.size + delayed.size + aside.size)
      expect([delayed.size, aside.size]).toEqual([naive.delayed, naive.aside])
      const numbers = feed.toArray().map(({ number }) => number)
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
      expect(numbers.length).toBeLessThanOrEqual(settings.historyMax)
      expect(numbers[0] ?? feed.newest + 1).toBeGreaterThan(feed.lost)
    }
  }
}

const steps = (maxLength: number) => fc.array(step, { maxLength })

describe('the machine of containers', () => {
  test('does what a naive one does, and counts its bytes', () => {
    fc.assert(
      fc.property(steps(40), (plays) => {
        const player = new Player()
        for (const play of plays) {
          player.play(play)
          player.compare()
        }
      }),
      { numRuns: 150 },
    )
  })

  test('equal logs give equal bytes, through snapshots in pieces at any place', () => {
    fc.assert(
      fc.property(steps(40), fc.nat(40), fc.integer({ min: 1, max: 50 }), (plays, cut, size) => {
        const player = new Player()
        for (const play of plays) player.play(play)
        let other = new ContainerMachine()
        for (const [at, entry] of player.entries.entries()) {
          if (at === cut) {
            const saved = [...{ [Symbol.iterator]: () => other.pieces.save() }]
            const before = other.snapshot()
            const copy = new ContainerMachine()
            const loading = copy.pieces.load(logIndex(at))
            for (const piece of saved)
              for (let from = 0; from < piece.length; from += size)
                loading.piece(piece.slice(from, from + size))
            loading.done()
            expect(copy.snapshot()).toEqual(before)
            other = copy
          }
          other.apply(entry)
        }
        expect(other.snapshot()).toEqual(player.machine.snapshot())
      }),
      { numRuns: 150 },
    )
  })

  test('pieces show the moment of the call, whatever is applied before they are read', () => {
    fc.assert(
      fc.property(steps(20), steps(20), (before, meanwhile) => {
        const player = new Player()
        for (const play of before) player.play(play)
        const whole = player.machine.snapshot()
        const pieces = player.machine.pieces.save()
        for (const play of meanwhile) player.play(play)
        const copy = new ContainerMachine()
        const loading = copy.pieces.load(logIndex(0))
        for (let next = pieces.next(); !next.done; next = pieces.next()) loading.piece(next.value)
        loading.done()
        expect(copy.snapshot()).toEqual(whole)
      }),
      { numRuns: 150 },
    )
  })

  test('a bundle that is rolled back leaves nothing behind, and nobody hears of it', () => {
    fc.assert(
      fc.property(steps(20), steps(10), steps(20), (before, inside, after) => {
        const heard: unknown[] = []
        const machine = new ContainerMachine({}, (effects) => heard.push(...effects))
        const plain = new Player()
        for (const play of before) plain.play(play)
        for (const entry of plain.entries) machine.apply(entry)
        const state = machine.snapshot()
        const count = heard.length
        machine.bundles.begin()
        const side = new Player()
        for (const play of inside) side.play(play)
        for (const entry of side.entries) machine.apply({ ...entry, time: entry.time + 1_000 })
        machine.bundles.rollback()
        expect(machine.snapshot()).toEqual(state)
        expect(heard.length).toBe(count)
        const known = plain.entries.length
        for (const play of after) plain.play(play)
        for (const entry of plain.entries.slice(known)) machine.apply(entry)
        expect(machine.snapshot()).toEqual(plain.machine.snapshot())
      }),
      { numRuns: 150 },
    )
  })

  test('bytes of any kind are answered, and change nothing when they are no command', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
        const machine = new ContainerMachine()
        const command = Uint8Array.of(1, ...noise)
        const answered = machine.apply({ index: logIndex(1), time: 0, wall: 0, origin: nodeId('a'), command })
        expect(decodeResults(answered).length).toBeGreaterThan(0)
        expect(machine.bundles.check(Uint8Array.of(2, ...noise))).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})
