import type { CommitOptions, Transaction, TransactionOptions } from '@cluster/core'
import type { CallDetails, Item } from '../statements/statements.ts'
import type { SqlResult } from '../types.ts'
import { callOptions, pastOf, refuseWriters } from './call-options.ts'
import { mayBeOptimistic, type RetryPorts, retrying, retryOf } from './retrying.ts'
import { type Run, RunApartError } from './run.ts'
import { isData, readsOnly } from './run-parts.ts'
import { commitAll, type Running } from './running.ts'

/** The session whose statements they are. */
export interface AutocommitPorts extends Running {
  readonly retries: RetryPorts
  start(options: TransactionOptions): Promise<Transaction>
  /** A run that begins now. @param alone how the statement is committed when it is all of its transaction */
  run(item: Item, transaction: Transaction, startMicros: bigint, alone: CommitOptions | null): Run
  /** The present, in microseconds since 1970. */
  micros(): bigint
}

/** Runs statements as a transaction of their own, again when it lost a race or had read what was out of date. */
export async function autocommit(
  items: readonly Item[],
  options: CallDetails,
  session: AutocommitPorts,
): Promise<SqlResult[]> {
  const { state, retries } = session
  const readOnly = items.every(({ statement }) => readsOnly(statement))
  const call = callOptions(options)
  const statements = items.map(({ statement }) => statement)
  const past = pastOf(options, statements)
  refuseWriters(state.settings, statements)
  const key = options.idempotencyKey
  let lost: Transaction | null = null
  // What COPY reads cannot be read again, so it asks for the newest first and has one attempt.
  const once = options.copying !== undefined && options.copying !== 'out'
  const fence = readOnly ? {} : state.requires()
  // Definitions go on behind their commit, where no fence would hold.
  let alone = items.length === 1 && (fence.requires === undefined || statements.every(isData))
  const running = retrying(once ? { ...retries, retriesMax: 0 } : retries, async (retry) => {
    const optimistic = !readOnly && !once && mayBeOptimistic(retry)
    for (;;) {
      state.begin(null)
      let ended = false
      const beginning = { ...call, readOnly, optimistic, ...past, ...retryOf(lost) }
      const transaction: Transaction = await session.start(beginning)
      lost = transaction
      const startMicros = session.micros()
      // What ran alone and had no effect has used its key up.
      const keyed = key === undefined ? call : { ...call, idempotencyKey: alone ? key : `${key}/apart` }
      const commit = { ...keyed, ...fence }
      const start = (item: Item): Run => session.run(item, transaction, startMicros, alone ? commit : null)
      try {
        const results = await commitAll(session, items, start, transaction, commit)
        ended = true
        return past === null
          ? results
          : results.map((result) => ({ ...result, version: transaction.version }))
      } catch (error) {
        if (!(error instanceof RunApartError)) throw error
        alone = false
      } finally {
        transaction.rollback()
        const ending = state.end(ended)
        if (ending !== null) await ending
      }
    }
  })
  return running.finally(() => state.locks.endTransaction())
}
