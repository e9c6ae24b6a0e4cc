import {
  assert,
  type Bundle,
  type BundleCondition,
  type CallOptions,
  type Clock,
  type Database,
  type DistributedOptions,
  isClusterError,
  logIndex,
  type ReadOptions,
  type RelationId,
  VERSION_OF,
  type Version,
} from '@cluster/core'
import { optionInvalid, optionsDiffer } from '../../errors.ts'
import { encodeCommand, encodeRequirements, type Requirement } from '../../machine/codec.ts'
import { CONTAINER_MACHINE } from '../../machine/machine.ts'
import { ttlOf } from '../../options.ts'
import type { Context } from '../context.ts'
import { callOptions } from '../context.ts'
import { ONLY } from '../counters.ts'
import { Handle } from '../handle.ts'
import { Values } from '../values.ts'
import { ENDINGS, ENTRIES, formerLives, partitionOf } from './entries.ts'
import { lastingNow, lastingThen, type Span, spanKey } from './spans.ts'
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
  /** Whether a span lasts at that version. */
  readonly lasts: (span: string) => boolean
}

const DEFAULT_REDUNDANCY = 2
const SWEEP_ROWS = 500
/** How the machine is told that an entry does not end. */
export const NEVER = 1

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

  constructor(context: Context, name: string, distributed: boolean | DistributedOptions, ttlMs?: number) {
    super(context, name, 'distributedMap', ttlMs === undefined ? {} : { ttlMs })
    this.#redundancy = redundancyOf(distributed)
    this.#codec = new Values<Said>(name, {}, context.settings.limits.valueBytes)
  }

  /** As this node has it; undefined when there is no such map. @throws CONTAINER_KIND_DIFFERS, CONTAINER_OPTIONS_DIFFER */
  place(): Place | undefined {
    const container = this.here()
    const entry = container?.entries.get(ONLY)
    if (container === undefined || entry === undefined) return undefined
    const { ttlMs } = this.wanted
    if (ttlMs !== 0 && ttlMs !== container.settings.ttlMs) throw optionsDiffer(this.name)
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
    const lasts = lastingThen(this.here())
    const { database } = await this.#store(place)
    return { ...place, database, version, lasts }
  }

  /** Says which spans last, as this node has it now. */
  lasting(): (span: string) => boolean {
    return lastingNow(this.here())
  }

  /**
   * The span of an entry that is written now, for as long as was asked for, or as the map has it; null: for ever.
   * @throws LOG_VERSION_TOO_LOW, CONTAINER_OPTION_INVALID
   */
  async span(ttlMs: number | null | undefined, call: CallOptions): Promise<Span | null> {
    const container = this.here()
    const wanted = ttlOf(ttlMs)
    const lasts = wanted === 0 ? (container?.settings.ttlMs ?? 0) : wanted - 1
    if (lasts === 0 || container === undefined) return null
    await this.context.demandVersion(VERSION_OF.mapSpans)
    return this.context.spans.of(this, container.id, lasts, call)
  }

  /** What lets the span of an entry last, for the bundle of the write. */
  lasts({ lasts }: Span): Bundle {
    const { name, kind } = this
    const command = encodeCommand([{ name, kind, operation: lasts }])
    return { commands: [{ machine: CONTAINER_MACHINE, command }] }
  }

  /** Where the map is, as this node has it; it is made when there is none. */
  async made(left: () => CallOptions): Promise<Place & { readonly database: Database }> {
    const { context } = this
    const { distributedMaps, mapSpans } = VERSION_OF
    await context.demandVersion(this.wanted.ttlMs === 0 ? distributedMaps : mapSpans)
    for (;;) {
      const place = this.place()
      if (place !== undefined) return { ...place, database: (await this.#store(place)).database }
      const redundancy = this.#redundancy ?? DEFAULT_REDUNDANCY
      const { kept } = await context.stores.open(redundancy)
      const value = this.#codec.encodeNow({ redundancy, since: kept })
      await this.write({ type: 'put', key: ONLY, value, ttl: NEVER, when: { is: 'absent' } }, left())
    }
  }

  /** Holds while that life is the current one, and these spans last, which they do here. */
  condition({ life }: Pick<Place, 'life'>, ...spans: readonly string[]): BundleCondition {
    const condition = encodeRequirements([
      { name: this.name, key: ONLY, version: life },
      ...spans.map((span) => this.lastsThen(span)),
    ])
    return { machine: CONTAINER_MACHINE, condition }
  }

  /** "That span, which lasts here, still lasts." */
  lastsThen(span: string): Requirement {
    const key = spanKey(span)
    // One that is over by now is never again.
    const version = this.context.machine.versionOf(this.name, key) || Number.MAX_SAFE_INTEGER
    return { name: this.name, key, version }
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
    for (const relation of [ENTRIES, ENDINGS]) await this.#sweepRelation(database, relation, life)
  }

  async #sweepRelation(database: Database, relation: RelationId, life: number): Promise<void> {
    const { name, context } = this
    const range = formerLives(name, life)
    for (let found = SWEEP_ROWS; found === SWEEP_ROWS; ) {
      if (context.stopped) return
      const transaction = await database.begin()
      try {
        found = 0
        const request = { relation, range, columns: [0], limit: SWEEP_ROWS, ordered: true }
        for await (const { keys } of transaction.scan(request))
          for (const key of keys) {
            found++
            transaction.delete({ relation, partition: partitionOf(database, name, relation, key), key })
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
