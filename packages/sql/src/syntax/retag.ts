import { type TokenType, tokenMatcher } from 'chevrotain'
import { SQLSTATE, sqlError } from '../errors.ts'
import { positionAt, type Token } from './scanner.ts'
import {
  AtTimeZone,
  Comma,
  Dot,
  DoubleColon,
  Equals,
  Identifier,
  InfixOperator,
  keyword,
  LBracket,
  LParen,
  NotBefore,
  Operator,
  QueryParen,
  RBracket,
  RowConstructor,
  RParen,
  Semicolon,
  Star,
  WithOrdinality,
  WithTime,
} from './tokens.ts'

/** How deep parentheses, brackets and CASE may nest; the parser's own stack holds several times as much. */
const NESTING_MAX = 400

export const tooDeep = (source: string, offset: number): Error =>
  sqlError(SQLSTATE.statementTooComplex, 'stack depth limit exceeded: the statement nests too deeply', {
    position: positionAt(source, offset),
    hint: 'Split the expression, or compute parts of it in a subquery in FROM.',
  })

const queryStart = new Set<TokenType>(['select', 'values', 'with', 'table'].map(keyword))
const afterQuery = new Set<TokenType>(
  ['union', 'intersect', 'except', 'order', 'limit', 'offset', 'fetch', 'for'].map(keyword),
)
const afterNot = new Set<TokenType>(['between', 'in', 'like', 'ilike', 'similar'].map(keyword))
const onlyBeforeParen = new Set<TokenType>(
  ['coalesce', 'nullif', 'greatest', 'least', 'extract', 'position', 'substring', 'trim'].map(keyword),
)
/** Before these BETWEEN has no operand behind it, so it is a name. */
const afterName = new Set<TokenType>([
  Comma,
  Dot,
  DoubleColon,
  Equals,
  Operator,
  RBracket,
  RParen,
  Semicolon,
  Star,
  ...[
    'and',
    'as',
    'asc',
    'between',
    'desc',
    'else',
    'end',
    'except',
    'from',
    'group',
    'having',
    'ilike',
    'in',
    'intersect',
    'is',
    'like',
    'limit',
    'not',
    'nulls',
    'offset',
    'or',
    'order',
    'returning',
    'then',
    'union',
    'when',
    'where',
  ].map(keyword),
])
/** Before these a doubled parenthesis around a query belongs to the query; elsewhere it is an expression's. */
const beforeQuery = new Set<TokenType>([
  LParen,
  QueryParen,
  Semicolon,
  ...[
    'in',
    'exists',
    'any',
    'some',
    'all',
    'from',
    'join',
    'as',
    'materialized',
    'union',
    'intersect',
    'except',
    'explain',
    'copy',
  ].map(keyword),
])
const CASE = keyword('case')
const END = keyword('end')
const NOT = keyword('not')
const WITH = keyword('with')
const ORDINALITY = keyword('ordinality')
const AT = keyword('at')
const TIME = keyword('time')
const ROW = keyword('row')
const IF = keyword('if')
const EXISTS = keyword('exists')
const LEFT = keyword('left')
const RIGHT = keyword('right')
const CURRENT_SCHEMA = keyword('current_schema')
const DOUBLE = keyword('double')
const PRECISION = keyword('precision')
const NULLS = keyword('nulls')
const DISTINCT = keyword('distinct')
const FIRST = keyword('first')
const LAST = keyword('last')
const VALUES = keyword('values')
const DEFAULT = keyword('default')
const BETWEEN = keyword('between')
const SELECT = keyword('select')

const become = (token: Token, type: TokenType): void => {
  token.tokenType = type
  token.tokenTypeIdx = type.tokenTypeIdx ?? 0
}

/**
 * Decides by the tokens around it what a token is, where PostgreSQL's grammar needs more than one token of
 * look-ahead: NOT before LIKE, a parenthesis that opens a query, a keyword that is only a name here. Behind this
 * pass one token always decides.
 * @throws 54001 when the source nests too deeply
 */
