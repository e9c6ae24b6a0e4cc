import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Histogram } from '../src/histogram.ts'

/** The same by sorting. */
function naive(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1] ?? Number.NaN
}

describe('a histogram', () => {
  test('has no quantiles without values', () => {
    expect(new Histogram().quantile(0.5)).toBeNaN()
  })

  test('agrees with sorting to within a hundred and twenty-eighth', () => {
    const micros = fc.oneof(fc.nat(300), fc.nat(100_000), fc.nat(2 ** 31 - 1))
    fc.assert(
      fc.property(
        fc.array(micros, { minLength: 1 }),
        fc.constantFrom(0, 0.5, 0.9, 0.99, 1),
        (values, share) => {
          const histogram = new Histogram()
          for (const value of values) histogram.record(value)
          const exact = naive(values, share)
          const found = histogram.quantile(share)
          expect(found).toBeGreaterThanOrEqual(exact)
          expect(found).toBeLessThanOrEqual(exact * (1 + 1 / 128))
        },
      ),
    )
  })

  test('adds up: two halves are the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000_000)), fc.array(fc.nat(10_000_000)), (one, other) => {
        const [whole, half, sum] = [new Histogram(), new Histogram(), new Histogram()]
        for (const value of one) sum.record(value)
        for (const value of other) half.record(value)
        for (const value of [...one, ...other]) whole.record(value)
        sum.add(half.buckets())
        expect(sum.buckets()).toEqual(whole.buckets())
        expect(sum.total).toBe(whole.total)
      }),
    )
  })

  test('keeps what is beyond its range in its last bucket', () => {
    const histogram = new Histogram()
    histogram.record(2 ** 50)
    expect(histogram.total).toBe(1)
    expect(histogram.buckets()).toHaveLength(1)
  })
})
