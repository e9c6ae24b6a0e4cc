import { sqlError } from '../../../errors.ts'

/** What one character must be. */
export interface CharacterSet {
  readonly ranges: readonly (readonly [from: number, to: number])[]
  readonly tests: readonly ((sign: string) => boolean)[]
  readonly negated: boolean
}

export type Assertion =
  | 'start'
  | 'end'
  | 'lineStart'
  | 'lineEnd'
  | 'word'
  | 'notWord'
  | 'wordStart'
  | 'wordEnd'

/** A regular expression as a tree. */
export type RegexNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly options: readonly RegexNode[] }
  | {
      readonly kind: 'repeat'
      readonly part: RegexNode
      readonly least: number
      /** Null: as often as it likes. */
      readonly most: number | null
      readonly greedy: boolean
      /** Written as `{m}`: it has no preference of its own. */
      readonly fixed: boolean
    }
  | { readonly kind: 'group'; readonly part: RegexNode; readonly index: number | null }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'look'; readonly part: RegexNode; readonly behind: boolean; readonly negated: boolean }
  | { readonly kind: 'back'; readonly index: number }

export interface Regex {
  readonly root: RegexNode
  /** Groups in parentheses that capture. */
  readonly groups: number
  readonly ignoreCase: boolean
  readonly hasBack: boolean
}

export interface RegexFlags {
  readonly ignoreCase: boolean
  /** `.` and negated sets do not take a line's end. */
  readonly lineSets: boolean
  /** `^` and `$` match at lines. */
  readonly lineAnchors: boolean
  readonly expanded: boolean
  readonly literal: boolean
}

/** PostgreSQL's bound of a repetition. */
const REPEAT_MAX = 255
const DEPTH_MAX = 200

export const invalid = (why: string) => sqlError('2201B', `invalid regular expression: ${why}`)

