import type { ContainerKind, Key, LogEntry, NodeId } from '@cluster/core'
import type { Feed } from './feed.ts'
import type { DeadlineHeap } from './heap.ts'
import type { Stored } from './stored.ts'

/** Bounds of what the machine keeps. They must be the same on every node of a cluster. */
export interface ContainerLimits {
  /** Containers of all kinds together. */
  readonly containers: number
  /** UTF-8 bytes of a name. */
  readonly nameBytes: number
  /** Bytes of an encoded key. */
  readonly keyBytes: number
  /** Bytes of one encoded value. */
  readonly valueBytes: number
}

export const CONTAINER_LIMITS: ContainerLimits = {
  containers: 10_000,
  nameBytes: 256,
  keyBytes: 1_024,
  valueBytes: 1_048_576,
}

/** Never changed, so that snapshots and undoing need no copies. */
export interface Entry {
  readonly value: Stored
  /** Number of the change that wrote it. */
  readonly version: number
  /** Log time at which a note may end it; 0 for never. */
  readonly deadline: number
}

/** One position of a list. */
export interface Element {
  readonly value: Uint8Array
  readonly version: number
}

/** A message of a queue, waiting or taken. Never changed. */
export interface Message {
  /** Number of the change that brought it. */
  readonly id: number
  readonly priority: number
  readonly value: Uint8Array
  readonly deliveries: number
  /** Whose it is; empty while it waits. */
  readonly receipt: string
  readonly taker: NodeId | null
  readonly leaseMs: number
  /** Log time from which a note may have it delivered again, or for the first time; 0 while it waits for a taker. */
  readonly deadline: number
  /** Deliveries that do not count towards `deliveriesMax`: those before it was put back. */
  readonly spared: number
  /** It was delivered too often. */
  readonly aside: boolean
}

export interface Settled {
  readonly bytesMax: number
  /** Changes, or values of a topic or a ring, that are kept. */
  readonly historyMax: number
  /** Entries of a cache; 0 for no limit. */
  readonly sizeMax: number
  /** Of entries that are written without one of their own; 0 for never. */
  readonly ttlMs: number
  readonly leaseMs: number
  /** Deliveries after which a message is set aside; 0 for never. */
  readonly deliveriesMax: number
}

/** Entries by key, hashed or sorted. */
export interface Entries {
  readonly size: number
  get(key: Key): Entry | undefined
  set(key: Key, entry: Entry): void
  delete(key: Key): boolean
  /** Visits all, until `visit` returns false. */
  ascend(from: Key | undefined, visit: (key: Key, entry: Entry) => boolean): void
}

export interface Queue {
  /** All of them, by id. */
  readonly messages: Map<number, Message>
  /** Those that wait: id by its place in the order. */
  readonly ready: { readonly size: number } & ReadyOrder
  /** Those that are taken: id by receipt. */
  readonly receipts: Map<string, number>
  /** Those whose time is still to come, by id. */
  readonly delayed: Set<number>
  /** Those that were delivered too often: id by the place that they had. */
  readonly aside: { readonly size: number } & ReadyOrder
}

export interface ReadyOrder {
  set(key: Key, id: number): void
  delete(key: Key): boolean
  ascend(from: Key | undefined, visit: (key: Key, id: number) => boolean): void
}

/** The order in which a cache's entries were written; what was written again stays behind as chaff. */
export interface WriteOrder {
  readonly records: { readonly key: Key; readonly version: number }[]
  head: number
}

export interface Container {
  readonly name: string
  readonly kind: ContainerKind
  /** Number of the change that made it. */
  readonly id: number
  readonly settings: Settled
  /** Counted bytes of what it holds, changes for those who resume not included. */
  bytes: number
  readonly feed: Feed
  /** Of all kinds but lists, queues, topics and rings: empty there. */
  entries: Entries
  /** Of a list. */
  elements: Element[]
  /** Of a queue. */
  queue: Queue
  /** Of a cache. */
  order: WriteOrder
}

/** What an operation works with while one entry is applied. */
export interface Turn {
  readonly entry: LogEntry
  readonly limits: ContainerLimits
  readonly deadlines: DeadlineHeap
  readonly leases: DeadlineHeap
  /** The next number: greater than all before. */
  next(): number
  /** How to take back what was just done. */
  did(undo: () => void): void
  /** It changed. */
  touch(container: Container): void
}

/** What an entry changed, for the driver. */
export type ContainerEffect =
  /** These containers changed, appeared or went; sorted. */
  | { readonly type: 'changed'; readonly names: readonly string[] }
  /** Everything may be different: another state took the place of this one. */
  | { readonly type: 'restored' }
