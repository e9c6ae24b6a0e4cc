import type { IToken } from 'chevrotain'
import type { Identifier, QualifiedName, Span } from '../ast.ts'
import type { QualifiedNameCst } from '../cst/expression.ts'
import type { Cst } from '../cst/node.ts'
import type { Token } from '../scanner.ts'

/** All tokens come from our scanner, which adds to chevrotain's interface. */
export const scanned = (token: IToken): Token => token as Token

export function spanOf(node: Cst<unknown>): Span {
  const { location } = node
  return location === undefined
    ? { start: 0, end: 0 }
    : { start: location.startOffset, end: (location.endOffset ?? location.startOffset) + 1 }
}

export const tokenSpan = (token: IToken): Span => ({
  start: token.startOffset,
  end: scanned(token).end,
})

export const join = (from: Span, to: Span): Span => ({ start: from.start, end: to.end })

export const identifier = (token: IToken): Identifier => ({
  kind: 'identifier',
  name: scanned(token).value,
  span: tokenSpan(token),
})

/** The only, or first, item; what the grammar promises to be there. */
export function only<T>(items: readonly T[] | undefined): T {
  const item = items?.[0]
  if (item === undefined) throw new TypeError('the grammar and its types disagree')
  return item
}

export const has = (items: readonly unknown[] | undefined): boolean => items !== undefined && items.length > 0

export function qualifiedName(node: QualifiedNameCst): QualifiedName {
  const { ColumnId, Label = [] } = node.children
  return { kind: 'name', parts: [...ColumnId, ...Label].map(identifier), span: spanOf(node) }
}
