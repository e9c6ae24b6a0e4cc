import { assert, ByteReader, ByteWriter, type Key, logIndex, nodeId } from '@cluster/core'
import {
  readBytes,
  readKey,
  readKind,
  readStored,
  readText,
  writeBytes,
  writeKey,
  writeKind,
  writeStored,
  writeText,
} from './codec.ts'
import { CHANGE_TYPES, type Change } from './feed.ts'
import { makeContainer } from './make.ts'
import { exchange } from './queued.ts'
import type { Container, Element, Entry, Message } from './state.ts'

/** Version of the snapshot's layout. */
const SNAPSHOT_FORMAT = 1
/** A piece is cut once it has so many bytes. */
const PIECE_BYTES = 64 * 1024

/** All that the machine knows. */
export interface MachineState {
  /** The newest number given. */
  counter: number
  /** Log time of the newest entry. */
  time: number
  readonly containers: Map<string, Container>
}

export const emptyState = (): MachineState => ({ counter: 0, time: 0, containers: new Map() })

// A snapshot is a list of records, each behind its length: the head, then each container and what it holds, then the end.
const HEAD = 0
const CONTAINER = 1
const ENTRY = 2
const ELEMENT = 3
const MESSAGE = 4
const CHANGE = 5
const LAST = 6
/** Behind the message that it is of, and only where it says something; since version 6 of the cluster. */
const REST_OF_MESSAGE = 7
/** Behind the container that it is of, likewise. */
const REST_OF_SETTINGS = 8

/** A container as it is now: what it holds is never changed, so that lists of it are enough. */
interface Still {
  readonly container: Pick<Container, 'name' | 'kind' | 'id' | 'settings' | 'bytes'>
  readonly lost: number
  readonly entries: readonly (readonly [Key, Entry])[]
  readonly elements: readonly Element[]
  readonly messages: readonly Message[]
  readonly changes: readonly Change[]
}

function still(container: Container): Still {
  const { name, kind, id, settings, bytes, entries, elements, queue, feed } = container
  const all: (readonly [Key, Entry])[] = []
  entries.ascend(undefined, (key, entry) => {
    all.push([key, entry])
    return true
  })
  return {
    container: { name, kind, id, settings, bytes },
    lost: feed.lost,
    entries: all,
    elements: [...elements],
    messages: [...queue.messages.values()],
    changes: feed.toArray(),
  }
}

/**
 * The state of this moment, in pieces.
 * @param sorted equal states give equal bytes; sorting makes the pieces wait for each other
 */
