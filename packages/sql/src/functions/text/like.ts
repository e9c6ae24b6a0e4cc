import { SQLSTATE, sqlError } from '../../errors.ts'

/** A piece of a pattern between two `%`: characters, and null where `_` takes any. */
interface Segment {
  readonly text: string
  /** Set when `_` is among the characters. */
  readonly characters: readonly (string | null)[] | null
}

/** Tells whether a text matches. */
export type Matcher = (text: string) => boolean

/** @throws 22025 when the pattern ends with its escape character */
function segmentsOf(pattern: string): Segment[] {
  const segments: Segment[] = []
  let characters: (string | null)[] = []
  const close = (): void => {
    const plain = !characters.includes(null)
    segments.push({ text: plain ? characters.join('') : '', characters: plain ? null : characters })
    characters = []
  }
  const all = [...pattern]
  for (let i = 0; i < all.length; i++) {
    const sign = all[i] ?? ''
    if (sign === '\\') {
      const next = all[++i]
      if (next === undefined)
        throw sqlError(SQLSTATE.invalidEscapeSequence, 'LIKE pattern must not end with escape character')
      characters.push(next)
    } else if (sign === '%') close()
    else characters.push(sign === '_' ? null : sign)
  }
  close()
  return segments
}

/** The offset behind the segment when it stands at `at`; −1 when it does not. */
function endAt(segment: Segment, text: string, at: number): number {
  if (segment.characters === null) return text.startsWith(segment.text, at) ? at + segment.text.length : -1
  let offset = at
  for (const character of segment.characters) {
    const point = text.codePointAt(offset)
    if (point === undefined) return -1
    if (character !== null && character !== String.fromCodePoint(point)) return -1
    offset += point > 0xffff ? 2 : 1
  }
  return offset
}

/** Where the segment stands first from `from` on: its end, −1 when nowhere. */
function endAfter(segment: Segment, text: string, from: number): number {
  if (segment.characters === null) {
    const at = text.indexOf(segment.text, from)
    return at < 0 ? -1 : at + segment.text.length
  }
  for (let at = from; at <= text.length; at++) {
    const end = endAt(segment, text, at)
    if (end >= 0) return end
  }
  return -1
}

/** True when the segment stands at the very end, from `from` on. */
function endsWith(segment: Segment, text: string, from: number): boolean {
  if (segment.characters === null)
    return text.length - segment.text.length >= from && text.endsWith(segment.text)
  let at = text.length
  for (let i = segment.characters.length; i > 0; i--) {
    const low = text.charCodeAt(at - 1)
    const high = text.charCodeAt(at - 2)
    at -= low >= 0xdc00 && low <= 0xdfff && high >= 0xd800 && high <= 0xdbff ? 2 : 1
  }
  return at >= from && endAt(segment, text, at) === text.length
}

/**
 * Compiles a pattern of LIKE: `%` stands for any text, `_` for one character, `\` takes the next one as it is.
 * The time to match is at worst the text's length times the pattern's.
 */
export function compileLike(pattern: string): Matcher {
  const [first, ...others] = segmentsOf(pattern)
  const last = others.pop()
  if (first === undefined) return (text) => text === ''
  if (last === undefined) return (text) => endAt(first, text, 0) === text.length
  return (text) => {
    let at = endAt(first, text, 0)
    // Taking the first fit of each piece in the middle leaves the most for those behind.
    for (const segment of others) {
      if (at < 0) return false
      at = endAfter(segment, text, at)
    }
    return at >= 0 && endsWith(last, text, at)
  }
}

const compiled = new Map<string, Matcher>()
const COMPILED_MAX = 256

export function like(text: string, pattern: string): boolean {
  let matcher = compiled.get(pattern)
  if (matcher === undefined) {
    matcher = compileLike(pattern)
    if (compiled.size >= COMPILED_MAX) compiled.clear()
    compiled.set(pattern, matcher)
  }
  return matcher(text)
}

/** A pattern with another escape character (or none, when empty) brought to `\`. @throws 22025 */
export function likeEscape(pattern: string, sign: string): string {
  if ([...sign].length > 1)
    throw sqlError('22025', 'invalid escape string', {
      hint: 'Escape string must be empty or one character.',
    })
  if (sign === '\\') return pattern
  let result = ''
  const all = [...pattern]
  for (let i = 0; i < all.length; i++) {
    const character = all[i] ?? ''
    if (sign !== '' && character === sign) {
      i++
      result += `\\${all[i] ?? ''}`
    } else result += character === '\\' ? '\\\\' : character
  }
  return result
}
