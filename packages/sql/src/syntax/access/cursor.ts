import type { SqlError } from '../../errors.ts'
import type { Identifier, QualifiedName, Span } from '../ast.ts'
import { endsTooSoon, syntaxErrorNear, type Token } from '../scanner.ts'
import {
  Comma,
  Dot,
  Identifier as IdentifierToken,
  keywordTokens,
  Minus,
  NumberLiteral,
  StringLiteral,
} from '../tokens.ts'

/**
 * Reads a statement word by word. PostgreSQL keeps none of the words of roles and privileges (LOGIN, PASSWORD, ADMIN, …)
 * reserved, so they are names everywhere else; here they count by their text.
 */
export class Cursor {
  readonly #source: string
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(source: string, tokens: readonly Token[]) {
    this.#source = source
    this.#tokens = tokens
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length
  }

  /** Where everything that was read so far stands. */
  get span(): Span {
    const first = this.#tokens[0]
    const last = this.#tokens[Math.max(0, this.#at - 1)]
    return { start: first?.startOffset ?? 0, end: last?.end ?? 0 }
  }

  #word(at: number): string | null {
    const token = this.#tokens[at]
    if (token === undefined || token.image.startsWith('"')) return null
    return token.tokenType === IdentifierToken || keywordTokens.has(token.value) ? token.value : null
  }

  /** True when these words come next, without quotes. */
  sees(...words: readonly string[]): boolean {
    return words.every((word, i) => this.#word(this.#at + i) === word)
  }

  /** True when these words come somewhere behind. */
  seesAhead(...words: readonly string[]): boolean {
    return this.#tokens.some(
      (_, at) => at >= this.#at && words.every((word, i) => this.#word(at + i) === word),
    )
  }

  /** The text of all that is left, which is read by that. */
  rest(): string {
    const first = this.#tokens[this.#at]
    this.#at = this.#tokens.length
    return first === undefined ? '' : this.#source.slice(first.startOffset, this.span.end)
  }

  /** True when the word stands behind so many others. */
  seesBehind(count: number, word: string): boolean {
    return this.#word(this.#at + count) === word
  }

  /** True when these words stand before the last name of the statement. */
  endsLike(...words: readonly string[]): boolean {
    const start = this.#tokens.length - 1 - words.length
    return words.every((word, i) => this.#word(start + i) === word)
  }

  /** Reads the words if they come next. */
  skip(...words: readonly string[]): boolean {
    if (!this.sees(...words)) return false
    this.#at += words.length
    return true
  }

  /** @throws 42601 */
  need(...words: readonly string[]): void {
    for (const word of words) if (!this.skip(word)) throw this.unexpected()
  }

  /** The one of these words that comes next. @throws 42601 */
  oneOf<const Word extends string>(...words: readonly Word[]): Word {
    const found = words.find((word) => this.skip(word))
    if (found === undefined) throw this.unexpected()
    return found
  }

  /** Reads a sign such as a comma or a parenthesis if it comes next. */
  sign(text: string): boolean {
    if (this.#tokens[this.#at]?.image !== text) return false
    this.#at++
    return true
  }

  needSign(text: string): void {
    if (!this.sign(text)) throw this.unexpected()
  }

  /** A name; words of the grammar may be names here unless they are reserved everywhere. @throws 42601 */
  name(reserved: ReadonlySet<string> = RESERVED): Identifier {
    const token = this.#tokens[this.#at]
    const word = this.#word(this.#at)
    const quoted = token?.tokenType === IdentifierToken && word === null
    if (token === undefined || !(quoted || (word !== null && !reserved.has(word)))) throw this.unexpected()
    this.#at++
    return { kind: 'identifier', name: token.value, span: { start: token.startOffset, end: token.end } }
  }

  /** True when a name comes next. */
  get seesName(): boolean {
    const token = this.#tokens[this.#at]
    const word = this.#word(this.#at)
    return token?.tokenType === IdentifierToken || (word !== null && !RESERVED.has(word))
  }

  /** A name or any word of the grammar. @throws 42601 */
  anyName(): Identifier {
    return this.name(NOTHING)
  }

  qualifiedName(): QualifiedName {
    const parts = [this.name()]
    while (this.#tokens[this.#at]?.tokenType === Dot) {
      this.#at++
      parts.push(this.anyName())
    }
    const end = parts.at(-1)?.span.end ?? 0
    return { kind: 'name', parts, span: { start: parts[0]?.span.start ?? 0, end } }
  }

  /** @throws 42601 */
  string(): string {
    const token = this.#tokens[this.#at]
    if (token?.tokenType !== StringLiteral) throw this.unexpected()
    this.#at++
    return token.value
  }

  get seesString(): boolean {
    return this.#tokens[this.#at]?.tokenType === StringLiteral
  }

  /** What a setting may be set to: a text, a word, or a number. @throws 42601 */
  settingValue(): string {
    if (this.seesString) return this.string()
    const negative = this.sign('-')
    const token = this.#tokens[this.#at]
    if (token?.tokenType !== NumberLiteral) {
      if (negative) throw this.unexpected()
      return this.anyName().name
    }
    this.#at++
    return negative ? `-${token.value}` : token.value
  }

  /** A whole number, with a sign if there is one. @throws 42601 */
  integer(): number {
    const negative = this.#tokens[this.#at]?.tokenType === Minus
    const token = this.#tokens[this.#at + (negative ? 1 : 0)]
    if (token?.tokenType !== NumberLiteral || !/^\d{1,10}$/.test(token.value)) throw this.unexpected()
    this.#at += negative ? 2 : 1
    return negative ? -Number(token.value) : Number(token.value)
  }

  /** One or more, with commas between. */
  list<T>(read: () => T): readonly T[] {
    const found = [read()]
    while (this.#tokens[this.#at]?.tokenType === Comma) {
      this.#at++
      found.push(read())
    }
    return found
  }

  /** Leaves out everything up to the parenthesis that closes the one that comes next. */
  skipParentheses(): void {
    if (!this.sign('(')) return
    for (let depth = 1; depth > 0; this.#at++) {
      const image = this.#tokens[this.#at]?.image
      if (image === undefined) throw this.unexpected()
      if (image === '(') depth++
      if (image === ')') depth--
    }
  }

  /** 42601 at what comes next. */
  unexpected(): SqlError {
    const token = this.#tokens[this.#at]
    if (token !== undefined) return syntaxErrorNear(this.#source, token.startOffset, token.end)
    return endsTooSoon(this.#source, this.#tokens.at(-1)?.end ?? this.#source.length)
  }
}

const NOTHING: ReadonlySet<string> = new Set()

/** Names that PostgreSQL takes only in quotes. */
const RESERVED: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create default
   deferrable desc distinct do else end except false fetch for foreign from grant group having in initially intersect into
   lateral leading limit not null offset on only or order placing primary references returning select some symmetric table
   then to trailing true union unique using variadic when where window with user current_user session_user current_role`.split(
    /\s+/,
  ),
)
