import { SQLSTATE, type SqlError, sqlError } from '../../errors.ts'
import { negateDecimal, parseDecimal } from '../decimal.ts'
import { isNumber, type Json, JsonNumber } from '../json.ts'
import { type Token, tokensOf } from './tokens.ts'

export type CompareSign = '==' | '!=' | '<' | '<=' | '>' | '>='
export type MathSign = '+' | '-' | '*' | '/' | '%'

/** A path of SQL/JSON as a tree. */
export type Path =
  | { readonly kind: 'root' }
  | { readonly kind: 'current' }
  | { readonly kind: 'last' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: Json }
  | { readonly kind: 'member'; readonly of: Path; readonly key: string }
  | { readonly kind: 'members'; readonly of: Path }
  | { readonly kind: 'descend'; readonly of: Path; readonly from: number; readonly to: number }
  | {
      readonly kind: 'items'
      readonly of: Path
      readonly bounds: readonly (readonly [Path, Path | null])[] | null
    }
  | { readonly kind: 'filter'; readonly of: Path; readonly test: Path }
  | { readonly kind: 'method'; readonly of: Path; readonly name: Method }
  | { readonly kind: 'datetime'; readonly of: Path; readonly template: string | null }
  | { readonly kind: 'math'; readonly sign: MathSign; readonly left: Path; readonly right: Path }
  | { readonly kind: 'negate'; readonly of: Path; readonly plus: boolean }
  | { readonly kind: 'compare'; readonly sign: CompareSign; readonly left: Path; readonly right: Path }
  | { readonly kind: 'and' | 'or'; readonly left: Path; readonly right: Path }
  | { readonly kind: 'not' | 'exists' | 'isUnknown'; readonly of: Path }
  | { readonly kind: 'startsWith'; readonly of: Path; readonly start: Path }
  | { readonly kind: 'likeRegex'; readonly of: Path; readonly pattern: string; readonly flags: string }

export interface ParsedPath {
  readonly strict: boolean
  readonly root: Path
}

export type Method = 'type' | 'size' | 'double' | 'ceiling' | 'floor' | 'abs' | 'keyvalue'

const DEPTH_MAX = 200
const methods: ReadonlySet<string> = new Set<Method>([
  'type',
  'size',
  'double',
  'ceiling',
  'floor',
  'abs',
  'keyvalue',
])

const predicates: ReadonlySet<Path['kind']> = new Set([
  'and',
  'or',
  'not',
  'exists',
  'isUnknown',
  'compare',
  'startsWith',
  'likeRegex',
])

/** What is true, false or unknown, and no sequence of values. */
export const isPredicate = (path: Path): boolean => predicates.has(path.kind)

