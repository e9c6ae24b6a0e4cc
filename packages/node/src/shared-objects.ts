import {
  type CacheOptions,
  type CallOptions,
  ClusterError,
  type ContainerInfo,
  type ContainerKey,
  type ContainerOptions,
  type Containers,
  type FastCounter,
  type FastCounterOptions,
  type FeedOptions,
  type KeyedOptions,
  type MapOptions,
  type QueueOptions,
  type SharedCounter,
  type SharedList,
  type SharedMap,
  type SharedMultiset,
  type SharedQueue,
  type SharedReference,
  type SharedRing,
  type SharedSet,
  type SharedSortedMap,
  type SharedTopic,
  type StructureNode,
} from '@cluster/core'
import { type ClusterTransaction, clusterTransaction } from './cluster-transaction.ts'
import { nodeClock } from './driver/node-clock.ts'
import { nodeRandom } from './driver/node-random.ts'
import type { NodeErrorDetail } from './errors.ts'

/** The shared objects of a cluster: `cluster.map('sessions')`. @throws NODE_IS_WITNESS */
export interface SharedObjects extends Omit<Containers, 'describe' | 'stop' | 'transaction'> {
  /**
   * One transaction over shared objects, and over rows too where the work asks `tx.database(db)`. The work runs again when
   * something that it read is not so any more, so it must do nothing else that counts.
   * @throws CONTAINER_CONTENDED and SQLSTATE 40001 when it lost too often; whatever the work throws
   */
  transaction<R>(work: (tx: ClusterTransaction) => Promise<R>, options?: CallOptions): Promise<R>
  /** Containers as this node has them, sorted by name. */
  containers(): readonly ContainerInfo[]
}

/** Gives what a node's containers have, where it has some. */
export abstract class ObjectsOfNode implements SharedObjects {
  /** Null on a witness. */
  protected abstract readonly shared: Containers | null

  containers(): readonly ContainerInfo[] {
    return this.#shared().describe()
  }

  map<K extends ContainerKey, V>(name: string, options?: MapOptions<V>): SharedMap<K, V> {
    return this.#shared().map(name, options)
  }

  sortedMap<K extends ContainerKey, V>(name: string, options?: KeyedOptions<V>): SharedSortedMap<K, V> {
    return this.#shared().sortedMap(name, options)
  }

  cache<K extends ContainerKey, V>(name: string, options?: CacheOptions<V>): SharedMap<K, V> {
    return this.#shared().cache(name, options)
  }

  set<E extends ContainerKey>(
    name: string,
    options?: Omit<KeyedOptions<true>, 'codec' | 'schema'>,
  ): SharedSet<E> {
    return this.#shared().set(name, options)
  }

  multiset<E extends ContainerKey>(
    name: string,
    options?: Omit<KeyedOptions<number>, 'codec' | 'schema' | 'ttlMs'>,
  ): SharedMultiset<E> {
    return this.#shared().multiset(name, options)
  }

  list<V>(name: string, options?: Omit<KeyedOptions<V>, 'ttlMs'>): SharedList<V> {
    return this.#shared().list(name, options)
  }

  queue<V>(name: string, options?: QueueOptions<V>): SharedQueue<V> {
    return this.#shared().queue(name, options)
  }

  priorityQueue<V>(name: string, options?: QueueOptions<V>): SharedQueue<V> {
    return this.#shared().priorityQueue(name, options)
  }

  counter(name: string, options?: ContainerOptions): SharedCounter {
    return this.#shared().counter(name, options)
  }

  fastCounter(name: string, options?: FastCounterOptions): FastCounter {
    return this.#shared().fastCounter(name, options)
  }

  reference<V>(name: string, options?: KeyedOptions<V>): SharedReference<V> {
    return this.#shared().reference(name, options)
  }

  topic<V>(name: string, options?: FeedOptions<V>): SharedTopic<V> {
    return this.#shared().topic(name, options)
  }

  ring<V>(name: string, options?: FeedOptions<V>): SharedRing<V> {
    return this.#shared().ring(name, options)
  }

  async transaction<R>(work: (tx: ClusterTransaction) => Promise<R>, options?: CallOptions): Promise<R> {
    return clusterTransaction(this.#shared(), { clock: nodeClock, random: nodeRandom }, work, options)
  }

  #shared(): Containers {
    const { shared } = this
    if (shared === null)
      throw new ClusterError<NodeErrorDetail>(
        { code: 'NODE_IS_WITNESS', outcome: 'rejected', database: '' },
        'this node is a witness: it votes and holds no data, so shared objects cannot be used here; use them on another node',
      )
    return shared
  }
}

export function describeContainers(containers: Containers): StructureNode {
  return {
    kind: 'containers',
    name: '',
    facts: {},
    children: containers.describe().map(({ name, kind, size, bytes }) => ({
      kind,
      name,
      facts: { size, bytes },
      children: [],
    })),
  }
}