const classes: Readonly<Record<string, (sign: string) => boolean>> = {
  alpha: (sign) => /\p{L}/u.test(sign),
  digit: (sign) => /[0-9]/.test(sign) || /\p{Nd}/u.test(sign),
  alnum: (sign) => /[\p{L}\p{Nd}]/u.test(sign),
  upper: (sign) => /\p{Lu}/u.test(sign),
  lower: (sign) => /\p{Ll}/u.test(sign),
  space: (sign) => /[\s\v]/.test(sign),
  blank: (sign) => sign === ' ' || sign === '\t',
  punct: (sign) => /[!-/:-@[-`{-~]|\p{P}/u.test(sign),
  cntrl: (sign) => /\p{Cc}/u.test(sign),
  graph: (sign) => /[^\s\p{Cc}]/u.test(sign),
  print: (sign) => /[^\p{Cc}]/u.test(sign),
  xdigit: (sign) => /[0-9a-fA-F]/.test(sign),
  word: (sign) => isWord(sign),
}

export const isWord = (sign: string): boolean => /[\p{L}\p{Nd}_]/u.test(sign)

const NEWLINE: readonly (readonly [number, number])[] = [[10, 10]]

const setOf = (
  ranges: CharacterSet['ranges'],
  tests: CharacterSet['tests'] = [],
  negated = false,
): CharacterSet => ({ ranges, tests, negated })

const one = (code: number): RegexNode => ({ kind: 'set', set: setOf([[code, code]]) })

const escapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  B: 92,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '0': 0,
}

const assertions: Readonly<Record<string, Assertion>> = {
  A: 'start',
  Z: 'end',
  m: 'wordStart',
  M: 'wordEnd',
  y: 'word',
  Y: 'notWord',
}

class Parser {
  readonly #signs: readonly string[]
  #flags: RegexFlags
  #at = 0
  #groups = 0
  #depth = 0
  #hasBack = false

  constructor(pattern: string, flags: RegexFlags) {
    this.#signs = [...pattern]
    this.#flags = flags
  }

  parse(): Regex {
    if (this.#takes('***=')) this.#flags = { ...this.#flags, literal: true }
    else if (this.#takes('***:')) this.#flags = { ...this.#flags, literal: false }
    if (!this.#flags.literal) this.#embedded()
    const root = this.#flags.literal ? this.#literal() : this.#choice()
    if (this.#at < this.#signs.length) throw invalid('parentheses () not balanced')
    return { root, groups: this.#groups, ignoreCase: this.#flags.ignoreCase, hasBack: this.#hasBack }
  }

  /** `(?i)` and its like, at the very start. */
  #embedded(): void {
    const match = /^\(\?([a-z]+)\)/.exec(this.#signs.slice(0, 20).join(''))
    if (match === null) return
    this.#at += match[0].length
    this.#flags = readFlags(match[1] ?? '', this.#flags).flags
  }

  #takes(text: string): boolean {
    const found = [...text].every((sign, i) => this.#signs[this.#at + i] === sign)
    if (found) this.#at += text.length
    return found
  }

  #peek(ahead = 0): string {
    return this.#signs[this.#at + ahead] ?? ''
  }

  #literal(): RegexNode {
    const parts = this.#signs.slice(this.#at).map((sign) => one(sign.codePointAt(0) ?? 0))
    this.#at = this.#signs.length
    return { kind: 'sequence', parts }
  }

  #choice(): RegexNode {
    if (++this.#depth > DEPTH_MAX) throw invalid('regular expression is too complex')
    const options = [this.#sequence()]
    while (this.#takes('|')) options.push(this.#sequence())
    this.#depth--
    return options.length === 1 ? (options[0] as RegexNode) : { kind: 'choice', options }
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = []
    for (;;) {
      if (this.#flags.expanded) this.#skip()
      const sign = this.#peek()
      if (sign === '' || sign === '|' || sign === ')') break
      parts.push(this.#repeated(this.#atom()))
    }
    return parts.length === 1 ? (parts[0] as RegexNode) : { kind: 'sequence', parts }
  }

  /** White space and comments of the expanded syntax. */
  #skip(): void {
    for (;;) {
      if (/\s/.test(this.#peek())) this.#at++
      else if (this.#peek() === '#') while (this.#peek() !== '' && this.#peek() !== '\n') this.#at++
      else return
    }
  }

  #repeated(part: RegexNode): RegexNode {
    let least = 0
    let most: number | null = null
    let fixed = false
    const sign = this.#peek()
    if (sign === '*') this.#at++
    else if (sign === '+') {
      least = 1
      this.#at++
    } else if (sign === '?') {
      most = 1
      this.#at++
    } else if (sign === '{' && /\d/.test(this.#peek(1))) {
      const match = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#signs.slice(this.#at, this.#at + 12).join(''))
      if (match === null) throw invalid('invalid repetition count(s)')
      least = Number(match[1])
      fixed = match[2] === undefined
      most = match[2] === undefined ? least : match[3] === '' ? null : Number(match[3])
      if (least > REPEAT_MAX || (most !== null && (most > REPEAT_MAX || most < least)))
        throw invalid('invalid repetition count(s)')
      this.#at += match[0].length
    } else return part
    if (part.kind === 'assert' || part.kind === 'look') throw invalid('quantifier operand invalid')
    const greedy = !this.#takes('?')
    if (['*', '+', '?'].includes(this.#peek()) || (this.#peek() === '{' && /\d/.test(this.#peek(1))))
      throw invalid('quantifier operand invalid')
    return { kind: 'repeat', part, least, most, greedy, fixed }
  }

  #atom(): RegexNode {
    const sign = this.#peek()
    this.#at++
    switch (sign) {
      case '(':
        return this.#group()
      case '[':
        return this.#brackets()
      case '.':
        return { kind: 'set', set: setOf(this.#flags.lineSets ? NEWLINE : [], [], true) }
      case '^':
        return { kind: 'assert', assertion: this.#flags.lineAnchors ? 'lineStart' : 'start' }
      case '$':
        return { kind: 'assert', assertion: this.#flags.lineAnchors ? 'lineEnd' : 'end' }
      case '\\':
        return this.#escape()
      case '*':
      case '+':
      case '?':
        throw invalid('quantifier operand invalid')
      case '{':
        if (/\d/.test(this.#peek())) throw invalid('quantifier operand invalid')
    }
    return one(sign.codePointAt(0) ?? 0)
  }

  #group(): RegexNode {
    if (this.#peek() === '?') return this.#special()
    const index = ++this.#groups
    const part = this.#choice()
    if (!this.#takes(')')) throw invalid('parentheses () not balanced')
    return { kind: 'group', part, index }
  }

  /** `(?:…)`, `(?=…)`, `(?!…)`, `(?<=…)`, `(?<!…)`, `(?#…)`. */
  #special(): RegexNode {
    this.#at++
    if (this.#takes('#')) {
      while (this.#peek() !== ')' && this.#peek() !== '') this.#at++
      this.#at++
      return { kind: 'sequence', parts: [] }
    }
    const behind = this.#takes('<')
    const sign = this.#peek()
    this.#at++
    const plain = sign === ':' && !behind
    if (!plain && sign !== '=' && sign !== '!') throw invalid('invalid embedded option')
    const before = this.#groups
    const part = this.#choice()
    // Nothing is captured by what only looks.
    if (!plain) this.#groups = before
    if (!this.#takes(')')) throw invalid('parentheses () not balanced')
    return plain
      ? { kind: 'group', part, index: null }
      : { kind: 'look', part, behind, negated: sign === '!' }
  }

  #escape(): RegexNode {
    const sign = this.#peek()
    if (sign === '') throw invalid('invalid escape \\ sequence')
    this.#at++
    const assertion = assertions[sign]
    if (assertion !== undefined) return { kind: 'assert', assertion }
    const shorthand = this.#shorthand(sign)
    if (shorthand !== null) return { kind: 'set', set: shorthand }
    if (/[1-9]/.test(sign)) {
      let digits = sign
      while (/\d/.test(this.#peek()) && Number(digits + this.#peek()) <= this.#groups) {
        digits += this.#peek()
        this.#at++
      }
      if (Number(digits) > this.#groups) throw invalid('invalid backreference number')
      this.#hasBack = true
      return { kind: 'back', index: Number(digits) }
    }
    return one(this.#code(sign))
  }

  #shorthand(sign: string): CharacterSet | null {
    const name = { d: 'digit', s: 'space', w: 'word' }[sign.toLowerCase()]
    const test = name === undefined ? undefined : classes[name]
    if (test === undefined || !/[dswDSW]/.test(sign)) return null
    return setOf([], [test], sign !== sign.toLowerCase())
  }

  /** The character that an escape stands for. */
  #code(sign: string): number {
    const wide = { x: 8, u: 4, U: 8 }[sign]
    if (wide !== undefined) {
      const match = /^[0-9a-fA-F]+/.exec(this.#signs.slice(this.#at, this.#at + wide).join(''))
      if (match === null || (sign !== 'x' && match[0].length < wide))
        throw invalid('invalid escape \\ sequence')
      this.#at += match[0].length
      return Number.parseInt(match[0], 16)
    }
    if (sign === 'c') {
      const next = this.#peek()
      this.#at++
      return (next.codePointAt(0) ?? 0) & 31
    }
    const simple = escapes[sign]
    if (simple !== undefined) return simple
    if (/[A-Za-z0-9]/.test(sign)) throw invalid('invalid escape \\ sequence')
    return sign.codePointAt(0) ?? 0
  }

  #brackets(): RegexNode {
    const rest = this.#signs.slice(this.#at, this.#at + 6).join('')
    if (rest.startsWith('[:<:]]') || rest.startsWith('[:>:]]')) {
      this.#at += 6
      return { kind: 'assert', assertion: rest[2] === '<' ? 'wordStart' : 'wordEnd' }
    }
    const negated = this.#takes('^')
    const ranges: (readonly [number, number])[] = []
    const tests: ((sign: string) => boolean)[] = []
    let first = true
    for (;;) {
      if (this.#peek() === '') throw invalid('brackets [] not balanced')
      if (this.#peek() === ']' && !first) break
      first = false
      this.#member(ranges, tests)
    }
    this.#at++
    if (negated && this.#flags.lineSets) ranges.push([10, 10])
    return { kind: 'set', set: setOf(ranges, tests, negated) }
  }

  #member(ranges: (readonly [number, number])[], tests: ((sign: string) => boolean)[]): void {
    const from = this.#element(tests)
    if (from === null) return
    if (this.#peek() !== '-' || this.#peek(1) === ']' || this.#peek(1) === '') {
      ranges.push([from, from])
      return
    }
    this.#at++
    const to = this.#element(tests)
    if (to === null || to < from) throw invalid('invalid character range')
    ranges.push([from, to])
  }

  /** One character of a set; null when it was a class, which went to the tests. */
  #element(tests: ((sign: string) => boolean)[]): number | null {
    const sign = this.#peek()
    this.#at++
    if (sign === '[' && [':', '.', '='].includes(this.#peek())) {
      const kind = this.#peek()
      const end = this.#signs.indexOf(']', this.#at)
      const name = this.#signs.slice(this.#at + 1, end - 1).join('')
      if (end < 0 || this.#signs[end - 1] !== kind) throw invalid('brackets [] not balanced')
      this.#at = end + 1
      if (kind !== ':') return name.codePointAt(0) ?? 0
      const test = classes[name]
      if (test === undefined) throw invalid('invalid character class')
      tests.push(test)
      return null
    }
    if (sign !== '\\') return sign.codePointAt(0) ?? 0
    const next = this.#peek()
    this.#at++
    const shorthand = this.#shorthand(next)
    if (shorthand === null) return this.#code(next)
    tests.push(...shorthand.tests.map((test) => (shorthand.negated ? (one: string) => !test(one) : test)))
    return null
  }
}

const plain: RegexFlags = {
  ignoreCase: false,
  lineSets: false,
  lineAnchors: false,
  expanded: false,
  literal: false,
}

/**
 * Reads the letters of a flags argument.
 * @returns `global` for `g`
 * @throws 22023
 */
export function readFlags(
  letters: string,
  base: RegexFlags = plain,
): { readonly flags: RegexFlags; readonly global: boolean } {
  let flags = base
  let global = false
  for (const letter of letters) {
    if (letter === 'g') global = true
    else if (letter === 'i') flags = { ...flags, ignoreCase: true }
    else if (letter === 'c') flags = { ...flags, ignoreCase: false }
    else if (letter === 'n' || letter === 'm') flags = { ...flags, lineSets: true, lineAnchors: true }
    else if (letter === 'p') flags = { ...flags, lineSets: true, lineAnchors: false }
    else if (letter === 'w') flags = { ...flags, lineSets: false, lineAnchors: true }
    else if (letter === 's') flags = { ...flags, lineSets: false, lineAnchors: false }
    else if (letter === 'x') flags = { ...flags, expanded: true }
    else if (letter === 't') flags = { ...flags, expanded: false }
    else if (letter === 'q') flags = { ...flags, literal: true }
    else if (letter !== 'e' && letter !== 'b')
      throw sqlError('22023', `invalid regular expression option: "${letter}"`)
  }
  return { flags, global }
}

/** Reads an advanced regular expression of POSIX and Tcl. @throws 2201B */
export const parseRegex = (pattern: string, flags: RegexFlags): Regex => new Parser(pattern, flags).parse()
