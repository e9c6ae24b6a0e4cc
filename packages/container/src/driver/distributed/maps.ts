import {
  afterKey,
  assert,
  type CallOptions,
  type Cancel,
  type ChangeEvent,
  type ContainerKey,
  type Database,
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
  keyWithin,
  markAddress,
  markRow,
  partitionsOf,
} from './entries.ts'
import { type Moment, type Place, PlaceHandle, patience } from './place.ts'

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
export function checkTtl(ttlMs: number | null | undefined): void {
  if (ttlMs !== undefined && ttlMs !== null)
    throw optionInvalid('ttlMs', ttlMs, 'absent: entries of a distributed map do not end by themselves')
}

/** @throws CONTAINER_OPTION_INVALID */
export function checkOptions<V>({ ttlMs, bytesMax, historyMax }: MapOptions<V>): void {
  checkTtl(ttlMs)
  for (const [option, value] of Object.entries({ bytesMax, historyMax }))
    if (value !== undefined)
      throw optionInvalid(option, value, 'absent: a distributed map is bounded by its nodes alone')
}

/** Attempts that lost, and why. */
export const isLost = (code: unknown): boolean => code === 'DB_CONFLICT' || code === 'DB_VERSION_GONE'

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
    this.place = new PlaceHandle(context, name, options.distributed ?? true)
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
    for await (const { keys } of this.#batches(options, [1])) size += keys.length
    return size
  }

  async set(key: K, value: V, options: WriteOptions = {}): Promise<Written> {
    const encoded = await this.#encode(value, options)
    const written = await this.#change(key, () => encoded, options)
    return written ?? Promise.reject(contended(COMPUTE_ATTEMPTS))
  }

  async putIfAbsent(key: K, value: V, options: WriteOptions = {}): Promise<boolean> {
    const encoded = await this.#encode(value, options)
    return (await this.#change(key, (before) => (before === null ? encoded : undefined), options)) !== null
  }

  async replace(key: K, before: V, after: V, options: WriteOptions = {}): Promise<boolean> {
    const expected = this.codec.encodeNow(before)
    const encoded = await this.#encode(after, options)
    const isSo = (held: Held | null): boolean =>
      held !== null &&
      held.value.length === expected.length &&
      held.value.every((byte, i) => byte === expected[i])
    return (await this.#change(key, (held) => (isSo(held) ? encoded : undefined), options)) !== null
  }

  async replaceVersion(key: K, version: number, after: V, options: WriteOptions = {}): Promise<boolean> {
    if (!Number.isSafeInteger(version) || version < 0)
      throw optionInvalid('version', version, 'one that was read, or 0')
    const encoded = await this.#encode(after, options)
    const decide: Decide = (held) => ((held?.version ?? 0) === version ? encoded : undefined)
    return (await this.#change(key, decide, options)) !== null
  }

  async compute(
    key: K,
    change: (value: V | undefined) => V | undefined,
    options: WriteOptions = {},
  ): Promise<V | undefined> {
    checkTtl(options.ttlMs)
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
    checkTtl(ttlMs)
    return this.has(key, options)
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
        ttl: 0,
        when: { is: 'version', version: place.life },
      }),
      options,
    )
  }

  async destroy(options: CallOptions = {}): Promise<void> {
    await this.#endLife(() => ({ type: 'destroy' }), options)
  }

  async *entries(options?: ReadOptions): AsyncIterableIterator<[K, V]> {
    for await (const { keys, columns } of this.#batches(options, [0]))
      for (const [i, key] of keys.entries())
        yield [keyWithin(this.name, key) as K, this.codec.decode(valueAt(columns, i))]
  }

  async *keys(options?: ReadOptions): AsyncIterableIterator<K> {
    for await (const { keys } of this.#batches(options, [1]))
      for (const key of keys) yield keyWithin(this.name, key) as K
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
    for (const { keys, columns } of heldHere(this))
      for (const [i, key] of keys.entries()) bytes += OVERHEAD + key.length + valueAt(columns, i).length
    return bytes
  }

  async #encode(value: V, { ttlMs }: WriteOptions): Promise<Uint8Array> {
    checkTtl(ttlMs)
    return this.codec.encode(value)
  }

  async #read(key: Key, options?: ReadOptions): Promise<Held | null> {
    const left = patience(this.context.clock, options)
    for (let attempt = 1; ; attempt++) {
      // Who holds it may have been copied at a newer version than the one that this node has: then a newer one is read.
      const moment = await this.place.moment(attempt === 1 ? options : {}, left)
      if (moment === null) return null
      const { database, version, life } = moment
      const transaction = await database.begin({ atVersion: version, ...left() })
      try {
        return heldOf(await transaction.get(addressOf(database, this.name, life, key)))
      } catch (error) {
        if (errorCode(error) !== 'DB_VERSION_GONE' || attempt === READS_MAX) throw error
      } finally {
        transaction.rollback()
      }
    }
  }

  /** All entries of one moment. */
  async *#batches(options: ReadOptions | undefined, columns: readonly number[]) {
    const left = patience(this.context.clock, options)
    const moment: Moment | null = await this.place.moment(options, left)
    if (moment === null) return
    const { database, version, life } = moment
    const { signal } = left()
    const transaction = await database.begin({ atVersion: version, ...(signal && { signal }) })
    try {
      yield* transaction.scan({ relation: ENTRIES, range: entriesOf(this.name, life), columns })
    } finally {
      transaction.rollback()
    }
  }

  /**
   * Writes what is decided of the entry, and decides again when another one was faster. The first attempt asks nobody
   * whether this node is up to date, as its commit is judged; that nothing is to be written is decided on what is newest.
   * @returns null when nothing was written
   */
  async #change(key: K, decide: Decide, options: CallOptions): Promise<Written | null> {
    const { context, name, place } = this
    const at = rowKey(context, key)
    const left = patience(context.clock, options)
    let lost: Transaction | null = null
    for (let attempt = 0; attempt < COMPUTE_ATTEMPTS; attempt++) {
      const map = await place.made(left)
      const begin = { optimistic: attempt === 0, ...(lost && { retryOf: lost }), ...left() }
      const transaction: Transaction = await map.database.begin(begin)
      try {
        const address = addressOf(map.database, name, map.life, at)
        const before = heldOf(await transaction.get(address))
        const after = decide(before)
        if (stays(before, after)) {
          const now = await this.#read(at, { ...left() })
          if (stays(now, decide(now))) return null
          lost = null
          continue
        }
        if (after) transaction.put(address, [after, transaction.version])
        else transaction.delete(address)
        const { version: index } = await transaction.commit({ ...left(), requires: [place.condition(map)] })
        return { index, version: transaction.version }
      } catch (error) {
        const code = errorCode(error)
        if (isLost(code)) lost = transaction
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

/** The value of one of the rows of a batch whose first column is that of values. */
function valueAt([values]: RowBatch['columns'], row: number): Uint8Array {
  const value = values?.[row]
  assert(value instanceof Uint8Array, 'the first column of an entry is its value')
  return value
}

/** The entries that this very node holds, as it has them. */
function* heldHere<K extends ContainerKey, V>({ name, place, context }: DistributedMapHandle<K, V>) {
  const at = place.place()
  const database = at === undefined ? null : context.stores.opened(at.redundancy)
  if (at === undefined || database === null) return
  const range = entriesOf(name, at.life)
  for (const partition of partitionsOf(database)) yield* database.localScan(ENTRIES, partition, range)
}

class HeldHere<K extends ContainerKey, V> implements LocalView<K, V> {
  readonly #map: DistributedMapHandle<K, V>

  constructor(map: DistributedMapHandle<K, V>) {
    this.#map = map
  }

  get size(): number {
    let size = 0
    for (const { keys } of heldHere(this.#map)) size += keys.length
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
    for (const { keys, columns } of heldHere(this.#map))
      for (const [i, key] of keys.entries())
        yield [keyWithin(this.#map.name, key) as K, this.#map.codec.decode(valueAt(columns, i))]
  }

  *keys(): IterableIterator<K> {
    for (const { keys } of heldHere(this.#map))
      for (const key of keys) yield keyWithin(this.#map.name, key) as K
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  #held(key: K): Uint8Array | undefined {
    const { name, place, context } = this.#map
    const encoded = rowKey(context, key)
    const at = place.place()
    const database: Database | null = at === undefined ? null : context.stores.opened(at.redundancy)
    if (at === undefined || database === null) return undefined
    const address = addressOf(database, name, at.life, encoded)
    const range = { from: address.key, to: afterKey(address.key) }
    for (const { columns } of database.localScan(ENTRIES, address.partition, range))
      return valueAt(columns, 0)
    return undefined
  }
}
