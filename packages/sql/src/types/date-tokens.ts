/** What a piece of a date's text looks like. */
export type DateTokenKind = 'number' | 'string' | 'date' | 'time' | 'zone' | 'special'

export interface DateToken {
  readonly kind: DateTokenKind
  readonly text: string
}

/** Words that stand for a moment of their own. */
export type Special = 'epoch' | 'infinity' | '-infinity' | 'now' | 'today' | 'tomorrow' | 'yesterday'

/** Words that say what the number behind them is. */
export type NumberUnit = 'julian' | 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'time'

/** What a word of a date's text means. */
export type DateWord =
  | { readonly is: 'month'; readonly month: number }
  | { readonly is: 'weekday' | 'nothing' | 'summer' | 'allballs' }
  | { readonly is: 'half'; readonly half: 'am' | 'pm' }
  | { readonly is: 'era'; readonly before: boolean }
  | { readonly is: 'special'; readonly special: Special }
  | { readonly is: 'unit'; readonly unit: NumberUnit }

const dateWords = new Map<string, DateWord>()

const months = 'january february march april may june july august september october november december'
for (const [at, name] of months.split(' ').entries())
  for (const word of [name, name.slice(0, 3)]) dateWords.set(word, { is: 'month', month: at + 1 })
dateWords.set('sept', { is: 'month', month: 9 })
const weekdays =
  'mon tue wed thu fri sat sun tues thur thurs weds monday tuesday wednesday thursday friday saturday sunday'
for (const word of weekdays.split(' ')) dateWords.set(word, { is: 'weekday' })
for (const half of ['am', 'pm'] as const) dateWords.set(half, { is: 'half', half })
for (const word of ['bc', 'ad']) dateWords.set(word, { is: 'era', before: word === 'bc' })
for (const word of ['at', 'on']) dateWords.set(word, { is: 'nothing' })
const specials = ['epoch', 'infinity', '-infinity', 'now', 'today', 'tomorrow', 'yesterday'] as const
for (const special of specials) dateWords.set(special, { is: 'special', special })
const units: Readonly<Record<string, NumberUnit>> = {
  j: 'julian',
  jd: 'julian',
  julian: 'julian',
  y: 'year',
  m: 'month',
  d: 'day',
  h: 'hour',
  mm: 'minute',
  s: 'second',
  t: 'time',
}
for (const [word, unit] of Object.entries(units)) dateWords.set(word, { is: 'unit', unit })
dateWords.set('dst', { is: 'summer' })
dateWords.set('allballs', { is: 'allballs' })

/** The meaning of a word in lower case; null for one that may be a zone. */
export const dateWord = (word: string): DateWord | null => dateWords.get(word) ?? null

const TOKENS_MAX = 25
const isDigit = (sign: string): boolean => sign >= '0' && sign <= '9'
const isLetter = (sign: string): boolean => sign >= 'a' && sign <= 'z'

/**
 * Cuts a text into numbers, words, dates, times and offsets, as PostgreSQL's `ParseDateTime` does.
 * @param source in lower case
 * @returns null for what cannot be a date or time at all
 */
export function dateTokens(source: string): readonly DateToken[] | null {
  const tokens: DateToken[] = []
  let at = 0
  const sign = (): string => source.charAt(at)
  const skip = (more: (sign: string) => boolean): void => {
    while (at < source.length && more(sign())) at++
  }
  const oneOf =
    (signs: string) =>
    (one: string): boolean =>
      signs.includes(one)
  while (at < source.length) {
    const start = at
    const first = sign()
    if (/\s/.test(first)) {
      at++
      continue
    }
    let kind: DateTokenKind
    let text: string | null = null
    if (isDigit(first)) {
      skip(isDigit)
      const next = sign()
      if (next === ':') {
        kind = 'time'
        skip((one) => isDigit(one) || one === ':' || one === '.')
      } else if (next === '-' || next === '/' || next === '.') {
        at++
        if (isDigit(sign())) {
          kind = next === '.' ? 'number' : 'date'
          skip(isDigit)
          if (sign() === next) {
            kind = 'date'
            skip((one) => isDigit(one) || one === next)
          }
        } else {
          kind = 'date'
          skip((one) => isDigit(one) || isLetter(one) || one === next)
        }
      } else kind = 'number'
    } else if (first === '.') {
      kind = 'number'
      at++
      skip(isDigit)
    } else if (isLetter(first)) {
      kind = 'string'
      skip(isLetter)
      // Dates and names of zones have signs in them.
      const next = sign()
      const goesOn =
        oneOf('-/.')(next) || ((next === '+' || isDigit(next)) && dateWord(source.slice(start, at)) === null)
      if (goesOn && next !== '') {
        kind = 'date'
        skip((one) => isDigit(one) || isLetter(one) || oneOf('+-/_.:')(one))
      }
    } else if (first === '+' || first === '-') {
      at++
      skip((one) => /\s/.test(one))
      const from = at
      if (isDigit(sign())) {
        kind = 'zone'
        skip((one) => isDigit(one) || oneOf(':.-')(one))
      } else if (isLetter(sign())) {
        kind = 'special'
        skip(isLetter)
      } else return null
      text = first + source.slice(from, at)
    } else if (/[!-/:-@[-`{-~]/.test(first)) {
      at++
      continue
    } else return null
    tokens.push({ kind, text: text ?? source.slice(start, at) })
    if (tokens.length > TOKENS_MAX) return null
  }
  return tokens
}
