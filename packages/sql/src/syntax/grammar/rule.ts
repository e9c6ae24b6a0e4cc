import type { CstNode, ParserMethod } from 'chevrotain'

/** A rule of the grammar: the parser's method that matches it. */
export type Rule = ParserMethod<[], CstNode>
