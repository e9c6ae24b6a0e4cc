import type { CallOptions, TransactionOptions } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Statement } from '../../syntax/ast.ts'
import { changesRows, locksRows } from '../../syntax/changes.ts'
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
  sqlError(SQLSTATE.readOnlyTransaction, `cannot execute ${commandOf(statement)} in a read-only transaction`)

/** A statement as messages call it. */
function commandOf(statement: Statement): string {
  switch (statement.kind) {
    case 'query':
      return locksRows(statement) ? 'SELECT FOR UPDATE' : changesRows(statement) ? 'WITH' : 'nextval()'
    case 'copy':
      return `COPY ${statement.direction.toUpperCase()}`
    case 'createTableAs':
      return 'CREATE TABLE AS'
    case 'createEnum':
    case 'createComposite':
      return 'CREATE TYPE'
    case 'alterEnum':
    case 'alterComposite':
      return 'ALTER TYPE'
    case 'alterObject':
    case 'drop':
      return `${statement.kind === 'drop' ? 'DROP' : 'ALTER'} ${statement.object.toUpperCase()}`
    case 'refresh':
      return 'REFRESH MATERIALIZED VIEW'
    case 'truncate':
      return 'TRUNCATE TABLE'
    default:
      return statement.kind.replace(/[A-Z]/g, ' $&').toUpperCase()
  }
}

/** @throws 25006 when statements that are transactions of their own would write although the session only reads */
export function refuseWriters(
  settings: { get(name: string): string },
  statements: readonly Statement[],
): void {
  if (settings.get('default_transaction_read_only') !== 'on') return
  const writer = statements.find((statement) => statement.kind !== 'discard' && !readsOnly(statement))
  if (writer !== undefined) throw readOnlyTransaction(writer)
}
