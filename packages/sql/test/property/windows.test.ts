import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { sqlEngine } from '../../src/index.ts'
import { textOf } from '../engine/support.ts'
import { settings } from './queries.ts'

interface Row {
  readonly id: number
  readonly g: number | null
  readonly k: number | null
  readonly v: number | null
}

interface Bound {
  readonly kind: 'unbounded' | 'offset' | 'current'
  readonly offset: number
}

interface Frame {
  readonly mode: 'rows' | 'range' | 'groups'
  /** Offsets below zero are PRECEDING. */
  readonly start: Bound
  readonly end: Bound
  readonly exclude: 'no others' | 'current row' | 'group' | 'ties'
}

interface Window {
  readonly partitioned: boolean
  readonly descending: boolean
  readonly nullsFirst: boolean
  readonly frame: Frame
}

const small = fc.option(fc.integer({ min: -3, max: 4 }), { freq: 5 })
const rows = fc
  .array(fc.record({ g: fc.option(fc.integer({ min: 0, max: 1 }), { freq: 5 }), k: small, v: small }), {
    maxLength: 40,
  })
  .map((list) => list.map((row, id): Row => ({ id, ...row })))

const offset = fc.integer({ min: -3, max: 3 })
const bound = (side: -1 | 1): fc.Arbitrary<Bound> =>
  fc.oneof(
    fc.constant<Bound>({ kind: 'unbounded', offset: side }),
    fc.constant<Bound>({ kind: 'current', offset: 0 }),
    offset.map((value): Bound => ({ kind: 'offset', offset: value })),
  )

/** Which kinds may follow each other. */
const rank = ({ kind, offset: by }: Bound): number =>
  kind === 'current' ? 0 : kind === 'unbounded' ? 3 * by : by < 0 ? -1 : 1

const window: fc.Arbitrary<Window> = fc.record({
  partitioned: fc.boolean(),
  descending: fc.boolean(),
  nullsFirst: fc.boolean(),
  frame: fc
    .record({
      mode: fc.constantFrom<Frame['mode']>('rows', 'range', 'groups'),
      start: bound(-1),
      end: bound(1),
      exclude: fc.constantFrom<Frame['exclude']>('no others', 'current row', 'group', 'ties'),
    })
    .filter(({ start, end }) => rank(start) <= rank(end)),
})

/** With ROWS the order must be total, so that the answer is one. */
const tieBreak = ({ frame: { mode, exclude } }: Window): boolean => mode === 'rows' && exclude !== 'group'

function textOfWindow(w: Window): string {
  const { mode, start, end, exclude } = w.frame
  const edge = ({ kind, offset: by }: Bound): string => {
    if (kind === 'current') return 'CURRENT ROW'
    const side = by < 0 ? 'PRECEDING' : 'FOLLOWING'
    return `${kind === 'unbounded' ? 'UNBOUNDED' : Math.abs(by)} ${side}`
  }
  const key = `k ${w.descending ? 'DESC' : 'ASC'} NULLS ${w.nullsFirst ? 'FIRST' : 'LAST'}`
  const order = w.frame.mode === 'rows' ? `${key}, id` : key
  const partition = w.partitioned ? 'PARTITION BY g ' : ''
  return `(${partition}ORDER BY ${order} ${mode.toUpperCase()} BETWEEN ${edge(start)} AND ${edge(end)} EXCLUDE ${exclude.toUpperCase()})`
}

/** The rows of the frame of each row, by the words of the manual. */
function naive(
  all: readonly Row[],
  w: Window,
): Map<number, { readonly at: number; readonly frame: Row[]; readonly part: Row[] }> {
  const sign = w.descending ? -1 : 1
  const byKey = (a: Row, b: Row): number => {
    if (a.k === null || b.k === null) {
      if (a.k === b.k) return 0
      return (a.k === null) === w.nullsFirst ? -1 : 1
    }
    return sign * (a.k - b.k)
  }
  const total = w.frame.mode === 'rows'
  const order = (a: Row, b: Row): number => byKey(a, b) || (total ? a.id - b.id : 0)
  const result = new Map<number, { at: number; frame: Row[]; part: Row[] }>()
  for (const row of all) {
    const part = all
      .filter((one) => !w.partitioned || one.g === row.g)
      .sort((a, b) => order(a, b) || a.id - b.id)
    const at = part.indexOf(row)
    const groups = part.map(
      (one) =>
        part.filter((other, i) => order(other, one) < 0 && part.findIndex((p) => order(p, other) === 0) === i)
          .length,
    )
    const inside = part.filter((other, i) => {
      const before = (edge: Bound, side: -1 | 1): boolean => {
        // True when `other` is not cut off by this edge.
        if (edge.kind === 'unbounded') return true
        const by = edge.kind === 'current' ? 0 : edge.offset
        let distance: number
        if (w.frame.mode === 'rows') distance = i - at
        else if (w.frame.mode === 'groups' || edge.kind === 'current')
          distance = (groups[i] as number) - (groups[at] as number)
        else if (row.k === null || other.k === null) {
          if (row.k === null && other.k === null) return true
          if (row.k === null) distance = i < at ? -100 : 100
          else distance = (other.k === null) === w.nullsFirst ? -100 : 100
          // NULLs are never within an offset of a value, nor the other way round.
        } else distance = sign * (other.k - row.k)
        return side < 0 ? distance >= by : distance <= by
      }
      return before(w.frame.start, -1) && before(w.frame.end, 1)
    })
    const frame = inside.filter((other) => {
      const peer = order(other, row) === 0
      if (w.frame.exclude === 'current row') return other !== row
      if (w.frame.exclude === 'group') return !peer
      return w.frame.exclude === 'no others' || !peer || other === row
    })
    result.set(row.id, { at, frame, part })
  }
  return result
}

