import type { Value } from '@cluster/core'
import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'

// Rows are kept as PostgreSQL's text of them, as arrays are: most are only shown, and equal rows of one type have
// equal texts.

const quoted = /[(),"\\\s]|^$/

/** @param fieldText text of a field that is not NULL, by its position */
export function recordText(
  values: readonly Value[],
  fieldText: (value: Value, at: number) => string,
): string {
  const parts = values.map((value, at) => {
    if (value === null) return ''
    const text = fieldText(value, at)
    return quoted.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text
  })
  return `(${parts.join(',')})`
}

/**
 * The texts of the fields; null for NULL.
 * @throws 22P02 when it is no row
 */
export function parseRecord(text: string): (string | null)[] {
  const malformed = (detail: string): SqlError =>
    sqlError(SQLSTATE.invalidTextRepresentation, `malformed record literal: "${text}"`, { detail })
  let at = /^\s*/.exec(text)?.[0].length ?? 0
  if (text.charAt(at) !== '(') throw malformed('Missing left parenthesis.')
  at++
  const fields: (string | null)[] = []
  for (;;) {
    const sign = text.charAt(at)
    if (sign === ',' || sign === ')') fields.push(null)
    else {
      let value = ''
      let inside = false
      for (; ; at++) {
        const next = text.charAt(at)
        if (next === '') throw malformed('Unexpected end of input.')
        if (!inside && (next === ',' || next === ')')) break
        if (next === '\\') {
          at++
          if (at >= text.length) throw malformed('Unexpected end of input.')
          value += text.charAt(at)
        } else if (next === '"') {
          if (inside && text.charAt(at + 1) === '"') {
            value += next
            at++
          } else inside = !inside
        } else value += next
      }
      fields.push(value)
    }
    if (text.charAt(at) === ')') break
    at++
  }
  if (!/^\s*$/.test(text.slice(at + 1))) throw malformed('Junk after right parenthesis.')
  return fields
}

/** What is wrong with a row of too few or too many fields. @throws 22P02 */
export function checkFieldCount(text: string, given: number, wanted: number): void {
  if (given === wanted) return
  throw sqlError(SQLSTATE.invalidTextRepresentation, `malformed record literal: "${text}"`, {
    detail: given < wanted ? 'Too few columns.' : 'Too many columns.',
  })
}
