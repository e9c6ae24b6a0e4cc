import { ByteReader, ByteWriter, type ContainerKind, type Key } from '@cluster/core'
import type { Stored } from './stored.ts'

const FORMAT = 1

/** Operations that one command may have. Their results are together within what the log keeps of an answer. */
export const OPERATIONS_MAX = 256

export const KINDS: readonly ContainerKind[] = [
  'map',
  'sortedMap',
  'cache',
  'set',
  'multiset',
  'list',
  'queue',
  'priorityQueue',
  'counter',
  'reference',
  'topic',
  'ring',
  // Where its entries are; they themselves are rows of a database.
  'distributedMap',
]

/** What a container is made with; 0 stands for the default, and for "whatever it has" of one that exists. */
export interface WantedSettings {
  readonly bytesMax: number
  readonly historyMax: number
  readonly sizeMax: number
  readonly ttlMs: number
  readonly leaseMs: number
  readonly deliveriesMax: number
}

/** What must hold for a write. */
export type When =
  | { readonly is: 'any' | 'absent' | 'present' }
  /** 0: there is none. */
  | { readonly is: 'version'; readonly version: number }
  | { readonly is: 'equal'; readonly value: Stored }

/** `ttl`: 0 as the container has it, 1 never, else milliseconds and one more. */
export type Operation =
  /** Makes the container, or sees that it is as wanted. */
  | { readonly type: 'open'; readonly wanted: WantedSettings }
  | { readonly type: 'destroy' | 'clear' }
  | {
      readonly type: 'put'
      readonly key: Key
      readonly value: Stored
      readonly ttl: number
      readonly when: When
    }
  | { readonly type: 'remove'; readonly key: Key; readonly when: When }
  | { readonly type: 'add'; readonly key: Key; readonly by: number }
  | { readonly type: 'touch'; readonly key: Key; readonly ttl: number }
  /** Before that position, or at the end for `END`. */
  | { readonly type: 'insert' | 'place'; readonly at: number; readonly value: Uint8Array }
  /** At that position (`END` for the last one), if it is that element; version 0 for any. */
  | { readonly type: 'cut'; readonly at: number; readonly version: number }
  | { readonly type: 'push'; readonly value: Uint8Array; readonly priority: number }
  /** Not before `delayMs` of log time, nor before `wall`, milliseconds since 1970; 0 for at once. */
  | {
      readonly type: 'pushLater'
      readonly value: Uint8Array
      readonly priority: number
      readonly delayMs: number
      readonly wall: number
    }
  /** As `release`, after a while. */
  | {
      readonly type: 'postpone'
      readonly id: number
      readonly receipt: string
      readonly delayMs: number
    }
  /** Of a message that was set aside; 0 for all. */
  | { readonly type: 'putBack' | 'discard'; readonly id: number }
  /** The same receipt again is told the same. */
  | { readonly type: 'take'; readonly receipt: string; readonly leaseMs: number }
  | { readonly type: 'acknowledge' | 'release' | 'redeliver'; readonly id: number; readonly receipt: string }
  | { readonly type: 'extend'; readonly id: number; readonly receipt: string; readonly leaseMs: number }
  | { readonly type: 'publish'; readonly value: Uint8Array }

/** An operation on a container, or a note that log time has come to where entries end. */
export type Targeted =
  | { readonly name: string; readonly kind: ContainerKind; readonly operation: Operation }
  | { readonly sweep: true }

const TYPES = [
  'open',
  'destroy',
  'clear',
  'put',
  'remove',
  'add',
  'touch',
  'insert',
  'place',
  'cut',
  'push',
  'take',
  'acknowledge',
  'release',
  'redeliver',
  'extend',
  'publish',
  // Since version 6 of the cluster.
  'pushLater',
  'postpone',
  'putBack',
  'discard',
  'openLimited',
] as const
const WHENS = ['any', 'absent', 'present', 'version', 'equal'] as const
const SWEEP = 255

/** The last position of a list, or the one behind it. */
export const END = 0xffff_ffff

