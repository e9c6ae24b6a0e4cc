import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  checkAcknowledged,
  checkLinearizable,
  narrowUnknown,
  type Operation,
  type RegistersInput,
  type RegistersOutput,
  registers,
} from '../src/index.ts'

type Op = Operation<RegistersInput, RegistersOutput>

const op = (
  callTime: number,
  endTime: number | null,
  input: Partial<RegistersInput>,
  output: RegistersOutput = {},
): Op => ({
  client: 'c',
  callTime,
  input: { group: 'g', reads: [], writes: {}, ...input },
  end: endTime === null ? null : { time: endTime, output },
})
const write = (from: number, to: number | null, value: string): Op => op(from, to, { writes: { x: value } })
const read = (from: number, to: number, value: string | null): Op =>
  op(from, to, { reads: ['x'] }, { x: value })
const cas = (
  from: number,
  to: number | null,
  expected: string | null,
  value: string,
  before?: string | null,
) => op(from, to, { reads: ['x'], onlyIf: { x: expected }, writes: { x: value } }, { x: before ?? null })

const verdict = (...history: Op[]): string => {
  const plain = checkLinearizable(registers, history).verdict
  expect(checkLinearizable(registers, narrowUnknown(history)).verdict).toBe(plain)
  return plain
}

describe('linearizability of registers', () => {
  test('accepts what one register could do', () => {
    expect(verdict()).toBe('linearizable')
    expect(verdict(read(0, 1, null), write(2, 3, 'a'), read(4, 5, 'a'))).toBe('linearizable')
    expect(verdict(write(0, 10, 'a'), read(1, 2, null), read(3, 4, 'a'), read(5, 6, 'a'))).toBe(
      'linearizable',
    )
    expect(verdict(write(0, 10, 'a'), write(0, 10, 'b'), read(11, 12, 'a'))).toBe('linearizable')
    expect(verdict(cas(0, 1, null, 'a', null), cas(2, 3, null, 'b', 'a'), read(4, 5, 'a'))).toBe(
      'linearizable',
    )
  })

  test('finds a stale read', () => {
    expect(verdict(write(0, 1, 'a'), write(2, 3, 'b'), read(4, 5, 'a'))).toBe('violated')
  })

  test('finds reads that go back in time while a write runs', () => {
    expect(verdict(write(0, 10, 'a'), read(1, 2, 'a'), read(3, 4, null))).toBe('violated')
  })

  test('finds a lost write, a value of nobody and two winners of one comparison', () => {
    expect(verdict(write(0, 1, 'a'), read(2, 3, null))).toBe('violated')
    expect(verdict(write(0, 1, 'a'), read(2, 3, 'z'))).toBe('violated')
    expect(verdict(cas(0, 5, null, 'a', null), cas(0, 5, null, 'b', null))).toBe('violated')
  })

  test('an unknown write may take effect any time later, or never, but once and not before its call', () => {
    const unknown = write(0, null, 'a')
    expect(verdict(unknown, read(1, 2, null))).toBe('linearizable')
    expect(verdict(unknown, read(1, 2, null), write(3, 4, 'b'), read(5, 6, 'a'))).toBe('linearizable')
    expect(verdict(unknown, read(1, 2, 'a'), write(3, 4, 'b'), read(5, 6, 'a'))).toBe('violated')
    expect(verdict(read(0, 1, 'a'), write(2, null, 'a'))).toBe('violated')
    expect(verdict(cas(0, null, null, 'a'), read(1, 2, 'a'))).toBe('linearizable')
    expect(verdict(write(0, 1, 'b'), cas(2, null, null, 'a'), read(3, 4, 'a'))).toBe('violated')
  })

  test('an unknown comparison that was seen to win proves the unknown write that it compared with', () => {
    const chain = [write(0, null, 'a'), cas(1, null, 'a', 'b')]
    expect(verdict(...chain, read(5, 6, 'b'))).toBe('linearizable')
    expect(verdict(...chain, read(5, 6, 'b'), read(7, 8, 'a'))).toBe('violated')
    expect(verdict(...chain, read(5, 6, null))).toBe('linearizable')
    expect(verdict(cas(1, null, 'a', 'b'), read(5, 6, 'b'))).toBe('violated')
    expect(
      verdict(write(0, null, 'a'), op(1, 2, { onlyIf: { x: 'a' }, writes: { x: 'b' } }), read(5, 6, 'b')),
    ).toBe('linearizable')
  })

  test('judges registers of one group together: half of a transaction is seen by nobody', () => {
    const both = op(0, 1, { writes: { x: '1', y: '1' } })
    const look = (x: string | null, y: string | null): Op => op(2, 3, { reads: ['x', 'y'] }, { x, y })
    expect(verdict(both, look('1', '1'))).toBe('linearizable')
    expect(verdict(both, look('1', null))).toBe('violated')
    const skew = (from: string, to: string): Op =>
      op(0, 9, { reads: ['x', 'y'], writes: { [to]: `${from} was free` } }, { x: null, y: null })
    expect(verdict(skew('x', 'y'), skew('y', 'x'))).toBe('violated')
  })

  test('judges groups apart and names the part and the operation', () => {
    const history = [write(0, 1, 'a'), op(0, 1, { group: 'h', reads: ['x'] }, { x: 'a' }), read(2, 3, 'a')]
    expect(checkLinearizable(registers, history)).toMatchObject({
      verdict: 'violated',
      part: 'h',
      stuck: { input: { group: 'h' } },
    })
  })

  test('gives up after so many steps', () => {
    const history = Array.from({ length: 12 }, (_, i) => write(0, 100, String(i)))
    expect(checkLinearizable(registers, [...history, read(101, 102, 'z')], { stepsMax: 500 }).verdict).toBe(
      'undecided',
    )
  })

  test('agrees with trying all orders', () => {
    const times = fc.tuple(fc.nat(12), fc.nat(12)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
    const value = fc.constantFrom(null, '0', '1', '2', '3', '4')
    const kinds = fc.tuple(times, fc.constantFrom('read', 'write', 'cas', 'lost', 'lost cas'), value, value)
    fc.assert(
      fc.property(fc.array(kinds, { maxLength: 5 }), (specs) => {
        const history = specs.map(([[from, to], kind, expected, before], index) =>
          kind === 'read'
            ? read(from, to, expected)
            : kind === 'write'
              ? write(from, to, String(index))
              : kind === 'cas'
                ? cas(from, to, expected, String(index), before)
                : kind === 'lost'
                  ? write(from, null, String(index))
                  : cas(from, null, expected, String(index)),
        )
        expect(verdict(...history) === 'linearizable').toBe(someOrderFits(history))
      }),
      { numRuns: 3_000, seed: 5 },
    )
  })

  test('judges a thousand operations of eight busy clients quickly', () => {
    const history: Op[] = []
    let state: string | null = null
    for (let i = 0; i < 1_000; i++) {
      const from = i * 10 - (i % 8) * 9
      const to = i * 10 + ((i * 7) % 60)
      if (i % 3 === 0) {
        state = String(i)
        history.push(write(from, i % 30 === 0 ? null : to, state))
        if (i % 30 === 0) history.push(read(i * 10, to, state))
      } else history.push(read(from, to, state))
    }
    expect(checkLinearizable(registers, narrowUnknown(history), { stepsMax: 100_000 }).verdict).not.toBe(
      'undecided',
    )
  })
})

/** The naive check: every order, and every choice of unknown operations that never happened. */
function someOrderFits(history: readonly Op[]): boolean {
  const place = (left: readonly Op[], state: RegistersOutput): boolean => {
    if (left.every(({ end }) => end === null)) return true
    return left.some((next) => {
      const early = left.every(({ end }) => end === null || end.time >= next.callTime)
      if (!early) return false
      const after = registers.step(state, next.input, next.end === null ? null : { value: next.end.output })
      if (after === null) return false
      return place(
        left.filter((other) => other !== next),
        after,
      )
    })
  }
  return place(history, {})
}

describe('no acknowledged write is lost', () => {
  const book = { acknowledged: ['a', 'b'], rejected: ['r'], unknown: ['u'] }

  test('is content when all are there, with or without the unknown', () => {
    expect(checkAcknowledged(book, ['b', 'a'])).toEqual([])
    expect(checkAcknowledged(book, ['a', 'u', 'b'])).toEqual([])
  })

  test('names what is lost, doubled, undead and invented', () => {
    expect(checkAcknowledged(book, ['a', 'a', 'r', 'z'])).toEqual([
      { write: 'a', problem: 'applied twice' },
      { write: 'r', problem: 'applied although rejected' },
      { write: 'z', problem: 'written by nobody' },
      { write: 'b', problem: 'lost' },
    ])
  })
})
