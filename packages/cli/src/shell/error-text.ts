import { isClusterError } from '@cluster/core'
import { textWidth } from './text-width.ts'

/** What the shell reads of an SQL error's detail, when it is there. */
interface SqlFacts {
  readonly sqlstate?: string
  readonly position?: number
  readonly detail?: string
  readonly hint?: string
  readonly context?: string
}

/**
 * An error for people: the message with its code, the line it is about with a caret under the place, then
 * detail and hint, in the manner of psql.
 * @param statement the text that `position` counts in
 */
export function errorText(error: unknown, statement: string): string {
  if (!isClusterError(error)) return `ERROR:  ${error instanceof Error ? error.message : String(error)}`
  const facts = error.detail as SqlFacts
  const lines = [`ERROR:  ${facts.sqlstate ?? error.code}: ${error.message}`]
  if (facts.position !== undefined) lines.push(...caret(statement, facts.position))
  if (facts.detail !== undefined) lines.push(`DETAIL:  ${facts.detail}`)
  if (facts.hint !== undefined) lines.push(`HINT:  ${facts.hint}`)
  if (facts.context !== undefined) lines.push(`CONTEXT:  ${facts.context}`)
  if (error.outcome === 'unknown')
    lines.push('NOTE:  the statement may or may not have taken effect; look before you run it again')
  return lines.join('\n')
}

function caret(statement: string, position: number): string[] {
  const offset = Math.min(Math.max(position - 1, 0), statement.length)
  const start = statement.lastIndexOf('\n', offset - 1) + 1
  const end = statement.indexOf('\n', offset)
  const line = statement.slice(start, end < 0 ? statement.length : end).replace(/\t/g, ' ')
  const number = statement.slice(0, start).split('\n').length
  const label = `LINE ${number}: `
  return [label + line, `${' '.repeat(label.length + textWidth(line.slice(0, offset - start)))}^`]
}
