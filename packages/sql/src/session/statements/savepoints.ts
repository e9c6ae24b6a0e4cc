import type { Transaction } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { TransactionStatement } from '../../syntax/ast.ts'
import { inFailedTransaction } from '../refusals.ts'
import type { SessionState } from '../session-state.ts'
import type { SqlResult } from '../types.ts'
import { doneResult, type OpenTransaction } from './statements.ts'

type SavepointStatement = Extract<
  TransactionStatement,
  { readonly kind: 'savepoint' | 'rollbackTo' | 'release' }
>

/** SAVEPOINT, ROLLBACK TO and RELEASE. @throws 25P01, 25P02, 3B001 */
export async function savepointResult(
  { kind, name: { name } }: SavepointStatement,
  open: OpenTransaction | null,
  begun: (open: OpenTransaction) => Promise<Transaction>,
  { cursors, settings }: Pick<SessionState, 'cursors' | 'settings'>,
): Promise<SqlResult> {
  switch (kind) {
    case 'savepoint': {
      const current = needOpen(open, 'SAVEPOINT')
      if (current.failed) throw inFailedTransaction()
      const transaction = await begun(current)
      current.savepoints.push({
        name,
        mark: transaction.mark(),
        cursors: cursors.made,
        settings: settings.mark(),
      })
      return doneResult('SAVEPOINT')
    }
    case 'rollbackTo': {
      const current = needOpen(open, 'ROLLBACK TO SAVEPOINT')
      const at = indexOfSavepoint(current, name)
      const savepoint = current.savepoints[at]
      if (savepoint !== undefined) {
        await cursors.undone(savepoint.cursors)
        current.transaction?.rollbackTo(savepoint.mark)
        settings.restore(savepoint.settings)
      }
      current.savepoints.length = at + 1
      current.failed = false
      return doneResult('ROLLBACK')
    }
    case 'release': {
      const current = needOpen(open, 'RELEASE SAVEPOINT')
      if (current.failed) throw inFailedTransaction()
      current.savepoints.length = indexOfSavepoint(current, name)
      return doneResult('RELEASE')
    }
  }
}

function needOpen(open: OpenTransaction | null, word: string): OpenTransaction {
  if (open !== null) return open
  throw sqlError(SQLSTATE.noActiveTransaction, `${word} can only be used in transaction blocks`, {
    hint: 'Say BEGIN first.',
  })
}

function indexOfSavepoint(open: OpenTransaction, name: string): number {
  const at = open.savepoints.findLastIndex((savepoint) => savepoint.name === name)
  if (at >= 0) return at
  open.failed = true
  throw sqlError(SQLSTATE.invalidSavepoint, `savepoint "${name}" does not exist`)
}
