import { SQLSTATE, type SqlErrorOptions, sqlError } from '../errors.ts'
import type { Copy, CopyOption, Identifier } from '../syntax/ast.ts'
import { positionAt } from '../syntax/scanner.ts'

/** How COPY writes and reads rows: the options of a statement, checked, with PostgreSQL's defaults. */
export interface CopyFormat {
  readonly kind: 'text' | 'csv' | 'binary'
  readonly delimiter: string
  /** What stands for NULL. */
  readonly nullText: string
  /** `match`: the first line is compared with the columns' names. */
  readonly header: boolean | 'match'
  readonly quote: string
  readonly escape: string
  readonly forceQuote: ForcedColumns
  readonly forceNotNull: ForcedColumns
  readonly forceNull: ForcedColumns
}

/** Columns as they were named. */
export type ForcedColumns = '*' | readonly Identifier[]

interface Given {
  format?: string
  freeze?: string
  delimiter?: string
  null?: string
  header?: boolean | 'match'
  quote?: string
  escape?: string
  force_quote?: ForcedColumns
  force_not_null?: ForcedColumns
  force_null?: ForcedColumns
  encoding?: string
}

const texts = new Set(['format', 'delimiter', 'null', 'quote', 'escape', 'encoding'])
const lists = new Set(['force_quote', 'force_not_null', 'force_null'])
const UNSAFE_DELIMITERS = '\\.abcdefghijklmnopqrstuvwxyz0123456789'

/** @throws 42601, 22023, 0A000, in PostgreSQL's words */
export function copyFormat(copy: Copy, source: string): CopyFormat {
  const given: Given = {}
  for (const option of copy.options) read(option, given, copy, source)
  const { format: kind = 'text', quote, escape: escaping } = given
  const csv = kind === 'csv'
  const refuse = (message: string, sqlstate: string = SQLSTATE.featureNotSupported) => {
    throw sqlError(sqlstate, message)
  }
  if (kind === 'binary' && given.delimiter !== undefined)
    refuse('cannot specify DELIMITER in BINARY mode', SQLSTATE.syntaxError)
  if (kind === 'binary' && given.null !== undefined)
    refuse('cannot specify NULL in BINARY mode', SQLSTATE.syntaxError)
  const delimiter = given.delimiter ?? (csv ? ',' : '\t')
  const nullText = given.null ?? (csv ? '' : '\\N')
  const quoted = quote ?? '"'
  if (!isByte(delimiter)) refuse('COPY delimiter must be a single one-byte character')
  if (/[\r\n]/.test(delimiter))
    refuse('COPY delimiter cannot be newline or carriage return', SQLSTATE.invalidParameterValue)
  if (/[\r\n]/.test(nullText))
    refuse('COPY null representation cannot use newline or carriage return', SQLSTATE.invalidParameterValue)
  if (!csv && UNSAFE_DELIMITERS.includes(delimiter))
    refuse(`COPY delimiter cannot be "${delimiter}"`, SQLSTATE.invalidParameterValue)
  if (kind === 'binary' && (given.header ?? false) !== false) refuse('cannot specify HEADER in BINARY mode')
  if (!csv && quote !== undefined) refuse('COPY quote available only in CSV mode')
  if (csv && !isByte(quoted)) refuse('COPY quote must be a single one-byte character')
  if (csv && delimiter === quoted)
    refuse('COPY delimiter and quote must be different', SQLSTATE.invalidParameterValue)
  if (!csv && escaping !== undefined) refuse('COPY escape available only in CSV mode')
  if (csv && escaping !== undefined && !isByte(escaping))
    refuse('COPY escape must be a single one-byte character')
  for (const [name, word, direction] of [
    ['force_quote', 'force quote', 'to'],
    ['force_not_null', 'force not null', 'from'],
    ['force_null', 'force null', 'from'],
  ] as const) {
    const columns = given[name]
    if (columns === undefined) continue
    if (!csv) refuse(`COPY ${word} available only in CSV mode`)
    if (copy.direction !== direction)
      refuse(`COPY ${word} only available using COPY ${direction.toUpperCase()}`)
  }
  if (kind !== 'binary' && nullText.includes(delimiter))
    refuse('COPY delimiter must not appear in the NULL specification')
  if (csv && nullText.includes(quoted))
    refuse('CSV quote character must not appear in the NULL specification')
  return {
    kind: kind as CopyFormat['kind'],
    delimiter,
    nullText,
    header: given.header ?? false,
    quote: quoted,
    escape: escaping ?? quoted,
    forceQuote: given.force_quote ?? [],
    forceNotNull: given.force_not_null ?? [],
    forceNull: given.force_null ?? [],
  }
}

