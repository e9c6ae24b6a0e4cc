import {
  type Applied,
  assert,
  type Bundle,
  type BundleCondition,
  type CallOptions,
  ClusterError,
  type CommitOptions,
  type CommitReceipt,
  dataMembers,
  type ExecuteReceipt,
  errorCode,
  isClusterError,
  type LineageId,
  lineageId,
  type NodeId,
  type PartitionId,
  type PreparedCommit,
  VERSION_OF,
  type Version,
} from '@cluster/core'
import {
  alongRefused,
  conflict,
  fenced,
  stopped,
  tooFewCopies,
  transactionTooLarge,
  unavailable,
  versionGone,
  versionTooLow,
} from '../../errors.ts'
import {
  type CommitInput,
  type ExecuteInput,
  encodeCommit,
  encodeExecute,
  type PartitionWrites,
} from '../../machine/commands.ts'
import type { Reads } from '../../machine/reads.ts'
import { type CommandResult, decodeResult } from '../../machine/results.ts'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { MACHINE_NAME } from '../names.ts'
import type { OutcomeReader } from './outcome-reader.ts'

/** Whoever has to let another transaction go first looks again at least this often. */
const LOOK_MS = 250

/** Submits transactions and says what became of them. */
export class Committer {
  readonly #context: Context
  readonly #outcomes: OutcomeReader
  /** Databases whose first writes have waited long enough for more copies. */
  readonly #waited = new Set<number>()

  constructor(context: Context, outcomes: OutcomeReader) {
    this.#context = context
    this.#outcomes = outcomes
  }

  /** @throws DB_CONFLICT, DB_VERSION_GONE, DB_UNAVAILABLE, DB_TOO_FEW_COPIES, DB_TRANSACTION_TOO_LARGE, and what the log throws */
  async commit(database: DatabaseRecord, input: CommitInput, options: CommitOptions): Promise<CommitReceipt> {
    return this.#submit(database, input, input.writes, () => encodeCommit(input), options)
  }

