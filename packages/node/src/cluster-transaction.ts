import {
  type Bundle,
  type BundleVerdict,
  backoffMs,
  type CallOptions,
  type Clock,
  ClusterError,
  type ContainerKey,
  type Containers,
  type ContainersTransaction,
  type DatabaseErrorDetail,
  delay,
  type FeedOptions,
  type HeldLock,
  isClusterError,
  type MapOptions,
  type PushOptions,
  type QueueMessage,
  type QueueOptions,
  type Random,
  type TransactionMap,
} from '@cluster/core'
import { type Session, type SqlRunner, sqlstateOf } from '@cluster/sql'
import type { NodeErrorDetail } from './errors.ts'

/** What statements are run on. */
export type TransactionDatabase = { session(): Session }

/** One transaction over rows and shared objects: all of it happens at one index of the log, or nothing. */
export interface ClusterTransaction extends ContainersTransaction {
  /**
   * Runs statements as part of the transaction: what they have read must still be so, and what they write is there when the
   * rest is. One database of rows each transaction, with any maps, distributed ones too, queues, counters and locks; BEGIN and COMMIT are not for the caller to say.
   * @throws OPTION_INVALID for a second database
   */
  database(database: TransactionDatabase): SqlRunner
}

const SERIALIZATION_FAILURE = '40001'
const RETRIES_MAX = 20
const RETRY_WAIT = { baseMs: 2, maxMs: 250 }

/** Runs the work, and again when something that it read, in a row or in a shared object, is not so any more. */
export async function clusterTransaction<R>(
  containers: Pick<Containers, 'transaction'>,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  work: (tx: ClusterTransaction) => Promise<R>,
  options: CallOptions = {},
): Promise<R> {
  for (let retry = 0; ; retry++) {
    // Set within the call below, which the type checker does not see.
    let attempt = null as Attempt | null
    try {
      return await containers.transaction(
        (tx) => {
          attempt?.end()
          attempt = new Attempt(tx)
          return work(attempt)
        },
        { ...options, together: () => attempt?.together() ?? null },
      )
    } catch (error) {
      if (sqlstateOf(error) !== SERIALIZATION_FAILURE || retry >= RETRIES_MAX) throw error
    } finally {
      attempt?.end()
    }
    await delay(clock, backoffMs(random, retry, RETRY_WAIT))
  }
}

/** One run of the work. */
class Attempt implements ClusterTransaction {
  readonly #tx: ContainersTransaction
  #sql: {
    readonly database: TransactionDatabase
    readonly session: Session
    /** Resolves with why it did not begin, else with null: it is asked only when there is something to commit. */
    readonly begun: Promise<unknown>
  } | null = null

  constructor(tx: ContainersTransaction) {
    this.#tx = tx
  }

  database(database: TransactionDatabase): SqlRunner {
    if (this.#sql === null) {
      const session = database.session()
      // Calls of a session wait for each other: what the caller asks comes behind this.
      const begun = session.query('BEGIN').then(
        () => null,
        (error: unknown) => error,
      )
      this.#sql = { database, session, begun }
    }
    if (this.#sql.database !== database)
      throw new ClusterError<NodeErrorDetail>(
        { code: 'OPTION_INVALID', outcome: 'rejected', option: 'database', given: 'a second database' },
        'a transaction over rows and shared objects takes one database; run another transaction for the other one',
      )
    return this.#sql.session
  }

  map<K extends ContainerKey, V>(name: string, options?: MapOptions<V>): TransactionMap<K, V> {
    return this.#tx.map(name, options)
  }

  push<V>(
    queue: string,
    value: V,
    options?: QueueOptions<V> & Pick<PushOptions, 'priority' | 'delayMs' | 'at'>,
  ): Promise<void> {
    return this.#tx.push(queue, value, options)
  }

  publish<V>(topic: string, value: V, options?: FeedOptions<V>): Promise<void> {
    return this.#tx.publish(topic, value, options)
  }

  add(counter: string, by?: number): void {
    this.#tx.add(counter, by)
  }

  value(counter: string): Promise<number> {
    return this.#tx.value(counter)
  }

  acknowledge(message: QueueMessage<unknown>): void {
    this.#tx.acknowledge(message)
  }

  fence(held: HeldLock): void {
    this.#tx.fence(held)
  }

  include(bundle: Partial<Bundle>): void {
    this.#tx.include(bundle)
  }

  /** How what the statements did is committed with the rest; null when there were none. */
  together(): ((bundle: Bundle | null) => Promise<BundleVerdict>) | null {
    const sql = this.#sql
    if (sql === null) return null
    return async (bundle) => {
      const failure = await sql.begun
      if (failure !== null) throw failure
      try {
        if (bundle === null) await sql.session.query('COMMIT')
        else await sql.session.commitAlong(bundle)
      } catch (error) {
        const refusal = refusalOf(error)
        if (refusal === null) throw error
        return { adopted: false, ...refusal }
      }
      return { adopted: true, unmet: null, refused: null, results: [] }
    }
  }

  /** Whatever is still open is rolled back. */
  end(): void {
    this.#sql?.session.close()
  }
}

/** Why the shared objects refused; null for any other error. */
function refusalOf(error: unknown): Omit<BundleVerdict, 'adopted'> | null {
  if (!isClusterError(error)) return null
  const detail = error.detail as DatabaseErrorDetail
  return detail.code === 'DB_ALONG_REFUSED' ? detail : null
}
