import type { Clock, Database, Locks, Random, TransactionOptions } from '@cluster/core'
import type { NotificationHub } from '../notify/hub.ts'
import type { Lru } from './lru.ts'
import type { StatementRunner } from './run/runner.ts'
import type { Item } from './statements/statements.ts'

export interface SessionPorts {
  readonly database: Database
  /** Null: there are none. */
  readonly locks: Locks | null
  readonly runner: StatementRunner
  readonly clock: Clock
  readonly random: Random
  /** Who speaks in a session that does not say. */
  readonly user: string
  readonly hub: NotificationHub
  /** `work_mem` until a session sets it. */
  readonly workBytes: number
  /** Statements by their text. */
  readonly parsed: Lru<string, readonly Item[]>
  /** How often a transaction of ours that lost a race is run again. */
  readonly retriesMax: number
}

/** What all transactions of a session begin with. */
export type Beginning = Pick<TransactionOptions, 'optimistic' | 'retryOf'>