  /** As `commit`; the outcome of the program is fetched from whoever ran it. @throws also DB_RESULT_GONE, DB_OPTION_INVALID */
  async execute(
    database: DatabaseRecord,
    input: ExecuteInput,
    options: CommitOptions,
  ): Promise<ExecuteReceipt> {
    const begun = this.#context.ports.clock.now()
    const { partition } = input.program
    const receipt = await this.#submit(database, input, [{ partition }], () => encodeExecute(input), options)
    const rest = this.#rest(begun, options)
    return { ...receipt, outcome: await this.#outcomes.get(database, partition, receipt.version, rest) }
  }

  /** @throws LOG_VERSION_TOO_LOW while a member runs a program that knows no programs of databases */
  demandPrograms(): void {
    const { version } = this.#context.ports.log.group()
    if (version < VERSION_OF.programs) throw versionTooLow(version, VERSION_OF.programs)
  }

  /** Whether every member can add to rows. */
  get takesAdditions(): boolean {
    return this.#context.ports.log.group().version >= VERSION_OF.additions
  }

  /** The commit as a command of a bundle, once it may be made. @throws DB_UNAVAILABLE, DB_TOO_FEW_COPIES, LOG_VERSION_TOO_LOW */
  async prepare(
    database: DatabaseRecord,
    input: CommitInput,
    options: CallOptions,
  ): Promise<Omit<PreparedCommit, 'release'>> {
    this.#demandBundles()
    await this.#mayWrite(database, input.writes, this.#context.ports.clock.now(), options)
    return {
      command: { machine: MACHINE_NAME, command: encodeCommit(input) },
      refusal: (result) => this.#refused(database, input, decodeResult(result)),
    }
  }

  async #submit(
    database: DatabaseRecord,
    reads: Reads,
    writes: readonly Pick<PartitionWrites, 'partition'>[],
    encode: () => Uint8Array,
    options: CommitOptions,
  ): Promise<CommitReceipt> {
    const begun = this.#context.ports.clock.now()
    await this.#mayWrite(database, writes, begun, options)
    const { applied, result } = await this.#send(encode(), begun, options)
    if (result.type !== 'done') throw this.#refused(database, reads, result)
    const reached = Math.min(result.copies, this.#fewest(database, writes))
    const wrote = writes.length > 0
    return {
      version: applied.index,
      lineage: applied.lineage,
      copies: wrote ? reached : null,
      underReplicated: wrote && reached < this.#asked(database),
      durableOn: applied.durableOn,
    }
  }

  /** Waits until there are as many copies as a write needs. @throws DB_UNAVAILABLE, DB_TOO_FEW_COPIES */
  async #mayWrite(
    database: DatabaseRecord,
    writes: readonly Pick<PartitionWrites, 'partition'>[],
    begun: number,
    options: CallOptions,
  ): Promise<void> {
    this.#context.check(database)
    let copies = this.#fewest(database, writes)
    if (copies === 0 || !this.#waited.has(database.id)) {
      for (const { partition } of writes)
        if (this.#living(database, partition) === 0) await this.#comeBack(database, partition, begun, options)
      if (!this.#waited.has(database.id)) await this.#settle(database, writes, begun, options)
      copies = this.#fewest(database, writes)
    }
    const { minCopies } = database.options
    if (copies < minCopies) throw tooFewCopies(database.name, copies, minCopies)
  }

  #demandBundles(): void {
    const { version } = this.#context.ports.log.group()
    if (version < VERSION_OF.locks) throw versionTooLow(version, VERSION_OF.locks)
  }

  /**
   * Submits a command; again when what it writes was another transaction's for a moment, as it had no effect then. The log
   * remembers refusals under a key, too, but only what takes effect uses it up: behind each refusal comes another key.
   */
  async #send(
    command: Uint8Array,
    begun: number,
    options: CommitOptions,
  ): Promise<{ readonly applied: Applied; readonly result: CommandResult }> {
    const { ports, changed, settings } = this.#context
    for (let attempt = 0; ; attempt++) {
      const { idempotencyKey, requires = [], along } = options
      const key = idempotencyKey === undefined ? {} : { idempotencyKey: keyOf(idempotencyKey, attempt) }
      const before = ports.log.appliedIndex()
      let applied: Applied
      try {
        const submit = { ...this.#rest(begun, options), ...key }
        applied =
          requires.length === 0 && along === undefined
            ? await ports.log.submit(MACHINE_NAME, command, submit)
            : await this.#submitBundle(command, requires, along, submit)
      } catch (error) {
        throw submitError(error, command.length)
      }
      const result = decodeResult(applied.result)
      if (result.type === 'done') return { applied, result }
      // That was an earlier attempt of the caller.
      if (idempotencyKey !== undefined && applied.index <= before) continue
      const left = begun + (options.deadlineMs ?? settings.unavailableMs) - ports.clock.now()
      if (result.type !== 'reserved' || left <= 0) return { applied, result }
      await changed.next(ports.clock, Math.min(LOOK_MS, left), options.signal)
      if (this.#context.stopped) throw stopped()
    }
  }

  /**
   * Submits a command that has an effect only while the conditions hold, and only together with what comes along.
   * @throws DB_FENCED, DB_ALONG_REFUSED, LOG_VERSION_TOO_LOW
   */
  async #submitBundle(
    command: Uint8Array,
    fences: readonly BundleCondition[],
    along: Bundle | undefined,
    options: CommitOptions,
  ): Promise<Applied> {
    const { log } = this.#context.ports
    this.#demandBundles()
    const bundle = {
      commands: [{ machine: MACHINE_NAME, command }, ...(along?.commands ?? [])],
      requires: [...fences, ...(along?.requires ?? [])],
    }
    const { results, unmet, refused, ...applied } = await log.submitBundle(bundle, options)
    if (unmet !== null && unmet < fences.length) throw fenced(fences[unmet]?.machine ?? '', unmet)
    if (unmet !== null) throw alongRefused({ unmet: unmet - fences.length, refused: null, results: [] })
    if (refused !== null && refused > 0) throw alongRefused({ unmet: null, refused: refused - 1, results })
    const [result] = results
    assert(result, 'a commit in a bundle has its result')
    return { ...applied, result }
  }

  /**
   * Proves reads without writing: nothing of them has changed up to an index that covers everything acknowledged
   * before this call. The window is the same on every node, so this node can judge as soon as it has applied that index.
   * @throws DB_CONFLICT, DB_VERSION_GONE, and what the log throws
   */
  async validate(database: DatabaseRecord, reads: Reads, options: CallOptions): Promise<void> {
    const { ports, machine } = this.#context
    const begun = ports.clock.now()
    const index = await ports.log.barrier(options)
    if (ports.log.appliedIndex() < index) await ports.log.applied(index, this.#rest(begun, options))
    // A version from the future was read in another cluster, which this node has left since.
    if (reads.version > index) throw versionGone(database.name, reads.version as Version)
    const changed = machine.judge(database.id, reads)
    if (changed !== null) throw this.#refused(database, reads, changed)
  }

  /** The receipt of a transaction that has written nothing. */
  nothing(version: Version): CommitReceipt {
    return { version, lineage: this.#lineage(), copies: null, underReplicated: false, durableOn: 0 }
  }

  /** What the caller gets when the machine refused. */
  #refused(database: DatabaseRecord, { version }: Reads, result: CommandResult): ClusterError {
    switch (result.type) {
      case 'conflict':
      case 'reserved':
        return conflict(database.name, result.relation)
      case 'versionGone':
        return versionGone(database.name, version as Version)
      case 'tooFewCopies':
        return tooFewCopies(database.name, result.copies, database.options.minCopies)
      case 'unavailable':
        return unavailable(database.name, [result.partition], this.#holders(database, result.partition))
      case 'unknownDatabase':
        return this.#context.gone(database)
      default:
        return new ClusterError(
          { code: 'DB_FRAME_DAMAGED', outcome: 'rejected' },
          `The cluster refused the transaction (${result.type}). Run the same version on all nodes.`,
        )
    }
  }

  /** What is left of the call's time after waiting. */
  #rest<Options extends CallOptions>(begun: number, options: Options): Options {
    const spent = this.#context.ports.clock.now() - begun
    if (options.deadlineMs === undefined || spent === 0) return options
    return { ...options, deadlineMs: Math.max(0, options.deadlineMs - spent) }
  }

  #lineage(): LineageId {
    return this.#context.ports.log.group().lineage ?? lineageId('')
  }

  #living(database: DatabaseRecord, partition: PartitionId): number {
    const record = this.#context.partition(database.id, partition)
    return record === null ? 0 : this.#context.livingCount(record)
  }

