import {
  afterKey,
  assert,
  type CallOptions,
  type Cancel,
  type ChangeEvent,
  type ContainerKey,
  errorCode,
  type Key,
  type LocalView,
  type MapOptions,
  type ReadOptions,
  type RowBatch,
  type SharedMap,
  type SubscribeOptions,
  type Transaction,
  type WatchOptions,
  type WriteOptions,
  type Written,
} from '@cluster/core'
import { contended, optionInvalid, tooMany } from '../../errors.ts'
import { encodeCommand, type Operation } from '../../machine/codec.ts'
import { CONTAINER_MACHINE } from '../../machine/machine.ts'
import type { Context } from '../context.ts'
import { ONLY } from '../counters.ts'
import { encodeKey } from '../keys.ts'
import { COMPUTE_ATTEMPTS } from '../maps.ts'
import { Values } from '../values.ts'
import { followMap, watchMap } from './changes.ts'
import {
  addressOf,
  ENTRIES,
  entriesOf,
  type Held,
  heldOf,
  isLost,
  keyWithin,
  markAddress,
  markRow,
  partitionsOf,
} from './entries.ts'
import { type Moment, NEVER, type Place, PlaceHandle, patience } from './place.ts'
import { type EntryRow, findEntry, removeFirst, writeEntry } from './rows.ts'

/** What becomes of an entry: its new value, null for none; undefined: it stays as it is. */
type Decision = Uint8Array | null | undefined
type Decide = (before: Held | null) => Decision

/** Bytes that are counted for an entry besides its key and value, as for other containers. */
const OVERHEAD = 64

/** How often a version may be gone that was the newest when it was asked for. */
const READS_MAX = 5

/** The key in a row. @throws CONTAINER_OPTION_INVALID, CONTAINER_LIMIT */
export function rowKey(context: Context, key: ContainerKey): Key {
  const encoded = encodeKey(key)
  const { keyBytes } = context.settings.limits
  if (encoded.length > keyBytes) throw tooMany('keyBytes', keyBytes)
  return encoded
}

/** @throws CONTAINER_OPTION_INVALID */
export function checkOptions<V>({ bytesMax, historyMax }: MapOptions<V>): void {
  for (const [option, value] of Object.entries({ bytesMax, historyMax }))
    if (value !== undefined)
      throw optionInvalid(option, value, 'absent: a distributed map is bounded by its nodes alone')
}

/** A map whose entries are rows on the partitions of a database. */
export class DistributedMapHandle<K extends ContainerKey, V> implements SharedMap<K, V> {
  readonly name: string
  readonly context: Context
  readonly place: PlaceHandle
  readonly codec: Values<V>
  readonly local: LocalView<K, V>

  constructor(context: Context, name: string, options: MapOptions<V>) {
    checkOptions(options)
    this.name = name
    this.context = context
    this.place = new PlaceHandle(context, name, options.distributed ?? true, options.ttlMs)
    this.codec = new Values(name, options, context.settings.limits.valueBytes)
    this.local = new HeldHere(this)
  }

  async get(key: K, options?: ReadOptions): Promise<V | undefined> {
    return (await this.getVersioned(key, options))?.value
  }

  async getVersioned(
    key: K,
    options?: ReadOptions,
  ): Promise<{ readonly value: V; readonly version: number } | undefined> {
    const held = await this.#read(rowKey(this.context, key), options)
    return held === null ? undefined : { value: this.codec.decode(held.value), version: held.version }
  }

