import { type Addition, joinBytes, nodeId, partitionId, relationId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { encodeCommit, encodeCreate } from '../../src/machine/commands.ts'
import { DatabasesMachine } from '../../src/machine/machine.ts'
import { changedRange } from '../../src/machine/range-judge.ts'
import { CertificationWindow } from '../../src/machine/window.ts'

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const PARTITIONS = 2
const partitionOf = (key: string): number => 1 + (key.charCodeAt(0) % PARTITIONS)

interface Attempt {
  /** How many commands behind the newest it reads. */
  readonly lag: number
  readonly points: readonly string[]
  readonly ranges: readonly {
    readonly from: string
    readonly to: string
    readonly partition: number | null
  }[]
  readonly writes: readonly AttemptedWrite[]
}

interface AttemptedWrite {
  readonly key: string
  readonly deletes: boolean
  /** In place of a new row: something is added to what is there. */
  readonly adds?: { readonly size: number; readonly room: number } | null | undefined
}

const keys = fc.constantFrom(...KEYS)
const attempts: fc.Arbitrary<Attempt> = fc.record({
  lag: fc.nat(12),
  points: fc.uniqueArray(keys, { maxLength: 3 }),
  ranges: fc.array(
    fc.record({ from: keys, to: keys, partition: fc.option(fc.integer({ min: 1, max: PARTITIONS })) }),
    { maxLength: 2 },
  ),
  writes: fc.uniqueArray(
    fc.record({
      key: keys,
      deletes: fc.boolean(),
      adds: fc.option(fc.record({ size: fc.nat(20), room: fc.nat(60) })),
    }),
    { minLength: 1, maxLength: 3, selector: ({ key }) => key },
  ),
})

/** What each command wrote; nothing where it was refused. */
type Written = readonly (readonly AttemptedWrite[])[]

/** The naive second version: every state there ever was. */
class Serial {
  readonly states: ReadonlyMap<string, number>[] = [new Map()]

  /** What a transaction reads at a version, as text. */
  reads(version: number, { points, ranges }: Attempt): string {
    const state = this.states[version] ?? new Map<string, number>()
    const rows = ranges.map(({ from, to, partition }) =>
      [...state]
        .filter(([key]) => key >= from && key < to && (partition === null || partitionOf(key) === partition))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
    return JSON.stringify([points.map((key) => state.get(key) ?? null), rows])
  }

  /** True when something that it reads was written after `version`. */
  touched(version: number, { points, ranges }: Attempt, written: Written): boolean {
    return written
      .slice(version + 1)
      .some((list) =>
        list.some(
          ({ key }) =>
            points.includes(key) ||
            ranges.some(
              ({ from, to, partition }) =>
                key >= from && key < to && (partition === null || partitionOf(key) === partition),
            ),
        ),
      )
  }

  /** True when all that it adds has room behind what was added since `version`, and nobody replaced those rows. */
  fits(version: number, { writes }: Attempt, written: Written): boolean {
    const since = written.slice(version + 1).flat()
    return writes.every(({ key, adds }) => {
      if (!adds) return true
      const others = since.filter((other) => other.key === key)
      const sum = others.reduce(
        (all, other) => all + (other.adds?.size ?? Number.POSITIVE_INFINITY),
        adds.size,
      )
      return sum <= adds.room
    })
  }

  apply(index: number, writes: Attempt['writes'] | null): void {
    const next = new Map(this.states[index - 1])
    for (const { key, deletes } of writes ?? []) {
      if (deletes) next.delete(key)
      else next.set(key, index)
    }
    this.states[index] = next
  }
}

const ADDITION: Addition = { position: 0, type: 'integer', by: 1 }

const encode = (version: number, { points, ranges, writes }: Attempt): Uint8Array => {
  const parts = [1, 2]
    .map((partition) => ({
      partition: partitionId(partition),
      mine: writes.filter(({ key }) => partitionOf(key) === partition),
    }))
    .filter(({ mine }) => mine.length > 0)
  return encodeCommit({
    database: 1,
    version,
    points: points.map((key) => ({ relation: relationId(16), key })),
    ranges: ranges
      .filter(({ from, to }) => from < to)
      .map(({ from, to, partition }) => ({
        relation: relationId(16),
        partitions: partition === null ? null : [partitionId(partition)],
        from,
        to,
      })),
    writes: parts.map(({ partition, mine }) => ({
      partition,
      relations: mine.map(() => relationId(16)),
      keys: mine.map(({ key }) => key),
      rows: mine.map(({ deletes }) => (deletes ? null : [1])),
      added: new Map(
        mine.flatMap(({ adds }, i) => (adds ? [[i, { ...adds, additions: [ADDITION] }] as const] : [])),
      ),
    })),
  })
}

const fresh = (writesMax: number, keyBytesMax = 1_000): DatabasesMachine => {
  const machine = new DatabasesMachine({ writesMax, keyBytesMax })
  const options = { redundancy: 1, partitions: PARTITIONS, minCopies: 1 }
  machine.apply(1, encodeCreate({ name: 'shop', uid: 'x', options, candidates: [nodeId('a')] }))
  return machine
}

describe('certification', () => {
  test('what commits reads the same at its place in the log as at its version', () => {
    fc.assert(
      fc.property(
        fc.array(attempts, { maxLength: 60 }),
        fc.integer({ min: 3, max: 200 }),
        (list, writesMax) => {
          const machine = fresh(writesMax)
          const serial = new Serial()
          serial.apply(1, null)
          const written: (readonly AttemptedWrite[])[] = [[], []]
          for (const [i, attempt] of list.entries()) {
            const index = i + 2
            const version = Math.max(1, index - 1 - attempt.lag)
            const { result } = machine.apply(index, encode(version, attempt))
            const committed = result.type === 'done'
            const fits = serial.fits(version, attempt, written)
            if (committed) {
              expect(serial.reads(index - 1, attempt)).toBe(serial.reads(version, attempt))
              expect(fits).toBe(true)
            }
            // No false alarms either: a conflict was one.
            else if (result.type === 'conflict')
              expect(serial.touched(version, attempt, written) || !fits).toBe(true)
            else expect(result.type).toBe('versionGone')
            serial.apply(index, committed ? attempt.writes : null)
            written[index] = committed ? attempt.writes : []
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a machine restored from a snapshot answers as the one that went on', () => {
    fc.assert(
      fc.property(
        fc.array(attempts, { maxLength: 40 }),
        fc.nat(40),
        fc.integer({ min: 3, max: 60 }),
        (list, at, writesMax) => {
          const machine = fresh(writesMax)
          let restored: DatabasesMachine | null = null
          for (const [i, attempt] of list.entries()) {
            const index = i + 2
            if (i === at) {
              restored = new DatabasesMachine({ writesMax, keyBytesMax: 1_000 })
              restored.restore(machine.snapshot().slice(), index - 1)
            }
            const bytes = encode(Math.max(1, index - 1 - attempt.lag), attempt)
            const { result } = machine.apply(index, bytes)
            if (restored !== null) expect(restored.apply(index, bytes).result).toEqual(result)
          }
          if (restored !== null) expect(restored.snapshot()).toEqual(machine.snapshot())
        },
      ),
      { numRuns: 200 },
    )
  })

  test('pieces show the moment at which they were begun, whatever is applied meanwhile', () => {
    fc.assert(
      fc.property(
        fc.array(attempts, { maxLength: 60 }),
        fc.nat(60),
        fc.nat(60),
        fc.integer({ min: 3, max: 60 }),
        (list, begun, gap, writesMax) => {
          const machine = fresh(writesMax)
          let whole: Uint8Array | null = null
          let saving: Generator<Uint8Array> | null = null
          for (const [i, attempt] of list.entries()) {
            if (i === begun) {
              whole = machine.snapshot()
              saving = machine.pieces()
            }
            if (i === begun + gap) break
            machine.apply(i + 2, encode(Math.max(1, i + 1 - attempt.lag), attempt))
          }
          if (saving !== null) expect(joinBytes([...saving])).toEqual(whole)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('a long window comes in many pieces', () => {
    const machine = fresh(200_000, 4_000_000)
    for (let i = 0; i < 20; i++) {
      const writes = Array.from({ length: 1_000 }, (_, row) => ({ key: `${i} ${row}`, deletes: false }))
      machine.apply(i + 2, encode(i + 1, { lag: 0, points: [], ranges: [], writes }))
    }
    const pieces = [...machine.pieces()]
    expect(pieces.length).toBeGreaterThan(2)
    expect(joinBytes(pieces)).toEqual(machine.snapshot())
  })

  test('many ranges are judged as one after another would be', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 3 })
    const bound = fc.option(key, { freq: 6 })
    const partition = fc.constantFrom(1, 2, 3).map(partitionId)
    const relation = fc.constantFrom(16, 17).map(relationId)
    const range = fc.record({
      relation,
      partitions: fc.option(fc.uniqueArray(partition, { maxLength: 2 })),
      from: bound,
      to: bound,
    })
    const write = fc.record({ relation, partition, key })
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 12 }),
        fc.array(write, { maxLength: 8 }),
        fc.nat(8),
        (ranges, writes, version) => {
          const window = new CertificationWindow()
          for (const [index, written] of writes.entries())
            window.add(index + 1, [
              { partition: written.partition, relations: [written.relation], keys: [written.key] },
            ])
          const changed = ranges
            .filter((one) => window.rangeChanged(one.relation, one.partitions, one.from, one.to, version))
            .map((one) => one.relation)
          const answer = changedRange(window, ranges, version)
          if (changed.length === 0) expect(answer).toBeNull()
          else expect(changed).toContain(answer)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('bytes that are no command change nothing and are answered', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 1, max: 5 }), (bytes, type) => {
        const machine = fresh(10)
        const before = machine.database('shop')?.partitions.map(({ epoch }) => epoch)
        machine.apply(2, Uint8Array.of(type, 1, ...bytes))
        machine.apply(3, bytes)
        if (type === 5) expect(machine.database('shop')?.partitions.map(({ epoch }) => epoch)).toEqual(before)
      }),
      { numRuns: 500 },
    )
  })
})

describe('commits in bundles', () => {
  test('are answered as they would be alone, and take place when the bundle is adopted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(attempts, fc.constantFrom('alone', 'adopted', 'dropped')), { maxLength: 40 }),
        fc.integer({ min: 3, max: 60 }),
        (list, writesMax) => {
          const plain = fresh(writesMax)
          const bundled = fresh(writesMax)
          for (const [i, [attempt, how]] of list.entries()) {
            const index = i + 2
            const command = encode(Math.max(1, index - 1 - attempt.lag), attempt)
            if (how === 'dropped') {
              const { byteLength } = bundled.snapshot()
              bundled.beginBundle()
              bundled.apply(index, command)
              bundled.dropBundle()
              // The index moves on, and nothing else.
              plain.apply(index, new Uint8Array(0))
              expect(bundled.snapshot().byteLength).toBe(byteLength)
              continue
            }
            const expected = plain.apply(index, command)
            if (how === 'adopted') bundled.beginBundle()
            const step = bundled.apply(index, command)
            const effects = how === 'adopted' ? bundled.adoptBundle() : step.effects
            expect(step.result).toEqual(expected.result)
            expect(effects.map(({ type }) => type)).toEqual(expected.effects.map(({ type }) => type))
          }
          expect(bundled.snapshot()).toEqual(plain.snapshot())
        },
      ),
      { numRuns: 200 },
    )
  })

  test('see what those before them in the same bundle write', () => {
    const machine = fresh(60)
    const one = (points: readonly string[], key: string): Uint8Array =>
      encode(1, { lag: 0, points, ranges: [], writes: [{ key, deletes: false }] })
    machine.beginBundle()
    expect(machine.apply(2, one([], 'a')).result.type).toBe('done')
    expect(machine.apply(2, one(['b'], 'b')).result.type).toBe('done')
    expect(machine.apply(2, one(['a'], 'c')).result.type).toBe('conflict')
    // Only commits can be judged without being done.
    const options = { redundancy: 1, partitions: 1, minCopies: 1 }
    const create = encodeCreate({ name: 'other', uid: 'y', options, candidates: [nodeId('a')] })
    expect(machine.apply(2, create).result.type).toBe('malformed')
    expect(machine.adoptBundle().map(({ type }) => type)).toEqual(['committed', 'committed'])
    expect(machine.database('other')).toBeNull()
    expect(machine.apply(3, one(['b'], 'd')).result.type).toBe('conflict')
    expect(machine.apply(4, one(['c'], 'e')).result.type).toBe('done')
  })
})
