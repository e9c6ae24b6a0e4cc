/** How the values of a result are brought into order before they are compared. */
export type SortMode = 'nosort' | 'rowsort' | 'valuesort'

interface Placed {
  /** Line of the record's first word in its file, from 1. */
  readonly line: number
  readonly sql: string
}

export interface StatementRecord extends Placed {
  readonly kind: 'statement'
  readonly succeeds: boolean
}

export interface QueryRecord extends Placed {
  readonly kind: 'query'
  /** One letter a column: I, R or T. */
  readonly types: string
  readonly sort: SortMode
  /** Results of equal labels are equal; null: none. */
  readonly label: string | null
  /** Values, one a column of a row; or a single line `N values hashing to MD5`. */
  readonly expected: readonly string[]
}

export type ScriptRecord = StatementRecord | QueryRecord

export interface Script {
  readonly records: readonly ScriptRecord[]
  /** Records that are for other engines. */
  readonly skipped: number
}

const sorts: ReadonlySet<string> = new Set(['nosort', 'rowsort', 'valuesort'])

/** Only this much of a label counts. */
const LABEL_LENGTH = 20

/**
 * Reads a script for one engine: records of others are left out, and `halt` ends it.
 * @param engine the name that `skipif` and `onlyif` know it by
 * @throws Error with the line of what cannot be read
 */
export function readScript(text: string, engine: string): Script {
  const lines = text.split(/\r?\n/)
  const records: ScriptRecord[] = []
  let skipped = 0
  let at = 0
  while (at < lines.length) {
    if (isIdle(lines[at])) {
      at++
      continue
    }
    let applies = true
    let words = wordsOf(lines[at])
    while (words[0] === 'skipif' || words[0] === 'onlyif') {
      if ((words[1] === engine) === (words[0] === 'skipif')) applies = false
      do at++
      while ((lines[at] ?? '').startsWith('#'))
      words = wordsOf(lines[at])
    }
    const line = at + 1
    const end = endOfRecord(lines, at)
    const body = lines.slice(at + 1, end)
    at = end
    if (words[0] === 'halt') {
      if (applies) break
    } else if (words[0] === 'statement' || words[0] === 'query') {
      const record = recordOf(words, body, line)
      if (applies) records.push(record)
      else skipped++
    } else if (words[0] !== 'hash-threshold')
      throw new Error(`line ${line}: a record cannot begin with "${words[0] ?? ''}"`)
  }
  return { records, skipped }
}

const isIdle = (line: string | undefined): boolean =>
  line === undefined || line.trim() === '' || line.startsWith('#')

const wordsOf = (line: string | undefined): string[] => (line ?? '').replace(/#.*$/, '').trim().split(/\s+/)

function endOfRecord(lines: readonly string[], start: number): number {
  let end = start + 1
  while (end < lines.length && (lines[end] ?? '').trim() !== '') end++
  return end
}

function recordOf(words: readonly string[], body: readonly string[], line: number): ScriptRecord {
  if (words[0] === 'statement') {
    if (words[1] !== 'ok' && words[1] !== 'error')
      throw new Error(`line ${line}: a statement is ok or error, not "${words[1] ?? ''}"`)
    return { kind: 'statement', line, sql: body.join('\n'), succeeds: words[1] === 'ok' }
  }
  const [, types = '', third, fourth] = words
  if (!/^[IRT]+$/.test(types)) throw new Error(`line ${line}: the types of a query cannot be "${types}"`)
  // A label may stand where the sort mode would.
  const sorted = third !== undefined && sorts.has(third)
  const label = sorted ? fourth : (fourth ?? third)
  const border = body.indexOf('----')
  const results = border < 0 ? [] : body.slice(border + 1)
  return {
    kind: 'query',
    line,
    sql: body.slice(0, border < 0 ? undefined : border).join('\n'),
    types,
    sort: sorted ? (third as SortMode) : 'nosort',
    label: label?.slice(0, LABEL_LENGTH) ?? null,
    expected: results,
  }
}