export function retag(tokens: readonly Token[], source: string): void {
  const open: number[] = []
  const closeOf = new Map<number, number>()
  let cases = 0
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]
    if (token === undefined) break
    const type = token.tokenType
    if (type === LParen || type === LBracket) {
      open.push(i)
      if (open.length + cases > NESTING_MAX) throw tooDeep(source, token.startOffset)
    } else if (type === RParen || type === RBracket) {
      const from = open.pop()
      if (from !== undefined) closeOf.set(from, i)
    } else if (type === CASE) {
      if (++cases + open.length > NESTING_MAX) throw tooDeep(source, token.startOffset)
    } else if (type === END) {
      if (cases > 0) cases--
    } else if (type === Semicolon) {
      open.length = 0
      cases = 0
    } else retagWord(token, type, tokens[i + 1]?.tokenType, tokens[i - 1], tokens[i - 2]?.tokenType)
  }
  // From the innermost outwards: whether the outer one opens a query depends on the inner one.
  const isQuery = new Set<number>()
  for (let i = tokens.length - 1; i >= 0; i--) {
    const token = tokens[i]
    if (token === undefined || token.tokenType !== LParen) continue
    const next = tokens[i + 1]?.tokenType
    if (next === undefined) continue
    if (!queryStart.has(next)) {
      if (!isQuery.has(i + 1)) continue
      const close = closeOf.get(i + 1)
      const behind = close === undefined ? undefined : tokens[close + 1]?.tokenType
      const before = tokens[i - 1]
      if (behind === RParen) {
        if (before !== undefined && !beforeQuery.has(before.tokenType)) continue
      } else if (behind === undefined || !afterQuery.has(behind) || before?.tokenType === Identifier) continue
    }
    isQuery.add(i)
    become(token, QueryParen)
  }
}

function retagWord(
  token: Token,
  type: TokenType,
  next: TokenType | undefined,
  before: Token | undefined,
  beforeThat: TokenType | undefined,
): void {
  if (type === Identifier) return
  if (type === NOT) {
    if (next !== undefined && afterNot.has(next)) become(token, NotBefore)
  } else if (type === WITH) {
    if (next === TIME) become(token, WithTime)
    else if (next === ORDINALITY && before?.tokenType === RParen) become(token, WithOrdinality)
  } else if (type === AT) {
    become(token, next === TIME ? AtTimeZone : Identifier)
  } else if (type === ROW) {
    if (next === LParen) become(token, RowConstructor)
  } else if (type === IF) {
    if (next !== NOT && next !== EXISTS) become(token, Identifier)
  } else if (type === DOUBLE) {
    if (next !== PRECISION) become(token, Identifier)
  } else if (type === NULLS) {
    const treated = next === NOT || next === DISTINCT
    if (next !== FIRST && next !== LAST && !treated) become(token, Identifier)
  } else if (type === LEFT || type === RIGHT || type === CURRENT_SCHEMA) {
    // `left(text, n)` is a function; a join's LEFT is never followed by a parenthesis. So is `current_schema()`.
    if (next === LParen) become(token, Identifier)
  } else if (type === EXISTS) {
    const afterIf = before?.tokenType === IF || (before?.tokenType === NOT && beforeThat === IF)
    if (next !== LParen && !afterIf) become(token, Identifier)
  } else if (type === VALUES) {
    if (next !== LParen && before?.tokenType !== DEFAULT) become(token, Identifier)
  } else if (type === BETWEEN) {
    if (next === undefined || afterName.has(next) || before === undefined || opensOperand(before))
      become(token, Identifier)
  } else if (onlyBeforeParen.has(type) && next !== LParen) become(token, Identifier)
}

/** Behind these comes an operand, not an operator. */
const opensOperand = (token: Token): boolean =>
  token.tokenType === Comma ||
  token.tokenType === LParen ||
  token.tokenType === SELECT ||
  tokenMatcher(token, InfixOperator)
