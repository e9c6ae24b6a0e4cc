import type {
  CacheOptions,
  ContainerInfo,
  ContainerKey,
  ContainerOptions,
  Containers,
  ContainersTransaction,
  ContainersTransactionOptions,
  FastCounter,
  FastCounterOptions,
  FeedOptions,
  KeyedOptions,
  MapOptions,
  QueueOptions,
  SharedCounter,
  SharedList,
  SharedMap,
  SharedMultiset,
  SharedQueue,
  SharedReference,
  SharedRing,
  SharedSet,
  SharedSortedMap,
  SharedTopic,
} from '@cluster/core'
import { ContainerMachine } from '../machine/machine.ts'
import { isFeed, sizeOf } from '../machine/make.ts'
import type { Container, ContainerEffect } from '../machine/state.ts'
import { type ContainersOptions, settings } from '../options.ts'
import { type ContainerPorts, Context } from './context.ts'
import { CounterHandle, FastCounterHandle, type FastSum, ReferenceHandle } from './counters.ts'
import { Endings } from './distributed/endings.ts'
import { DistributedMapHandle } from './distributed/maps.ts'
import { Expiry } from './expiry.ts'
import { FeedHandle } from './feeds.ts'
import { ListHandle } from './lists.ts'
import { MapHandle, SortedMapHandle } from './maps.ts'
import { QueueHandle } from './queues.ts'
import { MultisetHandle, SetHandle } from './sets.ts'
import { runTransaction } from './transaction.ts'

/** The containers of a cluster, over its ordered log. Call it before the log is started: it attaches the machine `container`. */
export function containers(options: ContainersOptions = {}): (ports: ContainerPorts) => Containers {
  const complete = settings(options)
  return (ports) => {
    // The machine speaks only once the log runs, and by then there is somebody to hear it.
    let hear: (effects: readonly ContainerEffect[]) => void = () => {}
    const machine = new ContainerMachine(complete.limits, (effects) => hear(effects))
    ports.log.attach(machine)
    const context = new Context(ports, machine, complete)
    const expiry = new Expiry(context)
    const endings = new Endings(context)
    hear = (effects) => {
      for (const effect of effects) context.hear(effect)
      expiry.hear()
      for (const effect of effects) endings.hear(effect)
    }
    context.onStop(() => endings.stop())
    return new ClusterContainers(context, expiry)
  }
}

class ClusterContainers implements Containers {
  readonly #context: Context
  readonly #expiry: Expiry
  readonly #sums = new Map<string, FastSum>()

  constructor(context: Context, expiry: Expiry) {
    this.#context = context
    this.#expiry = expiry
  }

  map<K extends ContainerKey, V>(name: string, options: MapOptions<V> = {}): SharedMap<K, V> {
    if (options.distributed) return new DistributedMapHandle<K, V>(this.#context, name, options)
    return new MapHandle<K, V>(this.#context, name, 'map', options)
  }

  sortedMap<K extends ContainerKey, V>(name: string, options: KeyedOptions<V> = {}): SharedSortedMap<K, V> {
    return new SortedMapHandle<K, V>(this.#context, name, 'sortedMap', options)
  }

  cache<K extends ContainerKey, V>(name: string, options: CacheOptions<V> = {}): SharedMap<K, V> {
    return new MapHandle<K, V>(this.#context, name, 'cache', options)
  }

  set<E extends ContainerKey>(
    name: string,
    options: Omit<KeyedOptions<true>, 'codec' | 'schema'> = {},
  ): SharedSet<E> {
    return new SetHandle<E>(this.#context, name, options)
  }

  multiset<E extends ContainerKey>(
    name: string,
    options: Omit<KeyedOptions<number>, 'codec' | 'schema' | 'ttlMs'> = {},
  ): SharedMultiset<E> {
    return new MultisetHandle<E>(this.#context, name, options)
  }

  list<V>(name: string, options: Omit<KeyedOptions<V>, 'ttlMs'> = {}): SharedList<V> {
    return new ListHandle<V>(this.#context, name, options)
  }

  queue<V>(name: string, options: QueueOptions<V> = {}): SharedQueue<V> {
    return new QueueHandle<V>(this.#context, name, 'queue', options)
  }

  priorityQueue<V>(name: string, options: QueueOptions<V> = {}): SharedQueue<V> {
    return new QueueHandle<V>(this.#context, name, 'priorityQueue', options)
  }

  counter(name: string, options: ContainerOptions = {}): SharedCounter {
    return new CounterHandle(this.#context, name, options)
  }

  fastCounter(name: string, options: FastCounterOptions = {}): FastCounter {
    return new FastCounterHandle(this.#context, name, options, this.#sums)
  }

  reference<V>(name: string, options: KeyedOptions<V> = {}): SharedReference<V> {
    return new ReferenceHandle<V>(this.#context, name, options)
  }

  topic<V>(name: string, options: FeedOptions<V> = {}): SharedTopic<V> {
    return new FeedHandle<V>(this.#context, name, 'topic', options)
  }

  ring<V>(name: string, options: FeedOptions<V> = {}): SharedRing<V> {
    return new FeedHandle<V>(this.#context, name, 'ring', options)
  }

  transaction<R>(
    work: (tx: ContainersTransaction) => Promise<R>,
    options: ContainersTransactionOptions = {},
  ): Promise<R> {
    return runTransaction(this.#context, work, options)
  }

  describe(): readonly ContainerInfo[] {
    return [...this.#context.machine.containers.values()]
      .map((container) => this.#describe(container))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  #describe(container: Readonly<Container>): ContainerInfo {
    const { name, kind, settings, feed, bytes } = container
    if (kind === 'distributedMap') {
      const map = new DistributedMapHandle<ContainerKey, unknown>(this.#context, name, {})
      return { name, kind, size: map.local.size, bytes: map.bytes(), bytesMax: 0, version: feed.newest }
    }
    return {
      name,
      kind,
      size: sizeOf(container),
      bytes: isFeed(kind) ? feed.bytes : bytes,
      bytesMax: settings.bytesMax,
      version: feed.newest,
    }
  }

  async stop(): Promise<void> {
    const flushed = await Promise.allSettled([...this.#sums.values()].map((sum) => sum.flush()))
    for (const each of flushed)
      if (each.status === 'rejected')
        this.#context.logger.log('warn', 'what was counted is not in the log', { error: String(each.reason) })
    this.#expiry.stop()
    this.#context.stop()
  }
}
