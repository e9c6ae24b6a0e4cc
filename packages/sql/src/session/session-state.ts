import type { BundleCondition, CommitOptions, Locks, Transaction } from '@cluster/core'
import { Identity } from '../access/identity.ts'
import type { SearchPath } from '../catalog/names.ts'
import { TEMPORARY_PREFIX } from '../catalog/names.ts'
import { LocalStore } from '../local/local-store.ts'
import { LocalTransaction, type OnUndo } from '../local/local-transaction.ts'
import type { NotificationHub } from '../notify/hub.ts'
import { SessionChannels } from '../notify/session-channels.ts'
import { Cursors } from './cursors/cursors.ts'
import { SessionLocks } from './locks/session-locks.ts'
import type { SeededRandom } from './seeded-random.ts'
import { SessionSequences } from './sequences.ts'
import { Settings, type TransactionModes } from './settings/settings.ts'

export interface SessionStateOptions {
  readonly user: string
  /** What the settings begin with in place of their defaults. */
  readonly settings: ReadonlyMap<string, string> | undefined
  readonly hub: NotificationHub
  /** `work_mem` until the session sets it. */
  readonly workBytes: number
  /** Gives a number that tells the session from all others. */
  readonly pid: () => number
  /** Null: there are none. */
  readonly locks: Locks | null
  /** What all that it commits depends on, beside what its own locks say. */
  readonly fences: readonly BundleCondition[]
}

let sessions = 0

/** What a session remembers between its statements. */
export class SessionState {
  readonly settings: Settings
  readonly sequences = new SessionSequences()
  readonly cursors = new Cursors()
  readonly identity: Identity
  readonly channels: SessionChannels
  readonly locks: SessionLocks
  readonly #pid: () => number
  /** After `setseed`. */
  seeded: SeededRandom | null = null
  #drawnPid: number | null = null
  /** Made when it is first asked for; most sessions have nothing of their own. */
  #local: LocalStore | null = null
  readonly #fences: readonly BundleCondition[]

  constructor({ user, settings, hub, workBytes, pid, locks, fences }: SessionStateOptions) {
    this.settings = new Settings(workBytes, settings)
    this.identity = new Identity(user)
    this.channels = new SessionChannels(hub)
    this.locks = new SessionLocks(locks)
    this.#pid = pid
    this.#fences = fences
  }

  /** `pg_backend_pid()` */
  get pid(): number {
    this.#drawnPid ??= this.#pid()
    return this.#drawnPid
  }

  /** A transaction begins. @param modes null: a statement of its own */
  begin(modes: TransactionModes | null): void {
    this.identity.begin()
    this.settings.beginTransaction(modes)
  }

  /** A transaction has ended. @returns what has to be waited for; null: nothing */
  end(committed: boolean): Promise<void> | null {
    this.identity.end(committed)
    this.settings.end(committed)
    return this.channels.end(committed)
  }

  /** What a commit depends on now. @throws 55L01 */
  requires(): Pick<CommitOptions, 'requires'> {
    const named = this.locks.fences(this.settings.get('cluster.fence'))
    const requires = [...this.#fences, ...this.locks.transactionFences, ...named]
    return requires.length === 0 ? {} : { requires }
  }

  get local(): LocalStore {
    this.#local ??= new LocalStore(`${TEMPORARY_PREFIX}_${++sessions}`)
    return this.#local
  }

  /** Where names without a schema are looked for. */
  get path(): SearchPath {
    const local = this.#local
    const temporary = local === null || local.isEmpty ? null : local.schema
    return { schemas: this.settings.searchPath(), temporary }
  }

  /** A transaction in which the session's own tables are. */
  own(base: Transaction, onUndo: OnUndo): Transaction {
    return new LocalTransaction(base, this.local, onUndo)
  }
}
