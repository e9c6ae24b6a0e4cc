import type {
  CallOptions,
  ContainerCodec,
  ContainerKey,
  LocalView,
  ReadOptions,
  SharedMultiset,
  SharedSet,
  WriteOptions,
} from '@cluster/core'
import { optionInvalid } from '../errors.ts'
import type { AnyOptions } from '../options.ts'
import type { Context } from './context.ts'
import { decodeKey, encodeKey } from './keys.ts'
import { KeyedHandle, MapHandle, stillEntries } from './maps.ts'

const NOTHING = new Uint8Array(0)
const PRESENCE: ContainerCodec<true> = { encode: () => NOTHING, decode: () => true }

/** A set is a map in which being there is all. */
export class SetHandle<E extends ContainerKey> extends KeyedHandle<E, true> implements SharedSet<E> {
  readonly #map: MapHandle<E, true>
  readonly local: Pick<LocalView<E, true>, 'size' | 'has' | 'keys'>

  constructor(context: Context, name: string, options: AnyOptions) {
    super(context, name, 'set', { ...options, codec: PRESENCE })
    this.#map = new MapHandle(context, name, 'set', { ...options, codec: PRESENCE })
    this.local = this.#map.local
  }

  has(element: E, options?: ReadOptions): Promise<boolean> {
    return this.#map.has(element, options)
  }

  size(options?: ReadOptions): Promise<number> {
    return this.#map.size(options)
  }

  add(element: E, options?: WriteOptions): Promise<boolean> {
    return this.#map.putIfAbsent(element, true, options)
  }

  delete(element: E, options?: CallOptions): Promise<boolean> {
    return this.#map.delete(element, options)
  }

  values(options?: ReadOptions): AsyncIterableIterator<E> {
    return this.#map.keys(options)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<E> {
    return this.values()
  }
}

/** Whole numbers that one may be counted by. @throws CONTAINER_OPTION_INVALID */
export function checkTimes(option: string, times: number, least: number): number {
  if (!Number.isSafeInteger(times) || times < least)
    throw optionInvalid(option, times, `a whole number of at least ${least}`)
  return times
}

export class MultisetHandle<E extends ContainerKey>
  extends KeyedHandle<E, number>
  implements SharedMultiset<E>
{
  constructor(context: Context, name: string, options: AnyOptions) {
    super(context, name, 'multiset', options)
  }

  async count(element: E, options?: ReadOptions): Promise<number> {
    const entry = await this.entry(encodeKey(element), options)
    return typeof entry?.value === 'number' ? entry.value : 0
  }

  async size(options?: ReadOptions): Promise<number> {
    return (await this.read(options))?.entries.size ?? 0
  }

  async add(element: E, times = 1, options?: CallOptions): Promise<number> {
    const by = checkTimes('times', times, 1)
    return (await this.write({ type: 'add', key: encodeKey(element), by }, options)).value
  }

  async remove(element: E, times = 1, options?: CallOptions): Promise<boolean> {
    const by = -checkTimes('times', times, 1)
    return (await this.write({ type: 'add', key: encodeKey(element), by }, options)).done
  }

  async *entries(options?: ReadOptions): AsyncIterableIterator<[E, number]> {
    for (const [key, { value }] of stillEntries(await this.read(options)))
      yield [decodeKey(key) as E, typeof value === 'number' ? value : 0]
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<[E, number]> {
    return this.entries()
  }
}
