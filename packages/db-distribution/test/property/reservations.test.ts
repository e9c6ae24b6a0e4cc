import { nodeId, partitionId, relationId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { encodeCommit, encodeCreate, encodeRelease, encodeReserve } from '../../src/machine/commands.ts'
import { DatabasesMachine } from '../../src/machine/machine.ts'

const KEYS = ['a', 'b', 'c', 'd']
const ITEMS = relationId(16)

type Command =
  | {
      readonly do: 'reserve'
      readonly turnMs: number
      readonly keys: readonly string[]
      readonly from: string | null
    }
  /** Writes; `own` names one of the reservations made so far, or none. */
  | { readonly do: 'commit'; readonly keys: readonly string[]; readonly own: number }
  | { readonly do: 'release'; readonly own: number }
  | { readonly do: 'wait'; readonly ms: number }

const keys = fc.uniqueArray(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 2 })
const commands: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    do: fc.constant('reserve' as const),
    turnMs: fc.constantFrom(10, 100, 50_000),
    keys,
    from: fc.option(fc.constantFrom(...KEYS)),
  }),
  fc.record({ do: fc.constant('commit' as const), keys, own: fc.integer({ min: -2, max: 4 }) }),
  fc.record({ do: fc.constant('release' as const), own: fc.nat(4) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 20, 200, 20_000) }),
)

interface InLine {
  readonly id: number
  readonly turnMs: number
  readonly covers: (key: string) => boolean
  until: number
}

describe('reservations', () => {
  test('are a line: whoever stands first keeps its reads as they are, for a time', () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 50 }), fc.nat(50), (list, restoreAt) => {
        let machine = new DatabasesMachine()
        const options = { redundancy: 1, partitions: 1, minCopies: 1 }
        machine.apply(1, encodeCreate({ name: 'shop', uid: 'x', options, candidates: [nodeId('a')] }))
        let line: InLine[] = []
        const made: number[] = []
        let time = 1_000
        let index = 1
        const begin = (): void => {
          const [first] = line
          if (first !== undefined && first.until === 0) first.until = time + Math.min(first.turnMs, 10_000)
        }
        const leave = (id: number): void => {
          line = line.filter((one) => one.id !== id)
          begin()
        }
        const expire = (): void => {
          const [first] = line
          if (first !== undefined && first.until <= time) leave(first.id)
        }
        for (const [at, command] of list.entries()) {
          if (at === restoreAt) {
            const snapshot = machine.snapshot().slice()
            const restored = new DatabasesMachine()
            restored.restore(snapshot, index)
            expect(restored.snapshot()).toEqual(snapshot)
            machine = restored
          }
          if (command.do === 'wait') {
            time += command.ms
            continue
          }
          index++
          if (command.do === 'reserve') {
            const { turnMs, from } = command
            const points = from === null ? command.keys.map((key) => ({ relation: ITEMS, key })) : []
            const ranges = from === null ? [] : [{ relation: ITEMS, partitions: null, from, to: null }]
            const step = machine.apply(index, encodeReserve({ database: 1, turnMs, points, ranges }), time)
            expect(step.result).toEqual({ type: 'done', copies: 0 })
            expire()
            const covers = (key: string): boolean =>
              from === null ? command.keys.includes(key) : key >= from
            line.push({ id: index, turnMs, covers, until: 0 })
            made.push(index)
            begin()
          } else if (command.do === 'release') {
            const reservation = made[command.own] ?? 0
            const { result } = machine.apply(index, encodeRelease({ database: 1, reservation }), time)
            expire()
            expect(result.type).toBe(line.some(({ id }) => id === reservation) ? 'done' : 'stale')
            leave(reservation)
          } else {
            const reservation = made[command.own] ?? 0
            const writes = [
              {
                partition: partitionId(1),
                relations: command.keys.map(() => ITEMS),
                keys: command.keys,
                rows: command.keys.map(() => [index]),
              },
            ]
            const reads = { version: index - 1, points: [], ranges: [] }
            const { result } = machine.apply(
              index,
              encodeCommit({ database: 1, ...reads, writes, reservation }),
              time,
            )
            expire()
            const [first] = line
            const blocked =
              first !== undefined && first.id !== reservation && command.keys.some((key) => first.covers(key))
            expect(result).toEqual(
              blocked ? { type: 'reserved', relation: ITEMS } : { type: 'done', copies: 1 },
            )
            if (!blocked) leave(reservation)
          }
          for (const id of made)
            expect(machine.turnOf(1, id)).toBe(
              line[0]?.id === id ? 'now' : line.some((one) => one.id === id) ? 'later' : 'over',
            )
        }
      }),
      { numRuns: 500 },
    )
  })
})