  async has(key: K, options?: ReadOptions): Promise<boolean> {
    return (await this.#read(rowKey(this.context, key), options)) !== null
  }

  async size(options?: ReadOptions): Promise<number> {
    let size = 0
    for await (const { rows } of this.#batches(options, [1, 2])) size += rows.length
    return size
  }

  async set(key: K, value: V, options: WriteOptions = {}): Promise<Written> {
    const encoded = await this.codec.encode(value)
    const written = await this.#change(key, () => encoded, options)
    return written ?? Promise.reject(contended(COMPUTE_ATTEMPTS))
  }

  async putIfAbsent(key: K, value: V, options: WriteOptions = {}): Promise<boolean> {
    const encoded = await this.codec.encode(value)
    return (await this.#change(key, (before) => (before === null ? encoded : undefined), options)) !== null
  }

  async replace(key: K, before: V, after: V, options: WriteOptions = {}): Promise<boolean> {
    const expected = this.codec.encodeNow(before)
    const encoded = await this.codec.encode(after)
    const isSo = (held: Held | null): boolean =>
      held !== null &&
      held.value.length === expected.length &&
      held.value.every((byte, i) => byte === expected[i])
    return (await this.#change(key, (held) => (isSo(held) ? encoded : undefined), options)) !== null
  }

  async replaceVersion(key: K, version: number, after: V, options: WriteOptions = {}): Promise<boolean> {
    if (!Number.isSafeInteger(version) || version < 0)
      throw optionInvalid('version', version, 'one that was read, or 0')
    const encoded = await this.codec.encode(after)
    const decide: Decide = (held) => ((held?.version ?? 0) === version ? encoded : undefined)
    return (await this.#change(key, decide, options)) !== null
  }

  async compute(
    key: K,
    change: (value: V | undefined) => V | undefined,
    options: WriteOptions = {},
  ): Promise<V | undefined> {
    let result: V | undefined
    await this.#change(
      key,
      (before) => {
        result = change(before === null ? undefined : this.codec.decode(before.value))
        return result === undefined ? null : this.codec.encodeNow(result)
      },
      options,
    )
    return result
  }

  async touch(key: K, ttlMs: number | null, options?: CallOptions): Promise<boolean> {
    const written = await this.#change(key, (before) => before?.value, { ...options, ttlMs }, true)
    return written !== null
  }

  async delete(key: K, options: CallOptions = {}): Promise<boolean> {
    return (await this.#change(key, () => null, options)) !== null
  }

  async clear(options: CallOptions = {}): Promise<void> {
    await this.#endLife(
      (place) => ({
        type: 'put',
        key: ONLY,
        value: this.place.said(place),
        ttl: NEVER,
        when: { is: 'version', version: place.life },
      }),
      options,
    )
  }

  async destroy(options: CallOptions = {}): Promise<void> {
    await this.#endLife(() => ({ type: 'destroy' }), options)
  }

  async *entries(options?: ReadOptions): AsyncIterableIterator<[K, V]> {
    for await (const { batch, rows } of this.#batches(options, [1, 2, 0]))
      for (const i of rows) yield [keyAt(this.name, batch, i) as K, this.codec.decode(valueAt(batch, i))]
  }

  async *keys(options?: ReadOptions): AsyncIterableIterator<K> {
    for await (const { batch, rows } of this.#batches(options, [1, 2]))
      for (const i of rows) yield keyAt(this.name, batch, i) as K
  }

  async *values(options?: ReadOptions): AsyncIterableIterator<V> {
    for await (const [, value] of this.entries(options)) yield value
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<[K, V]> {
    return this.entries()
  }

  changes(options: SubscribeOptions = {}): AsyncIterableIterator<ChangeEvent<K, V>> {
    return followMap(this, options)
  }

  watch(
    listener: (change: ChangeEvent<K, V>) => void,
    options: WatchOptions<K> & { readonly filter?: (change: ChangeEvent<K, V>) => boolean } = {},
  ): Cancel {
    return watchMap(this, listener, options)
  }

  syncedTo(...[index, options]: Parameters<SharedMap<K, V>['syncedTo']>): Promise<void> {
    return this.context.log.applied(index, options)
  }

  bytes(): number {
    let bytes = 0
    for (const { batch, rows } of heldHere(this))
      for (const i of rows) bytes += OVERHEAD + (batch.keys[i] ?? '').length + valueAt(batch, i).length
    return bytes
  }

  async #read(key: Key, options?: ReadOptions): Promise<Held | null> {
    const left = patience(this.context.clock, options)
    for (let attempt = 1; ; attempt++) {
      // Who holds it may have been copied at a newer version than the one that this node has: then a newer one is read.
      const moment = await this.place.moment(attempt === 1 ? options : {}, left)
      if (moment === null) return null
      const { database, version, life, lasts } = moment
      const transaction = await database.begin({ atVersion: version, ...left() })
      try {
        const held = heldOf(await transaction.get(addressOf(database, this.name, life, key)))
        return held === null || held.span === null || lasts(held.span) ? held : null
      } catch (error) {
        if (errorCode(error) !== 'DB_VERSION_GONE' || attempt === READS_MAX) throw error
      } finally {
        transaction.rollback()
      }
    }
  }

  /** All entries of one moment. @param columns version and span first */
  async *#batches(options: ReadOptions | undefined, columns: readonly number[]) {
    const left = patience(this.context.clock, options)
    const moment: Moment | null = await this.place.moment(options, left)
    if (moment === null) return
    const { database, version, life, lasts } = moment
    const { signal } = left()
    const transaction = await database.begin({ atVersion: version, ...(signal && { signal }) })
    try {
      const scan = { relation: ENTRIES, range: entriesOf(this.name, life), columns }
      for await (const batch of transaction.scan(scan)) yield { batch, rows: living(batch, lasts) }
    } finally {
      transaction.rollback()
    }
  }

  /**
   * Writes what is decided of the entry, and decides again when another one was faster. The first attempt asks nobody
   * whether this node is up to date, as its commit is judged; that nothing is to be written is decided on what is newest.
   * @param keepsVersion it is the same entry still, which lives for longer
   * @returns null when nothing was written
   */
  async #change(
    key: K,
    decide: Decide,
    options: WriteOptions,
    keepsVersion = false,
  ): Promise<Written | null> {
    const { context, place } = this
    const at = rowKey(context, key)
    const left = patience(context.clock, options)
    let lost: Transaction | null = null
    for (let attempt = 0; attempt < COMPUTE_ATTEMPTS; attempt++) {
      const { database, life } = await place.made(left)
      const span = await place.span(options.ttlMs, left())
      const begin = { optimistic: attempt === 0, ...(lost && { retryOf: lost }), ...left() }
      const transaction: Transaction = await database.begin(begin)
      try {
        const row: EntryRow = { map: place, database, life, key: at }
        const found = await findEntry(transaction, row)
        const { held: before } = found
        const after = decide(before)
        if (stays(before, after)) {
          const now = await this.#read(at, { ...left() })
          if (stays(now, decide(now))) return null
          lost = null
          continue
        }
        if (found.isOver) {
          await removeFirst(row, found, left())
          continue
        }
        const version = keepsVersion && before !== null ? before.version : transaction.version
        const entry = after ? { value: after, version, span: span?.text ?? null } : null
        writeEntry(transaction, row, found, entry)
        const along = entry?.span && span !== null ? { along: place.lasts(span) } : {}
        const spans = before?.span ? [before.span] : []
        const requires = [place.condition({ life }, ...spans)]
        const { version: index } = await transaction.commit({ ...left(), requires, ...along })
        return { index, version }
      } catch (error) {
        const code = errorCode(error)
        if (isLost(code)) lost = transaction
        else if (code === 'DB_ALONG_REFUSED' && span !== null) context.spans.forget(span)
        else if (code === 'DB_FENCED') await context.sync(left())
        else throw error
      } finally {
        transaction.rollback()
      }
    }
    throw contended(COMPUTE_ATTEMPTS)
  }

  /** Ends the life of the map, by what is said of it in the log and a mark for those who follow it, at one index. */
  async #endLife(say: (place: Place) => Operation, options: CallOptions): Promise<void> {
    const { context, name, place } = this
    const left = patience(context.clock, options)
    for (let attempt = 0; attempt < COMPUTE_ATTEMPTS; attempt++) {
      const moment = await place.moment({}, left)
      if (moment === null) return
      const { database, life } = moment
      const transaction = await database.begin({ optimistic: true, ...left() })
      try {
        transaction.put(markAddress(database, name, life), markRow(transaction.version))
        const command = encodeCommand([{ name, kind: 'distributedMap', operation: say(moment) }])
        const along = {
          requires: [place.condition(moment)],
          commands: [{ machine: CONTAINER_MACHINE, command }],
        }
        await transaction.commit({ ...left(), along })
        place.sweep(database, life + 1)
        return
      } catch (error) {
        const code = errorCode(error)
        if (!isLost(code) && code !== 'DB_ALONG_REFUSED') throw error
      } finally {
        transaction.rollback()
      }
    }
    throw contended(COMPUTE_ATTEMPTS)
  }
}

const stays = (before: Held | null, after: Decision): boolean =>
  after === undefined || (after === null && before === null)

/** The value of one of the rows of a batch, whose last column is that of values. */
function valueAt({ columns }: RowBatch, row: number): Uint8Array {
  const value = columns[2]?.[row]
  assert(value instanceof Uint8Array, 'the last column of an entry is its value')
  return value
}

function keyAt(name: string, { keys }: RowBatch, row: number): ContainerKey {
  const key = keys[row]
  assert(key !== undefined, 'each row has a key')
  return keyWithin(name, key)
}

/** Positions of the entries that are there, in a batch whose first columns are version and span. */
function living({ length, columns }: RowBatch, lasts: (span: string) => boolean): number[] {
  const [versions, spans] = columns
  const rows: number[] = []
  for (let i = 0; i < length; i++) {
    const span = spans?.[i]
    if (versions?.[i] !== 0 && (typeof span !== 'string' || lasts(span))) rows.push(i)
  }
  return rows
}

/** The entries that this very node holds, as it has them. */
function* heldHere<K extends ContainerKey, V>(
  { name, place, context }: DistributedMapHandle<K, V>,
  key?: Key,
): Generator<{ readonly batch: RowBatch; readonly rows: readonly number[] }> {
  const at = place.place()
  const database = at === undefined ? null : context.stores.opened(at.redundancy)
  if (at === undefined || database === null) return
  const lasts = place.lasting()
  const address = key === undefined ? null : addressOf(database, name, at.life, key)
  const range = address === null ? entriesOf(name, at.life) : { from: address.key, to: afterKey(address.key) }
  const partitions = address === null ? partitionsOf(database) : [address.partition]
  for (const partition of partitions)
    for (const { keys, length, columns } of database.localScan(ENTRIES, partition, range)) {
      const [values = [], versions = [], spans = []] = columns
      const batch = { keys, length, columns: [versions, spans, values] }
      yield { batch, rows: living(batch, lasts) }
    }
}

class HeldHere<K extends ContainerKey, V> implements LocalView<K, V> {
  readonly #map: DistributedMapHandle<K, V>

  constructor(map: DistributedMapHandle<K, V>) {
    this.#map = map
  }

  get size(): number {
    let size = 0
    for (const { rows } of heldHere(this.#map)) size += rows.length
    return size
  }

  get(key: K): V | undefined {
    const value = this.#held(key)
    return value && this.#map.codec.decode(value)
  }

  has(key: K): boolean {
    return this.#held(key) !== undefined
  }

  *entries(): IterableIterator<[K, V]> {
    for (const { batch, rows } of heldHere(this.#map))
      for (const i of rows)
        yield [keyAt(this.#map.name, batch, i) as K, this.#map.codec.decode(valueAt(batch, i))]
  }

  *keys(): IterableIterator<K> {
    for (const { batch, rows } of heldHere(this.#map))
      for (const i of rows) yield keyAt(this.#map.name, batch, i) as K
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  #held(key: K): Uint8Array | undefined {
    const encoded = rowKey(this.#map.context, key)
    for (const { batch, rows } of heldHere(this.#map, encoded)) for (const i of rows) return valueAt(batch, i)
    return undefined
  }
}
