import type { ErrorDetail } from '../errors.ts'
import type { Cancel } from '../host/clock.ts'
import type { LogIndex } from '../ids.ts'
import type { AppliedBundle, Bundle } from '../log/ordered-log.ts'
import type { CallOptions } from '../network/transport.ts'
import type { HeldLock } from './locks.ts'

/** A key, or an element of a set. Equal keys are one key; they sort null, booleans, numbers, bigints, strings, bytes, tuples. */
export type ContainerKey = null | boolean | number | bigint | string | Uint8Array | readonly ContainerKey[]

/** How values become bytes. Without one they are CBOR: plain objects, arrays, dates, maps, sets, bytes, bigints. */
export interface ContainerCodec<V> {
  encode(value: V): Uint8Array
  /** The bytes must not be changed. */
  decode(bytes: Uint8Array): V
}

/** What validates values before they are written: Zod, Valibot, ArkType and others have it. @see https://standardschema.dev */
export interface StandardSchema<V> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<V> | Promise<StandardResult<V>>
  }
}

export type StandardResult<V> =
  | { readonly value: V; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] }

/** What all kinds of containers have to choose. Whoever names an option of an existing container must name its value. */
export interface ContainerOptions {
  /** Bytes of keys and values, counted alike on every node, 1,024 … 2^40. Default 64 MiB. */
  readonly bytesMax?: number
}

export interface ValueOptions<V> extends ContainerOptions {
  readonly codec?: ContainerCodec<V>
  readonly schema?: StandardSchema<V>
}

export interface KeyedOptions<V> extends ValueOptions<V> {
  /** Log time after which an entry ends when it is not written again. Default: never. */
  readonly ttlMs?: number
  /** Changes that are kept for those who resume, 1 … 1,000,000. Default 1,000. */
  readonly historyMax?: number
}

/** Where the entries of a distributed map are. */
export interface DistributedOptions {
  /** Nodes that hold each entry, 1 … 1,024; `all` for every node. Default 2. */
  readonly redundancy?: number | 'all'
}

/** Of a map alone. */
export interface MapOptions<V> extends KeyedOptions<V> {
  /**
   * Puts the entries on partitions, each on some of the nodes, instead of all on every node. Such a map has no
   * `bytesMax` or `historyMax`, ends entries up to an eighth of their time late, and is as large as the nodes together have room for. Default false.
   */
  readonly distributed?: boolean | DistributedOptions
}

export interface CacheOptions<V> extends KeyedOptions<V> {
  /** Entries; the one written longest ago goes first. Default 10,000. */
  readonly sizeMax?: number
}

export interface QueueOptions<V> extends ValueOptions<V> {
  /** Log time after which a message that was neither acknowledged nor extended is delivered again. Default 30,000. */
  readonly leaseMs?: number
  /** A message that was delivered so often and not acknowledged is set aside, 1 … 1,000,000. Default: never. */
  readonly deliveriesMax?: number
}

export interface FeedOptions<V> extends ValueOptions<V> {
  /** Values that are kept; older ones go. Default 10,000. */
  readonly keep?: number
}

export interface ReadOptions extends CallOptions {
  /** `linearizable`, the default: covers everything acknowledged anywhere before the call. `local`: what this node has. */
  readonly read?: 'linearizable' | 'local'
}

export interface WriteOptions extends CallOptions {
  /** For `set` and its like: log time after which the entry ends; null for never. Default: as the container has it. */
  readonly ttlMs?: number | null
}

/** What a write was given. */
export interface Written {
  /** Where in the log it is; `syncedTo` of another node waits for it. */
  readonly index: LogIndex
  /** Greater than that of every write before it, of any container; of a distributed map, than those of the same entry. */
  readonly version: number
}

/** What all handles have. */
export interface SharedObject {
  readonly name: string
  /** Resolves once this node has applied `index`. */
  syncedTo(index: LogIndex, options?: CallOptions): Promise<void>
  /** Bytes counted against `bytesMax`, as this node has it. */
  bytes(): number
  /** The container and all in it is gone. A handle that writes makes a new one. */
  destroy(options?: CallOptions): Promise<void>
}

export interface ChangeEvent<K, V> {
  readonly type: 'set' | 'removed' | 'expired' | 'evicted' | 'cleared'
  /** Undefined when everything was cleared. */
  readonly key: K | undefined
  readonly before: V | undefined
  readonly after: V | undefined
  readonly version: number
  /** Goes on behind this change. */
  readonly token: string
}

