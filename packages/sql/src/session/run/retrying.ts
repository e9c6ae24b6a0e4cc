import {
  backoffMs,
  type Clock,
  delay,
  type Random,
  type Transaction,
  type TransactionOptions,
} from '@cluster/core'
import { isSqlError } from '../../errors.ts'
import { LocalTransaction } from '../../local/local-transaction.ts'
import { isSerializationFailure, sqlstateOf, toSqlError } from '../errors.ts'

const RETRY_WAIT = { baseMs: 2, maxMs: 250 }

export interface RetryPorts {
  readonly clock: Clock
  readonly random: Random
  /** How often a transaction of ours that lost a race is run again. */
  readonly retriesMax: number
}

/** Tells the database of an attempt that was lost. */
export const retryOf = (lost: Transaction | null): Pick<TransactionOptions, 'retryOf'> =>
  lost === null ? {} : { retryOf: lost instanceof LocalTransaction ? lost.base : lost }

/**
 * What a first attempt has read is nearly always what is newest. If it was not, asking first is cheaper than being
 * wrong again.
 */
export const mayBeOptimistic = (retry: number): boolean => retry < 2

/**
 * True for what SQL itself says of the data: it might say otherwise had it read what is newest. A cancelled statement
 * and what the layers below report do not depend on that.
 */
export const restsOnReads = (error: unknown): boolean => isSqlError(error) && sqlstateOf(error) !== '57014'

/**
 * Runs a transaction until it does not lose its race, at most `retriesMax` times more, with growing waits.
 * @param attempt is told how often it was run before
 * @throws 40001 when it lost every time
 */
export async function retrying<T>(
  { clock, random, retriesMax }: RetryPorts,
  attempt: (retry: number) => Promise<T>,
): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await attempt(retry)
    } catch (error) {
      const known = toSqlError(error)
      if (!isSerializationFailure(known) || retry >= retriesMax) throw known
      await delay(clock, backoffMs(random, retry, RETRY_WAIT))
    }
  }
}
