import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Begin, ModesStatement, SetTransaction } from '../../syntax/ast.ts'
import type { SessionState } from '../session-state.ts'
import { doneResult, type OpenTransaction } from '../statements/statements.ts'
import type { SqlResult } from '../types.ts'

type Modes = Pick<Begin, 'isolation' | 'readOnly'>

/** A transaction as BEGIN makes it, or the next one of a chain. */
export function opened(
  modes: { readonly isolation: string | null; readonly readOnly: boolean | null },
  state: SessionState,
  startMicros: bigint,
): OpenTransaction {
  const { settings } = state
  const isolation = modes.isolation ?? settings.get('default_transaction_isolation')
  const readOnly = modes.readOnly ?? settings.get('default_transaction_read_only') === 'on'
  state.begin({ isolation, readOnly })
  return {
    transaction: null,
    startMicros,
    readOnly,
    isolation,
    savepoints: [],
    failed: false,
    used: false,
  }
}

/**
 * Changes what an open transaction is, as SET TRANSACTION does, and BEGIN within a transaction.
 * @throws 25001 when it has read something already, or in a subtransaction
 */
export function changeModes(
  open: OpenTransaction,
  { isolation, readOnly }: Modes,
  { settings }: SessionState,
): void {
  if (isolation !== null && isolation !== open.isolation) {
    if (open.used) throw tooLate('SET TRANSACTION ISOLATION LEVEL must be called before any query')
    if (open.savepoints.length > 0)
      throw tooLate('SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction')
    open.isolation = isolation
  }
  if (readOnly === false && open.readOnly) {
    if (open.savepoints.length > 0)
      throw tooLate('cannot set transaction read-write mode inside a read-only transaction')
    if (open.used) throw tooLate('transaction read-write mode must be set before any query')
    // What has begun to read only cannot write; nothing was read with it yet.
    open.transaction?.rollback()
    open.transaction = null
  }
  open.readOnly = readOnly ?? open.readOnly
  settings.setModes(open)
}

/** SET SESSION CHARACTERISTICS, and SET TRANSACTION where there is none, which changes nothing. */
export function setCharacteristics(
  { session, isolation, readOnly }: SetTransaction,
  { settings }: SessionState,
): SqlResult {
  if (session && isolation !== null) settings.set('default_transaction_isolation', [isolation])
  if (session && readOnly !== null) settings.set('default_transaction_read_only', [readOnly ? 'on' : 'off'])
  return doneResult('SET')
}

export const modesResult = (statement: ModesStatement): SqlResult =>
  doneResult(statement.kind === 'begin' ? (statement.start ? 'START TRANSACTION' : 'BEGIN') : 'SET')

/** COMMIT or ROLLBACK AND CHAIN without a transaction. */
export const nothingToChain = (command: string) =>
  sqlError(SQLSTATE.noActiveTransaction, `${command} AND CHAIN can only be used in transaction blocks`)

const tooLate = (message: string) => sqlError(SQLSTATE.activeTransaction, message)
