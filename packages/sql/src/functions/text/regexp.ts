import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { listOf } from '../../types/array.ts'
import { fromArray } from '../../types/array-text.ts'
import { arrayOf, BOOLEAN, INTEGER, type SqlType, TEXT, type TypeId } from '../../types/type.ts'
import { fn } from '../define.ts'
import type { ScalarFunction } from '../function.ts'
import { strictly } from '../generic.ts'
import { type Match, type Matcher, matcherOf, Subject } from './regex/match.ts'
import { similarToRegex } from './regex/similar.ts'
import { readFlags } from './regex/syntax.ts'

const TEXTS = arrayOf(TEXT)

/** What a group matched; null when it took no part. */
function groupOf(subject: Subject, match: Match, group: number): string | null {
  const [from = -1, to = -1] = [match[group * 2], match[group * 2 + 1]]
  return from < 0 || to < 0 ? null : subject.slice(from, to)
}

/** The groups of a match, or all of it when there is none. */
const groupsOf = (matcher: Matcher, subject: Subject, match: Match): readonly (string | null)[] =>
  matcher.groups === 0
    ? [groupOf(subject, match, 0)]
    : Array.from({ length: matcher.groups }, (_, i) => groupOf(subject, match, i + 1))

const notGlobal = (name: string, flags: string, instead?: string): void => {
  if (readFlags(flags).global)
    throw sqlError(SQLSTATE.invalidParameterValue, `${name} does not support the "global" option`, {
      hint: instead === undefined ? undefined : `Use the ${instead} function instead.`,
    })
}

function firstMatch(text: string, pattern: string, flags = ''): string | null {
  notGlobal('regexp_match()', flags, 'regexp_matches')
  const matcher = matcherOf(pattern, flags)
  const subject = new Subject(text)
  const match = matcher.find(subject, 0)
  return match === null ? null : fromArray(TEXT, listOf(groupsOf(matcher, subject, match)))
}

/** Rows of groups: of the first match, or of all with the flag `g`. */
export function* allMatches(text: string, pattern: string, flags = ''): Generator<string> {
  const matcher = matcherOf(pattern, flags)
  const subject = new Subject(text)
  const { global } = readFlags(flags)
  for (const match of matcher.all(subject)) {
    yield fromArray(TEXT, listOf(groupsOf(matcher, subject, match)))
    if (!global) return
  }
}

function replacement(template: string, subject: Subject, match: Match): string {
  if (!template.includes('\\')) return template
  return template.replace(/\\([1-9&\\]|$|.)/gs, (whole, sign: string) => {
    if (sign === '&') return groupOf(subject, match, 0) ?? ''
    if (sign === '\\') return '\\'
    return /[1-9]/.test(sign) ? (groupOf(subject, match, Number(sign)) ?? '') : whole
  })
}

/** @param nth which match is replaced; 0: every one */
function replaced(
  text: string,
  pattern: string,
  template: string,
  flags: string,
  start: number,
  nth: number,
): string {
  const subject = new Subject(text)
  const matcher = matcherOf(pattern, flags)
  let result = ''
  let at = 0
  let count = 0
  for (const match of matcher.all(subject, start - 1)) {
    count++
    if (nth !== 0 && count < nth) continue
    const [from = 0, to = 0] = match
    result += subject.slice(at, from) + replacement(template, subject, match)
    at = to
    if (nth !== 0) break
  }
  return result + subject.slice(at)
}

/** Pieces between the matches. An empty match at an end, or right behind another match, parts nothing. */
export function* splitBy(text: string, pattern: string, flags = ''): Generator<string> {
  notGlobal('regexp_split_to_table()', flags)
  yield* pieces(text, pattern, flags)
}

function* pieces(text: string, pattern: string, flags: string): Generator<string> {
  const subject = new Subject(text)
  let at = 0
  for (const [from = 0, to = 0] of matcherOf(pattern, flags).all(subject)) {
    if (to === from && (from === at || from >= subject.signs.length)) continue
    yield subject.slice(at, from)
    at = to
  }
  yield subject.slice(at)
}

function positive(value: number, name: string): number {
  if (value > 0) return value
  throw sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "${name}": ${value}`)
}

function notNegative(value: number, name: string, shown = value): void {
  if (value < 0)
    throw sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "${name}": ${shown}`)
}

function nthMatch(
  text: string,
  pattern: string,
  start: number,
  nth: number,
  flags: string,
): { readonly subject: Subject; readonly match: Match | null; readonly groups: number } {
  const first = positive(start, 'start') - 1
  let left = positive(nth, 'n')
  const subject = new Subject(text)
  const matcher = matcherOf(pattern, flags)
  for (const match of matcher.all(subject, first))
    if (--left === 0) return { subject, match, groups: matcher.groups }
  return { subject, match: null, groups: matcher.groups }
}

/** The same function with its last arguments left out. */
function optional(
  name: string,
  args: readonly TypeId[],
  least: number,
  returns: SqlType,
  impl: (...values: readonly never[]) => Value,
): ScalarFunction[] {
  const types: Readonly<Partial<Record<TypeId, SqlType>>> = { text: TEXT, integer: INTEGER }
  return Array.from({ length: args.length - least + 1 }, (_, i) =>
    strictly(
      name,
      args.slice(0, least + i).map((id) => types[id] ?? TEXT),
      returns,
      impl,
    ),
  )
}

