import { errorCode, type PartitionStore } from '@cluster/core'
import { type History, versionIn } from '../../machine/lineage.ts'
import type { Context } from '../context.ts'
import type { FormerStores } from './former-stores.ts'
import { writtenIn } from './signature.ts'
import { freshStore, storesOf } from './store-names.ts'

export interface Found {
  readonly name: string
  readonly store: PartitionStore
}

/** Finds what earlier runs of this node left on disk of a replica. */
export class StoreFinder {
  readonly #context: Context
  readonly #former: FormerStores

  constructor(context: Context, former: FormerStores) {
    this.#context = context
    this.#former = former
  }

  /**
   * The store of a slot: the one on disk that holds nothing but versions of the history that this node belongs to, else a
   * fresh one of another name. Those of a history that was given up are kept aside until nobody can need them.
   */
  async find(slot: string, history: History): Promise<Found> {
    const { ports } = this.#context
    const names = storesOf(slot, await ports.storage.list())
    let found: Found | null = null
    for (const name of names) {
      const store: PartitionStore | null = found === null ? await this.#open(name) : null
      if (store !== null && versionIn(history, writtenIn(store), store.appliedVersion()) !== null) {
        found = { name, store }
        continue
      }
      this.#former.add(name)
      if (store === null) continue
      ports.logger.log('warn', 'a copy on disk is of a history that was given up', {
        store: name,
        writtenIn: writtenIn(store),
      })
      await store.close()
    }
    if (found !== null) return found
    const name = freshStore(slot, names)
    return { name, store: await this.#open(name) }
  }

  async #open(name: string): Promise<PartitionStore> {
    const { storage, logger } = this.#context.ports
    try {
      return await storage.open(name)
    } catch (error) {
      if (errorCode(error) !== 'DISK_DAMAGED') throw error
      logger.log('error', 'a copy on disk is damaged and is replaced', { store: name, error: String(error) })
      await storage.remove(name)
      return storage.open(name)
    }
  }
}