export interface SubscribeOptions extends Pick<CallOptions, 'signal'> {
  /** The token of the last one seen; `oldest`: everything that is still kept. Default: what comes from now on. */
  readonly from?: string
}

export interface WatchOptions<K> {
  /** This key alone. */
  readonly key?: K
}

/** Everything that changes, in the order of the log, each exactly once, also across restarts by the token. */
export interface Observable<K, V> {
  /** Never ends by itself. @throws CONTAINER_HISTORY_GONE when it took too long, CONTAINER_TOKEN_FOREIGN */
  changes(options?: SubscribeOptions): AsyncIterableIterator<ChangeEvent<K, V>>
  /** Calls `listener` with every change that this node applies from now on. One that throws stops the node. */
  watch(
    listener: (change: ChangeEvent<K, V>) => void,
    options?: WatchOptions<K> & { readonly filter?: (change: ChangeEvent<K, V>) => boolean },
  ): Cancel
}

/** What this node has, at once: like JavaScript's own. The values are decoded anew each time. */
export interface LocalView<K, V> extends Iterable<[K, V]> {
  readonly size: number
  get(key: K): V | undefined
  has(key: K): boolean
  entries(): IterableIterator<[K, V]>
  keys(): IterableIterator<K>
  values(): IterableIterator<V>
}

/** A distributed one is looked up where its entries are; its `local` has those that this very node holds. */
export interface SharedMap<K extends ContainerKey, V>
  extends SharedObject,
    Observable<K, V>,
    AsyncIterable<[K, V]> {
  readonly local: LocalView<K, V>
  get(key: K, options?: ReadOptions): Promise<V | undefined>
  /** The value and its version, for `replaceVersion`. */
  getVersioned(
    key: K,
    options?: ReadOptions,
  ): Promise<{ readonly value: V; readonly version: number } | undefined>
  has(key: K, options?: ReadOptions): Promise<boolean>
  size(options?: ReadOptions): Promise<number>
  set(key: K, value: V, options?: WriteOptions): Promise<Written>
  /** False when there is a value already. */
  putIfAbsent(key: K, value: V, options?: WriteOptions): Promise<boolean>
  /** False when the value is not `before`, by its bytes. */
  replace(key: K, before: V, after: V, options?: WriteOptions): Promise<boolean>
  /** False when the entry was written since. Version 0 is that of no entry. */
  replaceVersion(key: K, version: number, after: V, options?: WriteOptions): Promise<boolean>
  /**
   * Writes what `change` makes of the value, and calls it again when another one was faster; undefined removes it.
   * @throws CONTAINER_CONTENDED after 100 attempts
   */
  compute(
    key: K,
    change: (value: V | undefined) => V | undefined,
    options?: WriteOptions,
  ): Promise<V | undefined>
  /** Lets the entry live for that long from now on; false when there is none. */
  touch(key: K, ttlMs: number | null, options?: CallOptions): Promise<boolean>
  /** True when there was one. */
  delete(key: K, options?: CallOptions): Promise<boolean>
  clear(options?: CallOptions): Promise<void>
  /** All entries as they are at one version; later changes do not show. In the order of keys for a sorted map, else in any. */
  entries(options?: ReadOptions): AsyncIterableIterator<[K, V]>
  keys(options?: ReadOptions): AsyncIterableIterator<K>
  values(options?: ReadOptions): AsyncIterableIterator<V>
}

export interface SortedRange<K> {
  /** Included. */
  readonly from?: K
  /** Excluded. */
  readonly to?: K
  readonly limit?: number
  readonly reverse?: boolean
}

export interface SharedSortedMap<K extends ContainerKey, V> extends SharedMap<K, V> {
  /** Entries of the range as they are at one version. */
  range(range: SortedRange<K>, options?: ReadOptions): Promise<[K, V][]>
  first(options?: ReadOptions): Promise<[K, V] | undefined>
  last(options?: ReadOptions): Promise<[K, V] | undefined>
}

export interface SharedSet<E extends ContainerKey>
  extends SharedObject,
    Observable<E, true>,
    AsyncIterable<E> {
  readonly local: Pick<LocalView<E, true>, 'size' | 'has' | 'keys'>
  has(element: E, options?: ReadOptions): Promise<boolean>
  size(options?: ReadOptions): Promise<number>
  /** False when it was there already. */
  add(element: E, options?: WriteOptions): Promise<boolean>
  /** False when it was not there. */
  delete(element: E, options?: CallOptions): Promise<boolean>
  clear(options?: CallOptions): Promise<void>
  values(options?: ReadOptions): AsyncIterableIterator<E>
}