class PathParser {
  readonly #tokens: readonly Token[]
  readonly #text: string
  #at = 0
  #depth = 0
  /** How many filters, and how many subscripts, stand around. */
  #filters = 0
  #subscript = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokensOf(text)
  }

  /** The syntax error at the token that stands here. */
  #wrong(token = this.#tokens[this.#at]): SqlError {
    return sqlError(
      SQLSTATE.syntaxError,
      token === undefined || token.near === ''
        ? 'syntax error at end of jsonpath input'
        : `syntax error at or near "${token.near}" of jsonpath input`,
    )
  }

  parse(): ParsedPath {
    if (this.#tokens.length === 0)
      throw sqlError(
        SQLSTATE.invalidTextRepresentation,
        `invalid input syntax for type jsonpath: "${this.#text}"`,
      )
    const strict = this.#takesWord('strict')
    if (!strict) this.#takesWord('lax')
    const root = this.#or()
    if (this.#at < this.#tokens.length) throw this.#wrong()
    return { strict, root }
  }

  #takes(text: string): boolean {
    const next = this.#tokens[this.#at]
    if (next?.kind !== 'sign' || next.text !== text) return false
    this.#at++
    return true
  }

  #takesWord(word: string): boolean {
    const next = this.#tokens[this.#at]
    if (next?.kind !== 'word' || next.text.toLowerCase() !== word) return false
    this.#at++
    return true
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw this.#wrong()
  }

  #or(): Path {
    if (++this.#depth > DEPTH_MAX) throw sqlError(SQLSTATE.statementTooComplex, 'stack depth limit exceeded')
    let left = this.#and()
    while (isPredicate(left) && this.#takes('||'))
      left = { kind: 'or', left, right: this.#predicate(this.#and()) }
    this.#depth--
    return left
  }

  #and(): Path {
    let left = this.#not()
    while (isPredicate(left) && this.#takes('&&'))
      left = { kind: 'and', left, right: this.#predicate(this.#not()) }
    return left
  }

  /** @throws 42601 for what is none */
  #predicate(path: Path): Path {
    if (isPredicate(path)) return path
    throw this.#wrong()
  }

  /** A condition in parentheses, or EXISTS. */
  #not(): Path {
    if (!this.#takes('!')) return this.#compare()
    const next = this.#tokens[this.#at]
    if (next?.text !== '(' && next?.text.toLowerCase() !== 'exists') throw this.#wrong()
    return { kind: 'not', of: this.#predicate(this.#primary()) }
  }

  #compare(): Path {
    const parenthesised = this.#tokens[this.#at]?.text === '('
    const left = this.#sum()
    if (isPredicate(left)) {
      if (!parenthesised || !this.#takesWord('is')) return left
      if (!this.#takesWord('unknown')) throw this.#wrong()
      return { kind: 'isUnknown', of: left }
    }
    for (const sign of ['==', '!=', '<=', '>=', '<', '>'] as const)
      if (this.#takes(sign)) return { kind: 'compare', sign, left, right: this.#value(this.#sum()) }
    if (this.#takesWord('starts')) {
      if (!this.#takesWord('with')) throw this.#wrong()
      const next = this.#tokens[this.#at]
      if (next?.kind !== 'string' && next?.kind !== 'variable') throw this.#wrong()
      return { kind: 'startsWith', of: left, start: this.#primary() }
    }
    if (this.#takesWord('like_regex')) {
      const pattern = this.#string()
      const flags = this.#takesWord('flag') ? this.#string() : ''
      return { kind: 'likeRegex', of: left, pattern, flags: checkedFlags(flags) }
    }
    return left
  }

  /** A sequence of values. @throws 42601 for a condition */
  #value(path: Path): Path {
    if (!isPredicate(path)) return path
    throw this.#wrong()
  }

  #string(): string {
    const next = this.#tokens[this.#at]
    if (next?.kind !== 'string') throw this.#wrong()
    this.#at++
    return next.text
  }

  #sum(): Path {
    let left = this.#product()
    for (;;) {
      if (isPredicate(left)) return left
      if (this.#takes('+')) left = { kind: 'math', sign: '+', left, right: this.#value(this.#product()) }
      else if (this.#takes('-')) left = { kind: 'math', sign: '-', left, right: this.#value(this.#product()) }
      else return left
    }
  }

  #product(): Path {
    let left = this.#unary()
    for (;;) {
      const sign = isPredicate(left) ? undefined : (['*', '/', '%'] as const).find((one) => this.#takes(one))
      if (sign === undefined) return left
      left = { kind: 'math', sign, left, right: this.#value(this.#unary()) }
    }
  }

  #unary(): Path {
    if (this.#takes('-')) return signed(this.#value(this.#unary()), false)
    if (this.#takes('+')) return signed(this.#value(this.#unary()), true)
    return this.#accessors(this.#primary())
  }

  #primary(): Path {
    const next = this.#tokens[this.#at]
    if (next === undefined) throw this.#wrong()
    this.#at++
    if (next.kind === 'number')
      return { kind: 'literal', value: new JsonNumber(parseDecimal(next.text) ?? next.text) }
    if (next.kind === 'string') return { kind: 'literal', value: next.text }
    if (next.kind === 'variable') return { kind: 'variable', name: next.text }
    if (next.kind === 'word') {
      if (next.text === 'true' || next.text === 'false')
        return { kind: 'literal', value: next.text === 'true' }
      if (next.text === 'null') return { kind: 'literal', value: null }
      const word = next.text.toLowerCase()
      if (word === 'last') {
        if (this.#subscript === 0)
          throw sqlError(SQLSTATE.syntaxError, 'LAST is allowed only in array subscripts')
        return { kind: 'last' }
      }
      if (word === 'exists') {
        this.#expect('(')
        const of = this.#value(this.#or())
        this.#expect(')')
        return { kind: 'exists', of }
      }
      throw this.#wrong(next)
    }
    if (next.text === '@') {
      if (this.#filters === 0) throw sqlError(SQLSTATE.syntaxError, '@ is not allowed in root expressions')
      return { kind: 'current' }
    }
    if (next.text === '(') {
      const inner = this.#or()
      this.#expect(')')
      return inner
    }
    if (next.text !== '$') throw this.#wrong(next)
    return { kind: 'root' }
  }

  #accessors(start: Path): Path {
    let of = start
    for (;;) {
      if (this.#takes('.')) of = this.#dotted(of)
      else if (this.#takes('[')) of = this.#subscripts(of)
      else if (this.#takes('?')) {
        this.#expect('(')
        this.#filters++
        of = { kind: 'filter', of, test: this.#predicate(this.#or()) }
        this.#filters--
        this.#expect(')')
      } else return of
    }
  }

  #dotted(of: Path): Path {
    if (this.#takes('**')) {
      if (!this.#takes('{')) return { kind: 'descend', of, from: 0, to: Number.POSITIVE_INFINITY }
      const from = this.#level()
      const to = this.#takesWord('to') ? this.#level() : from
      this.#expect('}')
      return { kind: 'descend', of, from, to }
    }
    if (this.#takes('*')) return { kind: 'members', of }
    const next = this.#tokens[this.#at]
    if (next?.kind !== 'word' && next?.kind !== 'string') throw this.#wrong()
    this.#at++
    const word = next.kind === 'word' ? next.text.toLowerCase() : ''
    if (word === 'datetime' && this.#takes('(')) {
      const template = this.#takes(')') ? null : this.#string()
      if (template !== null) this.#expect(')')
      return { kind: 'datetime', of, template }
    }
    if (methods.has(word) && this.#takes('(')) {
      this.#expect(')')
      return { kind: 'method', of, name: word as Method }
    }
    return { kind: 'member', of, key: next.text }
  }

  #level(): number {
    if (this.#takesWord('last')) return Number.POSITIVE_INFINITY
    const next = this.#tokens[this.#at]
    if (next?.kind !== 'number' || !/^\d+$/.test(next.text)) throw this.#wrong()
    this.#at++
    return Number(next.text)
  }

  #subscripts(of: Path): Path {
    if (this.#takes('*')) {
      this.#expect(']')
      return { kind: 'items', of, bounds: null }
    }
    const bounds: (readonly [Path, Path | null])[] = []
    this.#subscript++
    do {
      const from = this.#value(this.#sum())
      bounds.push([from, this.#takesWord('to') ? this.#value(this.#sum()) : null])
    } while (this.#takes(','))
    this.#subscript--
    this.#expect(']')
    return { kind: 'items', of, bounds }
  }
}

/** @throws 42601, 0A000 */
/** A sign before a number is part of it. */
function signed(of: Path, plus: boolean): Path {
  if (of.kind !== 'literal' || !isNumber(of.value)) return { kind: 'negate', of, plus }
  return plus ? of : { kind: 'literal', value: new JsonNumber(negateDecimal(of.value.text)) }
}

function checkedFlags(flags: string): string {
  for (const flag of flags)
    if (!'ismxq'.includes(flag))
      throw sqlError(SQLSTATE.syntaxError, 'invalid input syntax for type jsonpath', {
        detail: `Unrecognized flag character "${flag}" in LIKE_REGEX predicate.`,
      })
  if (flags.includes('x') && !flags.includes('q'))
    throw sqlError(
      SQLSTATE.featureNotSupported,
      'XQuery "x" flag (expanded regular expressions) is not implemented',
    )
  return [...'ismxq'].filter((flag) => flags.includes(flag)).join('')
}

const known = new Map<string, ParsedPath>()
const KNOWN_MAX = 256

/** Reads a path; the last ones are kept. @throws 42601, 22P02 */
export function parsePath(text: string): ParsedPath {
  let path = known.get(text)
  if (path === undefined) {
    path = new PathParser(text).parse()
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(text, path)
  }
  return path
}