/** The machine's answers; `value` is what the table says. */
const STATUSES = [
  /** `value`: version, count, id of a message, or how many. */
  'done',
  /** The condition does not hold, or there is nothing like that. `value`: the version that there is. */
  'no',
  /** There is no such container. */
  'absent',
  'kindDiffers',
  'optionsDiffer',
  /** `value`: `bytesMax`. */
  'full',
  /** `value`: the limit, as a position in `LIMIT_NAMES`. */
  'limit',
  'overflow',
  'malformed',
] as const

export type Status = (typeof STATUSES)[number]
export const LIMIT_NAMES = ['containers', 'nameBytes', 'keyBytes', 'valueBytes'] as const

export interface Result {
  readonly status: Status
  readonly value: number
}

const encoder = new TextEncoder()
const NOTHING = new Uint8Array(0)
/** Bytes of a key that become text at once. */
const KEY_PIECE = 1_024
/** What is written is copied out of it before anybody else writes. */
const scratch = new ByteWriter(64 * 1024)

export function writeText(out: ByteWriter, text: string): void {
  const bytes = encoder.encode(text)
  out.varint(bytes.length)
  out.raw(bytes)
}

export const readText = (input: ByteReader): string => input.text(input.varint())

/** Names of containers as they stand in one command: mostly the same again and again. */
class NameWriter {
  #name = ''
  #bytes = NOTHING

  write(out: ByteWriter, name: string): void {
    if (name !== this.#name) {
      this.#name = name
      this.#bytes = encoder.encode(name)
    }
    writeBytes(out, this.#bytes)
  }
}

class NameReader {
  #name = ''
  /** Where in the command it stands. */
  #from = 0
  #length = -1

  read(input: ByteReader): string {
    const length = input.varint()
    if (length === this.#length && this.#isSame(input)) {
      input.at += length
      return this.#name
    }
    this.#from = input.at
    this.#length = length
    this.#name = input.text(length)
    return this.#name
  }

