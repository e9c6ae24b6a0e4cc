import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { afterKey, afterPrefix, KeyWriter } from '../src/index.ts'

const sign = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const bytesOrder = (a: Uint8Array, b: Uint8Array): number => Math.sign(Buffer.compare(a, b))

/** A decimal as an exact fraction, for a comparison that shares nothing with the encoding. */
function compareDecimals(a: string, b: string): number {
  const scale = (text: string): number => (text.split('.')[1] ?? '').length
  const digits = Math.max(scale(a), scale(b))
  const whole = (text: string): bigint => {
    const [left = '', right = ''] = text.replace('-', '').split('.')
    const value = BigInt(left + right.padEnd(digits, '0'))
    return text.startsWith('-') ? -value : value
  }
  const difference = whole(a) - whole(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), fc.nat({ max: 12 }))
  .map(([digits, scale]) => {
    const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0')
    const point = text.length - scale
    return `${digits < 0n ? '-' : ''}${text.slice(0, point)}${scale > 0 ? `.${text.slice(point)}` : ''}`
  })

describe('KeyWriter keeps the order of', () => {
  const law = <T>(
    name: string,
    values: fc.Arbitrary<T>,
    write: (value: T) => string,
    order: (a: T, b: T) => number,
  ) =>
    test(name, () => {
      fc.assert(
        fc.property(values, values, (a, b) => sign(write(a), write(b)) === order(a, b)),
        { numRuns: 2000 },
      )
    })

  law(
    'doubles',
    fc.double({ noNaN: true }),
    (value) => new KeyWriter().double(value).finish(),
    (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  )
  law(
    '64-bit integers',
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    (value) => new KeyWriter().int64(value).finish(),
    (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  )
  law(
    'text, by code point',
    fc.string({ unit: 'binary' }),
    (value) => new KeyWriter().text(value).finish(),
    (a, b) => bytesOrder(Buffer.from(a), Buffer.from(b)),
  )
  law('bytes', fc.uint8Array(), (value) => new KeyWriter().bytes(value).finish(), bytesOrder)
  law('decimals', decimal, (value) => new KeyWriter().decimal(value).finish(), compareDecimals)
  law(
    'pairs, field by field',
    fc.tuple(fc.string({ maxLength: 3 }), fc.integer()),
    ([text, number]) => new KeyWriter().text(text).double(number).finish(),
    ([textA, numberA], [textB, numberB]) =>
      bytesOrder(Buffer.from(textA), Buffer.from(textB)) || Math.sign(numberA - numberB),
  )

  test('NULL and NaN: behind everything', () => {
    const infinite = new KeyWriter().double(Number.POSITIVE_INFINITY).finish()
    const notANumber = new KeyWriter().double(Number.NaN).finish()
    const absent = new KeyWriter().null().finish()
    expect(infinite < notANumber && notANumber < absent).toBe(true)
    expect(new KeyWriter().decimal('99999').finish() < new KeyWriter().decimal('NaN').finish()).toBe(true)
  })

  test('decimals that are equal whatever their scale', () => {
    const keys = ['1.5', '1.50', '01.500'].map((value) => new KeyWriter().decimal(value).finish())
    expect(new Set(keys).size).toBe(1)
    expect(new KeyWriter().decimal('0').finish()).toBe(new KeyWriter().decimal('-0.00').finish())
  })
})

describe('bounds', () => {
  test('afterPrefix is the least key above all that start so', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary-ascii' }),
        fc.string({ unit: 'binary-ascii' }),
        (prefix, rest) => {
          const bound = afterPrefix(prefix)
          return bound === undefined ? prefix === '' : prefix + rest < bound && bound > prefix
        },
      ),
    )
    expect(afterPrefix('a\xff\xff')).toBe('b')
    expect(afterPrefix('\xff')).toBe(undefined)
  })

  test('nothing lies between a key and afterKey', () => {
    expect('k' < afterKey('k') && afterKey('k') <= 'k\x00').toBe(true)
  })
})
