/**
 * What a log entry of the serializer holds. Written by hand, because it is made once a command and read once a
 * command on every node. Numbers are little-endian.
 *
 * Every envelope: version u8 · kind u8. Then by kind:
 * - command: session f64 · number f64 · back u32 · body
 * - note: JSON text
 * - part: session f64 · number f64 · back u32 · position u16 · count u16 · that part of the body
 *
 * The body of a command: machine u8 · key length u16 · key · command.
 * `back` is the distance from the number down to the client's low mark; `machine` counts within the names that
 * the session was opened with. A command that is too long for one entry comes as parts of its body, from position 0 to
 * the count, and is applied at the entry with which all of them are there.
 */
const ENVELOPE_VERSION = 1

const COMMAND = 1
const NOTE = 2
const PART = 3
const HEAD_AT = 2
const BODY_AT = HEAD_AT + 8 + 8 + 4
const BODY_HEAD = 1 + 2
const COMMAND_HEAD = BODY_AT + BODY_HEAD
const PART_HEAD = BODY_AT + 2 + 2

/** Bytes that an envelope adds to a command, its idempotency key aside. */
export const ENVELOPE_BYTES = COMMAND_HEAD
/** Longest idempotency key in UTF-8 bytes. */
const KEY_BYTES_MAX = 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const NO_KEY = new Uint8Array(0)

/** Which submission of which session it is. */
export interface Numbered {
  /** Index of the entry that opened the session. */
  readonly session: number
  /** From 1, one more for each submission of the session. */
  readonly number: number
  /** All numbers below it are settled for the client: it will never ask for them again. */
  readonly low: number
}

/** What is submitted. */
export interface CommandBody {
  /** Position in the session's list of machine names. */
  readonly machine: number
  /** Null when the caller gave no idempotency key. */
  readonly key: string | null
  /** A view into the bytes that it was read from. */
  readonly command: Uint8Array
}

export interface CommandEnvelope extends Numbered, CommandBody {
  readonly kind: 'command'
}

/** Part of the body of a command. */
export interface CommandPart {
  /** From 0. */
  readonly position: number
  /** How many parts there are, 2 … 65,535. */
  readonly count: number
  /** A view into the envelope. */
  readonly bytes: Uint8Array
}

export interface PartEnvelope extends Numbered, CommandPart {
  readonly kind: 'part'
}

/** What the serializer itself has to say in the log. */
export type Note =
  /** A process of `owner` opens its session; earlier ones of the same owner end. */
  | {
      readonly note: 'open'
      readonly owner: string
      readonly nonce: string
      readonly machines: readonly string[]
      /** The newest cluster version that its program supports. */
      readonly supports: number
    }
  /** The group gives up everything and goes into the cluster `into`, if it is still empty. */
  | { readonly note: 'seal'; readonly into: string }
  /** The next removal of that member is its own wish. */
  | { readonly note: 'leaving'; readonly node: string }

export interface NoteEnvelope {
  readonly kind: 'note'
  readonly note: Note
}

export type Envelope = CommandEnvelope | PartEnvelope | NoteEnvelope

/** Encodes a command. `key` is UTF-8, at most `KEY_BYTES_MAX`. */
export function encodeCommand(
  session: number,
  number: number,
  low: number,
  machine: number,
  key: string | null,
  command: Uint8Array,
): Uint8Array {
  const keyBytes = key === null ? NO_KEY : encoder.encode(key)
  const bytes = new Uint8Array(COMMAND_HEAD + keyBytes.length + command.length)
  writeHead(bytes, COMMAND, session, number, low)
  writeBody(bytes.subarray(BODY_AT), machine, keyBytes, command)
  return bytes
}

/** Encodes the body of a command, of which `encodePart` takes parts. */
export function encodeBody({ machine, key, command }: CommandBody): Uint8Array {
  const keyBytes = key === null ? NO_KEY : encoder.encode(key)
  const bytes = new Uint8Array(BODY_HEAD + keyBytes.length + command.length)
  writeBody(bytes, machine, keyBytes, command)
  return bytes
}

export function encodePart({ session, number, low }: Numbered, part: CommandPart): Uint8Array {
  const bytes = new Uint8Array(PART_HEAD + part.bytes.length)
  const view = writeHead(bytes, PART, session, number, low)
  view.setUint16(BODY_AT, part.position, true)
  view.setUint16(BODY_AT + 2, part.count, true)
  bytes.set(part.bytes, PART_HEAD)
  return bytes
}

function writeHead(bytes: Uint8Array, kind: number, session: number, number: number, low: number): DataView {
  const view = new DataView(bytes.buffer)
  bytes[0] = ENVELOPE_VERSION
  bytes[1] = kind
  view.setFloat64(HEAD_AT, session, true)
  view.setFloat64(HEAD_AT + 8, number, true)
  view.setUint32(HEAD_AT + 16, Math.min(number - low, 0xffff_ffff), true)
  return view
}