const show = (value: number | bigint | string | null): string => (value === null ? 'NULL' : String(value))
const values = (list: readonly Row[]): number[] => list.flatMap(({ v }) => (v === null ? [] : [v]))

describe('window functions', () => {
  test('agree with an evaluator that looks at every row for every row', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.array(window, { minLength: 1, maxLength: 3 }), async (all, windows) => {
        const database = await modelDatabases().open('test', { partitions: 2 })
        const engine = sqlEngine()({ database, clock: new StillClock(), random: new SimRandom(1) })
        await engine.query('CREATE TABLE t (id integer PRIMARY KEY, g integer, k integer, v integer)')
        if (all.length > 0)
          await engine.query(
            `INSERT INTO t VALUES ${all.map((row) => `(${[row.id, row.g, row.k, row.v].map((one) => one ?? 'NULL').join(', ')})`).join(', ')}`,
          )
        const ordered = windows.map(tieBreak)
        const items = windows.flatMap((w, i) => [
          `count(*) OVER w${i}`,
          `sum(v) OVER w${i}`,
          `sum(v::numeric) OVER w${i}`,
          `min(v) FILTER (WHERE v > 0) OVER w${i}`,
          `max(v) OVER w${i}`,
          `rank() OVER w${i}`,
          `dense_rank() OVER w${i}`,
          ...(ordered[i] === true || w.frame.mode === 'rows'
            ? [
                `first_value(id) OVER w${i}`,
                `last_value(id) OVER w${i}`,
                `nth_value(v, 2) OVER w${i}`,
                `string_agg(v::text, ',') OVER w${i}`,
                `lag(v, 2, -9) OVER w${i}`,
              ]
            : []),
        ])
        const definitions = windows.map((w, i) => `w${i} AS ${textOfWindow(w)}`).join(', ')
        const text = `SELECT id, ${items.join(', ')} FROM t WINDOW ${definitions} ORDER BY id`
        const expected = all.map((row) => {
          const cells = windows.flatMap((w, i) => {
            const { at, frame, part } = naive(all, w).get(row.id) as NonNullable<
              ReturnType<ReturnType<typeof naive>['get']>
            >
            const sum = values(frame).reduce((a, b) => a + b, 0)
            const some = values(frame)
            const positive = some.filter((v) => v > 0)
            const sameKey = (one: Row): boolean => one.k === (part[at] as Row).k
            const isPeer = w.frame.mode === 'rows' ? (one: Row) => one === part[at] : sameKey
            const firstPeer = part.findIndex(isPeer)
            const before = part.slice(0, firstPeer)
            const groups = w.frame.mode === 'rows' ? before.length : new Set(before.map(({ k }) => k)).size
            const back = part[at - 2]
            return [
              show(frame.length),
              show(some.length === 0 ? null : sum),
              show(some.length === 0 ? null : sum),
              show(positive.length === 0 ? null : Math.min(...positive)),
              show(some.length === 0 ? null : Math.max(...some)),
              show(firstPeer + 1),
              show(groups + 1),
              ...(ordered[i] === true || w.frame.mode === 'rows'
                ? [
                    show(frame[0]?.id ?? null),
                    show(frame.at(-1)?.id ?? null),
                    show(frame[1]?.v ?? null),
                    show(some.length === 0 ? null : some.join(',')),
                    show(back === undefined ? -9 : back.v),
                  ]
                : []),
            ]
          })
          return [row.id, ...cells].join('|')
        })
        expect([text, textOf(await engine.query(text))]).toEqual([text, expected])
      }),
      settings(120),
    )
  })
})
