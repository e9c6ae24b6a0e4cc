import {
  type Bundle,
  type BundleVerdict,
  type CallOptions,
  type ContainerKey,
  type DatabaseErrorDetail,
  errorCode,
  isClusterError,
  type MapOptions,
  type Transaction,
  type TransactionMap,
  type WriteOptions,
} from '@cluster/core'
import { optionInvalid } from '../../errors.ts'
import type { Requirement } from '../../machine/codec.ts'
import { type Context, callOptions } from '../context.ts'
import { ONLY } from '../counters.ts'
import { Values } from '../values.ts'
import { addressOf, heldOf } from './entries.ts'
import { checkOptions, checkTtl, isLost, rowKey } from './maps.ts'
import { type Place, PlaceHandle, patience } from './place.ts'

/** What one run of a transaction's work does with distributed maps: one transaction of their database. */
export class DistributedDraft {
  readonly #context: Context
  readonly #call: CallOptions
  readonly #lost: Transaction | null
  readonly #require: (requirement: Requirement) => void
  #begun: { readonly redundancy: number | 'all'; readonly transaction: Promise<Transaction> } | null = null
  #transaction: Transaction | null = null

  /**
   * @param lost the transaction of the run before this one, if it lost its race
   * @param require notes what must still be so in the end
   */
  constructor(
    context: Context,
    call: CallOptions,
    lost: Transaction | null,
    require: (requirement: Requirement) => void,
  ) {
    this.#context = context
    this.#call = call
    this.#lost = lost
    this.#require = require
  }

  map<K extends ContainerKey, V>(
    name: string,
    options: MapOptions<V>,
    check: () => void,
  ): TransactionMap<K, V> {
    checkOptions(options)
    const context = this.#context
    const handle = new PlaceHandle(context, name, options.distributed ?? true)
    const values = new Values<V>(name, options, context.settings.limits.valueBytes)
    const at = async (key: K) => {
      check()
      const encoded = rowKey(context, key)
      const { database, redundancy } = await handle.made(patience(context.clock, this.#call))
      const transaction = await this.#begin(redundancy, () => database.begin(this.#options()))
      // As it is at or behind the version of the transaction, and checked in the end.
      const place: Place | undefined = handle.place()
      const life = place?.life ?? 0
      this.#require({ name, key: ONLY, version: life })
      return { transaction, address: addressOf(database, name, life, encoded) }
    }
    return {
      get: async (key) => {
        const { transaction, address } = await at(key)
        const held = heldOf(await transaction.get(address))
        return held === null ? undefined : values.decode(held.value)
      },
      set: async (key, value, { ttlMs }: Pick<WriteOptions, 'ttlMs'> = {}) => {
        checkTtl(ttlMs)
        const encoded = await values.encode(value)
        const { transaction, address } = await at(key)
        // Two writers of one version must not both succeed.
        transaction.expectUnchanged(address)
        transaction.put(address, [encoded, transaction.version])
      },
      delete: async (key) => {
        const { transaction, address } = await at(key)
        transaction.expectUnchanged(address)
        transaction.delete(address)
      },
    }
  }

  /** The transaction of this run; null when no distributed map was asked. */
  get transaction(): Transaction | null {
    return this.#transaction
  }

  /** Commits what was done together with the bundle. Null: it lost its race. */
  async commit(transaction: Transaction, along: Bundle, options: CallOptions): Promise<BundleVerdict | null> {
    try {
      await transaction.commit({ ...callOptions(options), along })
      return { adopted: true, unmet: null, refused: null, results: [] }
    } catch (error) {
      if (isLost(errorCode(error))) return null
      const detail = isClusterError(error) ? (error.detail as DatabaseErrorDetail) : null
      if (detail?.code !== 'DB_ALONG_REFUSED') throw error
      return { adopted: false, unmet: detail.unmet, refused: detail.refused, results: detail.results }
    }
  }

  /** Whatever is still open is given up. */
  end(): void {
    this.#transaction?.rollback()
  }

  #options() {
    const { signal } = this.#call
    // The work was begun behind a barrier, and everything is judged in the end.
    return { optimistic: true, ...(this.#lost && { retryOf: this.#lost }), ...(signal && { signal }) }
  }

  async #begin(redundancy: number | 'all', begin: () => Promise<Transaction>): Promise<Transaction> {
    this.#begun ??= { redundancy, transaction: begin() }
    if (this.#begun.redundancy !== redundancy)
      throw optionInvalid(
        'redundancy',
        redundancy,
        `${this.#begun.redundancy}, as of the other distributed maps of this transaction`,
      )
    this.#transaction = await this.#begun.transaction
    return this.#transaction
  }
}