function writeBody(bytes: Uint8Array, machine: number, key: Uint8Array, command: Uint8Array): void {
  bytes[0] = machine
  bytes[1] = key.length & 0xff
  bytes[2] = key.length >> 8
  if (key.length > 0) bytes.set(key, BODY_HEAD)
  bytes.set(command, BODY_HEAD + key.length)
}

export function encodeNote(note: Note): Uint8Array {
  const body = encoder.encode(JSON.stringify(note))
  const bytes = new Uint8Array(HEAD_AT + body.length)
  bytes[0] = ENVELOPE_VERSION
  bytes[1] = NOTE
  bytes.set(body, HEAD_AT)
  return bytes
}

/** True when the bytes have the shape of an envelope that this program reads; for input from peers. */
export function isEnvelope(bytes: Uint8Array): boolean {
  if (bytes.length < HEAD_AT || bytes[0] !== ENVELOPE_VERSION) return false
  if (bytes[1] === NOTE) return readNote(bytes) !== null
  if (bytes.length < BODY_AT) return false
  const view = viewOf(bytes)
  const session = view.getFloat64(HEAD_AT, true)
  const number = view.getFloat64(HEAD_AT + 8, true)
  if (!Number.isSafeInteger(session) || !Number.isSafeInteger(number) || session <= 0 || number <= 0)
    return false
  if (bytes[1] === PART) return readPart(bytes) !== null
  if (bytes[1] !== COMMAND || bytes.length < COMMAND_HEAD) return false
  const keyLength = keyLengthOf(bytes.subarray(BODY_AT))
  return keyLength <= KEY_BYTES_MAX && bytes.length >= COMMAND_HEAD + keyLength
}

/**
 * Who opens a session by this envelope; null for a command. A note that only a leader may write has the owner
 * `''`, which is no node.
 */
export function ownerOfOpen(envelope: Uint8Array): string | null {
  if (envelope[1] !== NOTE) return null
  const note = readNote(envelope)
  return note?.note === 'open' ? note.owner : ''
}

/** Reads an envelope; null when the bytes are none that this program reads. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | null {
  if (bytes.length < HEAD_AT || bytes[0] !== ENVELOPE_VERSION) return null
  if (bytes[1] === NOTE) {
    const note = readNote(bytes)
    return note === null ? null : { kind: 'note', note }
  }
  if (bytes.length < BODY_AT) return null
  const view = viewOf(bytes)
  const session = view.getFloat64(HEAD_AT, true)
  const number = view.getFloat64(HEAD_AT + 8, true)
  const low = number - view.getUint32(HEAD_AT + 16, true)
  if (bytes[1] === PART) {
    const part = readPart(bytes)
    return part && { kind: 'part', session, number, low, ...part }
  }
  if (bytes[1] !== COMMAND) return null
  const body = decodeBody(bytes.subarray(BODY_AT))
  return body && { kind: 'command', session, number, low, ...body }
}

/** Reads the body of a command; null when the bytes are none. */
export function decodeBody(bytes: Uint8Array): CommandBody | null {
  if (bytes.length < BODY_HEAD) return null
  const keyLength = keyLengthOf(bytes)
  const commandAt = BODY_HEAD + keyLength
  if (bytes.length < commandAt) return null
  const key = keyLength === 0 ? null : decoder.decode(bytes.subarray(BODY_HEAD, commandAt))
  return { machine: bytes[0] as number, key, command: bytes.subarray(commandAt) }
}

const keyLengthOf = (body: Uint8Array): number => (body[1] as number) | ((body[2] as number) << 8)

function readPart(bytes: Uint8Array): CommandPart | null {
  if (bytes.length < PART_HEAD) return null
  const view = viewOf(bytes)
  const position = view.getUint16(BODY_AT, true)
  const count = view.getUint16(BODY_AT + 2, true)
  return count >= 2 && position < count ? { position, count, bytes: bytes.subarray(PART_HEAD) } : null
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function readNote(bytes: Uint8Array): Note | null {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes.subarray(HEAD_AT)))
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const fields = value as Record<string, unknown>
  const text = (name: string): boolean => typeof fields[name] === 'string'
  switch (fields.note) {
    case 'open': {
      const machines = fields.machines
      const names =
        Array.isArray(machines) && machines.length <= 255 && machines.every((n) => typeof n === 'string')
      const sound = names && text('owner') && text('nonce') && Number.isSafeInteger(fields.supports)
      return sound ? (value as Note) : null
    }
    case 'seal':
      return text('into') ? (value as Note) : null
    case 'leaving':
      return text('node') ? (value as Note) : null
    default:
      return null
  }
}
