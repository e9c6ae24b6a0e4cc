import {
  type CallOptions,
  type Cancel,
  type ChangeEvent,
  type ContainerKey,
  type ContainerKind,
  type Key,
  type KeyedOptions,
  type LocalView,
  type ReadOptions,
  type SharedMap,
  type SharedSortedMap,
  SortedBlocks,
  type SortedRange,
  type SubscribeOptions,
  type WriteOptions,
  type Written,
} from '@cluster/core'
import { contended, optionInvalid } from '../errors.ts'
import type { When } from '../machine/codec.ts'
import type { Container, Entry } from '../machine/state.ts'
import { type AnyOptions, ttlOf, whole } from '../options.ts'
import type { Context } from './context.ts'
import { type AnyWatchOptions, follow, type Show, watch } from './following.ts'
import { type Answer, Handle } from './handle.ts'
import { decodeKey, encodeKey } from './keys.ts'
import { Values } from './values.ts'

export const COMPUTE_ATTEMPTS = 100
/** Iteration lets others run after so many. */
const TURN = 1_000
const ANY: When = { is: 'any' }

/** All entries, as they are now. What they are is never changed, so this list is all that is needed. */
export function stillEntries(container: Readonly<Container> | undefined): (readonly [Key, Entry])[] {
  const all: (readonly [Key, Entry])[] = []
  container?.entries.ascend(undefined, (key, entry) => {
    all.push([key, entry])
    return true
  })
  return all
}

/** Entries and what is done with one of them, for all kinds that have keys. */
export class KeyedHandle<K extends ContainerKey, V> extends Handle {
  readonly codec: Values<V>
  readonly show: Show<K, V>

  constructor(context: Context, name: string, kind: ContainerKind, options: KeyedOptions<V> & AnyOptions) {
    super(context, name, kind, options)
    this.codec = new Values(name, options, context.settings.limits.valueBytes)
    const shown = (stored: Uint8Array | number | null): V | undefined =>
      stored === null ? undefined : this.codec.decode(stored)
    this.show = ({ type, key, before, after, number }, token) => ({
      type: type === 'published' ? 'set' : type,
      key: key === '' || typeof key === 'number' ? undefined : (decodeKey(key) as K),
      before: shown(before),
      after: shown(after),
      version: number,
      token,
    })
  }

  changes(options: SubscribeOptions = {}): AsyncIterableIterator<ChangeEvent<K, V>> {
    return follow(this, options, this.show)
  }

  watch(listener: (change: ChangeEvent<K, V>) => void, options: AnyWatchOptions<K, V> = {}): Cancel {
    const wanted = options.key === undefined ? null : encodeKey(options.key)
    return watch(this, this.show, listener, {
      ...(options.filter && { filter: options.filter }),
      ...(wanted !== null && { accepts: ({ key, type }) => key === wanted || type === 'cleared' }),
    })
  }

  protected entry(key: Key, options?: ReadOptions): Entry | undefined | Promise<Entry | undefined> {
    const container = this.read(options)
    return container instanceof Promise
      ? container.then((read) => read?.entries.get(key))
      : container?.entries.get(key)
  }

  protected async put(key: Key, value: V, when: When, options: WriteOptions = {}): Promise<Answer> {
    const encoding = this.codec.encode(value)
    const encoded = encoding instanceof Uint8Array ? encoding : await encoding
    return this.write({ type: 'put', key, value: encoded, ttl: ttlOf(options.ttlMs), when }, options)
  }

  protected async computeAt(
    key: Key,
    change: (value: V | undefined) => V | undefined,
    options: WriteOptions = {},
  ): Promise<V | undefined> {
    for (let attempt = 0; attempt < COMPUTE_ATTEMPTS; attempt++) {
      // What this node has may be old: then the write says so.
      const entry = this.here()?.entries.get(key)
      const when: When = { is: 'version', version: entry?.version ?? 0 }
      const after = change(entry && this.codec.decode(entry.value))
      if (after !== undefined) {
        if ((await this.put(key, after, when, options)).done) return after
      } else if (entry === undefined) {
        // Nothing stays nothing, if there is nothing.
        if ((await this.entry(key, options)) === undefined) return undefined
      } else if ((await this.write({ type: 'remove', key, when }, options)).done) return undefined
      if (this.here()?.entries.get(key)?.version === entry?.version) await this.context.sync(options)
    }
    throw contended(COMPUTE_ATTEMPTS)
  }
}

/** A map, sorted or not, and a cache. */
export class MapHandle<K extends ContainerKey, V> extends KeyedHandle<K, V> implements SharedMap<K, V> {
  readonly local: LocalView<K, V> = new Here(this)

  async get(key: K, options?: ReadOptions): Promise<V | undefined> {
    const entry = await this.entry(encodeKey(key), options)
    return entry && this.codec.decode(entry.value)
  }

