import { createToken, Lexer, type TokenType } from 'chevrotain'
import { KEYWORDS, type KeywordClass } from './keywords.ts'

// The scanner makes the tokens itself, so no token has a pattern; chevrotain's parser needs only their identity.
const token = (name: string, categories: TokenType[] = [], label?: string): TokenType =>
  createToken({ name, pattern: Lexer.NA, categories, ...(label === undefined ? {} : { label }) })

/** What may name a column, table or function. */
export const ColumnId = token('ColumnId')
/** What may stand behind AS. */
export const Label = token('Label')
/** What may label a column without AS. */
export const BareLabel = token('BareLabel')
export const Literal = token('Literal')
export const PrefixOperator = token('PrefixOperator')
/** Infix operators, AND and OR, and ESCAPE, which the builder ranks by precedence. */
export const InfixOperator = token('InfixOperator')
/** CURRENT_TIMESTAMP and its like: values that are written without parentheses. */
export const CurrentValue = token('CurrentValue')
/** Functions of the standard that take a plain list in parentheses: COALESCE, GREATEST, … */
export const ListFunction = token('ListFunction')
export const IntervalField = token('IntervalField')

export const Identifier = token('Identifier', [ColumnId, Label, BareLabel])
export const StringLiteral = token('StringLiteral', [Literal])
/** `B'101'`, `X'5F'`: its value begins with b or x. */
export const BitLiteral = token('BitLiteral', [Literal])
export const NumberLiteral = token('NumberLiteral', [Literal])
export const Parameter = token('Parameter', [Literal])

export const LParen = token('LParen')
/** A parenthesis that opens a query; told apart from `LParen` before parsing, so that one token decides. */
export const QueryParen = token('QueryParen')
export const RParen = token('RParen')
export const LBracket = token('LBracket')
export const RBracket = token('RBracket')
export const Comma = token('Comma')
export const Dot = token('Dot')
export const Semicolon = token('Semicolon')
/** Between the bounds of a slice. */
export const Colon = token('Colon')
export const DoubleColon = token('DoubleColon')
export const Plus = token('Plus', [PrefixOperator, InfixOperator])
export const Minus = token('Minus', [PrefixOperator, InfixOperator])
export const Star = token('Star', [InfixOperator])
export const Equals = token('Equals', [InfixOperator])
/** Every other operator. */
export const Operator = token('Operator', [InfixOperator])
/** Operators that may also stand before their operand. */
export const FreeOperator = token('FreeOperator', [PrefixOperator, InfixOperator])
/** A character that begins no token. */
export const Stray = token('Stray')

/** NOT before BETWEEN, IN, LIKE or ILIKE. */
export const NotBefore = token('NotBefore')
/** WITH before TIME. */
export const WithTime = token('WithTime')
/** WITH before ORDINALITY. */
export const WithOrdinality = token('WithOrdinality')
/** AT before TIME ZONE. */
export const AtTimeZone = token('AtTimeZone')
/** ROW before a parenthesis. */
export const RowConstructor = token('RowConstructor')

const categoriesOf: Readonly<Record<KeywordClass, TokenType[]>> = {
  reserved: [Label],
  typeOrFunction: [Label],
  column: [ColumnId, Label],
  unreserved: [ColumnId, Label],
}

const further: Readonly<Record<string, TokenType[]>> = {
  and: [InfixOperator],
  or: [InfixOperator],
  escape: [InfixOperator],
  overlaps: [InfixOperator],
  not: [PrefixOperator],
  true: [Literal],
  false: [Literal],
  null: [Literal],
  current_catalog: [CurrentValue],
  current_date: [CurrentValue],
  current_role: [CurrentValue],
  current_schema: [CurrentValue],
  current_time: [CurrentValue],
  current_timestamp: [CurrentValue],
  current_user: [CurrentValue],
  localtime: [CurrentValue],
  localtimestamp: [CurrentValue],
  session_user: [CurrentValue],
  user: [CurrentValue],
  coalesce: [ListFunction],
  nullif: [ListFunction],
  greatest: [ListFunction],
  least: [ListFunction],
  year: [IntervalField],
  month: [IntervalField],
  day: [IntervalField],
  hour: [IntervalField],
  minute: [IntervalField],
  second: [IntervalField],
}

/** Where these are names they are plain identifiers by the time they are parsed. */
const neverNames = new Set(['between', 'exists', 'values'])

const titled = (word: string): string =>
  word
    .split('_')
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join('')

/** Keyword tokens by their word in lower case; the token's name is the word with a capital. */
export const keywordTokens: ReadonlyMap<string, TokenType> = new Map(
  KEYWORDS.map(({ word, class: kind, bareLabel }) => [
    word,
    token(titled(word), [
      ...(neverNames.has(word) ? [Label] : categoriesOf[kind]),
      ...(bareLabel ? [BareLabel] : []),
      ...(further[word] ?? []),
    ]),
  ]),
)

/** The token of a keyword. */
export function keyword(word: string): TokenType {
  const found = keywordTokens.get(word)
  if (found === undefined) throw new RangeError(`no keyword ${word}`)
  return found
}

export const vocabulary: TokenType[] = [
  ColumnId,
  Label,
  BareLabel,
  Literal,
  PrefixOperator,
  InfixOperator,
  CurrentValue,
  ListFunction,
  IntervalField,
  Identifier,
  StringLiteral,
  BitLiteral,
  NumberLiteral,
  Parameter,
  LParen,
  QueryParen,
  RParen,
  LBracket,
  RBracket,
  Comma,
  Dot,
  Semicolon,
  Colon,
  DoubleColon,
  Plus,
  Minus,
  Star,
  Equals,
  Operator,
  FreeOperator,
  Stray,
  NotBefore,
  WithTime,
  WithOrdinality,
  AtTimeZone,
  RowConstructor,
  ...keywordTokens.values(),
]
