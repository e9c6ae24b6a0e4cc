import { EOF } from 'chevrotain'
import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import { absent } from './access/absent.ts'
import { Cursor } from './access/cursor.ts'
import { mayBeAccess, parseAccess, statementsIn } from './access/parse-access.ts'
import type { Expression, Statement } from './ast.ts'
import { StatementBuilder } from './build/statement-builder.ts'
import type { ExpressionCst } from './cst/expression.ts'
import type { ScriptCst } from './cst/statement.ts'
import type { Rule } from './grammar/rule.ts'
import { StatementGrammar } from './grammar/statement-grammar.ts'
import { joinNamedOperators } from './named-operators.ts'
import { retag } from './retag.ts'
import { endsTooSoon, positionAt, scan, syntaxErrorNear, type Token } from './scanner.ts'

let grammar: StatementGrammar | null = null

/**
 * Reads the statements of a source; empty ones are skipped. The parser is made at the first call and kept.
 * @returns one tree a statement; every span is an offset into the whole of `source`
 * @throws 42601 for wrong syntax, with the position; 54001 when it nests too deeply
 */
export function parse(source: string): Statement[] {
  const tokens = scan(source)
  if (!mayBeAccess(tokens)) return script(source, tokens)
  const all = statementsIn(tokens).map((own) => ({ own, access: parseAccess(source, own) }))
  if (all.every(({ access }) => access === null)) return script(source, tokens)
  return all.flatMap(({ own, access }) => access ?? script(source, [...own]))
}

function script(source: string, tokens: Token[]): Statement[] {
  const { tree, builder } = match(source, tokens, (parser) => parser.script)
  return builder.script(tree as unknown as ScriptCst)
}

/**
 * Reads a source of exactly one statement.
 * @throws 42601 also when there is none or more
 */
export function parseStatement(source: string): Statement {
  const [statement, second] = parse(source)
  if (statement === undefined) throw sqlError(SQLSTATE.syntaxError, 'there is no statement', { position: 1 })
  if (second !== undefined)
    throw sqlError(SQLSTATE.syntaxError, 'there is more than one statement; give them one by one', {
      position: positionAt(source, second.span.start),
    })
  return statement
}

/** Reads a source that is an expression, such as the text of a stored default. @throws as `parse` */
export function parseExpression(source: string): Expression {
  const { tree, builder } = match(source, scan(source), (parser) => parser.expression)
  return builder.expression(tree as unknown as ExpressionCst)
}

function match(source: string, scanned: Token[], ruleOf: (parser: StatementGrammar) => Rule) {
  const tokens = joinNamedOperators(scanned)
  retag(tokens, source)
  grammar ??= new StatementGrammar()
  const parser = grammar
  parser.input = tokens
  const tree = ruleOf(parser).call(parser)
  const [error] = parser.errors
  if (error !== undefined) {
    const { token } = error
    const unknown = absentAround(source, scanned, token.startOffset)
    if (unknown !== null) throw unknown
    if (token.tokenType !== EOF && !Number.isNaN(token.startOffset))
      throw syntaxErrorNear(source, token.startOffset, (token.endOffset ?? token.startOffset) + 1)
    throw endsTooSoon(source, scanned.at(-1)?.end ?? source.length)
  }
  return { tree, builder: new StatementBuilder(source, tokens) }
}

/** What this dialect has not, where the statement around that place asks for it. @param at NaN: the end of the source */
function absentAround(source: string, tokens: readonly Token[], at: number): SqlError | null {
  const statements = statementsIn(tokens)
  const own = Number.isNaN(at)
    ? statements.at(-1)
    : statements.find((statement) => (statement.at(-1)?.end ?? 0) >= at)
  return own === undefined ? null : absent(new Cursor(source, own))
}
