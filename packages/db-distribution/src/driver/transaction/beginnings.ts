import { ClusterError, type DatabaseErrorDetail, type TransactionOptions, type Version } from '@cluster/core'
import type { DatabasesPorts } from '../context.ts'

/** Where a transaction begins, and what may be said of what it reads there. */
export interface Beginning {
  readonly version: Version
  readonly readOnly: boolean
  /** False: what is read may be out of date until it is proved. */
  readonly proven: boolean
}

/** Chooses the versions that transactions of this node read at. */
export class Beginnings {
  readonly #ports: Pick<DatabasesPorts, 'log' | 'clock'>
  /** The newest answer of the leader: everything acknowledged before `askedAt` is at or below `index`. */
  #covered: { readonly askedAt: number; readonly index: number } | null = null

  constructor(ports: Pick<DatabasesPorts, 'log' | 'clock'>) {
    this.#ports = ports
  }

  /** @throws DB_OPTION_INVALID, DEADLINE, ABORTED, and what the log's barrier throws */
  async begin(options: TransactionOptions): Promise<Beginning> {
    const { atVersion, staleness, optimistic = false, readOnly = false } = options
    const { log } = this.#ports
    if (atVersion === undefined && staleness === undefined) {
      // Without a leader nothing could be committed or proved; asking for it says so while nothing is under way.
      if (optimistic && options.signal?.aborted !== true && log.group().leader !== null)
        return { version: log.appliedIndex(), readOnly, proven: false }
      return { version: await this.#newest(options), readOnly, proven: true }
    }
    if (options.readOnly === false || optimistic) throw oldAndWritable(options)
    if (atVersion !== undefined) {
      if (staleness !== undefined) throw oldAndWritable(options)
      // What it is asked about may not have arrived here yet.
      if (log.appliedIndex() < atVersion) await log.applied(atVersion, options)
      return { version: atVersion, readOnly: true, proven: true }
    }
    return { version: await this.#recent(options), readOnly: true, proven: true }
  }

  async #newest(options: TransactionOptions): Promise<Version> {
    const askedAt = this.#ports.clock.now()
    const index = await this.#ports.log.barrier(options)
    if (this.#covered === null || this.#covered.askedAt <= askedAt) this.#covered = { askedAt, index }
    return index
  }

  /** What this node has, if that is not older than asked for. Age counts from asking the leader, not from its answer. */
  async #recent(options: TransactionOptions): Promise<Version> {
    const { log, clock } = this.#ports
    const { staleness } = options
    const applied = log.appliedIndex()
    if (staleness === 'local' || staleness === undefined) return applied
    const covered = this.#covered
    const fresh =
      covered !== null && covered.index <= applied && clock.now() - covered.askedAt <= staleness.maxMs
    return fresh ? applied : this.#newest(options)
  }
}

function oldAndWritable({
  atVersion,
  staleness,
  optimistic,
}: TransactionOptions): ClusterError<DatabaseErrorDetail> {
  const option = atVersion === undefined ? 'staleness' : 'atVersion'
  const given = atVersion === undefined ? JSON.stringify(staleness) : String(atVersion)
  const why =
    atVersion !== undefined && staleness !== undefined
      ? 'a version and a staleness cannot both be chosen'
      : optimistic
        ? 'an optimistic transaction begins at what this node has'
        : 'what may be out of date cannot be written upon'
  return new ClusterError(
    { code: 'DB_OPTION_INVALID', outcome: 'rejected', option, given },
    `A transaction was begun with ${option} ${given}, but ${why}. Leave one of the options out.`,
  )
}