  #fewest(database: DatabaseRecord, writes: readonly Pick<PartitionWrites, 'partition'>[]): number {
    let fewest = Number.MAX_SAFE_INTEGER
    for (let i = 0; i < writes.length; i++) {
      const written = writes[i]
      if (written !== undefined) fewest = Math.min(fewest, this.#living(database, written.partition))
    }
    return fewest
  }

  /** Copies asked for. */
  #asked(database: DatabaseRecord): number {
    const { redundancy } = database.options
    if (redundancy !== 'all') return redundancy
    return dataMembers(this.#context.ports.log.group()).length
  }

  #holders(database: DatabaseRecord, partition: PartitionId): readonly NodeId[] {
    return (this.#context.partition(database.id, partition)?.replicas ?? []).map((replica) => replica.node)
  }

  /** A write to a partition without a holder would wait in the log alone, so it is not made. */
  async #comeBack(
    database: DatabaseRecord,
    partition: PartitionId,
    begun: number,
    options: CallOptions,
  ): Promise<void> {
    const { changed, ports, settings } = this.#context
    const deadline = begun + (options.deadlineMs ?? settings.unavailableMs)
    while (this.#living(database, partition) === 0) {
      this.#context.check(database)
      const left = deadline - ports.clock.now()
      if (left <= 0) throw unavailable(database.name, [partition], this.#holders(database, partition))
      await changed.next(ports.clock, left, options.signal)
      if (this.#context.stopped) throw stopped()
    }
  }

  /**
   * The first writes of a young database wait for the copies asked for, if there are nodes to hold them; the
   * receipt tells when they did not come in time.
   */
  async #settle(
    database: DatabaseRecord,
    writes: readonly Pick<PartitionWrites, 'partition'>[],
    begun: number,
    options: CallOptions,
  ): Promise<void> {
    const { changed, ports, settings } = this.#context
    // Half of the caller's time at most: the rest is for the commit itself.
    const deadline = begun + Math.min(settings.settleMs, (options.deadlineMs ?? Number.POSITIVE_INFINITY) / 2)
    const young = (): boolean =>
      this.#members() > 1 &&
      writes.some(({ partition }) => this.#context.partition(database.id, partition)?.settled === false)
    while (young() && this.#fewest(database, writes) < Math.min(this.#asked(database), this.#members())) {
      const left = deadline - ports.clock.now()
      if (left <= 0) {
        this.#waited.add(database.id)
        return
      }
      await changed.next(ports.clock, left, options.signal)
      if (this.#context.stopped) throw stopped()
    }
    if (database.partitions.every((partition) => partition.settled)) this.#waited.add(database.id)
  }

  /** Members that answer and can hold copies. */
  #members(): number {
    const members = dataMembers(this.#context.ports.log.group())
    return members.filter((node) => this.#context.isLiving(node)).length
  }
}

const keyOf = (key: string, attempt: number): string => (attempt === 0 ? key : `${key}~${attempt}`)

/** What the caller gets for a submission that failed. */
function submitError(error: unknown, bytes: number): unknown {
  if (!isClusterError(error) || errorCode(error) !== 'LOG_COMMAND_TOO_LARGE') return error
  const detail = error.detail as unknown as { readonly bytesMax: number }
  return transactionTooLarge(bytes, detail.bytesMax, error)
}