export interface SharedMultiset<E extends ContainerKey>
  extends SharedObject,
    Observable<E, number>,
    AsyncIterable<[E, number]> {
  count(element: E, options?: ReadOptions): Promise<number>
  /** How many different elements there are. */
  size(options?: ReadOptions): Promise<number>
  /** Resolves with how many there are then. */
  add(element: E, times?: number, options?: CallOptions): Promise<number>
  /** False, and nothing is removed, when there are fewer. */
  remove(element: E, times?: number, options?: CallOptions): Promise<boolean>
  clear(options?: CallOptions): Promise<void>
  entries(options?: ReadOptions): AsyncIterableIterator<[E, number]>
}

/** Positions are those that the log has when the write comes to it. */
export interface SharedList<V> extends SharedObject, Observable<number, V>, AsyncIterable<V> {
  /** A negative position counts from the end. */
  at(position: number, options?: ReadOptions): Promise<V | undefined>
  length(options?: ReadOptions): Promise<number>
  push(value: V, options?: CallOptions): Promise<Written>
  unshift(value: V, options?: CallOptions): Promise<Written>
  /** False when the list is shorter than `position`. */
  insert(position: number, value: V, options?: CallOptions): Promise<boolean>
  /** False when there is no such position. */
  set(position: number, value: V, options?: CallOptions): Promise<boolean>
  /** False when there is no such position. */
  delete(position: number, options?: CallOptions): Promise<boolean>
  /** Takes the last one. */
  pop(options?: CallOptions): Promise<V | undefined>
  /** Takes the first one. */
  shift(options?: CallOptions): Promise<V | undefined>
  clear(options?: CallOptions): Promise<void>
  toArray(options?: ReadOptions): Promise<V[]>
}

/** A message that was taken from a queue and is to be acknowledged. */
export interface QueueMessage<V> {
  /** The same at each delivery. */
  readonly id: number
  readonly value: V
  readonly priority: number
  /** 1 for the first one. */
  readonly deliveries: number
  /** It was delivered before: what it asks for may be done already. */
  readonly redelivered: boolean
  /** Commands that acknowledge it as part of a bundle; it is refused when the message is somebody else's by then. */
  readonly acknowledgement: Uint8Array
  /** It is done, and gone. @throws CONTAINER_LEASE_LOST when it was delivered again, or its queue is gone */
  acknowledge(options?: CallOptions): Promise<void>
  /** Gives it back for the next one, at once or after a while. @throws CONTAINER_LEASE_LOST */
  release(options?: CallOptions & Pick<PushOptions, 'delayMs'>): Promise<void>
  /** The lease begins anew. @throws CONTAINER_LEASE_LOST */
  extend(leaseMs?: number, options?: CallOptions): Promise<void>
}

export interface TakeOptions {
  /** Gives up this long after the call; 0 looks once. By default it waits as long as it takes. */
  readonly timeoutMs?: number
  readonly leaseMs?: number
  readonly signal?: AbortSignal
}

export interface PushOptions extends CallOptions {
  /** Of a priority queue: the smallest number is taken first. Default 0. */
  readonly priority?: number
  /** Nobody takes it before so much log time has passed. Default 0. */
  readonly delayMs?: number
  /** Nobody takes it before that time, by the wall clock of the node that leads the log when it comes there. Not with `delayMs`. */
  readonly at?: Date
}

/** A message that was delivered too often, and waits for somebody to look at it. */
export interface SetAsideMessage<V>
  extends Pick<QueueMessage<V>, 'id' | 'value' | 'priority' | 'deliveries'> {}

export interface QueueSize {
  readonly ready: number
  readonly taken: number
  readonly delayed: number
  readonly aside: number
}

export interface SharedQueue<V> extends SharedObject, AsyncIterable<QueueMessage<V>> {
  push(value: V, options?: PushOptions): Promise<Written>
  /** The next message, in the order they came; null when none came in time. @throws ABORTED */
  take(options?: TakeOptions): Promise<QueueMessage<V> | null>
  /** Messages that wait, that were taken and not acknowledged, whose time is still to come, and that were set aside. */
  size(options?: ReadOptions): Promise<QueueSize>
  /** What was set aside after `deliveriesMax` deliveries, the smallest priority and the oldest first. */
  setAside(options?: ReadOptions): Promise<SetAsideMessage<V>[]>
  /**
   * Delivers what was set aside again, one of them or all, each in its old place and as often as a new one.
   * @returns how many there were
   */
  putBack(id?: number, options?: CallOptions): Promise<number>
  /** Removes one that was set aside; false when there is none of that id. */
  discard(id: number, options?: CallOptions): Promise<boolean>
  clear(options?: CallOptions): Promise<void>
}

