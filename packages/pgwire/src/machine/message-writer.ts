import type { Value } from '@cluster/core'
import type { WireColumn, WireCopyShape, WireError, WireNotification, WireRow } from '../backend.ts'
import { encodeBinary } from './binary-format.ts'

const encoder = new TextEncoder()
const FIRST_BYTES = 8 * 1024
/** A buffer with less room is not written into again. */
const ROOM_BYTES = 512
/** Texts up to here are written letter by letter. */
const LOOP_CHARS = 32

/** What a session is doing, as ReadyForQuery says it. */
export type ReadyState = 'idle' | 'open' | 'failed'

const READY = { idle: 'I', open: 'T', failed: 'E' } as const

/** Puts messages of the server into one buffer, until somebody takes it. */
export class MessageWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #view = new DataView(this.#bytes.buffer)
  #at = 0
  #start = 0
  /** Up to here the buffer belongs to whoever has taken it. */
  #taken = 0

  /** Bytes that wait to be taken. */
  get size(): number {
    return this.#at - this.#taken
  }

  /** Everything written since the last call. Short answers share a buffer, one behind the other. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(this.#taken, this.#at)
    this.#taken = this.#at
    // A large one is not kept for an answer to come.
    if (this.#bytes.length > FIRST_BYTES || this.#bytes.length - this.#at < ROOM_BYTES) {
      this.#bytes = new Uint8Array(FIRST_BYTES)
      this.#view = new DataView(this.#bytes.buffer)
      this.#at = 0
      this.#taken = 0
    }
    return taken
  }

  /** One byte without a frame: the answer to a request for encryption. */
  raw(letter: string): void {
    this.#byte(letter.charCodeAt(0))
  }

  authenticationOk(): void {
    this.#begin('R')
    this.#int32(0)
    this.#end()
  }

  saslMechanisms(names: readonly string[]): void {
    this.#begin('R')
    this.#int32(10)
    for (const name of names) this.#text(name)
    this.#byte(0)
    this.#end()
  }

  saslContinue(data: string): void {
    this.#begin('R')
    this.#int32(11)
    this.#put(encoder.encode(data))
    this.#end()
  }

  saslFinal(data: string): void {
    this.#begin('R')
    this.#int32(12)
    this.#put(encoder.encode(data))
    this.#end()
  }

  /** The client asked for a newer minor version, or for options, that are not known here. */
  negotiateVersion(minor: number, unknownOptions: readonly string[]): void {
    this.#begin('v')
    this.#int32((3 << 16) | minor)
    this.#int32(unknownOptions.length)
    for (const option of unknownOptions) this.#text(option)
    this.#end()
  }

  parameterStatus(name: string, value: string): void {
    this.#begin('S')
    this.#text(name)
    this.#text(value)
    this.#end()
  }

  backendKey(process: number, secret: Uint8Array): void {
    this.#begin('K')
    this.#int32(process)
    this.#put(secret)
    this.#end()
  }

  ready(state: ReadyState): void {
    this.#begin('Z')
    this.#byte(READY[state].charCodeAt(0))
    this.#end()
  }

  /** A message without fields. */
  plain(letter: '1' | '2' | '3' | 'n' | 's' | 'I'): void {
    this.#begin(letter)
    this.#end()
  }

  parseComplete(): void {
    this.plain('1')
  }

  bindComplete(): void {
    this.plain('2')
  }

  closeComplete(): void {
    this.plain('3')
  }

  noData(): void {
    this.plain('n')
  }

  portalSuspended(): void {
    this.plain('s')
  }

  emptyQuery(): void {
    this.plain('I')
  }

  parameterDescription(types: readonly number[]): void {
    this.#begin('t')
    this.#int16(types.length)
    for (const type of types) this.#int32(type)
    this.#end()
  }

  rowDescription(columns: readonly WireColumn[], formats: readonly number[]): void {
    this.#begin('T')
    this.#int16(columns.length)
    for (const [i, { name, typeOid, typeBytes, typeModifier }] of columns.entries()) {
      this.#text(name)
      // No table and no column of one: the engine does not tell where a value comes from.
      this.#int32(0)
      this.#int16(0)
      this.#int32(typeOid)
      this.#int16(typeBytes)
      this.#int32(typeModifier)
      this.#int16(formats[i] ?? 0)
    }
    this.#end()
  }

  dataRow(row: WireRow, columns: readonly WireColumn[], formats: readonly number[]): void {
    this.#begin('D')
    this.#int16(columns.length)
    for (let i = 0; i < columns.length; i++) {
      const value = row[i]
      const column = columns[i]
      if (value === null || value === undefined || column === undefined) this.#int32(-1)
      else if (formats[i] === 1) this.#binary(column, value)
      else this.#counted(column.text(value))
    }
    this.#end()
  }

  /** COPY begins: `G` asks the client for rows, `H` says that some follow. */
  copyResponse(letter: 'G' | 'H', { binary, columns }: WireCopyShape): void {
    const format = binary ? 1 : 0
    this.#begin(letter)
    this.#byte(format)
    this.#int16(columns)
    for (let i = 0; i < columns; i++) this.#int16(format)
    this.#end()
  }

  copyData(bytes: Uint8Array): void {
    this.#begin('d')
    this.#put(bytes)
    this.#end()
  }

  copyDone(): void {
    this.#begin('c')
    this.#end()
  }

  commandComplete(tag: string): void {
    this.#begin('C')
    this.#text(tag)
    this.#end()
  }

  error(error: WireError, severity: 'ERROR' | 'FATAL' = 'ERROR'): void {
    this.#begin('E')
    this.#report(error, severity)
    this.#end()
  }

  notice(error: WireError, severity: 'NOTICE' | 'WARNING' | 'INFO'): void {
    this.#begin('N')
    this.#report(error, severity)
    this.#end()
  }

  notification({ channel, payload, process }: WireNotification): void {
    this.#begin('A')
    this.#int32(process)
    this.#text(channel)
    this.#text(payload)
    this.#end()
  }

  #report(error: WireError, severity: string): void {
    const { sqlstate, message, detail, hint, position, table, column, constraint, context } = error
    const field = (letter: string, value: string | undefined): void => {
      if (value === undefined) return
      this.#byte(letter.charCodeAt(0))
      this.#text(value)
    }
    field('S', severity)
    field('V', severity)
    field('C', sqlstate)
    field('M', message)
    field('D', detail)
    field('H', hint)
    field('P', position === undefined ? undefined : String(position))
    field('W', context)
    field('t', table)
    field('c', column)
    field('n', constraint)
    this.#byte(0)
  }

  #binary(column: WireColumn, value: Value): void {
    const bytes = encodeBinary(column.typeOid, value, column)
    this.#int32(bytes.length)
    this.#put(bytes)
  }

  /** Text with its length in bytes before it. */
  #counted(text: string): void {
    if (text.length <= LOOP_CHARS && this.#ascii(text, 4)) {
      this.#view.setInt32(this.#at, text.length)
      this.#at += 4 + text.length
      return
    }
    // Three bytes a character at most; the length is known afterwards.
    this.#room(4 + text.length * 3)
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.#at + 4))
    this.#view.setInt32(this.#at, written)
    this.#at += 4 + written
  }

  /** Text with a zero byte behind it; zero bytes within cannot be said and are left out. */
  #text(text: string): void {
    const clean = text.includes('\0') ? text.replaceAll('\0', '') : text
    if (clean.length <= LOOP_CHARS && this.#ascii(clean, 0)) {
      this.#at += clean.length
      this.#byte(0)
      return
    }
    this.#room(clean.length * 3 + 1)
    const { written } = encoder.encodeInto(clean, this.#bytes.subarray(this.#at))
    this.#at += written
    this.#bytes[this.#at++] = 0
  }

  /** Writes a short text `skip` bytes ahead, which costs less than calling the platform; false when it has other letters. */
  #ascii(text: string, skip: number): boolean {
    this.#room(skip + text.length)
    const at = this.#at + skip
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) return false
      this.#bytes[at + i] = code
    }
    return true
  }

  #put(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = value
  }

  #int16(value: number): void {
    this.#room(2)
    this.#view.setInt16(this.#at, value)
    this.#at += 2
  }

  #int32(value: number): void {
    this.#room(4)
    this.#view.setInt32(this.#at, value)
    this.#at += 4
  }

  #begin(letter: string): void {
    this.#byte(letter.charCodeAt(0))
    this.#start = this.#at
    this.#int32(0)
  }

  #end(): void {
    this.#view.setInt32(this.#start, this.#at - this.#start)
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const waiting = this.#bytes.subarray(this.#taken, this.#at)
    let size = FIRST_BYTES
    while (size < waiting.length * 2 || size < waiting.length + bytes) size *= 2
    const grown = new Uint8Array(size)
    grown.set(waiting)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
    this.#start -= this.#taken
    this.#at = waiting.length
    this.#taken = 0
  }
}
