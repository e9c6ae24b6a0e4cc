import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { matcherOf, Subject } from '../../src/functions/text/regex/match.ts'

/** Patterns over a few letters whose meaning is the same in JavaScript. */
const { pattern } = fc.letrec<{ pattern: string; atom: string; piece: string; branch: string }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '[a-c]'),
    tie('pattern').map((inner) => `(?:${inner})`),
  ),
  piece: fc
    .tuple(tie('atom'), fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}'))
    .map(([atom, times]) => atom + times),
  branch: fc.array(tie('piece'), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('')),
  pattern: fc.array(tie('branch'), { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|')),
}))

const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 8 }).map((signs) => signs.join(''))

describe('regular expressions', () => {
  test('match where JavaScript says, and as far as they can', () => {
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const whole = new RegExp(`^(?:${source})$`)
        // The naive answer: the first place from which some piece fits as a whole, and the longest such piece.
        let expected: readonly number[] | null = null
        for (let from = 0; from <= subject.length && expected === null; from++)
          for (let to = subject.length; to >= from && expected === null; to--)
            if (whole.test(subject.slice(from, to))) expected = [from, to]
        expect(matcherOf(source).find(new Subject(subject), 0)).toEqual(expected)
        expect(matcherOf(source).test(subject)).toBe(expected !== null)
      }),
      { numRuns: 120 },
    )
  })

  test('take time by the length of the text, not by the ways to match it', () => {
    const subject = 'a'.repeat(1_000)
    for (const source of ['(a*)*b', '(a|a)*b', '(a+)+$b', '(?:a?){40}a{40}b'])
      expect(matcherOf(source).test(subject)).toBe(false)
  })

  test('with back references give up after too many steps', () => {
    expect(() => matcherOf('(a*)*(a*)*(a*)*\\1b').test('a'.repeat(60))).toThrow('too many steps')
    expect(matcherOf('(a*)b\\1c').test('aaabaaac')).toBe(true)
  })

  test('that are too large are refused', () => {
    expect(() => matcherOf('((((a{200}){200}){200}))')).toThrow('regular expression is too complex')
  })
})
