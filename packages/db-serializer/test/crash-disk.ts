import type { Disk, DiskFile } from '@cluster/core'
import type { TestRandom } from './raft-cluster.ts'

interface KeptFile {
  bytes: Uint8Array
  /** Bytes from the start that a crash leaves alone. */
  durable: number
  /** What stood where something was written over it since the last sync, oldest first. */
  overwritten: { readonly offset: number; readonly before: Uint8Array }[]
}

export class Crash extends Error {}

/** A disk in memory that stops in the middle of a chosen operation, and then loses or tears what was not synced. */
export class CrashDisk implements Disk {
  readonly files = new Map<string, KeptFile>()
  readonly #random: TestRandom
  /** Operations until the crash. */
  operationsLeft = Number.POSITIVE_INFINITY
  syncs = 0

  constructor(random: TestRandom) {
    this.#random = random
  }

  async list(): Promise<readonly string[]> {
    return [...this.files.keys()].sort()
  }

  async read(path: string): Promise<Uint8Array | null> {
    return this.files.get(path)?.bytes.slice() ?? null
  }

  async replace(path: string, content: Uint8Array): Promise<void> {
    this.#operation(() => this.#even() && this.#put(path, content))
    this.#put(path, content)
  }

  async rename(path: string, to: string): Promise<void> {
    const file = this.files.get(path)
    if (file === undefined) throw new Error(`there is no file ${path} to rename`)
    const move = (): void => {
      this.files.delete(path)
      this.files.set(to, file)
    }
    this.#operation(() => this.#even() && move())
    move()
  }

  async remove(path: string): Promise<void> {
    this.#operation(() => this.#even() && this.files.delete(path))
    this.files.delete(path)
  }

  async open(path: string): Promise<DiskFile> {
    if (!this.files.has(path)) {
      this.#operation(() => {})
      this.#put(path, new Uint8Array())
    }
    const file = this.files.get(path) as KeptFile
    return {
      size: () => file.bytes.length,
      append: async (chunks) => {
        const joined = Buffer.concat(chunks)
        const grow = (bytes: Uint8Array): void => {
          file.bytes = new Uint8Array(Buffer.concat([file.bytes, bytes]))
        }
        this.#operation(() => grow(joined.subarray(0, this.#random.below(joined.length + 1))))
        grow(joined)
      },
      write: async (offset, bytes) => {
        const put = (part: Uint8Array): void => {
          file.overwritten.push({ offset, before: file.bytes.slice(offset, offset + part.length) })
          file.bytes.set(part, offset)
        }
        this.#operation(() => put(bytes.subarray(0, this.#random.below(bytes.length + 1))))
        put(bytes)
      },
      sync: async () => {
        this.#operation(() => {})
        this.syncs++
        file.durable = file.bytes.length
        file.overwritten = []
      },
      read: async (offset, length) => file.bytes.slice(offset, offset + length),
      truncate: async (size) => {
        const cut = (): void => {
          file.bytes = file.bytes.slice(0, size)
          file.durable = Math.min(file.durable, size)
        }
        this.#operation(() => this.#even() && cut())
        cut()
      },
      close: async () => {},
    }
  }

  folder(): Disk {
    throw new Error('not needed here')
  }

  /** The power fails: what was not synced is cut somewhere, and may be torn there. */
  crash(): void {
    this.operationsLeft = Number.POSITIVE_INFINITY
    for (const file of this.files.values()) {
      // What was written over something may be there, or not, or in part, each page by itself.
      for (const { offset, before } of file.overwritten.reverse()) {
        const luck = this.#random.below(3)
        const lost = luck === 0 ? 0 : luck === 1 ? before.length : this.#random.below(before.length + 1)
        file.bytes.set(before.subarray(before.length - lost), offset + before.length - lost)
      }
      file.overwritten = []
      const loose = file.bytes.length - file.durable
      if (loose === 0) continue
      file.bytes = file.bytes.slice(0, file.durable + this.#random.below(loose + 1))
      // A page of it may have come out as zeros or garbage, with good ones behind it.
      const left = file.bytes.length - file.durable
      if (left > 0 && this.#even()) {
        const from = file.durable + this.#random.below(left)
        const end = Math.min(file.bytes.length, from + 1 + this.#random.below(200))
        for (let at = from; at < end; at++) file.bytes[at] = this.#even() ? 0 : this.#random.below(256)
      }
      file.durable = file.bytes.length
    }
  }

  #even(): boolean {
    return this.#random.below(2) === 0
  }

  #put(path: string, content: Uint8Array): void {
    this.files.set(path, { bytes: content.slice(), durable: content.length, overwritten: [] })
  }

  #operation(torn: () => void): void {
    if (this.operationsLeft <= 0) throw new Crash()
    this.operationsLeft--
    if (this.operationsLeft > 0) return
    torn()
    throw new Crash()
  }
}
