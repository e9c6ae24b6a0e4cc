import type { Value } from '@cluster/core'
import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'

/** One end of a range. */
export interface RangeBound {
  /** Null: there is no end on this side. */
  readonly value: Value
  /** True when the value itself is within; false where there is no end. */
  readonly inclusive: boolean
  readonly side: 'lower' | 'upper'
}

/** A range with something in it. */
export interface RangeValue {
  readonly lower: RangeBound
  readonly upper: RangeBound
}

/**
 * The ranges of a multirange, in order, none of them empty and no two of them touching. A range is the list of itself, and
 * the empty range the list of nothing: so nearly everything that is said of multiranges is said of ranges, too.
 */
export type RangeList = readonly RangeValue[]

/** A range as it is written: its bounds are texts. */
interface WrittenRange {
  readonly lower: RangeBound & { readonly value: string | null }
  readonly upper: RangeBound & { readonly value: string | null }
}

const BLANKS = /[ \t\n\v\f\r]*/y

function behindBlanks(text: string, at: number): number {
  BLANKS.lastIndex = at
  BLANKS.exec(text)
  return BLANKS.lastIndex
}

/**
 * Takes the text of a range apart.
 * @returns null for the empty range
 * @throws 22P02
 */
export function parseRange(text: string): WrittenRange | null {
  const malformed = (detail: string): SqlError =>
    sqlError(SQLSTATE.invalidTextRepresentation, `malformed range literal: "${text}"`, { detail })
  let at = behindBlanks(text, 0)
  if (/^empty/i.test(text.slice(at, at + 5))) {
    if (behindBlanks(text, at + 5) < text.length) throw malformed('Junk after "empty" key word.')
    return null
  }
  const open = text.charAt(at)
  if (open !== '[' && open !== '(') throw malformed('Missing left parenthesis or bracket.')
  at++
  const bound = (): string | null => {
    const start = at
    let value = ''
    let quoted = false
    for (; ; at++) {
      const sign = text.charAt(at)
      if (sign === '') throw malformed('Unexpected end of input.')
      if (!quoted && (sign === ',' || sign === ')' || sign === ']')) break
      if (sign === '\\') {
        at++
        if (at >= text.length) throw malformed('Unexpected end of input.')
        value += text.charAt(at)
      } else if (sign === '"') {
        if (quoted && text.charAt(at + 1) === '"') {
          value += sign
          at++
        } else quoted = !quoted
      } else value += sign
    }
    return at === start ? null : value
  }
  const lower = bound()
  if (text.charAt(at) !== ',') throw malformed('Missing comma after lower bound.')
  at++
  const upper = bound()
  const close = text.charAt(at)
  if (close === ',') throw malformed('Too many commas.')
  if (behindBlanks(text, at + 1) < text.length) throw malformed('Junk after right parenthesis or bracket.')
  return {
    lower: { value: lower, inclusive: open === '[', side: 'lower' },
    upper: { value: upper, inclusive: close === ']', side: 'upper' },
  }
}

/**
 * The texts of the ranges that a multirange is written with.
 * @throws 22P02
 */
export function* splitMultirange(text: string): Generator<string> {
  const malformed = (detail: string): SqlError =>
    sqlError(SQLSTATE.invalidTextRepresentation, `malformed multirange literal: "${text}"`, { detail })
  let at = behindBlanks(text, 0)
  if (text.charAt(at) !== '{') throw malformed('Missing left brace.')
  at = behindBlanks(text, at + 1)
  if (text.charAt(at) !== '}')
    for (;;) {
      at = behindBlanks(text, at)
      const end = rangeEnd(text, at)
      if (end === null) throw malformed('Expected range start.')
      if (end > text.length || at >= text.length) throw malformed('Unexpected end of input.')
      yield text.slice(at, end)
      at = behindBlanks(text, end)
      const sign = text.charAt(at)
      if (sign === '}') break
      if (sign === '') throw malformed('Unexpected end of input.')
      if (sign !== ',') throw malformed('Expected comma or end of multirange.')
      at++
    }
  if (behindBlanks(text, at + 1) < text.length) throw malformed('Junk after closing right brace.')
}

/** The offset behind the range that begins at `start`, behind the text's end for one that never closes; null for no range. */
function rangeEnd(text: string, start: number): number | null {
  if (/^empty/i.test(text.slice(start, start + 5))) return start + 5
  const open = text.charAt(start)
  if (open !== '[' && open !== '(') return open === '' ? text.length + 1 : null
  let quoted = false
  for (let at = start + 1; at < text.length; at++) {
    const sign = text.charAt(at)
    if (sign === '\\') at++
    else if (sign === '"') quoted = !quoted
    else if (!quoted && (sign === ']' || sign === ')')) return at + 1
  }
  return text.length + 1
}

const special = /[ \t\n\v\f\r"\\()[\],]|^$/

/** @param boundText text of a bound that is not NULL */
function rangeText({ lower, upper }: RangeValue, boundText: (value: Value) => string): string {
  const shown = ({ value }: RangeBound): string => {
    if (value === null) return ''
    const text = boundText(value)
    return special.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text
  }
  return `${lower.inclusive ? '[' : '('}${shown(lower)},${shown(upper)}${upper.inclusive ? ']' : ')'}`
}

/** Ranges in braces, or the only one as it is. */
export function listText(list: RangeList, braces: boolean, boundText: (value: Value) => string): string {
  const texts = list.map((range) => rangeText(range, boundText))
  return braces ? `{${texts.join(',')}}` : (texts[0] ?? 'empty')
}
