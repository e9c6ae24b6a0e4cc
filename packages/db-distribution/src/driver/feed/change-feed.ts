import {
  assert,
  type CallOptions,
  type Change,
  type ChangeFeed,
  type ChangesOptions,
  type Key,
  type LineageId,
  logIndex,
  type PartitionId,
  type RelationId,
  type RowBatch,
  type Version,
} from '@cluster/core'
import { aborted, changesGone, databaseGone, isVersionGone, stopped } from '../../errors.ts'
import { type ChangePlace, changePlace, changesBehind, FLOOR_KEY } from '../../machine/change-keys.ts'
import { allKeptSince, type KeptChanges, keptSince } from '../../machine/kept-changes.ts'
import { versionIn } from '../../machine/lineage.ts'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import type { Reader } from '../read/reader.ts'
import { OWN_ROWS } from '../replica/signature.ts'
import { Bell } from '../waiting.ts'
import { CHANGE_COLUMNS, unpacked } from './change-log.ts'
import { decodeToken, encodeToken, type FeedPosition } from './token.ts'

/** Changes that are read at once. */
const STEP_CHANGES = 1_024
/** A snapshot of another node tells of no commits, so whoever waits looks again. */
const LOOK_MS = 1_000

export interface FeedParts {
  readonly context: Context
  readonly reader: Reader
  /** The database now; throws when it is gone. */
  record(): DatabaseRecord
  keep(relations: readonly RelationId[] | undefined, options: CallOptions): Promise<Version>
}

interface Taken {
  readonly place: ChangePlace
  readonly change: Change
}

/** What was read in one step. */
interface Stretch {
  readonly changes: readonly Taken[]
  /** Where the feed stands once they are taken. */
  readonly end: FeedPosition
}

/**
 * Follows the changes that the holders keep. Each step reads, at one version that this node has applied, what every
 * partition kept since the position, merged in the order of versions: as an ordinary scan it goes on with another holder
 * when one fails, and wherever the partitions are by then.
 */
export class PartitionedFeed implements ChangeFeed {
  readonly #parts: FeedParts
  readonly #options: ChangesOptions
  readonly #wanted: ReadonlySet<RelationId> | null
  readonly #uid: string
  #position: FeedPosition | null = null
  #settled: FeedPosition | null = null
  #running = false

  constructor(parts: FeedParts, options: ChangesOptions) {
    this.#parts = parts
    this.#options = options
    this.#wanted = options.relations === undefined ? null : new Set(options.relations)
    this.#uid = parts.record().uid
    if (typeof options.from === 'string') this.#position = decodeToken(this.#uid, options.from)
  }

  /** Behind everything that was handed out and asked beyond; a change that is on its way does not count. */
  get settled(): FeedPosition | null {
    return this.#settled
  }

