import {
  assert,
  type Bundle,
  type CallOptions,
  type ContainerKey,
  type Database,
  errorCode,
  type MapOptions,
  type PreparedCommit,
  type Transaction,
  type TransactionMap,
  type WriteOptions,
} from '@cluster/core'
import type { Operation, Requirement } from '../../machine/codec.ts'
import type { Context } from '../context.ts'
import { ONLY } from '../counters.ts'
import { Values } from '../values.ts'
import { type Held, isLost } from './entries.ts'
import { checkOptions, rowKey } from './maps.ts'
import { PlaceHandle, patience } from './place.ts'
import { type EntryRow, type Found, findEntry, removeFirst, writeEntry } from './rows.ts'
import type { Span } from './spans.ts'

type Redundancy = number | 'all'

/** Transactions that lost their races, by the redundancy of their databases. */
export type Lost = ReadonlyMap<Redundancy, Transaction>

/** The commits of distributed maps, for the bundle of all that happens together. */
export interface Prepared {
  readonly commands: Bundle['commands']
  /** The bundle was not adopted. */
  release(): void
  /** One of the commands was refused. @returns false when the work may be done again; throws why when it may not */
  refused(position: number, result: Uint8Array | undefined): false
}

/** What one run of a transaction's work does with distributed maps: one transaction of each of their databases. */
export class DistributedDraft {
  readonly #context: Context
  readonly #call: CallOptions
  readonly #former: Lost
  readonly #require: (requirement: Requirement) => void
  readonly #add: (map: PlaceHandle, operation: Operation) => void
  readonly #open = new Map<Redundancy, Promise<Transaction>>()
  readonly #begun: Transaction[] = []
  readonly #ended: { readonly row: EntryRow; readonly found: Found }[] = []
  readonly #spans = new Set<Span>()
  readonly #losers = new Map<Redundancy, Transaction>()

  /**
   * @param former the transactions of the run before this one that lost their races
   * @param require notes what must still be so in the end
   * @param add notes what is to be done in the log
   */
  constructor(
    context: Context,
    call: CallOptions,
    former: Lost,
    require: (requirement: Requirement) => void,
    add: (map: PlaceHandle, operation: Operation) => void,
  ) {
    this.#context = context
    this.#call = call
    this.#former = former
    this.#require = require
    this.#add = add
  }

  map<K extends ContainerKey, V>(
    name: string,
    options: MapOptions<V>,
    check: () => void,
  ): TransactionMap<K, V> {
    checkOptions(options)
    const context = this.#context
    const handle = new PlaceHandle(context, name, options.distributed ?? true, options.ttlMs)
    const values = new Values<V>(name, options, context.settings.limits.valueBytes)
    const left = patience(context.clock, this.#call)
    const find = async (key: K) => {
      check()
      const encoded = rowKey(context, key)
      const { database, redundancy } = await handle.made(left)
      const transaction = await this.#begin(redundancy, database)
      // As it is at or behind the version of the transaction, and checked in the end.
      const life = handle.place()?.life ?? 0
      this.#require({ name, key: ONLY, version: life })
      const row: EntryRow = { map: handle, database, life, key: encoded }
      const found = await findEntry(transaction, row)
      const span = found.held?.span ?? null
      if (span !== null) this.#require(handle.lastsThen(span))
      return { transaction, row, found }
    }
    const write = async (key: K, after: (version: number) => Held | null): Promise<void> => {
      const { transaction, row, found } = await find(key)
      if (found.isOver) this.#ended.push({ row, found })
      writeEntry(transaction, row, found, after(transaction.version))
    }
    return {
      get: async (key) => {
        const { held } = (await find(key)).found
        return held === null ? undefined : values.decode(held.value)
      },
      set: async (key, value, { ttlMs }: Pick<WriteOptions, 'ttlMs'> = {}) => {
        const encoded = await values.encode(value)
        check()
        await handle.made(left)
        const span = await handle.span(ttlMs, left())
        await write(key, (version) => ({ value: encoded, version, span: span?.text ?? null }))
        if (span !== null) this.#lasts(handle, span)
      },
      delete: async (key) => write(key, () => null),
    }
  }

  /** Removes what was found to be over and is to be written to: its end comes first. @returns whether there was any */
  async removeEnded(left: () => CallOptions): Promise<boolean> {
    for (const { row, found } of this.#ended)
      try {
        await removeFirst(row, found, left())
      } catch (error) {
        // Somebody else did, or wrote: the work is done again anyway.
        const code = errorCode(error)
        if (!isLost(code) && code !== 'DB_FENCED') throw error
      }
    return this.#ended.length > 0
  }

  /** Spans that were refused are over: none of them is used again. */
  forget(): void {
    for (const span of this.#spans) this.#context.spans.forget(span)
  }

  #lasts(map: PlaceHandle, span: Span): void {
    if (this.#spans.has(span)) return
    this.#spans.add(span)
    this.#add(map, span.lasts)
  }

  /** True when a distributed map was asked for something. */
  get isUsed(): boolean {
    return this.#open.size > 0
  }

  /** The transactions that lost their races, for those of the next run. */
  get lost(): Lost {
    return this.#losers
  }

  /** The commits of all databases that take part, sorted by redundancy. @throws what `Transaction.prepare` throws */
  async prepare(left: () => CallOptions): Promise<Prepared> {
    const parts: {
      readonly redundancy: Redundancy
      readonly transaction: Transaction
      readonly prepared: PreparedCommit
    }[] = []
    const release = (): void => {
      for (const { prepared } of parts) prepared.release()
    }
    const open = [...this.#open].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
    try {
      for (const [redundancy, opening] of open) {
        const transaction = await opening
        assert(transaction.prepare, 'the databases of distributed maps have a log')
        parts.push({ redundancy, transaction, prepared: await transaction.prepare(left()) })
      }
    } catch (error) {
      release()
      throw error
    }
    return {
      commands: parts.map(({ prepared }) => prepared.command),
      release,
      refused: (position, result) => {
        const part = parts[position]
        assert(part && result, 'what was refused is named, with its result')
        const error = part.prepared.refusal(result)
        if (!isLost(error.code)) throw error
        this.#losers.set(part.redundancy, part.transaction)
        return false
      },
    }
  }

  /** Whatever is still open is given up. */
  end(): void {
    for (const transaction of this.#begun) transaction.rollback()
  }

  #begin(redundancy: Redundancy, database: Database): Promise<Transaction> {
    const known = this.#open.get(redundancy)
    if (known !== undefined) return known
    const { signal } = this.#call
    const lost = this.#former.get(redundancy)
    // The work was begun behind a barrier, and everything is judged in the end.
    const options = { optimistic: true, ...(lost && { retryOf: lost }), ...(signal && { signal }) }
    const opening = database.begin(options).then((transaction) => {
      this.#begun.push(transaction)
      return transaction
    })
    this.#open.set(redundancy, opening)
    return opening
  }
}
