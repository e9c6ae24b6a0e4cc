import type { Clock, Transaction } from '@cluster/core'
import type { Batch, Frame } from '../compile/batch.ts'
import { isSqlError, sqlError } from '../errors.ts'
import type { MemoryBudget } from './memory.ts'
import type { KeySet } from './rows/key-set.ts'
import { KeyWork } from './write/key-work.ts'

export interface ContextOptions {
  readonly transaction: Transaction
  readonly clock: Clock
  readonly frame: Frame
  readonly memory: MemoryBudget
  readonly signal: AbortSignal | null
}

/** Rows worked on between two looks at the rest of the program, at most. */
const ROWS_A_TURN = 8_192
/** How long one look after another may be away. Rows differ in what they cost, so the clock is asked as well. */
const TURN_MS = 4
/** Rows and calls of `work` between two questions to the clock. */
const ROWS_A_QUESTION = 512
const CALLS_A_QUESTION = 16

/** What one operator did in a run: how often it was opened, what it gave, how long it and those below it took. */
export interface OperatorProfile {
  loops: number
  rows: number
  ms: number
  /** What it wrote to disk, in its last loop; null: it kept all in memory. */
  spill: SpillProfile | null
}

/** How an operator did with less memory than its rows take. */
export interface SpillProfile {
  readonly kind: 'sort' | 'hash' | 'rows'
  /** Runs of a sort that were merged, parts that were worked on one after another. */
  readonly batches: number
  /** The most it kept in memory. */
  readonly memoryBytes: number
  readonly diskBytes: number
}

/** What EXPLAIN ANALYZE counts, by node of the plan. */
export interface OperatorCounts {
  of(node: object): OperatorProfile
}

/** What the operators of one running statement share. */
export class ExecutionContext {
  /** Where rows are written, and what writing needs is read. */
  readonly transaction: Transaction
  /** Where queries read. */
  readonly reads: Transaction
  readonly frame: Frame
  readonly memory: MemoryBudget
  /** Counts what operators do; null: nobody asked. */
  readonly profile: OperatorCounts | null
  /** The WITH tables that are being read, by id. */
  readonly tables: Map<number, TableRows>
  /** Keys that joins have told the scans below them, by id. */
  readonly keySets: Map<number, KeySet>
  /** Rows that were written to tables with foreign keys, of all parts of the statement. */
  readonly keyWork: KeyWork
  readonly #clock: Clock
  readonly #signal: AbortSignal | null
  /** Since the last turn; since the clock was asked. */
  #rows = 0
  #unasked = 0
  #calls = 0
  #since: number

  constructor(
    { transaction, clock, frame, memory, signal }: ContextOptions,
    parent?: ExecutionContext,
    profile: OperatorCounts | null = parent?.profile ?? null,
  ) {
    this.profile = profile
    this.transaction = transaction
    this.reads = parent?.reads ?? transaction
    this.tables = parent?.tables ?? new Map()
    this.keySets = parent?.keySets ?? new Map()
    this.keyWork = parent?.keyWork ?? new KeyWork()
    this.frame = frame
    this.memory = memory
    this.#clock = clock
    this.#signal = signal
    this.#since = clock.now()
  }

  now(): number {
    return this.#clock.now()
  }

  /** The same, and every operator counts what it does. */
  profiling(profile: OperatorCounts): ExecutionContext {
    const { transaction, frame, memory } = this
    const options = { transaction, clock: this.#clock, frame, memory, signal: this.#signal }
    return new ExecutionContext(options, this, profile)
  }

  /** For a part of the statement that was compiled apart: it has outer values of its own. */
  fork(transaction: Transaction): ExecutionContext {
    const options = {
      transaction,
      clock: this.#clock,
      frame: { ...this.frame, outer: [] },
      memory: this.memory,
      signal: this.#signal,
    }
    return new ExecutionContext(options, this)
  }

  /**
   * Counts rows worked on. Every few thousand it gives a promise, and the caller awaits it: the event loop gets
   * its turn, so that a long query stops neither heartbeats nor its own cancellation.
   * @throws 57014 when the statement was cancelled
   */
  work(rows: number): Promise<void> | null {
    this.#rows += rows
    this.#unasked += rows
    this.#calls++
    if (this.#rows >= ROWS_A_TURN) return this.#turn()
    if (this.#unasked < ROWS_A_QUESTION && this.#calls < CALLS_A_QUESTION) return null
    this.#unasked = 0
    this.#calls = 0
    return this.#clock.now() - this.#since < TURN_MS ? null : this.#turn()
  }

  async #turn(): Promise<void> {
    this.#rows = 0
    this.#unasked = 0
    this.#calls = 0
    await this.#clock.turn()
    this.#since = this.#clock.now()
    if (this.#signal?.aborted === true) throw cancellation(this.#signal)
  }
}

/** What a statement ends with whose signal has come. */
export const cancellation = ({ reason }: AbortSignal): unknown =>
  isSqlError(reason)
    ? reason
    : sqlError('57014', 'canceling statement due to user request', { cause: reason })

/** Rows that several operators read, each from the start. */
export interface TableRows {
  read(): AsyncIterable<Batch>
}

/** Makes batches, once a run; the state of a run lives in the iteration. */
export interface Source {
  open(context: ExecutionContext): AsyncIterable<Batch>
  /**
   * All rows at once, where they are few and nothing has to be waited for; undefined: they have to be taken from `open`. Left out
   * by operators that never answer so.
   */
  now?(context: ExecutionContext): Batch | undefined
}