  #isSame({ bytes, at }: ByteReader): boolean {
    for (let i = 0; i < this.#length; i++) if (bytes[at + i] !== bytes[this.#from + i]) return false
    return true
  }
}

/** A key is a string of bytes. */
export function writeKey(out: ByteWriter, key: Key): void {
  out.varint(key.length)
  for (let i = 0; i < key.length; i++) out.u8(key.charCodeAt(i))
}

export function readKey(input: ByteReader): Key {
  const length = input.varint()
  const from = input.at
  if (from + length > input.bytes.length) throw new RangeError('the bytes end too early')
  input.at += length
  // In one piece, so that looking it up has nothing to join; in several where it is longer than a call takes.
  if (length <= KEY_PIECE)
    return Reflect.apply(String.fromCharCode, null, input.bytes.subarray(from, input.at))
  let key = ''
  for (let at = from; at < input.at; at += KEY_PIECE)
    key += Reflect.apply(
      String.fromCharCode,
      null,
      input.bytes.subarray(at, Math.min(at + KEY_PIECE, input.at)),
    )
  return key
}

export function writeBytes(out: ByteWriter, bytes: Uint8Array): void {
  out.varint(bytes.length)
  out.raw(bytes)
}

/** A copy: the bytes that are read may be used again. */
export function readBytes(input: ByteReader): Uint8Array {
  const bytes = input.varint()
  if (input.at + bytes > input.bytes.length) throw new RangeError('the bytes end too early')
  input.at += bytes
  return input.bytes.slice(input.at - bytes, input.at)
}

export function writeStored(out: ByteWriter, stored: Stored): void {
  out.u8(typeof stored === 'number' ? 1 : 0)
  if (typeof stored === 'number') out.f64(stored)
  else writeBytes(out, stored)
}

export function readStored(input: ByteReader): Stored {
  return input.u8() === 1 ? input.f64() : readBytes(input)
}

export const writeKind = (out: ByteWriter, kind: ContainerKind): void => out.u8(KINDS.indexOf(kind))

export function readKind(input: ByteReader): ContainerKind {
  const kind = KINDS[input.u8()]
  if (kind === undefined) throw new RangeError('no such kind')
  return kind
}

function writeWhen(out: ByteWriter, when: When): void {
  out.u8(WHENS.indexOf(when.is))
  if (when.is === 'version') out.varint(when.version)
  else if (when.is === 'equal') writeStored(out, when.value)
}

function readWhen(input: ByteReader): When {
  const is = WHENS[input.u8()]
  if (is === undefined) throw new RangeError('no such condition')
  if (is === 'version') return { is, version: input.varint() }
  return is === 'equal' ? { is, value: readStored(input) } : { is }
}

export function encodeCommand(operations: readonly Targeted[]): Uint8Array {
  const out = scratch.reset()
  const names = new NameWriter()
  out.u8(FORMAT)
  out.varint(operations.length)
  for (const each of operations) {
    if ('sweep' in each) out.u8(SWEEP)
    else {
      out.u8(TYPES.indexOf(wordOf(each.operation)))
      names.write(out, each.name)
      writeKind(out, each.kind)
      writeOperation(out, each.operation)
    }
  }
  return out.finish()
}

/** Queues with a limit of deliveries are opened by a word of their own, which older programs do not know. */
function wordOf(operation: Operation): (typeof TYPES)[number] {
  const { type } = operation
  return type === 'open' && operation.wanted.deliveriesMax > 0 ? 'openLimited' : type
}

function writeOperation(out: ByteWriter, operation: Operation): void {
  switch (operation.type) {
    case 'open': {
      const { bytesMax, historyMax, sizeMax, ttlMs, leaseMs, deliveriesMax } = operation.wanted
      for (const wanted of [bytesMax, historyMax, sizeMax, ttlMs, leaseMs]) out.varint(wanted)
      if (deliveriesMax > 0) out.varint(deliveriesMax)
      break
    }
    case 'destroy':
    case 'clear':
      break
    case 'put':
      writeKey(out, operation.key)
      writeStored(out, operation.value)
      out.varint(operation.ttl)
      writeWhen(out, operation.when)
      break
    case 'remove':
      writeKey(out, operation.key)
      writeWhen(out, operation.when)
      break
    case 'add':
      writeKey(out, operation.key)
      out.f64(operation.by)
      break
    case 'touch':
      writeKey(out, operation.key)
      out.varint(operation.ttl)
      break
    case 'insert':
    case 'place':
      out.varint(operation.at)
      writeBytes(out, operation.value)
      break
    case 'cut':
      out.varint(operation.at)
      out.varint(operation.version)
      break
    case 'push':
      writeBytes(out, operation.value)
      out.f64(operation.priority)
      break
    case 'take':
      writeText(out, operation.receipt)
      out.varint(operation.leaseMs)
      break
    case 'publish':
      writeBytes(out, operation.value)
      break
    case 'pushLater':
      writeBytes(out, operation.value)
      for (const number of [operation.priority, operation.delayMs, operation.wall]) out.f64(number)
      break
    case 'postpone':
      out.varint(operation.id)
      writeText(out, operation.receipt)
      out.f64(operation.delayMs)
      break
    case 'putBack':
    case 'discard':
      out.varint(operation.id)
      break
    default:
      out.varint(operation.id)
      writeText(out, operation.receipt)
      if (operation.type === 'extend') out.varint(operation.leaseMs)
  }
}

/** Null for bytes that are no command. */
export function decodeCommand(bytes: Uint8Array): readonly Targeted[] | null {
  return decoded(bytes, (input) => {
    const count = input.varint()
    if (count < 1 || count > OPERATIONS_MAX) return null
    const names = new NameReader()
    const operations: Targeted[] = []
    for (let i = 0; i < count; i++) operations.push(readTargeted(input, names))
    return operations
  })
}

/** What `read` makes of bytes of this format, all of them; null when they are something else. */
function decoded<T>(bytes: Uint8Array, read: (input: ByteReader) => T | null): T | null {
  try {
    const input = new ByteReader(bytes)
    if (input.u8() !== FORMAT) return null
    const value = read(input)
    return input.at === bytes.length ? value : null
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function readTargeted(input: ByteReader, names: NameReader): Targeted {
  const code = input.u8()
  if (code === SWEEP) return { sweep: true }
  const type = TYPES[code]
  if (type === undefined) throw new RangeError('no such operation')
  return { name: names.read(input), kind: readKind(input), operation: readOperation(input, type) }
}

function readOperation(input: ByteReader, type: (typeof TYPES)[number]): Operation {
  switch (type) {
    case 'open':
    case 'openLimited': {
      const [bytesMax = 0, historyMax = 0, sizeMax = 0, ttlMs = 0, leaseMs = 0] = Array.from(
        { length: 5 },
        () => input.varint(),
      )
      const deliveriesMax = type === 'open' ? 0 : input.varint()
      return { type: 'open', wanted: { bytesMax, historyMax, sizeMax, ttlMs, leaseMs, deliveriesMax } }
    }
    case 'destroy':
    case 'clear':
      return { type }
    case 'put':
      return {
        type,
        key: readKey(input),
        value: readStored(input),
        ttl: input.varint(),
        when: readWhen(input),
      }
    case 'remove':
      return { type, key: readKey(input), when: readWhen(input) }
    case 'add':
      return { type, key: readKey(input), by: input.f64() }
    case 'touch':
      return { type, key: readKey(input), ttl: input.varint() }
    case 'insert':
    case 'place':
      return { type, at: input.varint(), value: readBytes(input) }
    case 'cut':
      return { type, at: input.varint(), version: input.varint() }
    case 'push':
      return { type, value: readBytes(input), priority: input.f64() }
    case 'take':
      return { type, receipt: readText(input), leaseMs: input.varint() }
    case 'publish':
      return { type, value: readBytes(input) }
    case 'pushLater':
      return {
        type,
        value: readBytes(input),
        priority: input.f64(),
        delayMs: input.f64(),
        wall: input.f64(),
      }
    case 'postpone':
      return { type, id: input.varint(), receipt: readText(input), delayMs: input.f64() }
    case 'putBack':
    case 'discard':
      return { type, id: input.varint() }
    case 'extend':
      return { type, id: input.varint(), receipt: readText(input), leaseMs: input.varint() }
    default:
      return { type, id: input.varint(), receipt: readText(input) }
  }
}

export function encodeResults(results: readonly Result[]): Uint8Array {
  const out = scratch.reset()
  for (const { status, value } of results) {
    out.u8(STATUSES.indexOf(status))
    out.f64(value)
  }
  return out.finish()
}

/** One for each operation. @throws RangeError for bytes that no machine wrote */
export function decodeResults(bytes: Uint8Array): Result[] {
  const input = new ByteReader(bytes)
  const results: Result[] = []
  while (input.at < bytes.length) {
    const status = STATUSES[input.u8()]
    if (status === undefined) throw new RangeError('no such status')
    results.push({ status, value: input.f64() })
  }
  return results
}

/** "The entry of that key is still of this version", for a condition of a bundle; 0: there is none. */
export interface Requirement {
  readonly name: string
  readonly key: Key
  readonly version: number
}

export function encodeRequirements(requirements: readonly Requirement[]): Uint8Array {
  const out = new ByteWriter(64)
  out.u8(FORMAT)
  out.varint(requirements.length)
  for (const { name, key, version } of requirements) {
    writeText(out, name)
    writeKey(out, key)
    out.varint(version)
  }
  return out.finish()
}

/** Null for bytes that are no requirements. All of them must hold. */
export function decodeRequirements(bytes: Uint8Array): readonly Requirement[] | null {
  return decoded(bytes, (input) => {
    const count = input.varint()
    if (count > bytes.length) return null
    return Array.from({ length: count }, () => ({
      name: readText(input),
      key: readKey(input),
      version: input.varint(),
    }))
  })
}