/** Whole numbers within ±2^53. */
export interface SharedCounter extends SharedObject, Observable<null, number> {
  value(options?: ReadOptions): Promise<number>
  /** Resolves with the count after it. @throws CONTAINER_OVERFLOW */
  add(by?: number, options?: CallOptions): Promise<number>
  /** False when the count is not `before`. */
  compareAndSet(before: number, after: number, options?: CallOptions): Promise<boolean>
}

/** A counter that is added to in memory, and flushed now and then: what a process did not flush is lost with it. */
export interface FastCounter extends SharedObject {
  add(by?: number): void
  /** What was flushed by all, and added by this process. */
  value(options?: ReadOptions): Promise<number>
  /** Resolves when everything added before the call is in the log. @throws OUTCOME_UNKNOWN: it is kept, and flushed later */
  flush(): Promise<void>
}

export interface FastCounterOptions extends ContainerOptions {
  /** What was added is flushed after so long. Default 100. */
  readonly flushMs?: number
}

export interface SharedReference<V> extends SharedObject, Observable<null, V> {
  get(options?: ReadOptions): Promise<V | undefined>
  set(value: V, options?: WriteOptions): Promise<Written>
  /** Undefined stands for nothing. Compared by bytes. */
  compareAndSet(before: V | undefined, after: V | undefined, options?: WriteOptions): Promise<boolean>
  compute(change: (value: V | undefined) => V | undefined, options?: WriteOptions): Promise<V | undefined>
  delete(options?: CallOptions): Promise<boolean>
}

export interface TopicMessage<V> {
  readonly value: V
  readonly version: number
  /** Goes on behind this message. */
  readonly token: string
}

export interface SharedTopic<V> extends SharedObject {
  publish(value: V, options?: CallOptions): Promise<Written>
  /** Never ends by itself. @throws CONTAINER_HISTORY_GONE when it took too long, CONTAINER_TOKEN_FOREIGN */
  subscribe(options?: SubscribeOptions): AsyncIterableIterator<TopicMessage<V>>
  /** What is kept, oldest first. */
  toArray(options?: ReadOptions): Promise<V[]>
}

/** The last `keep` values: a topic that one looks at. */
export type SharedRing<V> = SharedTopic<V>

/** What a transaction sees of a map: its own writes, and else one moment that is checked at the end. */
export interface TransactionMap<K extends ContainerKey, V> {
  get(key: K): Promise<V | undefined>
  set(key: K, value: V, options?: Pick<WriteOptions, 'ttlMs'>): Promise<void>
  delete(key: K): Promise<void>
}

/** One transaction over several containers. Nothing of it happens before it ends, then all or nothing. */
export interface ContainersTransaction {
  /**
   * A map, a sorted map or a cache, as the name is; a new one is a map.
   */
  map<K extends ContainerKey, V>(name: string, options?: MapOptions<V>): TransactionMap<K, V>
  push<V>(
    queue: string,
    value: V,
    options?: QueueOptions<V> & Pick<PushOptions, 'priority' | 'delayMs' | 'at'>,
  ): Promise<void>
  publish<V>(topic: string, value: V, options?: FeedOptions<V>): Promise<void>
  add(counter: string, by?: number): void
  /** The count, which must still be so in the end. What this transaction adds does not show. */
  value(counter: string): Promise<number>
  /** The message is acknowledged with it, or nothing happens. */
  acknowledge(message: QueueMessage<unknown>): void
  /** The lock is still held at that very index, or nothing happens. */
  fence(held: HeldLock): void
  /** Commands and conditions of other machines take part. */
  include(bundle: Partial<Bundle>): void
}

/** What the log said of a bundle. */
export type BundleVerdict = Pick<AppliedBundle, 'adopted' | 'unmet' | 'refused' | 'results'>

export interface ContainersTransactionOptions extends CallOptions {
  /**
   * Asked at the end of each attempt whether something else has to happen at the same index. What it gives submits that
   * together with the bundle, which is null when nothing was asked of any container; without it the bundle goes to the log alone.
   */
  readonly together?: () => ((bundle: Bundle | null) => Promise<BundleVerdict>) | null
}

