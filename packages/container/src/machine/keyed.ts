import type { Key } from '@cluster/core'
import { answer, charge, full, OVERHEAD, over, record } from './changing.ts'
import type { Operation, Result, When } from './codec.ts'
import type { Change } from './feed.ts'
import { emptyEntries } from './make.ts'
import type { Container, Entry, Turn } from './state.ts'
import type { Stored } from './stored.ts'

type Put = Extract<Operation, { type: 'put' }>

const lengthOf = (stored: Stored): number => (typeof stored === 'number' ? 8 : stored.length)
const bytesOf = (key: Key, value: Stored): number => OVERHEAD + key.length + lengthOf(value)

function sameStored(a: Stored, b: Stored): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function holds(when: When, entry: Entry | undefined): boolean {
  switch (when.is) {
    case 'any':
      return true
    case 'absent':
      return entry === undefined
    case 'present':
      return entry !== undefined
    case 'version':
      return when.version === (entry?.version ?? 0)
    case 'equal':
      // A count that nobody has begun is 0.
      return entry === undefined ? when.value === 0 : sameStored(entry.value, when.value)
  }
}

export function put(turn: Turn, container: Container, { key, value, ttl, when }: Put): Result {
  const { entries, kind, settings } = container
  const isCount = typeof value === 'number'
  if (isCount !== (kind === 'counter') || kind === 'multiset') return answer('malformed')
  if (isCount && !Number.isSafeInteger(value)) return answer('overflow')
  const old = entries.get(key)
  if (!holds(when, old)) return answer('no', old?.version ?? 0)
  if (key.length > turn.limits.keyBytes) return over('keyBytes')
  if (lengthOf(value) > turn.limits.valueBytes) return over('valueBytes')
  const bytes = bytesOf(key, value)
  const delta = bytes - (old ? bytesOf(key, old.value) : 0)
  if (kind === 'cache' ? bytes > settings.bytesMax : delta > 0 && container.bytes + delta > settings.bytesMax)
    return full(container)
  const version = record(turn, container, { type: 'set', key, before: old?.value ?? null, after: value })
  const ttlMs = ttl === 0 ? settings.ttlMs : ttl - 1
  write(turn, container, key, old, { value, version, deadline: ttlMs > 0 ? turn.entry.time + ttlMs : 0 })
  charge(turn, container, delta)
  if (kind === 'cache') makeRoom(turn, container)
  return answer('done', version)
}

export function remove(
  turn: Turn,
  container: Container,
  { key, when }: Extract<Operation, { type: 'remove' }>,
): Result {
  const old = container.entries.get(key)
  if (old === undefined || !holds(when, old)) return answer('no', old?.version ?? 0)
  return answer('done', takeOut(turn, container, key, old, 'removed'))
}

export function add(
  turn: Turn,
  container: Container,
  { key, by }: Extract<Operation, { type: 'add' }>,
): Result {
  if (!Number.isSafeInteger(by)) return answer('overflow')
  const { kind, entries, settings } = container
  const old = entries.get(key)
  const before = typeof old?.value === 'number' ? old.value : 0
  const after = before + by
  if (!Number.isSafeInteger(after)) return answer('overflow')
  if (kind === 'multiset') {
    if (after < 0) return answer('no', before)
    if (after === 0) {
      if (old) takeOut(turn, container, key, old, 'removed')
      return answer('done', 0)
    }
  }
  if (key.length > turn.limits.keyBytes) return over('keyBytes')
  const delta = old ? 0 : bytesOf(key, after)
  if (delta > 0 && container.bytes + delta > settings.bytesMax) return full(container)
  const version = record(turn, container, { type: 'set', key, before: old?.value ?? null, after })
  write(turn, container, key, old, { value: after, version, deadline: 0 })
  charge(turn, container, delta)
  return answer('done', after)
}

export function touch(
  turn: Turn,
  container: Container,
  { key, ttl }: Extract<Operation, { type: 'touch' }>,
): Result {
  const old = container.entries.get(key)
  if (old === undefined) return answer('no')
  const ttlMs = ttl === 0 ? container.settings.ttlMs : ttl - 1
  write(turn, container, key, old, { ...old, deadline: ttlMs > 0 ? turn.entry.time + ttlMs : 0 })
  turn.touch(container)
  return answer('done', old.version)
}

export function clearEntries(turn: Turn, container: Container): Result {
  const { entries, order } = container
  container.entries = emptyEntries(container.kind)
  container.order = { records: [], head: 0 }
  turn.did(() => {
    container.entries = entries
    container.order = order
  })
  charge(turn, container, -container.bytes)
  if (entries.size > 0) record(turn, container, { type: 'cleared', key: '', before: null, after: null })
  return answer('done', entries.size)
}

/** Ends the entry that was written as number `version`, if it is still that one and its log time is over. */
export function expire(
  turn: Turn,
  container: Container,
  key: Key,
  version: number,
  deadline: number,
): boolean {
  const entry = container.entries.get(key)
  if (entry === undefined || entry.version !== version || entry.deadline !== deadline) return false
  takeOut(turn, container, key, entry, 'expired')
  return true
}

function write(turn: Turn, container: Container, key: Key, old: Entry | undefined, entry: Entry): void {
  const { entries, order } = container
  entries.set(key, entry)
  turn.did(() => (old ? entries.set(key, old) : entries.delete(key)))
  if (entry.deadline > 0)
    turn.deadlines.push({ deadline: entry.deadline, container: container.name, key, number: entry.version })
  if (container.kind !== 'cache' || entry.version === old?.version) return
  order.records.push({ key, version: entry.version })
  turn.did(() => order.records.pop())
}

function takeOut(
  turn: Turn,
  container: Container,
  key: Key,
  old: Entry,
  type: Extract<Change['type'], 'removed' | 'expired' | 'evicted'>,
): number {
  const { entries } = container
  const number = record(turn, container, { type, key, before: old.value, after: null })
  entries.delete(key)
  turn.did(() => entries.set(key, old))
  charge(turn, container, -bytesOf(key, old.value))
  return number
}

/** Lets the entries go that were written longest ago, until the rest is within the bounds. */
function makeRoom(turn: Turn, container: Container): void {
  const { entries, order, settings } = container
  const head = order.head
  turn.did(() => {
    order.head = head
  })
  while (entries.size > settings.sizeMax || container.bytes > settings.bytesMax) {
    const oldest = order.records[order.head]
    if (oldest === undefined) return
    order.head++
    const entry = entries.get(oldest.key)
    if (entry?.version === oldest.version) takeOut(turn, container, oldest.key, entry, 'evicted')
  }
}

/** Forgets what a cache's order has of entries that are gone, once that is most of it. Outside of bundles only. */
export function tidyOrder(container: Container): void {
  const { entries, order } = container
  if (order.records.length < 64 || order.records.length < entries.size * 3) return
  const records = order.records
    .slice(order.head)
    .filter(({ key, version }) => entries.get(key)?.version === version)
  container.order = { records, head: 0 }
}
