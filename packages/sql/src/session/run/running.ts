import type { CommitOptions, CommitReceipt, Transaction } from '@cluster/core'
import type { Statement, TransactionStatement } from '../../syntax/ast.ts'
import type { SessionState } from '../session-state.ts'
import { CommittedError, type Item, noteUse, type OpenTransaction } from '../statements/statements.ts'
import type { SqlResult } from '../types.ts'
import { collect } from './outcome.ts'
import { restsOnReads } from './retrying.ts'
import type { Run } from './run.ts'
import { readsOnly } from './run-parts.ts'
import type { StatementRunner } from './runner.ts'

/** What of a session its statements are run with. */
export interface Running {
  readonly runner: StatementRunner
  readonly state: SessionState
  readonly open: OpenTransaction | null
}

/** Runs statements in a fresh transaction and commits it. What it says of the data is true, also when it fails. */
export async function commitAll(
  running: Running,
  items: readonly Item[],
  start: (item: Item) => Run,
  transaction: Transaction,
  call: CommitOptions,
): Promise<SqlResult[]> {
  const { runner, state } = running
  const results: Omit<SqlResult, 'receipt'>[] = []
  const reads = items.every(({ statement }) => readsOnly(statement))
  try {
    for (const item of items) {
      const { committed, ...result } = await resultOf(running, item, start(item))
      if (committed !== undefined) return [{ ...result, receipt: committed }]
      results.push(result)
    }
    if (!reads) await runner.beforeCommit(transaction)
  } catch (error) {
    if (error instanceof CommittedError) throw error.reason
    if (restsOnReads(error)) await transaction.validate(call)
    throw error
  }
  if (reads) return results.map((result) => ({ ...result, receipt: null }))
  const receipt = await transaction.commit({ ...call, ...state.requires() })
  await runner.committed(transaction)
  return results.map((result) => ({ ...result, receipt }))
}

/** @throws CommittedError when the statement failed where the log applied it */
export async function resultOf(
  { runner, open }: Running,
  { statement }: Item,
  run: Run,
): Promise<Omit<SqlResult, 'receipt'> & { readonly committed?: CommitReceipt }> {
  const outcome = await runner.run(statement as Exclude<Statement, TransactionStatement>, run)
  noteUse(open, statement, outcome)
  const { command, columns, written, committed } = outcome
  if (committed !== undefined && committed.error !== null) throw new CommittedError(committed.error)
  const rows = await collect(outcome)
  const result = { command, columns, rows, rowCount: written ?? rows.length }
  return committed === undefined ? result : { ...result, committed: committed.receipt }
}
