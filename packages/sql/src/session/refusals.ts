import { SQLSTATE, sqlError } from '../errors.ts'

/** What every statement of a failed transaction gets. */
export const inFailedTransaction = () =>
  sqlError(
    SQLSTATE.inFailedTransaction,
    'current transaction is aborted, commands ignored until end of transaction block',
    { hint: 'Say ROLLBACK, or ROLLBACK TO a savepoint.' },
  )