  get token(): string | null {
    return this.#position === null ? null : encodeToken(this.#uid, this.#position)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change> {
    assert(!this.#running, 'a feed is taken by one loop')
    this.#running = true
    const { context } = this.#parts
    const news = new Bell()
    const events = context.eventsOf(this.#parts.record().name)
    const unwatch = events.on('dropped', () => news.ring())
    const cancel = events.on('commit', ({ relations }) => {
      if (this.#wanted === null || relations.some((relation) => this.#wanted?.has(relation))) news.ring()
    })
    try {
      this.#position ??= await this.#begin()
      this.#settled = this.#position
      for (;;) {
        this.#check()
        const before: FeedPosition = this.#position
        const stretch = await this.#step(before)
        for (const { place, change } of stretch?.changes ?? []) {
          this.#position = { version: place.version, place, lineage: stretch?.end.lineage ?? before.lineage }
          yield change
          this.#settled = this.#position
        }
        if (stretch !== null) this.#position = stretch.end
        this.#settled = this.#position
        const behind = context.ports.log.appliedIndex() > this.#position.version
        if (!behind || context.history === null)
          await news.next(context.ports.clock, LOOK_MS, this.#options.signal)
      }
    } finally {
      unwatch()
      cancel()
      this.#running = false
    }
  }

  #check(): void {
    if (this.#options.signal?.aborted) throw aborted()
    if (this.#parts.context.stopped) throw stopped()
    const { uid, name } = this.#parts.record()
    if (uid !== this.#uid) throw databaseGone(name)
  }

  async #begin(): Promise<FeedPosition> {
    const { from, relations, signal } = this.#options
    const version =
      typeof from === 'number' ? from : await this.#parts.keep(relations, signal ? { signal } : {})
    return { version, place: null, lineage: null }
  }

  /** Reads what is next; null when this node has nothing newer yet. */
  async #step(position: FeedPosition): Promise<Stretch | null> {
    const { context } = this.#parts
    const { log } = context.ports
    const call: CallOptions = this.#options.signal ? { signal: this.#options.signal } : {}
    // After a restart, or on another node, what was taken may not have arrived here yet.
    if (log.appliedIndex() < position.version) await log.applied(position.version, call)
    const database = this.#parts.record()
    const { history } = context
    // It belongs to no group for the moment.
    if (history === null) return null
    const { version, lineage } = position
    if (lineage !== null && versionIn(history, lineage, version) === null)
      throw changesGone(database.name, version, 'history', null)
    this.#checkKept(database, position)
    const target = log.appliedIndex()
    if (target === version && position.place === null) return null
    try {
      return await this.#read(database, position, { target, lineage: history.lineage }, call)
    } catch (error) {
      // It took so long that the version is gone: it is read at a newer one.
      if (isVersionGone(error)) return { changes: [], end: position }
      throw error
    }
  }

  async #read(
    database: DatabaseRecord,
    position: FeedPosition,
    { target, lineage }: { readonly target: Version; readonly lineage: LineageId },
    call: CallOptions,
  ): Promise<Stretch> {
    const partitions = database.partitions
      .filter(({ lastWrite }) => lastWrite >= position.version)
      .map(({ id }) => id)
    const end = { version: target, place: null, lineage }
    if (partitions.length === 0) return { changes: [], end }
    await this.#checkFloors(database, position, partitions, target, call)
    const source = await this.#parts.reader.scan(
      database,
      {
        database: database.id,
        version: target,
        relation: OWN_ROWS,
        range: changesBehind(position.place ?? position.version),
        partitions,
        ordered: true,
        reverse: false,
        columns: CHANGE_COLUMNS,
        limit: STEP_CHANGES,
      },
      call,
    )
    const changes: Taken[] = []
    try {
      for (let read = 0; ; ) {
        const batch = await source.next()
        if (batch === null) return { changes, end }
        for (let i = 0; i < batch.length; i++) {
          const place = changePlace(batch.keys[i] as Key)
          const change = this.#change(batch, i, place, lineage)
          if (change !== null) changes.push({ place, change })
          // There may be more of it: the next step begins behind this one.
          if (++read === STEP_CHANGES) return { changes, end: { version: place.version, place, lineage } }
        }
      }
    } finally {
      source.close()
    }
  }

  /** @throws DB_CHANGES_GONE when a partition has dropped some that come next */
  async #checkFloors(
    database: DatabaseRecord,
    position: FeedPosition,
    partitions: readonly PartitionId[],
    target: Version,
    call: CallOptions,
  ): Promise<void> {
    const rows = await Promise.all(
      partitions.map((partition) =>
        this.#parts.reader.get(database, partition, OWN_ROWS, FLOOR_KEY, target, call),
      ),
    )
    for (const row of rows) {
      const floor = (row?.[0] ?? 0) as Version
      if (isBehind(position, floor)) throw changesGone(database.name, position.version, 'retention', floor)
    }
  }

  #change(batch: RowBatch, i: number, place: ChangePlace, lineage: LineageId): Change | null {
    const [relation, key, before, after] = batch.columns.map((column) => column[i])
    if (this.#wanted !== null && !this.#wanted.has(relation as RelationId)) return null
    const { version, partition } = place
    return {
      version,
      relation: relation as RelationId,
      partition,
      key: key as Key,
      before: unpacked(before),
      after: unpacked(after),
      token: encodeToken(this.#uid, { version, place, lineage }),
    }
  }

  /** @throws DB_CHANGES_GONE when nobody kept them */
  #checkKept({ name, kept }: DatabaseRecord, position: FeedPosition): void {
    const since = this.#wanted === null ? allKeptSince(kept) : latest(kept, this.#wanted)
    if (since === null || isBehind(position, since))
      throw changesGone(name, position.version, 'notKept', since === null ? null : logIndex(since))
  }
}

/** True when something that comes next for the position is at or below the version. */
const isBehind = ({ version, place }: FeedPosition, floor: number): boolean =>
  place === null ? version < floor : version <= floor

function latest(kept: KeptChanges, relations: ReadonlySet<RelationId>): number | null {
  let since = 0
  for (const relation of relations) {
    const own = keptSince(kept, relation)
    if (own === null) return null
    since = Math.max(since, own)
  }
  return since
}
