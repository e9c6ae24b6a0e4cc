import type { CallOptions, TransactionOptions } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Statement } from '../../syntax/ast.ts'
import type { QueryOptions } from '../types.ts'
import { readsOnly } from './run-parts.ts'

/** What every call to the database of a statement gets. */
export const callOptions = ({ signal }: QueryOptions): CallOptions => (signal === undefined ? {} : { signal })

/**
 * The old version that was asked for; null: the newest.
 * @param statements what is to be run there
 * @throws 25006 when one of them may write
 */
export function pastOf(
  { staleness, atVersion }: QueryOptions,
  statements: readonly Statement[],
): Pick<TransactionOptions, 'staleness' | 'atVersion'> | null {
  if (staleness === undefined && atVersion === undefined) return null
  const writer = statements.find((statement) => !readsOnly(statement))
  if (writer !== undefined) throw readOnlyTransaction(writer)
  return {
    ...(staleness === undefined ? {} : { staleness }),
    ...(atVersion === undefined ? {} : { atVersion }),
  }
}

/** 25006 */
export const readOnlyTransaction = (statement: Statement) =>
  sqlError(
    SQLSTATE.readOnlyTransaction,
    `cannot execute ${statement.kind.replace(/[A-Z]/g, ' $&').toUpperCase()} in a read-only transaction`,
  )
