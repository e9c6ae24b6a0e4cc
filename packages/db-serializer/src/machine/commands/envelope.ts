/**
 * What a log entry of the serializer holds. Written by hand, because it is made once a command and read once a
 * command on every node. Numbers are little-endian.
 *
 * Every envelope: version u8 · kind u8. Then by kind:
 * - command: session f64 · number f64 · back u32 · machine u8 · key length u16 · key · command
 * - note: JSON text
 *
 * `back` is the distance from the number down to the client's low mark; `machine` counts within the names that
 * the session was opened with.
 */
export const ENVELOPE_VERSION = 1

const COMMAND = 1
const NOTE = 2
const BODY_AT = 2
const COMMAND_HEAD = BODY_AT + 8 + 8 + 4 + 1 + 2

/** Bytes that an envelope adds to a command, its idempotency key aside. */
export const ENVELOPE_BYTES = COMMAND_HEAD
/** Longest idempotency key in UTF-8 bytes. */
export const KEY_BYTES_MAX = 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const NO_KEY = new Uint8Array(0)

export interface CommandEnvelope {
  readonly kind: 'command'
  /** Index of the entry that opened the session. */
  readonly session: number
  /** From 1, one more for each submission of the session. */
  readonly number: number
  /** All numbers below it are settled for the client: it will never ask for them again. */
  readonly low: number
  /** Position in the session's list of machine names. */
  readonly machine: number
  /** Null when the caller gave no idempotency key. */
  readonly key: string | null
  /** A view into the envelope. */
  readonly command: Uint8Array
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

export type Envelope = CommandEnvelope | NoteEnvelope

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
  const view = new DataView(bytes.buffer)
  bytes[0] = ENVELOPE_VERSION
  bytes[1] = COMMAND
  view.setFloat64(BODY_AT, session, true)
  view.setFloat64(BODY_AT + 8, number, true)
  view.setUint32(BODY_AT + 16, Math.min(number - low, 0xffff_ffff), true)
  view.setUint8(BODY_AT + 20, machine)
  view.setUint16(BODY_AT + 21, keyBytes.length, true)
  if (keyBytes.length > 0) bytes.set(keyBytes, COMMAND_HEAD)
  bytes.set(command, COMMAND_HEAD + keyBytes.length)
  return bytes
}

export function encodeNote(note: Note): Uint8Array {
  const body = encoder.encode(JSON.stringify(note))
  const bytes = new Uint8Array(BODY_AT + body.length)
  bytes[0] = ENVELOPE_VERSION
  bytes[1] = NOTE
  bytes.set(body, BODY_AT)
  return bytes
}

/** True when the bytes have the shape of an envelope that this program reads; for input from peers. */
export function isEnvelope(bytes: Uint8Array): boolean {
  if (bytes.length < BODY_AT || bytes[0] !== ENVELOPE_VERSION) return false
  if (bytes[1] === NOTE) return readNote(bytes) !== null
  if (bytes[1] !== COMMAND || bytes.length < COMMAND_HEAD) return false
  const view = viewOf(bytes)
  const session = view.getFloat64(BODY_AT, true)
  const number = view.getFloat64(BODY_AT + 8, true)
  const keyLength = view.getUint16(BODY_AT + 21, true)
  return (
    Number.isSafeInteger(session) &&
    Number.isSafeInteger(number) &&
    session > 0 &&
    number > 0 &&
    keyLength <= KEY_BYTES_MAX &&
    bytes.length >= COMMAND_HEAD + keyLength
  )
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
  if (bytes.length < BODY_AT || bytes[0] !== ENVELOPE_VERSION) return null
  if (bytes[1] === NOTE) {
    const note = readNote(bytes)
    return note === null ? null : { kind: 'note', note }
  }
  if (bytes[1] !== COMMAND || bytes.length < COMMAND_HEAD) return null
  const view = viewOf(bytes)
  const session = view.getFloat64(BODY_AT, true)
  const number = view.getFloat64(BODY_AT + 8, true)
  const low = number - view.getUint32(BODY_AT + 16, true)
  const machine = view.getUint8(BODY_AT + 20)
  const keyLength = view.getUint16(BODY_AT + 21, true)
  const commandAt = COMMAND_HEAD + keyLength
  if (bytes.length < commandAt) return null
  const key = keyLength === 0 ? null : decoder.decode(bytes.subarray(COMMAND_HEAD, commandAt))
  return {
    kind: 'command',
    session,
    number,
    low,
    machine,
    key,
    command: bytes.subarray(commandAt),
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function readNote(bytes: Uint8Array): Note | null {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes.subarray(BODY_AT)))
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
