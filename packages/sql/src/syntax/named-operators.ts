import { tokenMatcher } from 'chevrotain'
import type { Token } from './scanner.ts'
import { Dot, Identifier, InfixOperator, LParen, RParen } from './tokens.ts'

/** Makes `OPERATOR(schema.sign)` the sign itself, which is how clients write an operator that no search path hides. */
export function joinNamedOperators(tokens: readonly Token[]): Token[] {
  if (!tokens.some(isOperatorWord)) return [...tokens]
  const joined: Token[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]
    if (token === undefined) break
    const end = isOperatorWord(token) ? endOf(tokens, i) : null
    const sign = end === null ? undefined : tokens[end - 1]
    const close = end === null ? undefined : tokens[end]
    if (end === null || sign === undefined || close === undefined) {
      joined.push(token)
      continue
    }
    joined.push({
      ...sign,
      startOffset: token.startOffset,
      endOffset: close.endOffset,
      end: close.end,
    } as Token)
    i = end
  }
  return joined
}

const isOperatorWord = ({ tokenType, value }: Token): boolean =>
  tokenType === Identifier && value === 'operator'

/** Where the parenthesis closes; null when it is something else. */
function endOf(tokens: readonly Token[], start: number): number | null {
  if (tokens[start + 1]?.tokenType !== LParen) return null
  let at = start + 2
  while (tokens[at]?.tokenType === Identifier && tokens[at + 1]?.tokenType === Dot) at += 2
  const sign = tokens[at]
  if (sign === undefined || !tokenMatcher(sign, InfixOperator)) return null
  return tokens[at + 1]?.tokenType === RParen ? at + 1 : null
}
