import type { IToken, TokenType } from 'chevrotain'
import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import { closingQuote, dollarQuoted, escapeClause, escapedString, unicodeEscaped } from './strings.ts'
import {
  BitLiteral,
  Colon,
  Comma,
  Dot,
  DoubleColon,
  Equals,
  FreeOperator,
  Identifier,
  keywordTokens,
  LBracket,
  LParen,
  Minus,
  NumberLiteral,
  Operator,
  Parameter,
  Plus,
  RBracket,
  RParen,
  Semicolon,
  Star,
  Stray,
  StringLiteral,
} from './tokens.ts'

/** A token with what it stands for: the folded name of a word, the value of a string, the text of a number. */
export interface Token extends IToken {
  /** Behind the last character. */
  readonly end: number
  readonly value: string
  endOffset: number
}

/** The offset as PostgreSQL counts a position: in characters (code points), from 1. */
export function positionAt(source: string, offset: number): number {
  let position = 1
  for (let i = 0; i < offset && i < source.length; i++) {
    const unit = source.charCodeAt(i)
    if (unit < 0xdc00 || unit > 0xdfff) position++
  }
  return position
}

/** A syntax error that quotes the source from `start` to `end`. */
export function syntaxErrorNear(source: string, start: number, end: number, what = 'syntax error'): SqlError {
  return sqlError(SQLSTATE.syntaxError, `${what} at or near "${source.slice(start, end)}"`, {
    position: positionAt(source, start),
  })
}

/** The error of a statement that ends too soon, behind its last token. */
export function endsTooSoon(source: string, end: number): SqlError {
  const semicolon = /^\s*;/.exec(source.slice(end))
  if (semicolon !== null) {
    const at = end + semicolon[0].length - 1
    return syntaxErrorNear(source, at, at + 1)
  }
  return sqlError(SQLSTATE.syntaxError, 'syntax error at end of input', {
    position: positionAt(source, source.length),
  })
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57
const isWordStart = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128
const isWordPart = (code: number): boolean => isWordStart(code) || isDigit(code) || code === 36
const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13)
const isOperator = (code: number): boolean => operatorCodes[code] === 1

const operatorCodes = new Uint8Array(128)
for (const sign of '~!@#^&|`?+-*/%<>=') operatorCodes[sign.charCodeAt(0)] = 1

const punctuation: Readonly<Record<string, TokenType>> = {
  '(': LParen,
  ')': RParen,
  '[': LBracket,
  ']': RBracket,
  ',': Comma,
  ';': Semicolon,
  ':': Colon,
  '.': Dot,
}

const namedOperators: Readonly<Record<string, TokenType>> = {
  '+': Plus,
  '-': Minus,
  '*': Star,
  '=': Equals,
}
const infixOnly = new Set(['/', '%', '^', '<', '>', '<=', '>=', '<>', '!='])

/** Folds as PostgreSQL does: the letters A to Z only. */
const fold = (word: string): string =>
  /[A-Z]/.test(word) ? word.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : word

const NAME_BYTES_MAX = 63

/** Longer names count by what they begin with, as in PostgreSQL, wherever they stand. */
function cutName(name: string): string {
  // Most are short enough whatever they are made of.
  if (name.length * 3 <= NAME_BYTES_MAX) return name
  let bytes = 0
  let end = 0
  for (const sign of name) {
    const code = sign.codePointAt(0) as number
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (bytes > NAME_BYTES_MAX) return name.slice(0, end)
    end += sign.length
  }
  return name
}

/**
 * Cuts a source into tokens by PostgreSQL's rules. White space and comments are dropped, adjacent strings
 * (with a line end between) joined.
 * @throws 42601 for an unterminated string, name or comment, and for junk behind a number
 */
