import { backoffMs, type Clock, type Database, delay, type Random, type Transaction } from '@cluster/core'
import { sqlError } from '../../errors.ts'
import { isSerializationFailure, toSqlError } from '../errors.ts'
import { restsOnReads } from '../run/retrying.ts'

export interface StepPorts {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
}

const RETRY_WAIT = { baseMs: 2, maxMs: 500 }
const RETRIES_MAX = 100

/**
 * One step of a long work: a transaction of its own, run again when others were faster.
 * @throws 55P03 when they were so every time, and what `work` throws
 */
export async function inSteps<T>(
  { database, clock, random }: StepPorts,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  for (let retry = 0; ; retry++) {
    const optimistic = retry === 0
    const transaction = await database.begin({ optimistic })
    try {
      const value = await work(transaction)
      await transaction.commit()
      return value
    } catch (error) {
      const known = await trueError(transaction, error)
      if (!isSerializationFailure(toSqlError(known))) throw known
      if (retry >= RETRIES_MAX)
        throw sqlError('55P03', 'the rows of the table are written too fast for this to get through', {
          hint: 'Run it again when there is less to do.',
          cause: error,
        })
    } finally {
      transaction.rollback()
    }
    await delay(clock, backoffMs(random, retry, RETRY_WAIT))
    await clock.turn()
  }
}

/** What is wrong; that what was read is out of date, if it is: then nothing else counts. */
async function trueError(transaction: Transaction, error: unknown): Promise<unknown> {
  if (isSerializationFailure(toSqlError(error)) || !restsOnReads(error)) return error
  try {
    await transaction.validate()
    return error
  } catch (stale) {
    return stale
  }
}
