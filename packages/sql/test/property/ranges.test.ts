import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { failure, textOf } from '../engine/support.ts'

// The model: a range is the set of the points within it, out of a window whose ends stand for what has no end. Of whole
// numbers the points are the numbers; of numerics with whole bounds they are the numbers and what lies between two of them.

const FIRST = -4
const LAST = 24
const BOUND_MAX = 16

type Points = ReadonlySet<number>

interface Model {
  readonly range: string
  readonly multirange: string
  /** Points from one bound to the other. */
  points(lower: number | null, upper: number | null, open: string, close: string): Points
  /** A range from its first point to its last. */
  print(first: number, last: number): string
  /** A value, and where it is among the points. */
  readonly value: fc.Arbitrary<{ readonly text: string; readonly at: number }>
}

const from = (first: number, last: number): Points =>
  new Set(Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => first + i))

const whole: Model = {
  range: 'int4range',
  multirange: 'int4multirange',
  points: (lower, upper, open, close) =>
    from(
      lower === null ? FIRST : lower + (open === '[' ? 0 : 1),
      upper === null ? LAST : upper - (close === ']' ? 0 : 1),
    ),
  print: (first, last) => `${first === FIRST ? '(' : `[${first}`},${last === LAST ? '' : last + 1})`,
  value: fc.integer({ min: 0, max: BOUND_MAX }).map((n) => ({ text: `${n}`, at: n })),
}

const exact: Model = {
  range: 'numrange',
  multirange: 'nummultirange',
  points: (lower, upper, open, close) =>
    from(
      lower === null ? FIRST : lower * 2 + (open === '[' ? 0 : 1),
      upper === null ? LAST : upper * 2 - (close === ']' ? 0 : 1),
    ),
  print(first, last) {
    const lower = first === FIRST ? '(' : first % 2 === 0 ? `[${first / 2}` : `(${(first - 1) / 2}`
    const upper = last === LAST ? ')' : last % 2 === 0 ? `${last / 2}]` : `${(last + 1) / 2})`
    return `${lower},${upper}`
  },
  value: fc.integer({ min: 0, max: BOUND_MAX }).map((n) => ({ text: `${n / 2}::numeric`, at: n })),
}

interface Sample {
  readonly text: string
  readonly points: Points
}

const union = (...sets: readonly Points[]): Points => new Set(sets.flatMap((set) => [...set]))
const sorted = (set: Points): number[] => [...set].sort((a, b) => a - b)
const first = (set: Points): number => Math.min(...set)
const last = (set: Points): number => Math.max(...set)

/** First and last points of the parts without gaps. */
function partsOf(set: Points): [number, number][] {
  const parts: [number, number][] = []
  for (const point of sorted(set)) {
    const open = parts.at(-1)
    if (open !== undefined && open[1] === point - 1) open[1] = point
    else parts.push([point, point])
  }
  return parts
}

const rangeOf = ({ points }: Model, most: number): fc.Arbitrary<Sample> =>
  fc
    .tuple(
      fc.option(fc.integer({ min: 0, max: most })),
      fc.option(fc.integer({ min: 0, max: most })),
      fc.constantFrom('[', '('),
      fc.constantFrom(']', ')'),
    )
    .map(([a, b, open, close]) => {
      const turned = a !== null && b !== null && a > b
      const [lower, upper] = turned ? [b, a] : [a, b]
      return {
        text: `${open}${lower ?? ''},${upper ?? ''}${close}`,
        points: points(lower, upper, open, close),
      }
    })

const multirangeOf = (model: Model, most: number): fc.Arbitrary<Sample> =>
  fc.array(rangeOf(model, most), { maxLength: 4 }).map((ranges) => ({
    text: `{${ranges.map(({ text }) => text).join(', ')}}`,
    points: union(...ranges.map(({ points }) => points)),
  }))

const both =
  (test: (a: Points, b: Points) => boolean) =>
  (a: Points, b: Points): boolean =>
    a.size > 0 && b.size > 0 && test(a, b)

const tests: Readonly<Record<string, (a: Points, b: Points) => boolean>> = {
  '@>': (a, b) => b.isSubsetOf(a),
  '<@': (a, b) => a.isSubsetOf(b),
  '&&': (a, b) => !a.isDisjointFrom(b),
  '<<': both((a, b) => last(a) < first(b)),
  '>>': both((a, b) => first(a) > last(b)),
  '&<': both((a, b) => last(a) <= last(b)),
  '&>': both((a, b) => first(a) >= first(b)),
  '-|-': both((a, b) => last(a) + 1 === first(b) || last(b) + 1 === first(a)),
}

const combined: Readonly<Record<string, (a: Points, b: Points) => Points>> = {
  '+': (a, b) => a.union(b),
  '*': (a, b) => a.intersection(b),
  '-': (a, b) => a.difference(b),
}

const open = async (): Promise<SqlEngine> =>
  sqlEngine()({
    database: await modelDatabases().open('test', { partitions: 2 }),
    clock: new StillClock(),
    random: new SimRandom(1),
  })

const shown = (flag: boolean): string => (flag ? 't' : 'f')

describe.each([
  ['whole numbers', whole, BOUND_MAX],
  ['numerics', exact, BOUND_MAX / 2],
] as const)('ranges of %s', (_, model, most) => {
  const range = rangeOf(model, most)
  const multirange = multirangeOf(model, most)
  const printed = (set: Points): string => {
    const [only] = partsOf(set)
    return only === undefined ? 'empty' : model.print(...only)
  }
  const printedAll = (set: Points): string =>
    `{${partsOf(set)
      .map((part) => model.print(...part))
      .join(',')}}`
  const oneOf = fc.oneof(
    range.map((sample) => ({ ...sample, type: model.range })),
    multirange.map((sample) => ({ ...sample, type: model.multirange })),
  )

  test('compare as the sets of their points do', async () => {
    const engine = await open()
    await fc.assert(
      fc.asyncProperty(oneOf, oneOf, model.value, async (a, b, { text, at }) => {
        const [left, right] = [a, b].map((one) => `'${one.text}'::${one.type}`)
        const signs = Object.keys(tests)
        const asked = [
          ...signs.map((sign) => `${left} ${sign} ${right}`),
          `${left} @> ${text}`,
          `${text} <@ ${right}`,
        ]
        const [row] = textOf(await engine.query(`SELECT ${asked.join(', ')}`))
        const expected = [
          ...signs.map((sign) => tests[sign]?.(a.points, b.points) ?? false),
          a.points.has(at),
          b.points.has(at),
        ]
        expect(row).toBe(expected.map(shown).join('|'))
      }),
      { numRuns: 300 },
    )
  })

  test('are joined, cut and taken apart as the sets of their points are', async () => {
    const engine = await open()
    await fc.assert(
      fc.asyncProperty(range, range, multirange, multirange, async (a, b, many, others) => {
        for (const [sign, combine] of Object.entries(combined)) {
          const points = combine(a.points, b.points)
          const statement = `SELECT '${a.text}'::${model.range} ${sign} '${b.text}'`
          if (partsOf(points).length < 2)
            expect(textOf(await engine.query(statement))).toEqual([printed(points)])
          else
            expect((await failure(engine.query(statement))).message).toBe(
              `result of range ${sign === '+' ? 'union' : 'difference'} would not be contiguous`,
            )
          const all = `SELECT '${many.text}'::${model.multirange} ${sign} '${others.text}'`
          expect(textOf(await engine.query(all))).toEqual([printedAll(combine(many.points, others.points))])
        }
        const parts = await engine.query(
          `SELECT range_agg(r), range_merge(range_agg(r)) FROM unnest('${many.text}'::${model.multirange}) r`,
        )
        const hull = many.points.size === 0 ? [] : [printed(from(first(many.points), last(many.points)))]
        expect(textOf(parts)).toEqual([
          hull.length === 0 ? 'NULL|NULL' : `${printedAll(many.points)}|${hull}`,
        ])
      }),
      { numRuns: 150 },
    )
  })
})
