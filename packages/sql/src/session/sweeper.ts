import {
  type Clock,
  type Database,
  EVERYWHERE,
  type PartitionId,
  type Random,
  type RowAddress,
} from '@cluster/core'
import type { Catalog, Discarded } from '../catalog/catalog.ts'
import { inSteps } from './statements/in-steps.ts'

export interface SweeperPorts {
  readonly database: Database
  readonly catalog: Catalog
  readonly clock: Clock
  readonly random: Random
}

/** Rows deleted by one transaction, at most. */
const ROWS_A_STEP = 1_000

/**
 * Deletes what dropped tables and indexes have left, some rows at a time. Which relations these are stands in the catalog,
 * so whatever a node does not get to is done by the next one that drops something.
 */
export class Sweeper {
  readonly #ports: SweeperPorts
  #running: Promise<number> | null = null
  #again = false
  #failure: string | null = null

  constructor(ports: SweeperPorts) {
    this.#ports = ports
  }

  /** Why the last sweep ended early; null when it did not. */
  get failure(): string | null {
    return this.#failure
  }

  /** Begins a sweep, unless one is on its way; then that one looks once more. */
  kick(): void {
    this.#again = true
    if (this.#running !== null) return
    void this.sweep().catch((error: unknown) => {
      // The catalog still has what is left: a later sweep takes it up.
      this.#failure = error instanceof Error ? error.message : String(error)
    })
  }

  /** Sweeps everything that there is. @returns how many relations were emptied */
  sweep(): Promise<number> {
    this.#running ??= this.#sweep().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #sweep(): Promise<number> {
    let count = 0
    do {
      this.#again = false
      for (const discarded of await this.#list()) {
        while (!(await this.#step(discarded))) await this.#ports.clock.turn()
        count++
      }
    } while (this.#again)
    this.#failure = null
    return count
  }

  async #list(): Promise<readonly Discarded[]> {
    const transaction = await this.#ports.database.begin({ readOnly: true })
    try {
      return await this.#ports.catalog.discarded(transaction)
    } finally {
      transaction.rollback()
    }
  }

  /** Deletes some rows. @returns true when none is left */
  async #step({ relation, everywhere }: Discarded): Promise<boolean> {
    const { database, catalog } = this.#ports
    const partitions = everywhere
      ? [EVERYWHERE]
      : Array.from({ length: database.options.partitions }, (_, i) => (i + 1) as PartitionId)
    return inSteps(this.#ports, async (transaction) => {
      const found: RowAddress[] = []
      for (const partition of partitions) {
        const limit = ROWS_A_STEP - found.length
        if (limit === 0) break
        const request = { relation, range: {}, columns: [], partitions: [partition], limit }
        for await (const { keys } of transaction.scan(request))
          for (const key of keys) found.push({ relation, partition, key })
      }
      for (const address of found) transaction.delete(address)
      const empty = found.length < ROWS_A_STEP
      if (empty) catalog.forget(transaction, relation)
      return empty
    })
  }
}
