import { SQLSTATE, sqlError } from '../errors.ts'

/** The transaction that is open. @throws 25P01 when there is none, 25P02 when it has failed */
export function sound<Open extends { readonly failed: boolean }>(open: Open | null): Open {
  if (open === null) throw sqlError(SQLSTATE.noActiveTransaction, 'there is no transaction in progress')
  if (open.failed) throw inFailedTransaction()
  return open
}

/** What makes no sense in a transaction of its own. */
export const onlyInBlock = (command: string) =>
  sqlError(SQLSTATE.noActiveTransaction, `${command} can only be used in transaction blocks`)

/** What undoes more than a transaction could give back. */
export const notInBlock = (command: string) =>
  sqlError(SQLSTATE.activeTransaction, `${command} cannot run inside a transaction block`)

/** What every statement of a failed transaction gets. */
export const inFailedTransaction = () =>
  sqlError(
    SQLSTATE.inFailedTransaction,
    'current transaction is aborted, commands ignored until end of transaction block',
    { hint: 'Say ROLLBACK, or ROLLBACK TO a savepoint.' },
  )
