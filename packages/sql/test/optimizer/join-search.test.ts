import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { resolveOperator } from '../../src/functions/resolve.ts'
import { type JoinCondition, type JoinTree, searchJoins } from '../../src/optimizer/join-search.ts'
import type { Expr } from '../../src/plan/expression.ts'
import { BOOLEAN, INTEGER } from '../../src/types/type.ts'

const column = (id: number): Expr => ({
  kind: 'column',
  type: INTEGER,
  column: { id, name: `c${id}`, type: INTEGER },
})
const equality = (a: number, b: number): Expr => ({
  kind: 'call',
  type: BOOLEAN,
  fn: resolveOperator('=', INTEGER, INTEGER),
  form: 'infix',
  args: [column(a), column(b)],
})

interface Case {
  readonly rows: readonly number[]
  readonly pairs: readonly (readonly [number, number])[]
}

const cases: fc.Arbitrary<Case> = fc.integer({ min: 2, max: 6 }).chain((count) =>
  fc.record({
    rows: fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: count, maxLength: count }),
    pairs: fc.uniqueArray(
      fc
        .tuple(fc.nat(count - 1), fc.nat(count - 1))
        .filter(([a, b]) => a !== b)
        .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
      { maxLength: 8, selector: (pair) => pair.join() },
    ),
  }),
)

const setOf = (list: readonly number[]): number => list.reduce((set, one) => set | (1 << one), 0)

/** The price of the best tree, by trying all of them. */
function best({ rows, pairs }: Case): (set: number) => number {
  const size = (set: number): number => {
    let product = 1
    rows.forEach((count, i) => {
      if (set & (1 << i)) product *= count
    })
    for (const [a, b] of pairs)
      if ((set & setOf([a, b])) === setOf([a, b])) product /= Math.max(rows[a] as number, rows[b] as number)
    return Math.max(1, product)
  }
  const price = (set: number): number => {
    if ((set & (set - 1)) === 0) return 0
    const splits: (readonly [number, number])[] = []
    for (let left = 1; left < set; left++) if ((left & ~set) === 0) splits.push([left, set ^ left])
    const joins = ([left, right]: readonly [number, number]): boolean =>
      pairs.some(([a, b]) => {
        const [one, other] = [1 << a, 1 << b]
        return (left & one && right & other) || (left & other && right & one)
      })
    const finite = splits.filter(joins)
    const tried = (finite.length > 0 ? finite : splits).map(
      ([left, right]) => price(left) + price(right) + size(left) + size(right) + size(set),
    )
    return Math.min(...tried)
  }
  return price
}

function priceOf(tree: JoinTree, one: Case): { readonly set: number; readonly price: number } {
  if ('input' in tree) return { set: 1 << tree.input, price: 0 }
  const [left, right] = [priceOf(tree.left, one), priceOf(tree.right, one)]
  const set = left.set | right.set
  const size = (part: number): number => {
    const product = one.rows.reduce((all, count, i) => (part & (1 << i) ? all * count : all), 1)
    const met = one.pairs.filter(([a, b]) => (part & setOf([a, b])) === setOf([a, b]))
    const share = met.reduce(
      (all, [a, b]) => all / Math.max(one.rows[a] as number, one.rows[b] as number),
      product,
    )
    return Math.max(1, share)
  }
  return { set, price: left.price + right.price + size(left.set) + size(right.set) + size(set) }
}

const search = ({ rows, pairs }: Case): JoinTree =>
  searchJoins(
    rows.map((count) => ({ rows: count, keys: count })),
    pairs.map(([a, b]): JoinCondition => ({ expr: equality(a, b), inputs: setOf([a, b]) })),
  )

describe('the search for join orders', () => {
  test('finds a tree as cheap as the best of all', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const found = priceOf(search(one), one)
        expect(found.set).toBe(2 ** one.rows.length - 1)
        const wanted = best(one)(found.set)
        expect(found.price / wanted).toBeCloseTo(1, 6)
      }),
      { numRuns: 80, seed: 11 },
    )
  })

  test('joins what conditions connect before any cross product', () => {
    // A star: the centre is large, and its points have no condition among themselves.
    const tree = search({
      rows: [10_000, 2, 2],
      pairs: [
        [0, 1],
        [0, 2],
      ],
    })
    const inner = 'left' in tree && 'left' in tree.left ? tree.left : null
    expect(inner !== null && 'input' in inner.left && inner.left.input).toBe(0)
  })
})
