import { SQLSTATE, type SqlError, sqlError } from '../../../errors.ts'
import { parseDecimal } from '../../../types/decimal.ts'
import { type Json, JsonNumber } from '../../../types/json.ts'

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
  | { readonly kind: 'method'; readonly of: Path; readonly name: string }
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

const token =
  /\s*(?:(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)|"((?:[^"\\]|\\.)*)"|(\*\*|==|!=|<>|<=|>=|&&|\|\||[$@.*[\](),?<>!+\-/%{}])|([\p{L}_][\p{L}\p{N}_]*))/uy

interface Token {
  readonly kind: 'number' | 'string' | 'sign' | 'word'
  readonly text: string
}

const DEPTH_MAX = 200
const methods = new Set(['type', 'size', 'double', 'ceiling', 'floor', 'abs', 'keyvalue'])

class PathParser {
  readonly #tokens: Token[] = []
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
    let at = 0
    const { length } = text.trimEnd()
    while (at < length) {
      token.lastIndex = at
      const match = token.exec(text)
      if (match === null) throw this.#wrong(text.slice(at).trim().slice(0, 1))
      at = token.lastIndex
      const [, number, string, sign, word] = match
      if (number !== undefined) this.#tokens.push({ kind: 'number', text: number })
      else if (string !== undefined) this.#tokens.push({ kind: 'string', text: unescaped(string) })
      else if (sign !== undefined) this.#tokens.push({ kind: 'sign', text: sign === '<>' ? '!=' : sign })
      else this.#tokens.push({ kind: 'word', text: word ?? '' })
    }
  }

  #wrong(near: string | undefined): SqlError {
    return sqlError(
      SQLSTATE.syntaxError,
      near === undefined || near === ''
        ? 'syntax error at end of jsonpath input'
        : `syntax error at or near "${near}" of jsonpath input`,
    )
  }

  parse(): ParsedPath {
    if (this.#text.trim() === '')
      throw sqlError(
        SQLSTATE.invalidTextRepresentation,
        `invalid input syntax for type jsonpath: "${this.#text}"`,
      )
    const strict = this.#takesWord('strict')
    if (!strict) this.#takesWord('lax')
    const root = this.#or()
    const rest = this.#tokens[this.#at]
    if (rest !== undefined) throw this.#wrong(rest.text)
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
    if (next?.kind !== 'word' || next.text !== word) return false
    this.#at++
    return true
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw this.#wrong(this.#tokens[this.#at]?.text)
  }

  #or(): Path {
    if (++this.#depth > DEPTH_MAX) throw sqlError(SQLSTATE.statementTooComplex, 'stack depth limit exceeded')
    let left = this.#and()
    while (this.#takes('||')) left = { kind: 'or', left, right: this.#and() }
    this.#depth--
    return left
  }

  #and(): Path {
    let left = this.#not()
    while (this.#takes('&&')) left = { kind: 'and', left, right: this.#not() }
    return left
  }

  #not(): Path {
    if (this.#takes('!')) return { kind: 'not', of: this.#not() }
    return this.#compare()
  }

  #compare(): Path {
    const left = this.#sum()
    for (const sign of ['==', '!=', '<=', '>=', '<', '>'] as const)
      if (this.#takes(sign)) return { kind: 'compare', sign, left, right: this.#sum() }
    if (this.#takesWord('starts')) {
      if (!this.#takesWord('with')) throw this.#wrong(this.#tokens[this.#at]?.text)
      return { kind: 'startsWith', of: left, start: this.#sum() }
    }
    if (this.#takesWord('like_regex')) {
      const pattern = this.#string()
      const flags = this.#takesWord('flag') ? this.#string() : ''
      return { kind: 'likeRegex', of: left, pattern, flags }
    }
    if (this.#takesWord('is')) {
      if (!this.#takesWord('unknown')) throw this.#wrong(this.#tokens[this.#at]?.text)
      return { kind: 'isUnknown', of: left }
    }
    return left
  }

  #string(): string {
    const next = this.#tokens[this.#at]
    if (next?.kind !== 'string') throw this.#wrong(next?.text)
    this.#at++
    return next.text
  }

  #sum(): Path {
    let left = this.#product()
    for (;;) {
      if (this.#takes('+')) left = { kind: 'math', sign: '+', left, right: this.#product() }
      else if (this.#takes('-')) left = { kind: 'math', sign: '-', left, right: this.#product() }
      else return left
    }
  }

  #product(): Path {
    let left = this.#unary()
    for (;;) {
      const sign = (['*', '/', '%'] as const).find((one) => this.#takes(one))
      if (sign === undefined) return left
      left = { kind: 'math', sign, left, right: this.#unary() }
    }
  }

  #unary(): Path {
    if (this.#takes('-')) return { kind: 'negate', of: this.#unary(), plus: false }
    if (this.#takes('+')) return { kind: 'negate', of: this.#unary(), plus: true }
    return this.#accessors(this.#primary())
  }

  #primary(): Path {
    const next = this.#tokens[this.#at]
    if (next === undefined) throw this.#wrong(undefined)
    this.#at++
    if (next.kind === 'number')
      return { kind: 'literal', value: new JsonNumber(parseDecimal(next.text) ?? next.text) }
    if (next.kind === 'string') return { kind: 'literal', value: next.text }
    if (next.kind === 'word') {
      if (next.text === 'true' || next.text === 'false')
        return { kind: 'literal', value: next.text === 'true' }
      if (next.text === 'null') return { kind: 'literal', value: null }
      if (next.text === 'last') return { kind: 'last' }
      if (next.text === 'exists') {
        this.#expect('(')
        const of = this.#or()
        this.#expect(')')
        return { kind: 'exists', of }
      }
      throw this.#wrong(next.text)
    }
    if (next.text === '@') return { kind: 'current' }
    if (next.text === '(') {
      const inner = this.#or()
      this.#expect(')')
      return inner
    }
    if (next.text !== '$') throw this.#wrong(next.text)
    const name = this.#tokens[this.#at]
    // `$name` is one word in the source, `$ .name` is not a variable.
    if (name === undefined || (name.kind !== 'word' && name.kind !== 'string') || isKeyword(name))
      return { kind: 'root' }
    this.#at++
    return { kind: 'variable', name: name.text }
  }

  #accessors(start: Path): Path {
    let of = start
    for (;;) {
      if (this.#takes('.')) of = this.#dotted(of)
      else if (this.#takes('[')) of = this.#subscripts(of)
      else if (this.#takes('?')) {
        this.#expect('(')
        of = { kind: 'filter', of, test: this.#or() }
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
    if (next?.kind !== 'word' && next?.kind !== 'string') throw this.#wrong(next?.text)
    this.#at++
    if (next.kind === 'word' && methods.has(next.text) && this.#takes('(')) {
      this.#expect(')')
      return { kind: 'method', of, name: next.text }
    }
    return { kind: 'member', of, key: next.text }
  }

  #level(): number {
    if (this.#takesWord('last')) return Number.POSITIVE_INFINITY
    const next = this.#tokens[this.#at++]
    if (next?.kind !== 'number') throw this.#wrong(next?.text)
    return Number(next.text)
  }

  #subscripts(of: Path): Path {
    if (this.#takes('*')) {
      this.#expect(']')
      return { kind: 'items', of, bounds: null }
    }
    const bounds: (readonly [Path, Path | null])[] = []
    do {
      const from = this.#sum()
      bounds.push([from, this.#takesWord('to') ? this.#sum() : null])
    } while (this.#takes(','))
    this.#expect(']')
    return { kind: 'items', of, bounds }
  }
}

const isKeyword = ({ kind, text }: Token): boolean =>
  kind === 'word' && ['starts', 'like_regex', 'is', 'to', 'with', 'flag'].includes(text)

const unescaped = (text: string): string => (text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text)

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
