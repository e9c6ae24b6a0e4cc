import {
  assert,
  type BundleCondition,
  type CallOptions,
  type Clock,
  type Database,
  type DistributedOptions,
  isClusterError,
  logIndex,
  type ReadOptions,
  VERSION_OF,
  type Version,
} from '@cluster/core'
import { optionInvalid, optionsDiffer } from '../../errors.ts'
import { encodeRequirements } from '../../machine/codec.ts'
import { CONTAINER_MACHINE } from '../../machine/machine.ts'
import type { Context } from '../context.ts'
import { callOptions } from '../context.ts'
import { ONLY } from '../counters.ts'
import { Handle } from '../handle.ts'
import { Values } from '../values.ts'
import { ENTRIES, formerLives } from './entries.ts'
import type { Store } from './stores.ts'

/** What the log says of a distributed map. */
interface Said {
  readonly redundancy: number | 'all'
  /** Every change of the map is behind this version. */
  readonly since: number
}

/** A map as it is at one moment. */
export interface Place extends Said {
  /** The number of its life, which is the version of what the log says of it. */
  readonly life: number
}

/** A map, its database, and a version at which the life was the current one. */
export interface Moment extends Place {
  readonly database: Database
  readonly version: Version
}

const DEFAULT_REDUNDANCY = 2
const SWEEP_ROWS = 500

/** What is left, at each call, of the time that the caller gave. */
export function patience(clock: Clock, { deadlineMs, signal }: CallOptions = {}): () => CallOptions {
  const begun = clock.now()
  return () =>
    callOptions({
      signal,
      deadlineMs: deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - (clock.now() - begun)),
    })
}

/** @throws CONTAINER_OPTION_INVALID */
function redundancyOf(distributed: boolean | DistributedOptions): number | 'all' | undefined {
  if (typeof distributed === 'boolean') return undefined
  const { redundancy } = distributed
  const isRight =
    redundancy === undefined ||
    redundancy === 'all' ||
    (Number.isInteger(redundancy) && redundancy >= 1 && redundancy <= 1_024)
  if (!isRight) throw optionInvalid('redundancy', redundancy, "a whole number from 1 to 1,024, or 'all'")
  return redundancy
}

/**
 * What the log says of where a distributed map is: a container of that name with one entry. So one name is of one kind, and
 * every commit of the map asks, where the log has it, that the life is still the one it wrote to.
 */
export class PlaceHandle extends Handle {
  readonly #redundancy: number | 'all' | undefined
  readonly #codec: Values<Said>
  #swept = 0

  constructor(context: Context, name: string, distributed: boolean | DistributedOptions) {
    super(context, name, 'distributedMap', {})
    this.#redundancy = redundancyOf(distributed)
    this.#codec = new Values<Said>(name, {}, context.settings.limits.valueBytes)
  }

  /** As this node has it; undefined when there is no such map. @throws CONTAINER_KIND_DIFFERS, CONTAINER_OPTIONS_DIFFER */
  place(): Place | undefined {
    const entry = this.here()?.entries.get(ONLY)
    if (entry === undefined) return undefined
    const said = this.#codec.decode(entry.value)
    if (this.#redundancy !== undefined && this.#redundancy !== said.redundancy) throw optionsDiffer(this.name)
    return { ...said, life: entry.version }
  }

  /** The moment that a read is of; null when there is no such map then. */
  async moment(options: ReadOptions | undefined, left: () => CallOptions): Promise<Moment | null> {
    const { context } = this
    await context.sync({ ...options, ...left() })
    const place = this.place()
    // What is read of the log and of the database is of one index.
    const version = logIndex(context.log.appliedIndex())
    if (place === undefined) return null
    const { database } = await this.#store(place)
    return { ...place, database, version }
  }

  /** Where the map is, as this node has it; it is made when there is none. */
  async made(left: () => CallOptions): Promise<Place & { readonly database: Database }> {
    const { context } = this
    await context.demandVersion(VERSION_OF.distributedMaps)
    for (;;) {
      const place = this.place()
      if (place !== undefined) return { ...place, database: (await this.#store(place)).database }
      const redundancy = this.#redundancy ?? DEFAULT_REDUNDANCY
      const { kept } = await context.stores.open(redundancy)
      const value = this.#codec.encodeNow({ redundancy, since: kept })
      await this.write({ type: 'put', key: ONLY, value, ttl: 0, when: { is: 'absent' } }, left())
    }
  }

  /** Holds while that life is the current one. */
  condition({ life }: Place): BundleCondition {
    const condition = encodeRequirements([{ name: this.name, key: ONLY, version: life }])
    return { machine: CONTAINER_MACHINE, condition }
  }

  /** What the log would say of the next life. */
  said({ redundancy, since }: Place): Uint8Array {
    return this.#codec.encodeNow({ redundancy, since })
  }

  /** Removes, in the background, what lives before `life` left behind. */
  sweep(database: Database, life: number): void {
    if (this.#swept >= life) return
    this.#swept = life
    this.#sweep(database, life).catch((error: unknown) => {
      if (!isClusterError(error)) throw error
      // Nobody reads it; whoever uses the map next tries again.
      this.#swept = 0
      this.context.logger.log('debug', 'entries that were cleared are not removed yet', {
        container: this.name,
        code: error.code,
      })
    })
  }

  async #sweep(database: Database, life: number): Promise<void> {
    const { name, context } = this
    const range = formerLives(name, life)
    for (let found = SWEEP_ROWS; found === SWEEP_ROWS; ) {
      if (context.stopped) return
      const transaction = await database.begin()
      try {
        found = 0
        const request = { relation: ENTRIES, range, columns: [1], limit: SWEEP_ROWS, ordered: true }
        for await (const { keys } of transaction.scan(request))
          for (const key of keys) {
            found++
            transaction.delete({ relation: ENTRIES, partition: database.partitionOf(key), key })
          }
        if (found > 0) await transaction.commit()
      } finally {
        transaction.rollback()
      }
    }
  }

  async #store(place: Place): Promise<Store> {
    const store = await this.context.stores.open(place.redundancy)
    assert(place.life > 0, 'lives are numbered from 1')
    this.sweep(store.database, place.life)
    return store
  }
}
