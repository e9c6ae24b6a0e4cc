import { type ContainerKind, type Key, SortedBlocks } from '@cluster/core'
import type { WantedSettings } from './codec.ts'
import { Feed } from './feed.ts'
import type { Container, Entries, Entry, Queue, Settled } from './state.ts'

const MEBIBYTE = 1_048_576

/** What each kind is made with when nobody says otherwise. */
function defaultsOf(kind: ContainerKind): Settled {
  const isFeed = kind === 'topic' || kind === 'ring'
  return {
    bytesMax: 64 * MEBIBYTE,
    historyMax: isFeed ? 10_000 : 1_000,
    sizeMax: kind === 'cache' ? 10_000 : 0,
    ttlMs: 0,
    leaseMs: 30_000,
    deliveriesMax: 0,
  }
}

export const isQueue = (kind: ContainerKind): boolean => kind === 'queue' || kind === 'priorityQueue'
export const isFeed = (kind: ContainerKind): boolean => kind === 'topic' || kind === 'ring'

export function settle(kind: ContainerKind, wanted: WantedSettings): Settled {
  const defaults = defaultsOf(kind)
  return {
    bytesMax: wanted.bytesMax || defaults.bytesMax,
    historyMax: wanted.historyMax || defaults.historyMax,
    sizeMax: wanted.sizeMax || defaults.sizeMax,
    ttlMs: wanted.ttlMs || defaults.ttlMs,
    leaseMs: wanted.leaseMs || defaults.leaseMs,
    deliveriesMax: wanted.deliveriesMax || defaults.deliveriesMax,
  }
}

/** True when everything that was named is as it is. */
export function isAsWanted(settings: Settled, wanted: WantedSettings): boolean {
  const same = (is: number, want: number): boolean => want === 0 || is === want
  return (
    same(settings.bytesMax, wanted.bytesMax) &&
    same(settings.historyMax, wanted.historyMax) &&
    same(settings.sizeMax, wanted.sizeMax) &&
    same(settings.ttlMs, wanted.ttlMs) &&
    same(settings.leaseMs, wanted.leaseMs) &&
    same(settings.deliveriesMax, wanted.deliveriesMax)
  )
}

/** Entries in no order that means anything. */
class HashEntries implements Entries {
  readonly #map = new Map<Key, Entry>()

  get size(): number {
    return this.#map.size
  }

  get(key: Key): Entry | undefined {
    return this.#map.get(key)
  }

  set(key: Key, entry: Entry): void {
    this.#map.set(key, entry)
  }

  delete(key: Key): boolean {
    return this.#map.delete(key)
  }

  ascend(_from: Key | undefined, visit: (key: Key, entry: Entry) => boolean): void {
    for (const [key, entry] of this.#map) if (!visit(key, entry)) return
  }
}

export const emptyEntries = (kind: ContainerKind): Entries =>
  kind === 'sortedMap' ? new SortedBlocks<Entry>() : new HashEntries()

export const emptyQueue = (): Queue => ({
  messages: new Map(),
  ready: new SortedBlocks<number>(),
  receipts: new Map(),
  delayed: new Set(),
  aside: new SortedBlocks<number>(),
})

export function makeContainer(name: string, kind: ContainerKind, id: number, settings: Settled): Container {
  return {
    name,
    kind,
    id,
    settings,
    bytes: 0,
    feed: new Feed(id),
    entries: emptyEntries(kind),
    elements: [],
    queue: emptyQueue(),
    order: { records: [], head: 0 },
  }
}

/** Entries, elements, messages or values. */
export function sizeOf({ kind, entries, elements, queue, feed }: Container): number {
  if (kind === 'list') return elements.length
  if (isQueue(kind)) return queue.messages.size
  return isFeed(kind) ? feed.size : entries.size
}
