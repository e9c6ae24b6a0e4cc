import type { ClusterId, Database, Databases, OrderedLog, Version } from '@cluster/core'
import { optionInvalid } from '../../errors.ts'
import { ENTRIES } from './entries.ts'

/** A database whose rows are entries of maps. */
export interface Store {
  readonly database: Database
  /** Every change behind it is told. */
  readonly kept: Version
}

const STORE = '$maps-'

/** True for the databases that hold entries of maps: nobody else may write to them. */
export const isMapStore = (database: string): boolean => database.startsWith(STORE)

/** The databases of distributed maps, one for each redundancy that there is. */
export class Stores {
  readonly #databases: Pick<Databases, 'open'> | null
  readonly #opening = new Map<string, Promise<Store>>()
  readonly #open = new Map<string, Database>()
  #cluster: ClusterId | null = null

  constructor(databases: Pick<Databases, 'open'> | null, log: Pick<OrderedLog, 'on'>) {
    this.#databases = databases
    // A group that gave itself up into another one has that one's databases.
    log.on('group', ({ cluster }) => {
      if (cluster === this.#cluster) return
      this.#cluster = cluster
      this.#opening.clear()
      this.#open.clear()
    })
  }

  /** @throws CONTAINER_OPTION_INVALID where there are no databases, and what they throw */
  open(redundancy: number | 'all'): Promise<Store> {
    const name = `${STORE}${redundancy}`
    const known = this.#opening.get(name)
    if (known !== undefined) return known
    const opening = this.#make(name, redundancy)
    this.#opening.set(name, opening)
    opening.catch(() => {
      // Whoever asked has the error; the next one tries again.
      if (this.#opening.get(name) === opening) this.#opening.delete(name)
    })
    return opening
  }

  /** What is open already; null when it is not. */
  opened(redundancy: number | 'all'): Database | null {
    return this.#open.get(`${STORE}${redundancy}`) ?? null
  }

  async #make(name: string, redundancy: number | 'all'): Promise<Store> {
    if (this.#databases === null)
      throw optionInvalid('distributed', true, 'absent: these containers were made without databases')
    const database = await this.#databases.open(name, { redundancy })
    // Before the first entry is written, so that no change of one is missing.
    const kept = await database.keepChanges([ENTRIES])
    this.#open.set(name, database)
    return { database, kept }
  }
}
