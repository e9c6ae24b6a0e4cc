import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compileLike } from '../../src/functions/text/like.ts'

/** The naive twin: tries every way. */
function naive(text: readonly string[], pattern: readonly string[]): boolean {
  const [sign, ...rest] = pattern
  if (sign === undefined) return text.length === 0
  if (sign === '%') return naive(text, rest) || (text.length > 0 && naive(text.slice(1), pattern))
  if (text.length === 0) return false
  return (sign === '_' || sign === text[0]) && naive(text.slice(1), rest)
}

test('LIKE is what trying every way says', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '😀'), { maxLength: 8 })
  const pattern = fc.array(fc.constantFrom('a', 'b', '😀', '%', '_', '%'), { maxLength: 7 })
  fc.assert(
    fc.property(text, pattern, (signs, wanted) => {
      expect(compileLike(wanted.join(''))(signs.join(''))).toBe(naive(signs, wanted))
    }),
    { numRuns: 2_000 },
  )
})

test('an unfriendly pattern takes no long time', () => {
  const matches = compileLike(`${'%a'.repeat(50)}%b`)
  expect(matches('a'.repeat(5_000))).toBe(false)
})
