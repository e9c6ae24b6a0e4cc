import { ClusterError, type ErrorDetail, isClusterError } from '@cluster/core'
import { isSqlError, SQLSTATE, sqlError } from '../errors.ts'

/** Any error of the layers below, with the SQLSTATE that stands for it. Code and outcome stay what they were. */
export interface LayerErrorDetail extends ErrorDetail {
  readonly sqlstate: string
}

/** Errors that say: nothing happened, run it again. */
const again = new Set(['DB_CONFLICT', 'DB_VERSION_GONE', 'STORAGE_VERSION_GONE'])

const states: Readonly<Record<string, string>> = {
  ABORTED: '57014',
  DEADLINE: '57014',
  DB_TRANSACTION_TOO_LARGE: SQLSTATE.programLimitExceeded,
  DB_FENCED: SQLSTATE.fenced,
  MUTEX_LIMIT: '53000',
  MUTEX_MODE_DIFFERS: '55000',
  MUTEX_OPTION_INVALID: SQLSTATE.invalidParameterValue,
}

/**
 * What a session throws for an error: SQL's own as they are; a lost race as 40001; others of the project with
 * their code, their outcome and a SQLSTATE: 08007 when the outcome is unknown, else 57P03 (try later). Anything
 * else is a bug and comes back as it is.
 */
export function toSqlError(error: unknown): unknown {
  if (!isClusterError(error) || isSqlError(error) || sqlstateOf(error) !== null) return error
  if (again.has(error.code))
    return sqlError(
      SQLSTATE.serializationFailure,
      'could not serialize access: another transaction changed what this one had read',
      { hint: 'Run the transaction again; engine.transaction() does so by itself.', cause: error },
    )
  const sqlstate = error.outcome === 'unknown' ? '08007' : (states[error.code] ?? '57P03')
  return new ClusterError<LayerErrorDetail>({ ...error.detail, sqlstate }, error.message, { cause: error })
}

/** The five characters that PostgreSQL's clients know, or null for an error that is not of SQL. */
export function sqlstateOf(error: unknown): string | null {
  if (!isClusterError(error)) return null
  const { sqlstate } = error.detail as Partial<LayerErrorDetail>
  return typeof sqlstate === 'string' ? sqlstate : null
}

export const isSerializationFailure = (error: unknown): boolean =>
  sqlstateOf(error) === SQLSTATE.serializationFailure
