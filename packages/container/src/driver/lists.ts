import type {
  CallOptions,
  Cancel,
  ChangeEvent,
  KeyedOptions,
  ReadOptions,
  SharedList,
  SubscribeOptions,
  Written,
} from '@cluster/core'
import { contended } from '../errors.ts'
import { END } from '../machine/codec.ts'
import type { Element } from '../machine/state.ts'
import { type AnyOptions, whole } from '../options.ts'
import type { Context } from './context.ts'
import { type AnyWatchOptions, follow, type Show, watch } from './following.ts'
import { Handle } from './handle.ts'
import { COMPUTE_ATTEMPTS } from './maps.ts'
import { Values } from './values.ts'

const LENGTH_MAX = 2 ** 31

const checked = (position: number): number => whole('position', position, 0, LENGTH_MAX)

export class ListHandle<V> extends Handle implements SharedList<V> {
  readonly #values: Values<V>
  readonly #show: Show<number, V>

  constructor(context: Context, name: string, options: KeyedOptions<V> & AnyOptions) {
    super(context, name, 'list', options)
    this.#values = new Values(name, options, context.settings.limits.valueBytes)
    const shown = (stored: Uint8Array | number | null): V | undefined =>
      stored === null ? undefined : this.#values.decode(stored)
    this.#show = ({ type, key, before, after, number }, token) => ({
      type: type === 'published' ? 'set' : type,
      key: typeof key === 'number' && type !== 'cleared' ? key : undefined,
      before: shown(before),
      after: shown(after),
      version: number,
      token,
    })
  }

  changes(options: SubscribeOptions = {}): AsyncIterableIterator<ChangeEvent<number, V>> {
    return follow(this, options, this.#show)
  }

  watch(
    listener: (change: ChangeEvent<number, V>) => void,
    { key: wanted, filter }: AnyWatchOptions<number, V> = {},
  ): Cancel {
    return watch(this, this.#show, listener, {
      ...(filter && { filter }),
      ...(wanted !== undefined && { accepts: ({ key, type }) => key === wanted || type === 'cleared' }),
    })
  }

  async at(position: number, options?: ReadOptions): Promise<V | undefined> {
    const element = (await this.#elements(options)).at(position)
    return element && this.#values.decode(element.value)
  }

  async length(options?: ReadOptions): Promise<number> {
    return (await this.#elements(options)).length
  }

  push(value: V, options?: CallOptions): Promise<Written> {
    return this.#insert(END, value, options)
  }

  unshift(value: V, options?: CallOptions): Promise<Written> {
    return this.#insert(0, value, options)
  }

  async insert(position: number, value: V, options?: CallOptions): Promise<boolean> {
    const operation = {
      type: 'insert',
      at: checked(position),
      value: await this.#values.encode(value),
    } as const
    return (await this.write(operation, options)).done
  }

  async set(position: number, value: V, options?: CallOptions): Promise<boolean> {
    const operation = {
      type: 'place',
      at: checked(position),
      value: await this.#values.encode(value),
    } as const
    return (await this.write(operation, options)).done
  }

  async delete(position: number, options?: CallOptions): Promise<boolean> {
    return (await this.write({ type: 'cut', at: checked(position), version: 0 }, options)).done
  }

  pop(options?: CallOptions): Promise<V | undefined> {
    return this.#takeOut(END, options)
  }

  shift(options?: CallOptions): Promise<V | undefined> {
    return this.#takeOut(0, options)
  }

  async toArray(options?: ReadOptions): Promise<V[]> {
    return (await this.#elements(options)).map(({ value }) => this.#values.decode(value))
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<V> {
    for (const { value } of [...(await this.#elements())]) yield this.#values.decode(value)
  }

  async #insert(at: number, value: V, options?: CallOptions): Promise<Written> {
    const encoded = await this.#values.encode(value)
    const { index, value: version } = await this.write({ type: 'insert', at, value: encoded }, options)
    return { index, version }
  }

  /** Takes the very element that was seen there, so that its value is known whatever becomes of the answer. */
  async #takeOut(at: number, options?: CallOptions): Promise<V | undefined> {
    for (let attempt = 0; attempt < COMPUTE_ATTEMPTS; attempt++) {
      const seen = this.here()?.elements.at(at === END ? -1 : 0)
      if (seen === undefined) {
        if ((await this.#elements(options)).length === 0) return undefined
        continue
      }
      const { done } = await this.write({ type: 'cut', at, version: seen.version }, options)
      if (done) return this.#values.decode(seen.value)
    }
    throw contended(COMPUTE_ATTEMPTS)
  }

  async #elements(options?: ReadOptions): Promise<readonly Element[]> {
    return (await this.read(options))?.elements ?? []
  }
}
