import type { BundleCondition, CommitOptions, Locks, Transaction } from '@cluster/core'
import type { SearchPath } from '../catalog/names.ts'
import { TEMPORARY_PREFIX } from '../catalog/names.ts'
import { LocalStore } from '../local/local-store.ts'
import { LocalTransaction } from '../local/local-transaction.ts'
import { Cursors } from './cursors.ts'
import { SessionSequences } from './sequences.ts'
import { SessionLocks } from './session-locks.ts'
import { Settings } from './settings.ts'

let sessions = 0

/** What a session remembers between its statements. */
export class SessionState {
  readonly settings = new Settings()
  readonly sequences = new SessionSequences()
  readonly cursors = new Cursors()
  readonly locks: SessionLocks
  /** Made when it is first asked for; most sessions have nothing of their own. */
  #local: LocalStore | null = null

  readonly #fences: readonly BundleCondition[]

  /**
   * @param locks null: there are none
   * @param fences what all that it commits depends on, beside what its own locks say
   */
  constructor(locks: Locks | null, fences: readonly BundleCondition[]) {
    this.locks = new SessionLocks(locks)
    this.#fences = fences
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
  own(base: Transaction, onUndo: (transaction: Transaction) => void): Transaction {
    return new LocalTransaction(base, this.local, onUndo)
  }
}