export function savePieces(
  state: MachineState,
  sorted: boolean,
): Iterator<Uint8Array> & Iterable<Uint8Array> {
  const stills = [...state.containers.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(still)
  // What may change meanwhile is read now: the generator begins only when it is asked.
  const { counter, time } = state
  return cut(records({ counter, time }, sorted ? stills.map(inOrder) : stills))
}

const inOrder = (each: Still): Still => ({
  ...each,
  entries: [...each.entries].sort(([a], [b]) => (a < b ? -1 : 1)),
  messages: [...each.messages].sort((a, b) => a.id - b.id),
})

function* cut(all: Iterable<(out: ByteWriter) => void>): Generator<Uint8Array, void, undefined> {
  const out = new ByteWriter(PIECE_BYTES * 2)
  for (const write of all) {
    const at = out.length
    out.u32(0)
    write(out)
    out.patchU32(at, out.length - at - 4)
    if (out.length < PIECE_BYTES) continue
    yield out.finish()
    out.reset()
  }
  if (out.length > 0) yield out.finish()
}

function* records(
  { counter, time }: Pick<MachineState, 'counter' | 'time'>,
  stills: readonly Still[],
): Generator<(out: ByteWriter) => void, void, undefined> {
  yield (out) => {
    out.u8(HEAD)
    out.u8(SNAPSHOT_FORMAT)
    out.varint(counter)
    out.f64(time)
  }
  for (const { container, lost, entries, elements, messages, changes } of stills) {
    yield (out) => writeHead(out, container, lost)
    const { deliveriesMax } = container.settings
    if (deliveriesMax > 0)
      yield (out) => {
        out.u8(REST_OF_SETTINGS)
        out.varint(deliveriesMax)
      }
    for (const [key, entry] of entries) yield (out) => writeEntry(out, key, entry)
    for (const element of elements) yield (out) => writeElement(out, element)
    for (const message of messages) {
      yield (out) => writeMessage(out, message)
      const { id, spared, aside } = message
      if (spared > 0 || aside)
        yield (out) => {
          out.u8(REST_OF_MESSAGE)
          out.varint(id)
          out.varint(spared)
          out.u8(aside ? 1 : 0)
        }
    }
    for (const change of changes) yield (out) => writeChange(out, change)
  }
  yield (out) => out.u8(LAST)
}

function writeHead(
  out: ByteWriter,
  { name, kind, id, settings, bytes }: Still['container'],
  lost: number,
): void {
  out.u8(CONTAINER)
  writeText(out, name)
  writeKind(out, kind)
  const { bytesMax, historyMax, sizeMax, ttlMs, leaseMs } = settings
  for (const number of [id, bytesMax, historyMax, sizeMax, ttlMs, leaseMs, bytes, lost]) out.varint(number)
}

function readHead(input: ByteReader): Container {
  const name = readText(input)
  const kind = readKind(input)
  const id = input.varint()
  const [bytesMax = 0, historyMax = 0, sizeMax = 0, ttlMs = 0, leaseMs = 0] = Array.from({ length: 5 }, () =>
    input.varint(),
  )
  const container = makeContainer(name, kind, id, {
    bytesMax,
    historyMax,
    sizeMax,
    ttlMs,
    leaseMs,
    deliveriesMax: 0,
  })
  container.bytes = input.varint()
  container.feed.lost = input.varint()
  return container
}

function writeEntry(out: ByteWriter, key: Key, { value, version, deadline }: Entry): void {
  out.u8(ENTRY)
  writeKey(out, key)
  writeStored(out, value)
  out.varint(version)
  out.f64(deadline)
}

function writeElement(out: ByteWriter, { value, version }: Element): void {
  out.u8(ELEMENT)
  writeBytes(out, value)
  out.varint(version)
}

function writeMessage(out: ByteWriter, message: Message): void {
  const { id, priority, value, deliveries, receipt, taker, leaseMs, deadline } = message
  out.u8(MESSAGE)
  out.varint(id)
  out.f64(priority)
  writeBytes(out, value)
  out.varint(deliveries)
  writeText(out, receipt)
  writeText(out, taker ?? '')
  out.varint(leaseMs)
  out.f64(deadline)
}

function readMessage(input: ByteReader): Message {
  const id = input.varint()
  const priority = input.f64()
  const value = readBytes(input)
  const deliveries = input.varint()
  const receipt = readText(input)
  const taker = readText(input)
  return {
    id,
    priority,
    value,
    deliveries,
    receipt,
    taker: taker === '' ? null : nodeId(taker),
    leaseMs: input.varint(),
    deadline: input.f64(),
    spared: 0,
    aside: false,
  }
}

function writeChange(out: ByteWriter, { number, index, type, key, before, after }: Change): void {
  out.u8(CHANGE)
  out.varint(number)
  out.varint(index)
  out.u8(CHANGE_TYPES.indexOf(type))
  out.u8(typeof key === 'number' ? 1 : 0)
  if (typeof key === 'number') out.varint(key)
  else writeKey(out, key)
  for (const stored of [before, after]) {
    out.u8(stored === null ? 0 : 1)
    if (stored !== null) writeStored(out, stored)
  }
}

function readChange(input: ByteReader): Change {
  const number = input.varint()
  const index = logIndex(input.varint())
  const type = CHANGE_TYPES[input.u8()]
  assert(type !== undefined, 'a change in a snapshot is of a known type')
  const key = input.u8() === 1 ? input.varint() : readKey(input)
  const stored = () => (input.u8() === 1 ? readStored(input) : null)
  return { number, index, type, key, before: stored(), after: stored() }
}

/** Takes a snapshot in pieces of any size. */
export class SnapshotLoading {
  readonly #state = emptyState()
  #container: Container | null = null
  #rest = new Uint8Array(0)
  #ended = false

  piece(bytes: Uint8Array): void {
    let all = bytes
    if (this.#rest.length > 0) {
      all = new Uint8Array(this.#rest.length + bytes.length)
      all.set(this.#rest)
      all.set(bytes, this.#rest.length)
    }
    const input = new ByteReader(all)
    let at = 0
    while (at + 4 <= all.length) {
      input.at = at
      const end = at + 4 + input.u32()
      if (end > all.length) break
      this.#record(input)
      assert(input.at === end, 'a record of a snapshot of containers is as long as it says')
      at = end
    }
    this.#rest = all.slice(at)
  }

  done(): MachineState {
    assert(this.#ended && this.#rest.length === 0, 'a snapshot of containers is complete')
    for (const container of this.#state.containers.values())
      if (container.kind === 'cache') arrange(container)
    return this.#state
  }

  #record(input: ByteReader): void {
    const type = input.u8()
    if (type === HEAD) {
      assert(input.u8() === SNAPSHOT_FORMAT, 'a snapshot of containers has a layout of this version')
      this.#state.counter = input.varint()
      this.#state.time = input.f64()
    } else if (type === CONTAINER) {
      this.#container = readHead(input)
      this.#state.containers.set(this.#container.name, this.#container)
    } else if (type === LAST) this.#ended = true
    else this.#content(type, input)
  }

  #limited({ name, kind, id, settings, bytes, feed }: Container, deliveriesMax: number): void {
    const container = makeContainer(name, kind, id, { ...settings, deliveriesMax })
    container.bytes = bytes
    container.feed.lost = feed.lost
    this.#container = container
    this.#state.containers.set(name, container)
  }

  #content(type: number, input: ByteReader): void {
    const container = this.#container
    assert(container, 'a snapshot of containers names the container before what it holds')
    if (type === ENTRY) {
      const key = readKey(input)
      container.entries.set(key, {
        value: readStored(input),
        version: input.varint(),
        deadline: input.f64(),
      })
    } else if (type === ELEMENT) container.elements.push({ value: readBytes(input), version: input.varint() })
    else if (type === REST_OF_SETTINGS) this.#limited(container, input.varint())
    else if (type === REST_OF_MESSAGE) {
      const message = container.queue.messages.get(input.varint())
      assert(message, 'the rest of a message stands behind it')
      const rest = { spared: input.varint(), aside: input.u8() === 1 }
      exchange(container.queue, message, { ...message, ...rest })
    } else if (type === MESSAGE) exchange(container.queue, undefined, readMessage(input))
    else {
      assert(type === CHANGE, `a snapshot of containers has records of known types, not ${type}`)
      const { lost } = container.feed
      container.feed.push(readChange(input))
      container.feed.lost = lost
    }
  }
}

/** The order in which a cache's entries were written. */
function arrange({ entries, order }: Container): void {
  entries.ascend(undefined, (key, { version }) => {
    order.records.push({ key, version })
    return true
  })
  order.records.sort((a, b) => a.version - b.version)
}
