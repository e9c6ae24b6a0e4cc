import type { SimRandom } from './sim-random.ts'

/** The bytes of one file: what programs see, and how much of it the platter has. */
export class CachedFile {
  #bytes: Uint8Array
  #size: number
  #durable: number
  /** What was durable before the newest sync. */
  #settled: number
  /** What stood where something was written over it since the last sync, oldest first. */
  #overwritten: { readonly offset: number; readonly before: Uint8Array }[] = []

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#bytes = content.slice()
    this.#size = content.length
    this.#durable = content.length
    this.#settled = content.length
  }

  get size(): number {
    return this.#size
  }

  /** Bytes from the start that survive a power loss. */
  get durable(): number {
    return this.#durable
  }

  /**
   * Bytes from the start that were durable before the newest sync: whoever wrote the rest may have known that, and can tell
   * damage to them from a write that a crash cut short.
   */
  get settled(): number {
    return Math.min(this.#settled, this.#durable)
  }

  read(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(Math.min(offset, this.#size), Math.min(offset + length, this.#size))
  }

  append(chunk: Uint8Array): void {
    const size = this.#size + chunk.length
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, this.#bytes.length * 2, 256))
      grown.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = grown
    }
    this.#bytes.set(chunk, this.#size)
    this.#size = size
  }

  /** Writes over bytes that are there. */
  write(offset: number, bytes: Uint8Array): void {
    const part = bytes.subarray(0, Math.max(0, this.#size - offset))
    this.#overwritten.push({ offset, before: this.read(offset, part.length) })
    this.#bytes.set(part, offset)
  }

  sync(upTo: number): void {
    this.#overwritten = []
    const durable = Math.max(this.#durable, Math.min(upTo, this.#size))
    if (durable > this.#durable) this.#settled = this.#durable
    this.#durable = durable
  }

  /** Durable when it returns. */
  truncate(size: number): void {
    this.#size = Math.min(this.#size, size)
    this.#durable = this.#size
    this.#settled = Math.min(this.#settled, this.#size)
    this.#overwritten = []
  }

  flip(offset: number): void {
    const byte = this.#bytes[offset]
    if (offset < this.#size && byte !== undefined) this.#bytes[offset] = byte ^ 0x40
  }

  /**
   * What a power loss leaves: all that was synced, of the rest a random first part, and sometimes a torn end
   * whose length reached the platter and whose content did not. Of what was written over something, any part.
   * @returns bytes lost
   */
  loseUnsynced(random: SimRandom): number {
    return this.#loseOverwrites(random) + this.#loseAppends(random)
  }

  /** Each write over something is there, or not, or its first part is: they reach the platter in any order. */
  #loseOverwrites(random: SimRandom): number {
    let lost = 0
    for (const { offset, before } of this.#overwritten.reverse()) {
      const luck = random.between(0, 1)
      const kept =
        luck < 0.3 ? before.length : luck < 0.7 ? 0 : Math.floor(random.between(0, before.length + 1))
      this.#bytes.set(before.subarray(kept), offset + kept)
      lost += before.length - kept
    }
    this.#overwritten = []
    return lost
  }

  #loseAppends(random: SimRandom): number {
    const size = this.#size
    const unsynced = size - this.#durable
    if (unsynced === 0) return 0
    const luck = random.between(0, 1)
    let kept = luck < 0.4 ? 0 : luck < 0.6 ? unsynced : Math.floor(random.between(0, unsynced + 1))
    let lost = unsynced - kept
    if (lost > 0 && random.between(0, 1) < 0.4) {
      const torn = 1 + Math.floor(random.between(0, Math.min(lost, 512)))
      const from = this.#durable + kept
      if (random.between(0, 1) < 0.5) this.#bytes.fill(0, from, from + torn)
      else this.#bytes.set(random.bytes(torn), from)
      kept += torn
      lost = Math.max(lost, torn)
    }
    this.#size = this.#durable + kept
    this.#durable = this.#size
    return lost
  }
}
