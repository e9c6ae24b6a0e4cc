import {
  assert,
  type CallOptions,
  type FeedOptions,
  type ReadOptions,
  type SharedRing,
  type SubscribeOptions,
  type TopicMessage,
  type Written,
} from '@cluster/core'
import type { Stored } from '../machine/stored.ts'
import type { AnyOptions } from '../options.ts'
import type { Context } from './context.ts'
import { follow } from './following.ts'
import { Handle } from './handle.ts'
import { Values } from './values.ts'

/** A topic, or a ring: what is published is what is followed. */
export class FeedHandle<V> extends Handle implements SharedRing<V> {
  readonly #values: Values<V>

  constructor(context: Context, name: string, kind: 'topic' | 'ring', options: FeedOptions<V> & AnyOptions) {
    super(context, name, kind, options)
    this.#values = new Values(name, options, context.settings.limits.valueBytes)
  }

  async publish(value: V, options?: CallOptions): Promise<Written> {
    const operation = { type: 'publish', value: await this.#values.encode(value) } as const
    const { index, value: version } = await this.write(operation, options)
    return { index, version }
  }

  subscribe(options: SubscribeOptions = {}): AsyncIterableIterator<TopicMessage<V>> {
    return follow(this, options, ({ after, number }, token) => ({
      value: this.#valueOf(after),
      version: number,
      token,
    }))
  }

  async toArray(options?: ReadOptions): Promise<V[]> {
    const container = await this.read(options)
    return (container?.feed.toArray() ?? []).map(({ after }) => this.#valueOf(after))
  }

  override bytes(): number {
    return this.here()?.feed.bytes ?? 0
  }

  #valueOf(stored: Stored | null): V {
    assert(stored !== null, 'what was published is there')
    return this.#values.decode(stored)
  }
}
