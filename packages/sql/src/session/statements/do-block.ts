import type { Transaction } from '@cluster/core'
import { isSqlError, SQLSTATE, sqlError } from '../../errors.ts'
import type { Statement } from '../../syntax/ast.ts'
import { parse } from '../../syntax/parse.ts'
import { scan } from '../../syntax/scanner.ts'
import { sqlstateOf, toSqlError } from '../errors.ts'

/** Statements one after another, and what is done instead when they fail. */
export interface Block {
  readonly statements: readonly BlockStatement[]
  readonly handlers: readonly Handler[]
}

/** A statement with the text that its offsets point into. */
export interface BlockStatement {
  readonly statement: Statement
  readonly source: string
}

interface Handler {
  /** SQLSTATEs, or what they begin with; an empty one takes all. */
  readonly states: readonly string[]
  readonly statements: readonly BlockStatement[]
}

/** Conditions by the names that PL/pgSQL has for them. */
const conditions: Readonly<Record<string, string>> = {
  others: '',
  duplicate_object: '42710',
  duplicate_table: '42P07',
  duplicate_column: '42701',
  duplicate_schema: '42P06',
  duplicate_function: '42723',
  duplicate_alias: '42712',
  undefined_object: '42704',
  undefined_table: '42P01',
  undefined_column: '42703',
  undefined_function: '42883',
  invalid_schema_name: '3F000',
  invalid_table_definition: '42P16',
  unique_violation: '23505',
  foreign_key_violation: '23503',
  check_violation: '23514',
  not_null_violation: '23502',
  integrity_constraint_violation: '23',
  division_by_zero: '22012',
  data_exception: '22',
  invalid_text_representation: '22P02',
  numeric_value_out_of_range: '22003',
  syntax_error: '42601',
  insufficient_privilege: '42501',
  object_not_in_prerequisite_state: '55000',
  dependent_objects_still_exist: '2BP01',
  feature_not_supported: '0A000',
}

/** Words of PL/pgSQL that begin what is no SQL. */
const beyond =
  /^(?:declare|if|loop|for|foreach|while|case|return|raise|perform|execute|get|open|fetch|close|exit|continue|call|<<)/i

/**
 * Reads `BEGIN statements [EXCEPTION WHEN condition THEN statements …] END`, the part of PL/pgSQL that migrations use.
 * @throws 42601, 0A000 for what is beyond that
 */
export function readBlock(body: string): Block {
  const words = scan(body).map(({ image, startOffset, endOffset }) => ({
    word: image.toLowerCase(),
    start: startOffset,
    end: (endOffset ?? startOffset) + 1,
  }))
  const [first] = words
  if (first === undefined || beyond.test(first.word)) throw notSupported(first?.word ?? '')
  if (first.word !== 'begin') throw syntax(first.word)
  if (words.at(-1)?.word === ';') words.pop()
  const last = words.pop()
  if (last?.word !== 'end') throw syntax(last?.word ?? 'end of input')
  const inner = words.slice(1)
  const exceptionAt = inner.findIndex(({ word }, i) => word === 'exception' && startsStatement(inner, i))
  const upTo = exceptionAt < 0 ? last.start : (inner[exceptionAt]?.start ?? last.start)
  const statements = readStatements(body.slice(first.end, upTo))
  return {
    statements,
    handlers: exceptionAt < 0 ? [] : readHandlers(body, inner.slice(exceptionAt + 1), last.start),
  }
}

interface Word {
  readonly word: string
  readonly start: number
  readonly end: number
}

const startsStatement = (words: readonly Word[], at: number): boolean =>
  at === 0 || words[at - 1]?.word === ';'

function readHandlers(body: string, words: readonly Word[], end: number): Handler[] {
  const starts = words.flatMap(({ word }, i) => (word === 'when' && startsStatement(words, i) ? [i] : []))
  if (starts[0] !== 0) throw syntax(words[0]?.word ?? 'end')
  return starts.map((at, n) => {
    const then = words.findIndex(({ word }, i) => i > at && word === 'then')
    const thenWord = words[then]
    if (thenWord === undefined) throw syntax('end')
    const states = words.slice(at + 1, then).flatMap(({ word }, i, all) => {
      if (word === 'or' || word === 'sqlstate') return []
      if (all[i - 1]?.word === 'sqlstate') return [word.slice(1, -1).toUpperCase()]
      const state = conditions[word]
      if (state !== undefined) return [state]
      throw sqlError(SQLSTATE.undefinedObject, `unrecognized exception condition "${word}"`)
    })
    const until = words[starts[n + 1] ?? -1]?.start ?? end
    return { states, statements: readStatements(body.slice(thenWord.end, until)) }
  })
}

function readStatements(source: string): BlockStatement[] {
  // NULL stands for nothing to do.
  const text = source.replace(/(^|;)\s*null\s*(?=;)/gi, '$1')
  const begins = text.split(';').find((part) => beyond.test(part.trim()))
  if (begins !== undefined) throw notSupported(begins.trim().split(/\s/)[0] ?? '')
  return parse(text).map((statement) => ({ statement, source: text }))
}

const notSupported = (word: string) =>
  sqlError(SQLSTATE.featureNotSupported, `"${word}" is not supported in DO`, {
    hint: 'A block may have SQL statements and EXCEPTION handlers.',
  })

const syntax = (word: string) => sqlError(SQLSTATE.syntaxError, `syntax error at or near "${word}" in DO`)

/**
 * Runs a block: all of it, or none of it and the handler of what went wrong.
 * @throws what no handler is for
 */
export async function runBlock(
  { statements, handlers }: Block,
  transaction: Transaction,
  run: (statement: BlockStatement) => Promise<void>,
): Promise<void> {
  const mark = transaction.mark()
  try {
    for (const statement of statements) await run(statement)
  } catch (cause) {
    const error = toSqlError(cause)
    const state = sqlstateOf(error) ?? ''
    const handler = isSqlError(error)
      ? handlers.find(({ states }) => states.some((one) => state.startsWith(one)))
      : undefined
    if (handler === undefined) throw error
    transaction.rollbackTo(mark)
    for (const statement of handler.statements) await run(statement)
  }
}
