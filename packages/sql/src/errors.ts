import { ClusterError, type ErrorDetail, isClusterError } from '@cluster/core'

/** What went wrong in SQL's own terms. The five characters of `sqlstate` are PostgreSQL's. */
export interface SqlErrorDetail extends ErrorDetail {
  readonly code: 'SQL_ERROR'
  readonly outcome: 'rejected'
  /** PostgreSQL's condition, such as 42601 (syntax error) or 23505 (unique violation). */
  readonly sqlstate: string
  /** Where in the text, in characters from 1. */
  readonly position?: number
  /** More about what happened. */
  readonly detail?: string
  /** What to do about it. */
  readonly hint?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
  /** Where it happened, when that is not the text of the statement: `COPY t, line 3, column b: "x"`. */
  readonly context?: string
}

export type SqlError = ClusterError<SqlErrorDetail>

export interface SqlErrorOptions {
  /** In characters from 1. */
  readonly position?: number | undefined
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  readonly table?: string | undefined
  readonly column?: string | undefined
  readonly constraint?: string | undefined
  readonly context?: string | undefined
  readonly cause?: unknown
}

/**
 * Makes the error of a statement that was refused and left nothing behind.
 * @param sqlstate one of PostgreSQL's conditions; see `SQLSTATE`
 */
export function sqlError(sqlstate: string, message: string, options: SqlErrorOptions = {}): SqlError {
  const { position, detail, hint, table, column, constraint, context, cause } = options
  const value: SqlErrorDetail = {
    code: 'SQL_ERROR',
    outcome: 'rejected',
    sqlstate,
    ...(position === undefined ? {} : { position }),
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(table === undefined ? {} : { table }),
    ...(column === undefined ? {} : { column }),
    ...(constraint === undefined ? {} : { constraint }),
    ...(context === undefined ? {} : { context }),
  }
  return new ClusterError(value, message, cause === undefined ? undefined : { cause })
}

export function isSqlError(error: unknown): error is SqlError {
  return isClusterError(error) && error.code === 'SQL_ERROR'
}

/** The same error with a position, unless it has one already. Other errors come back as they are. */
export function withPosition(error: unknown, position: number): unknown {
  if (!isSqlError(error) || error.detail.position !== undefined) return error
  return new ClusterError<SqlErrorDetail>({ ...error.detail, position }, error.message, {
    cause: error.cause,
  })
}

/** The same error with what tells where it happened, unless it tells already. Other errors come back as they are. */
export function withContext(error: unknown, context: string): unknown {
  if (!isSqlError(error) || error.detail.context !== undefined) return error
  return new ClusterError<SqlErrorDetail>({ ...error.detail, context }, error.message, { cause: error.cause })
}

/** The conditions that this package reports, by PostgreSQL's names. */
export const SQLSTATE = {
  featureNotSupported: '0A000',
  cardinalityViolation: '21000',
  stringDataRightTruncation: '22001',
  numericValueOutOfRange: '22003',
  invalidDatetimeFormat: '22007',
  datetimeFieldOverflow: '22008',
  substringError: '22011',
  divisionByZero: '22012',
  invalidEscapeSequence: '22025',
  invalidArgumentForLogarithm: '2201E',
  invalidArgumentForPowerFunction: '2201F',
  invalidRowCountInLimit: '2201W',
  invalidRowCountInOffset: '2201X',
  nullValueNotAllowed: '22004',
  invalidArgumentForNtile: '22014',
  invalidArgumentForNthValue: '22016',
  invalidParameterValue: '22023',
  invalidTextRepresentation: '22P02',
  integrityConstraintViolation: '23000',
  notNullViolation: '23502',
  foreignKeyViolation: '23503',
  uniqueViolation: '23505',
  checkViolation: '23514',
  activeTransaction: '25001',
  readOnlyTransaction: '25006',
  noActiveTransaction: '25P01',
  inFailedTransaction: '25P02',
  dependentObjectsStillExist: '2BP01',
  invalidSavepoint: '3B001',
  /** Of this project: the commit depends on a lock that does not hold any more. */
  fenced: '55L01',
  serializationFailure: '40001',
  invalidSqlStatementName: '26000',
  duplicatePreparedStatement: '42P05',
  syntaxError: '42601',
  ambiguousColumn: '42702',
  undefinedColumn: '42703',
  datatypeMismatch: '42804',
  groupingError: '42803',
  cannotCoerce: '42846',
  undefinedFunction: '42883',
  undefinedTable: '42P01',
  undefinedParameter: '42P02',
  duplicateTable: '42P07',
  duplicateAlias: '42712',
  ambiguousFunction: '42725',
  duplicateColumn: '42701',
  duplicateObject: '42710',
  undefinedObject: '42704',
  wrongObjectType: '42809',
  invalidColumnReference: '42P10',
  invalidSchemaDefinition: '42P15',
  invalidTableDefinition: '42P16',
  indeterminateDatatype: '42P18',
  invalidRecursion: '42P19',
  windowingError: '42P20',
  invalidPrecedingOrFollowingSize: '22013',
  programLimitExceeded: '54000',
  statementTooComplex: '54001',
  tooManyColumns: '54011',
} as const

/** What is wrong with a value that a domain does not have. @param check empty: NOT NULL */
export const brokenDomain = (domain: string, check: string): SqlError =>
  check === ''
    ? sqlError(SQLSTATE.notNullViolation, `domain ${domain} does not allow null values`)
    : sqlError(SQLSTATE.checkViolation, `value for domain ${domain} violates check constraint "${check}"`, {
        constraint: check,
      })

/**
 * The candidate that was probably meant, for "did you mean": the one with the fewest edits (insert, delete,
 * replace, swap of neighbours), ignoring case, when they are at most a third of the name.
 * @returns null when nothing is near; of equals the first in order
 */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  const wanted = name.toLowerCase()
  let best: string | null = null
  let bound = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const edits = editDistance(wanted, candidate.toLowerCase(), bound)
    if (edits < bound) {
      best = candidate
      bound = edits
    }
  }
  return best
}

/** Edits between the two, or `bound` when there are at least that many (optimal string alignment). */
function editDistance(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) >= bound) return bound
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let edits = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, (before[j - 2] ?? 0) + 1)
      row.push(edits)
      least = Math.min(least, edits)
    }
    if (least >= bound) return bound
    before = above
    above = row
  }
  return above[b.length] ?? bound
}