const tests = (['text', 'char'] as const).flatMap((id) => [
  fn('~', [id, 'text'], 'boolean', (text, pattern) => matcherOf(pattern).test(text)),
  fn('!~', [id, 'text'], 'boolean', (text, pattern) => !matcherOf(pattern).test(text)),
  fn('~*', [id, 'text'], 'boolean', (text, pattern) => matcherOf(pattern, 'i').test(text)),
  fn('!~*', [id, 'text'], 'boolean', (text, pattern) => !matcherOf(pattern, 'i').test(text)),
])

export const regexFunctions: readonly ScalarFunction[] = [
  ...tests,
  ...optional('regexp_match', ['text', 'text', 'text'], 2, TEXTS, firstMatch),
  strictly('regexp_replace', [TEXT, TEXT, TEXT], TEXT, (text: string, pattern: string, template: string) =>
    replaced(text, pattern, template, '', 1, 1),
  ),
  strictly(
    'regexp_replace',
    [TEXT, TEXT, TEXT, TEXT],
    TEXT,
    (text: string, pattern: string, template: string, flags: string) => {
      if (/^\d/.test(flags))
        throw sqlError(
          SQLSTATE.invalidParameterValue,
          `invalid regular expression option: "${flags.charAt(0)}"`,
          {
            hint: 'If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.',
          },
        )
      return replaced(text, pattern, template, flags, 1, readFlags(flags).global ? 0 : 1)
    },
  ),
  ...[4, 5, 6].map((count) =>
    strictly(
      'regexp_replace',
      [TEXT, TEXT, TEXT, INTEGER, INTEGER, TEXT].slice(0, count),
      TEXT,
      (text: string, pattern: string, template: string, start: number, nth = 1, flags = '') => {
        const first = positive(start, 'start')
        if (nth < 0) positive(nth, 'n')
        return replaced(text, pattern, template, flags, first, nth)
      },
    ),
  ),
  ...optional(
    'regexp_split_to_array',
    ['text', 'text', 'text'],
    2,
    TEXTS,
    (text: string, pattern: string, flags = '') => {
      notGlobal('regexp_split_to_array()', flags)
      return fromArray(TEXT, listOf([...pieces(text, pattern, flags)]))
    },
  ),
  ...optional(
    'regexp_like',
    ['text', 'text', 'text'],
    2,
    BOOLEAN,
    (text: string, pattern: string, flags = '') => {
      notGlobal('regexp_like()', flags)
      return matcherOf(pattern, flags).test(text)
    },
  ),
  ...optional(
    'regexp_count',
    ['text', 'text', 'integer', 'text'],
    2,
    INTEGER,
    (text: string, pattern: string, start = 1, flags = '') => {
      const first = positive(start, 'start') - 1
      notGlobal('regexp_count()', flags)
      return [...matcherOf(pattern, flags).all(new Subject(text), first)].length
    },
  ),
  ...optional(
    'regexp_substr',
    ['text', 'text', 'integer', 'integer', 'text', 'integer'],
    2,
    TEXT,
    (text: string, pattern: string, start = 1, nth = 1, flags = '', group = 0) => {
      notGlobal('regexp_substr()', flags)
      const { subject, match, groups } = nthMatch(text, pattern, start, nth, flags)
      notNegative(group, 'subexpr')
      return match === null || group > groups ? null : groupOf(subject, match, group)
    },
  ),
  ...optional(
    'regexp_instr',
    ['text', 'text', 'integer', 'integer', 'integer', 'text', 'integer'],
    2,
    INTEGER,
    (text: string, pattern: string, start = 1, nth = 1, end = 0, flags = '', group = 0) => {
      notGlobal('regexp_instr()', flags)
      const { match, groups } = nthMatch(text, pattern, start, nth, flags)
      if (end !== 0 && end !== 1) notNegative(-Math.abs(end), 'endoption', end)
      notNegative(group, 'subexpr')
      if (match === null || group > groups) return 0
      const at = match[group * 2 + (end === 1 ? 1 : 0)] ?? -1
      return at < 0 ? 0 : at + 1
    },
  ),
  // SUBSTRING(text FROM pattern): the first group, or all of the match.
  strictly('substring', [TEXT, TEXT], TEXT, (text: string, pattern: string) => {
    const matcher = matcherOf(pattern)
    const subject = new Subject(text)
    const match = matcher.find(subject, 0)
    return match === null ? null : groupOf(subject, match, matcher.groups === 0 ? 0 : 1)
  }),
  // SUBSTRING(text FROM pattern FOR escape).
  strictly('substring', [TEXT, TEXT, TEXT], TEXT, (text: string, pattern: string, mark: string) => {
    const matcher = matcherOf(similarToRegex(pattern, mark))
    const subject = new Subject(text)
    const match = matcher.find(subject, 0)
    return match === null ? null : groupOf(subject, match, matcher.groups === 0 ? 0 : 1)
  }),
  strictly('similar_to_escape', [TEXT], TEXT, (pattern: string) => similarToRegex(pattern)),
  strictly('similar_to_escape', [TEXT, TEXT], TEXT, (pattern: string, mark: string) =>
    similarToRegex(pattern, mark),
  ),
]