const isByte = (text: string): boolean => text.length === 1 && text.charCodeAt(0) < 128

function read(option: CopyOption, given: Given, copy: Copy, source: string): void {
  const { name, value, list } = option
  const place: SqlErrorOptions = { position: positionAt(source, option.span.start) }
  if (!texts.has(name) && !lists.has(name) && name !== 'header' && name !== 'freeze')
    throw sqlError(SQLSTATE.syntaxError, `option "${name}" not recognized`, place)
  if (name in given) throw sqlError(SQLSTATE.syntaxError, 'conflicting or redundant options', place)
  if (lists.has(name)) {
    const all = value === '*' && list
    if (!(all && name === 'force_quote') && !Array.isArray(value))
      throw sqlError(
        SQLSTATE.invalidParameterValue,
        `argument to option "${name}" must be a list of column names`,
        place,
      )
    Object.assign(given, { [name]: value })
    return
  }
  if (list) throw sqlError(SQLSTATE.syntaxError, `${name} requires a parameter`)
  const text = value as string | null
  if (name === 'header') {
    given.header = headerOf(text, copy)
  } else if (name === 'freeze') {
    // Rows are there for everybody when the statement commits, frozen or not.
    if (booleanOf(text) === null) throw sqlError(SQLSTATE.syntaxError, 'freeze requires a Boolean value')
    given.freeze = name
  } else {
    if (text === null) throw sqlError(SQLSTATE.syntaxError, `${name} requires a parameter`)
    if (name === 'format' && !['text', 'csv', 'binary'].includes(text))
      throw sqlError(SQLSTATE.invalidParameterValue, `COPY format "${text}" not recognized`, place)
    if (name === 'encoding') checkEncoding(text, place)
    Object.assign(given, { [name]: text })
  }
}

function headerOf(text: string | null, { direction }: Copy): boolean | 'match' {
  if (text?.toLowerCase() === 'match') {
    if (direction === 'from') return 'match'
    throw sqlError(SQLSTATE.featureNotSupported, `cannot use "${text}" with HEADER in COPY TO`)
  }
  const value = booleanOf(text)
  if (value !== null) return value
  throw sqlError(SQLSTATE.syntaxError, 'header requires a Boolean value or "match"')
}

function booleanOf(text: string | null): boolean | null {
  switch (text?.toLowerCase()) {
    case undefined:
    case 'true':
    case 'on':
    case '1':
      return true
    case 'false':
    case 'off':
    case '0':
      return false
    default:
      return null
  }
}

/** @throws 22023 for what is no encoding, 0A000 for one that is not UTF-8 */
function checkEncoding(text: string, place: SqlErrorOptions): void {
  const name = text.toLowerCase().replace(/[^a-z0-9]/g, '')
  if (name === 'utf8' || name === 'unicode') return
  if (
    /^(latin\d+|iso8859\d*|win\d+|sqlascii|koi8[ru]?|euc\w+|big5|gbk|gb18030|sjis|uhc|johab|mule\w*)$/.test(
      name,
    )
  )
    throw sqlError(SQLSTATE.featureNotSupported, `encoding "${text}" is not supported`, {
      ...place,
      hint: 'Only UTF8 is; convert the data first.',
    })
  throw sqlError(
    SQLSTATE.invalidParameterValue,
    'argument to option "encoding" must be a valid encoding name',
    place,
  )
}