export function scan(source: string): Token[] {
  const tokens: Token[] = []
  const { length } = source
  const push = (tokenType: TokenType, start: number, end: number, value: string): void => {
    tokens.push({
      image: source.slice(start, end),
      startOffset: start,
      endOffset: end - 1,
      tokenType,
      tokenTypeIdx: tokenType.tokenTypeIdx ?? 0,
      end,
      value: tokenType === Identifier ? cutName(value) : value,
    })
  }
  const string = (start: number, open: number, escapes: boolean): number => {
    // `open` is where the quote stands.
    let value = ''
    let at = open
    for (;;) {
      const close = closingQuote(source, at + 1, "'", escapes)
      if (close < 0) throw syntaxErrorNear(source, start, length, 'unterminated quoted string')
      const raw = source.slice(at + 1, close)
      value += escapes ? escapedString(raw, source, at + 1) : raw.replaceAll("''", "'")
      const next = continuation(source, close + 1)
      if (next < 0) {
        push(StringLiteral, start, close + 1, value)
        return close + 1
      }
      at = next
    }
  }

  let at = 0
  while (at < length) {
    const code = source.charCodeAt(at)
    if (isSpace(code)) {
      at++
      continue
    }
    const start = at
    if (isWordStart(code)) {
      if ((code === 69 || code === 101) && source[at + 1] === "'") {
        at = string(start, at + 1, true)
        continue
      }
      if ((code === 85 || code === 117) && /^&['"]$/.test(source.slice(at + 1, at + 3))) {
        const quote = source.charAt(at + 2)
        const close = closingQuote(source, at + 3, quote, false)
        if (close < 0)
          throw syntaxErrorNear(
            source,
            start,
            length,
            `unterminated quoted ${quote === '"' ? 'identifier' : 'string'}`,
          )
        const raw = source.slice(at + 3, close).replaceAll(quote + quote, quote)
        const clause = escapeClause(source, close + 1)
        at = clause.end
        const type = quote === '"' ? Identifier : StringLiteral
        push(type, start, at, unicodeEscaped(raw, clause.sign, start + 3))
        continue
      }
      if ((code === 66 || code === 98 || code === 88 || code === 120) && source[at + 1] === "'") {
        const close = closingQuote(source, at + 2, "'", false)
        if (close < 0) throw syntaxErrorNear(source, start, length, 'unterminated bit string literal')
        const base = code === 66 || code === 98 ? 'b' : 'x'
        at = close + 1
        push(BitLiteral, start, at, base + source.slice(start + 2, close))
        continue
      }
      at++
      while (at < length && isWordPart(source.charCodeAt(at))) at++
      const name = fold(source.slice(start, at))
      push(keywordTokens.get(name) ?? Identifier, start, at, name)
      continue
    }
    if (isDigit(code) || (code === 46 && isDigit(source.charCodeAt(at + 1)))) {
      at = numberEnd(source, at)
      if (isWordStart(source.charCodeAt(at))) {
        let end = at + 1
        while (isWordPart(source.charCodeAt(end))) end++
        throw syntaxErrorNear(source, start, end, 'trailing junk after numeric literal')
      }
      push(NumberLiteral, start, at, source.slice(start, at))
      continue
    }
    if (code === 39) {
      at = string(start, start, false)
      continue
    }
    if (code === 34) {
      const close = closingQuote(source, start + 1, '"', false)
      if (close < 0) throw syntaxErrorNear(source, start, length, 'unterminated quoted identifier')
      if (close === start + 1)
        throw syntaxErrorNear(source, start, close + 1, 'zero-length delimited identifier')
      push(Identifier, start, close + 1, source.slice(start + 1, close).replaceAll('""', '"'))
      at = close + 1
      continue
    }
    if (code === 36) {
      if (isDigit(source.charCodeAt(at + 1))) {
        at++
        while (isDigit(source.charCodeAt(at))) at++
        if (isWordStart(source.charCodeAt(at)))
          throw syntaxErrorNear(source, start, at + 1, 'trailing junk after parameter')
        push(Parameter, start, at, source.slice(start + 1, at))
        continue
      }
      const quoted = dollarQuoted(source, start)
      if (quoted === 'unterminated')
        throw syntaxErrorNear(source, start, length, 'unterminated dollar-quoted string')
      if (quoted !== null) {
        push(StringLiteral, start, quoted.end, quoted.value)
        at = quoted.end
        continue
      }
      push(Stray, start, start + 1, '$')
      at++
      continue
    }
    if (code === 45 && source[at + 1] === '-') {
      at = lineEnd(source, at)
      continue
    }
    if (code === 47 && source[at + 1] === '*') {
      at = commentEnd(source, start)
      if (at < 0) throw syntaxErrorNear(source, start, length, 'unterminated /* comment')
      continue
    }
    if (code < 128 && isOperator(code)) {
      const text = operatorAt(source, start)
      at += text.length
      const type = namedOperators[text] ?? (infixOnly.has(text) ? Operator : FreeOperator)
      push(type, start, at, text === '!=' ? '<>' : text)
      continue
    }
    if (code === 58 && source[at + 1] === '=') {
      // The older spelling of a named argument.
      at += 2
      push(Operator, start, at, '=>')
      continue
    }
    if (code === 58 && source[at + 1] === ':') {
      at += 2
      push(DoubleColon, start, at, '::')
      continue
    }
    const sign = source.charAt(at)
    at++
    push(punctuation[sign] ?? Stray, start, at, sign)
  }
  return tokens
}

function numberEnd(source: string, start: number): number {
  let at = start
  while (isDigit(source.charCodeAt(at))) at++
  if (source[at] === '.' && source[at + 1] !== '.') {
    at++
    while (isDigit(source.charCodeAt(at))) at++
  }
  if (source[at] === 'e' || source[at] === 'E') {
    const sign = source[at + 1] === '+' || source[at + 1] === '-' ? 1 : 0
    if (isDigit(source.charCodeAt(at + 1 + sign))) {
      at += 1 + sign
      while (isDigit(source.charCodeAt(at))) at++
    }
  }
  return at
}

/** The longest operator that PostgreSQL would see: comments end it, and mostly it does not end with + or −. */
function operatorAt(source: string, start: number): string {
  let end = start
  while (end < source.length && source.charCodeAt(end) < 128 && isOperator(source.charCodeAt(end))) {
    const pair = source.slice(end, end + 2)
    if (end > start && (pair === '--' || pair === '/*')) break
    end++
  }
  let text = source.slice(start, end)
  if (text.length > 1 && !/[~!@#^&|`?%]/.test(text)) text = text.replace(/(?!^)[+-]+$/, '')
  return text
}

function lineEnd(source: string, start: number): number {
  let at = start
  while (at < source.length && source[at] !== '\n' && source[at] !== '\r') at++
  return at
}

/** Comments nest. @returns the offset behind it, −1 when it does not end */
function commentEnd(source: string, start: number): number {
  let depth = 0
  for (let at = start; at < source.length - 1; ) {
    const pair = source.slice(at, at + 2)
    if (pair === '/*') depth++
    else if (pair === '*/') depth--
    else {
      at++
      continue
    }
    at += 2
    if (depth === 0) return at
  }
  return -1
}

/** Where the next quote opens when a string goes on in a later line; −1 when it does not. */
function continuation(source: string, start: number): number {
  let newline = false
  let at = start
  for (; at < source.length; at++) {
    const code = source.charCodeAt(at)
    if (code === 10 || code === 13) newline = true
    else if (code === 45 && source[at + 1] === '-') at = lineEnd(source, at) - 1
    else if (!isSpace(code)) break
  }
  return newline && source[at] === "'" ? at : -1
}
