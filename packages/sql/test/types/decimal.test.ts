import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  addDecimal,
  compareDecimal,
  divideDecimal,
  fitDecimal,
  moduloDecimal,
  multiplyDecimal,
  parseDecimal,
  roundDecimal,
  sqrtDecimal,
  subtractDecimal,
  truncateDecimal,
} from '../../src/types/decimal.ts'

/** The naive twin: a fraction of two whole numbers. */
interface Fraction {
  readonly top: bigint
  readonly bottom: bigint
}

const fraction = (text: string): Fraction => {
  const [whole = '', digits = ''] = text.split('.')
  return { top: BigInt(whole + digits), bottom: 10n ** BigInt(digits.length) }
}
const scaleOf = (text: string): number => text.split('.')[1]?.length ?? 0

/** Rounds a fraction to a scale, half away from zero, by hand. */
function show({ top, bottom }: Fraction, scale: number): string {
  const negative = top < 0n !== bottom < 0n && top !== 0n
  const a = (top < 0n ? -top : top) * 10n ** BigInt(scale)
  const b = bottom < 0n ? -bottom : bottom
  const quotient = a / b
  const rounded = (a % b) * 2n >= b ? quotient + 1n : quotient
  const digits = rounded.toString().padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return negative && rounded !== 0n ? `-${text}` : text
}

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), fc.integer({ min: 0, max: 12 }))
  .map(([coefficient, scale]) => show({ top: coefficient, bottom: 10n ** BigInt(scale) }, scale))

const pairs = (law: (a: string, b: string, x: Fraction, y: Fraction) => void): void => {
  fc.assert(
    fc.property(decimal, decimal, (a, b) => law(a, b, fraction(a), fraction(b))),
    { numRuns: 500 },
  )
}

describe('decimals are exact', () => {
  test('sums and differences have the larger scale', () => {
    pairs((a, b, x, y) => {
      const scale = Math.max(scaleOf(a), scaleOf(b))
      const bottom = x.bottom * y.bottom
      expect(addDecimal(a, b)).toBe(show({ top: x.top * y.bottom + y.top * x.bottom, bottom }, scale))
      expect(subtractDecimal(a, b)).toBe(show({ top: x.top * y.bottom - y.top * x.bottom, bottom }, scale))
    })
  })

  test('products have both scales', () => {
    pairs((a, b, x, y) => {
      const product = { top: x.top * y.top, bottom: x.bottom * y.bottom }
      expect(multiplyDecimal(a, b)).toBe(show(product, scaleOf(a) + scaleOf(b)))
    })
  })

  test('quotients are rounded right at the scale they have, with 16 digits at least', () => {
    pairs((a, b, x, y) => {
      if (y.top === 0n) return
      const result = divideDecimal(a, b)
      expect(result).toBe(show({ top: x.top * y.bottom, bottom: x.bottom * y.top }, scaleOf(result)))
      expect(scaleOf(result)).toBeGreaterThanOrEqual(Math.max(scaleOf(a), scaleOf(b)))
      const significant = result.replace(/^-?[0.]*/, '').replace('.', '').length
      if (x.top !== 0n) expect(significant).toBeGreaterThanOrEqual(13)
    })
  })

  test('a = trunc(a / b) · b + a % b', () => {
    pairs((a, b, x, y) => {
      if (y.top === 0n) return
      const whole = (x.top * y.bottom) / (y.top * x.bottom)
      const back = addDecimal(multiplyDecimal(String(whole), b), moduloDecimal(a, b))
      expect(compareDecimal(back, a)).toBe(0)
    })
  })

  test('order is that of the fractions', () => {
    pairs((a, b, x, y) => {
      const difference = x.top * y.bottom - y.top * x.bottom
      expect(compareDecimal(a, b)).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0)
    })
  })

  test('rounding and cutting', () => {
    fc.assert(
      fc.property(decimal, fc.integer({ min: 0, max: 14 }), (a, scale) => {
        expect(roundDecimal(a, scale)).toBe(show(fraction(a), scale))
        const cut = truncateDecimal(a, scale)
        expect(compareDecimal(multiplyDecimal(cut, cut), multiplyDecimal(a, a))).toBeLessThanOrEqual(0)
        expect(scaleOf(cut)).toBe(scale)
      }),
    )
  })

  test('a root is as near as its scale allows', () => {
    fc.assert(
      fc.property(decimal, (a) => {
        const text = a.replace('-', '')
        const root = sqrtDecimal(text)
        const half = `0.${'0'.repeat(scaleOf(root))}5`
        const low = subtractDecimal(root, half)
        const high = addDecimal(root, half)
        expect(compareDecimal(multiplyDecimal(high, high), text)).toBeGreaterThanOrEqual(0)
        if (!low.startsWith('-'))
          expect(compareDecimal(multiplyDecimal(low, low), text)).toBeLessThanOrEqual(0)
      }),
    )
  })

  test('canonical text reads as itself', () => {
    fc.assert(fc.property(decimal, (a) => expect(parseDecimal(a)).toBe(a)))
  })
})

describe('numeric(p, s)', () => {
  test.each([
    ['1.005', 3, 2, '1.01'],
    ['-1.005', 3, 2, '-1.01'],
    ['9.994', 3, 2, '9.99'],
    ['0', 3, 2, '0.00'],
    ['NaN', 3, 2, 'NaN'],
  ])('%s fits (%i, %i)', (value, precision, scale, expected) => {
    expect(fitDecimal(value, precision, scale)).toBe(expected)
  })

  test('what does not fit is refused', () => {
    expect(() => fitDecimal('9.995', 3, 2)).toThrow('numeric field overflow')
    expect(() => fitDecimal('-10', 3, 2)).toThrow('numeric field overflow')
  })
})
