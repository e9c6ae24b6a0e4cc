import type { ReaderTarget } from './line-reader.ts'
import { badFormat } from './place.ts'
import type { CopyRecord, Field, RecordReader } from './records.ts'

/** What a file of the binary format begins with. */
export const SIGNATURE = Uint8Array.of(80, 71, 67, 79, 80, 89, 10, 255, 13, 10, 0)

const WITH_OIDS = 1 << 16
const EXTENSION_BYTES_MAX = 1024 * 1024
/** A value of more would not fit into a transaction anyway. */
const VALUE_BYTES_MAX = 64 * 1024 * 1024

/** Rows of the binary format: a signature, flags, then each row with the number and the lengths of its fields. */
export class BinaryReader implements RecordReader {
  readonly #target: ReaderTarget
  #bytes = new Uint8Array(0)
  #at = 0
  /** Where the row that is being read begins: it is kept until all of it is here. */
  #base = 0
  #chunks: Uint8Array[] = []
  #waiting = 0
  #begun = false
  #over = false
  #last = false
  #row = 0

  constructor(target: ReaderTarget) {
    this.#target = target
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push(bytes)
    this.#waiting += bytes.length
  }

  finish(): void {
    this.#last = true
  }

  next(): CopyRecord | null {
    if (!this.#begun) {
      if (!this.#header()) return null
      this.#begun = true
    }
    if (this.#over) {
      if (this.#left > 0) throw this.#bad('received copy data after EOF marker')
      return null
    }
    // Data may end without the mark, too.
    if (this.#last && this.#left === 0) return null
    this.#base = this.#at
    const record = this.#tuple()
    // Not all of it is here: from the start again when more is.
    if (record === null && !this.#over) this.#at = this.#base
    return record
  }

  get #left(): number {
    return this.#bytes.length - this.#at + this.#waiting
  }

  #header(): boolean {
    if (!this.#has(SIGNATURE.length + 8)) {
      if (this.#last) throw this.#bad('COPY file signature not recognized')
      return false
    }
    if (!SIGNATURE.every((byte, i) => this.#bytes[i] === byte))
      throw this.#bad('COPY file signature not recognized')
    this.#at += SIGNATURE.length
    const flags = this.#int32()
    if ((flags & WITH_OIDS) !== 0) throw this.#bad('invalid COPY file header (WITH OIDS)')
    if (flags >> 16 !== 0) throw this.#bad('unrecognized critical flags in COPY file header')
    const extension = this.#int32()
    if (extension < 0 || extension > EXTENSION_BYTES_MAX)
      throw this.#bad('invalid COPY file header (missing length)')
    if (!this.#has(extension)) {
      if (this.#last) throw this.#bad('invalid COPY file header (wrong length)')
      this.#at = 0
      return false
    }
    this.#at += extension
    return true
  }

  #tuple(): CopyRecord | null {
    if (!this.#needs(2)) return null
    const count = this.#int16()
    if (count === -1) {
      this.#over = true
      if (this.#left > 0) throw this.#bad('received copy data after EOF marker')
      return null
    }
    const { columns } = this.#target
    const line = this.#row + 1
    if (count !== columns.length)
      throw this.#bad(`row field count is ${count}, expected ${columns.length}`, line)
    const fields: Field[] = []
    for (let i = 0; i < count; i++) {
      if (!this.#needs(4, columns[i])) return null
      const length = this.#int32()
      if (length === -1) {
        fields.push(null)
        continue
      }
      if (length < 0 || length > VALUE_BYTES_MAX) throw this.#bad('invalid field size', line, columns[i])
      if (!this.#needs(length, columns[i])) return null
      fields.push(this.#bytes.slice(this.#at, this.#at + length))
      this.#at += length
    }
    this.#row = line
    return { line, text: null, fields }
  }

  /** False: wait for more. @throws 22P04 when nothing more comes */
  #needs(bytes: number, column?: string): boolean {
    if (this.#has(bytes)) return true
    if (this.#last) throw this.#bad('unexpected EOF in COPY data', this.#row + 1, column)
    return false
  }

  #has(bytes: number): boolean {
    if (this.#bytes.length - this.#at >= bytes) return true
    if (this.#left < bytes) return false
    const kept = this.#bytes.subarray(this.#base)
    const joined = new Uint8Array(kept.length + this.#waiting)
    joined.set(kept)
    let at = kept.length
    for (const chunk of this.#chunks) {
      joined.set(chunk, at)
      at += chunk.length
    }
    this.#bytes = joined
    this.#at -= this.#base
    this.#base = 0
    this.#chunks = []
    this.#waiting = 0
    return true
  }

  #int16(): number {
    this.#at += 2
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getInt16(this.#at - 2)
  }

  #int32(): number {
    this.#at += 4
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getInt32(this.#at - 4)
  }

  #bad(message: string, line = Math.max(1, this.#row + 1), column?: string) {
    const place = { table: this.#target.table, line, ...(column === undefined ? {} : { column }) }
    return badFormat(message, place)
  }
}