  async getVersioned(
    key: K,
    options?: ReadOptions,
  ): Promise<{ readonly value: V; readonly version: number } | undefined> {
    const entry = await this.entry(encodeKey(key), options)
    return entry && { value: this.codec.decode(entry.value), version: entry.version }
  }

  async has(key: K, options?: ReadOptions): Promise<boolean> {
    return (await this.entry(encodeKey(key), options)) !== undefined
  }

  async size(options?: ReadOptions): Promise<number> {
    return (await this.read(options))?.entries.size ?? 0
  }

  async set(key: K, value: V, options?: WriteOptions): Promise<Written> {
    const { index, value: version } = await this.put(encodeKey(key), value, ANY, options)
    return { index, version }
  }

  async putIfAbsent(key: K, value: V, options?: WriteOptions): Promise<boolean> {
    return (await this.put(encodeKey(key), value, { is: 'absent' }, options)).done
  }

  async replace(key: K, before: V, after: V, options?: WriteOptions): Promise<boolean> {
    const when: When = { is: 'equal', value: this.codec.encodeNow(before) }
    return (await this.put(encodeKey(key), after, when, options)).done
  }

  async replaceVersion(key: K, version: number, after: V, options?: WriteOptions): Promise<boolean> {
    if (!Number.isSafeInteger(version) || version < 0)
      throw optionInvalid('version', version, 'one that was read, or 0')
    return (await this.put(encodeKey(key), after, { is: 'version', version }, options)).done
  }

  compute(
    key: K,
    change: (value: V | undefined) => V | undefined,
    options?: WriteOptions,
  ): Promise<V | undefined> {
    return this.computeAt(encodeKey(key), change, options)
  }

  async touch(key: K, ttlMs: number | null, options?: CallOptions): Promise<boolean> {
    return (await this.write({ type: 'touch', key: encodeKey(key), ttl: ttlOf(ttlMs) }, options)).done
  }

  async delete(key: K, options?: CallOptions): Promise<boolean> {
    return (await this.write({ type: 'remove', key: encodeKey(key), when: ANY }, options)).done
  }

  async *entries(options?: ReadOptions): AsyncIterableIterator<[K, V]> {
    let left = TURN
    for (const [key, { value }] of stillEntries(await this.read(options))) {
      yield [decodeKey(key) as K, this.codec.decode(value)]
      if (--left > 0) continue
      left = TURN
      await this.context.clock.turn()
    }
  }

  async *keys(options?: ReadOptions): AsyncIterableIterator<K> {
    for (const [key] of stillEntries(await this.read(options))) yield decodeKey(key) as K
  }

  async *values(options?: ReadOptions): AsyncIterableIterator<V> {
    for await (const [, value] of this.entries(options)) yield value
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<[K, V]> {
    return this.entries()
  }
}

export class SortedMapHandle<K extends ContainerKey, V>
  extends MapHandle<K, V>
  implements SharedSortedMap<K, V>
{
  async range(
    { from, to, limit, reverse = false }: SortedRange<K>,
    options?: ReadOptions,
  ): Promise<[K, V][]> {
    const low = from === undefined ? undefined : encodeKey(from)
    const high = to === undefined ? undefined : encodeKey(to)
    const most = limit === undefined ? Number.POSITIVE_INFINITY : whole('limit', limit, 0, 2 ** 32)
    const found: [K, V][] = []
    const container = await this.read(options)
    if (container === undefined || most === 0) return found
    const visit = (key: Key, { value }: Entry): boolean => {
      if (reverse ? low !== undefined && key < low : high !== undefined && key >= high) return false
      found.push([decodeKey(key) as K, this.codec.decode(value)])
      return found.length < most
    }
    if (!reverse) container.entries.ascend(low, visit)
    else if (container.entries instanceof SortedBlocks) container.entries.descend(high, visit)
    return found
  }

  async first(options?: ReadOptions): Promise<[K, V] | undefined> {
    return (await this.range({ limit: 1 }, options))[0]
  }

  async last(options?: ReadOptions): Promise<[K, V] | undefined> {
    return (await this.range({ limit: 1, reverse: true }, options))[0]
  }
}

/** What this node has. */
class Here<K extends ContainerKey, V> implements LocalView<K, V> {
  readonly #handle: KeyedHandle<K, V>

  constructor(handle: KeyedHandle<K, V>) {
    this.#handle = handle
  }

  get size(): number {
    return this.#handle.here()?.entries.size ?? 0
  }

  get(key: K): V | undefined {
    const entry = this.#handle.here()?.entries.get(encodeKey(key))
    return entry && this.#handle.codec.decode(entry.value)
  }

  has(key: K): boolean {
    return this.#handle.here()?.entries.get(encodeKey(key)) !== undefined
  }

  *entries(): IterableIterator<[K, V]> {
    for (const [key, { value }] of stillEntries(this.#handle.here()))
      yield [decodeKey(key) as K, this.#handle.codec.decode(value)]
  }

  *keys(): IterableIterator<K> {
    for (const [key] of stillEntries(this.#handle.here())) yield decodeKey(key) as K
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }
}