/** The shared objects of the cluster, by name. One name is of one kind. */
export interface Containers {
  map<K extends ContainerKey, V>(name: string, options?: MapOptions<V>): SharedMap<K, V>
  sortedMap<K extends ContainerKey, V>(name: string, options?: KeyedOptions<V>): SharedSortedMap<K, V>
  /** A map of limited size. */
  cache<K extends ContainerKey, V>(name: string, options?: CacheOptions<V>): SharedMap<K, V>
  set<E extends ContainerKey>(
    name: string,
    options?: Omit<KeyedOptions<true>, 'codec' | 'schema'>,
  ): SharedSet<E>
  multiset<E extends ContainerKey>(
    name: string,
    options?: Omit<KeyedOptions<number>, 'codec' | 'schema' | 'ttlMs'>,
  ): SharedMultiset<E>
  list<V>(name: string, options?: Omit<KeyedOptions<V>, 'ttlMs'>): SharedList<V>
  queue<V>(name: string, options?: QueueOptions<V>): SharedQueue<V>
  priorityQueue<V>(name: string, options?: QueueOptions<V>): SharedQueue<V>
  counter(name: string, options?: ContainerOptions): SharedCounter
  /** The same container as `counter` of that name. */
  fastCounter(name: string, options?: FastCounterOptions): FastCounter
  reference<V>(name: string, options?: KeyedOptions<V>): SharedReference<V>
  topic<V>(name: string, options?: FeedOptions<V>): SharedTopic<V>
  ring<V>(name: string, options?: FeedOptions<V>): SharedRing<V>
  /**
   * Runs `work`, and again when something that it read was changed before it ended.
   * @throws CONTAINER_CONTENDED after 100 attempts, CONTAINER_FENCED, CONTAINER_LEASE_LOST, CONTAINER_FULL, and what `work` throws
   */
  transaction<R>(
    work: (tx: ContainersTransaction) => Promise<R>,
    options?: ContainersTransactionOptions,
  ): Promise<R>
  /** Containers as this node has them, sorted by name. */
  describe(): readonly ContainerInfo[]
  /** Flushes fast counters and ends what waits. Call it before the log is stopped. */
  stop(): Promise<void>
}

export type ContainerKind =
  | 'map'
  | 'sortedMap'
  | 'cache'
  | 'set'
  | 'multiset'
  | 'list'
  | 'queue'
  | 'priorityQueue'
  | 'counter'
  | 'reference'
  | 'topic'
  | 'ring'
  | 'distributedMap'

export interface ContainerInfo {
  readonly name: string
  readonly kind: ContainerKind
  /** Entries, elements, messages or values; of a distributed map those that this node holds. */
  readonly size: number
  readonly bytes: number
  /** 0 for a distributed map, which has no such bound. */
  readonly bytesMax: number
  /** That of the newest change. */
  readonly version: number
}

export type ContainerErrorDetail =
  /** The name is of a container of another kind. */
  | ({ readonly code: 'CONTAINER_KIND_DIFFERS'; readonly container: string } & ErrorDetail)
  /** The container was made with other options than those given. */
  | ({ readonly code: 'CONTAINER_OPTIONS_DIFFER'; readonly container: string } & ErrorDetail)
  /** There is no room for it within `bytesMax`. */
  | ({ readonly code: 'CONTAINER_FULL'; readonly container: string; readonly bytesMax: number } & ErrorDetail)
  /** There is too much of something; `limit` names it. */
  | ({ readonly code: 'CONTAINER_LIMIT'; readonly limit: string; readonly max: number } & ErrorDetail)
  | ({
      readonly code: 'CONTAINER_OPTION_INVALID'
      readonly option: string
      readonly given: string
    } & ErrorDetail)
  /** The schema refuses the value. */
  | ({
      readonly code: 'CONTAINER_VALUE_INVALID'
      readonly container: string
      readonly issues: readonly string[]
    } & ErrorDetail)
  /** Others were faster each time. */
  | ({ readonly code: 'CONTAINER_CONTENDED'; readonly attempts: number } & ErrorDetail)
  /** The message is not this taker's any more. */
  | ({ readonly code: 'CONTAINER_LEASE_LOST'; readonly container: string } & ErrorDetail)
  /** The lock that fences the transaction is not held any more. */
  | ({ readonly code: 'CONTAINER_FENCED'; readonly lock: string } & ErrorDetail)
  /** The count would leave the range of whole numbers. */
  | ({ readonly code: 'CONTAINER_OVERFLOW'; readonly container: string } & ErrorDetail)
  /** What came behind the token is not kept any more. */
  | ({ readonly code: 'CONTAINER_HISTORY_GONE'; readonly container: string } & ErrorDetail)
  /** The token is none, or of a history that this cluster has left. */
  | ({ readonly code: 'CONTAINER_TOKEN_FOREIGN'; readonly container: string } & ErrorDetail)
