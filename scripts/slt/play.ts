import { isSqlError, type SqlResult, sqlstateOf } from '@cluster/sql'
import { difference, hashOf, renderResult } from './render.ts'
import type { QueryRecord, Script, ScriptRecord } from './script.ts'

export interface Failure {
  readonly line: number
  readonly sql: string
  /** What went wrong, without what is special to this record, so that failures of one cause come together. */
  readonly reason: string
  readonly detail: string
}

export interface Played {
  readonly passed: number
  readonly failures: readonly Failure[]
  readonly skipped: number
}

/** What runs the SQL of records, in order, on one connection to an empty database. */
export interface Connection {
  query(text: string): Promise<SqlResult>
}

/** Plays a script to its end, whatever fails on the way. */
export async function playScript(script: Script, connection: Connection): Promise<Played> {
  const labels = new Map<string, string>()
  const failures: Failure[] = []
  let passed = 0
  for (const record of script.records) {
    const problem = await playRecord(record, connection, labels)
    if (problem === null) passed++
    else failures.push({ line: record.line, sql: record.sql, ...problem })
  }
  return { passed, failures, skipped: script.skipped }
}

type Problem = Pick<Failure, 'reason' | 'detail'>

async function playRecord(
  record: ScriptRecord,
  connection: Connection,
  labels: Map<string, string>,
): Promise<Problem | null> {
  let result: SqlResult
  try {
    result = await connection.query(record.sql)
  } catch (error) {
    if (record.kind === 'statement' && !record.succeeds && isExpected(error)) return null
    return { reason: reasonOf(error), detail: error instanceof Error ? error.message : String(error) }
  }
  if (record.kind === 'statement')
    return record.succeeds ? null : { reason: 'a statement that must fail succeeded', detail: result.command }
  return checkResult(record, result, labels)
}

function checkResult(record: QueryRecord, result: SqlResult, labels: Map<string, string>): Problem | null {
  if (result.columns.length !== record.types.length)
    return {
      reason: 'another number of columns',
      detail: `${result.columns.length}, not ${record.types.length}`,
    }
  const values = renderResult(result, record.types, record.sort)
  const wrong = difference(values, record.expected)
  if (wrong !== null) return { reason: 'another result', detail: wrong }
  if (record.label === null) return null
  const hash = hashOf(values)
  const before = labels.get(record.label)
  labels.set(record.label, before ?? hash)
  if (before === undefined || before === hash) return null
  return { reason: 'another result than an earlier query of the same label', detail: record.label }
}

/** Only refusals count where a record expects an error: a bug of the engine must not pass for one. */
const isExpected = (error: unknown): boolean =>
  isSqlError(error) || (error instanceof Error && sqlstateOf(error) !== null)

/** The condition and the message, names and numbers left out. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const message = error.message.replace(/"[^"]*"/g, '"…"').replace(/\d+/g, 'N')
  const sqlstate = sqlstateOf(error)
  return sqlstate === null ? `no SQL error: ${error.name}: ${message}` : `${sqlstate} ${message}`
}
