import { type LogEntry, logIndex, nodeId, type StateMachine } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  applyBundle,
  type BundleOutcome,
  decodeBundle,
  decodeOutcome,
  encodeBundle,
  encodeOutcome,
} from '../../src/machine/commands/bundle.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A number that may not go below zero. Commands add, conditions ask for at least so much. */
class Counter implements StateMachine {
  readonly name: string
  value = 0
  open = false
  #before = 0

  constructor(name: string) {
    this.name = name
  }

  readonly bundles = {
    check: (condition: Uint8Array): boolean => this.value >= Number(decoder.decode(condition)),
    begin: (): void => {
      expect(this.open).toBe(false)
      this.open = true
      this.#before = this.value
    },
    commit: (): void => {
      expect(this.open).toBe(true)
      this.open = false
    },
    rollback: (): void => {
      this.bundles.commit()
      this.value = this.#before
    },
    refuses: (result: Uint8Array): boolean => result.length === 0,
  }

  apply({ command }: LogEntry): Uint8Array {
    const next = this.value + Number(decoder.decode(command))
    if (next < 0) return new Uint8Array(0)
    this.value = next
    // A large number answers at length, so that results can be too many together.
    return encoder.encode(`${next}`.padEnd(next > 8 ? 1_500 : 1, '.'))
  }

  snapshot(): Uint8Array {
    return encoder.encode(`${this.value}`)
  }

  restore(): void {}

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}

const part = fc.record({ machine: fc.nat(2), amount: fc.integer({ min: -4, max: 6 }) })
const bundles = fc.record({
  requires: fc.array(part, { maxLength: 3 }),
  commands: fc.array(part, { minLength: 1, maxLength: 8 }),
})

describe('bundles', () => {
  test('do what a copy of the state does, all of it or nothing', () => {
    const seen = new Set<BundleOutcome['status']>()
    fc.assert(
      fc.property(fc.array(bundles, { maxLength: 12 }), (script) => {
        const machines = ['x', 'y', 'z'].map((name) => new Counter(name))
        let naive = [0, 0, 0]
        for (const { requires, commands } of script) {
          const packed = {
            requires: requires.map(({ machine, amount }) => ({
              machine,
              bytes: encoder.encode(`${amount}`),
            })),
            commands: commands.map(({ machine, amount }) => ({
              machine,
              bytes: encoder.encode(`${amount}`),
            })),
          }
          const onWire = decodeBundle(encodeBundle(packed))
          expect(onWire).toEqual(packed)
          if (!onWire) return
          const stamp = { index: logIndex(1), time: 0, wall: 0, origin: nodeId('a') }
          const outcome = applyBundle(onWire, (at) => machines[at] ?? new Counter('none'), stamp)
          expect(decodeOutcome(encodeOutcome(outcome))).toEqual(outcome)
          expect(encodeOutcome(outcome).length).toBeLessThanOrEqual(4096)
          seen.add(outcome.status)

          const unmet = requires.findIndex(({ machine, amount }) => (naive[machine] ?? 0) < amount)
          const copy = [...naive]
          const refused = commands.findIndex(({ machine, amount }) => {
            copy[machine] = (copy[machine] ?? 0) + amount
            return copy[machine] < 0
          })
          if (unmet >= 0) expect([outcome.status, outcome.position]).toEqual(['unmet', unmet])
          else if (outcome.status !== 'tooLarge') {
            expect(outcome.status).toBe(refused >= 0 ? 'refused' : 'adopted')
            if (refused >= 0) expect(outcome.position).toBe(refused)
            else naive = copy
          }
          expect(machines.map(({ value }) => value)).toEqual(naive)
          expect(machines.some(({ open }) => open)).toBe(false)
        }
      }),
    )
    expect([...seen].sort()).toEqual(['adopted', 'refused', 'tooLarge', 'unmet'])
  })

  test('bytes that are no bundle are not read', () => {
    const good = encodeBundle({ requires: [], commands: [{ machine: 1, bytes: encoder.encode('abc') }] })
    for (let length = 0; length < good.length; length++)
      expect(decodeBundle(good.subarray(0, length))?.commands ?? []).toEqual([])
    expect(decodeBundle(Uint8Array.of(...good, 0))).toBeNull()
  })
})
