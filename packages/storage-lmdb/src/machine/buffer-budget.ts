/** Somebody who holds writes in memory and can hand some of them to the disk. */
export interface Holder {
  /** Bytes held, roughly. */
  readonly held: number
  /** Begins to write in the background; does nothing while that is under way. */
  relieve(): void
  /** Writes about so many bytes now, without waiting for a turn of the event loop. */
  relieveNow(bytes: number): void
}

/** Growth between two looks at who holds most. */
const LOOK_PARTS = 64

/**
 * The memory that all partitions of an engine may hold in writes that are not in the files. Past half of it the one
 * that holds most begins to write in the background, past the whole each further write does a part of that work.
 */
export class BufferBudget {
  readonly #max: number
  readonly #holders = new Set<Holder>()
  #used = 0
  #lookAt: number

  constructor(max: number) {
    this.#max = max
    this.#lookAt = max / 2
  }

  get used(): number {
    return this.#used
  }

  join(holder: Holder): void {
    this.#holders.add(holder)
  }

  leave(holder: Holder): void {
    if (this.#holders.delete(holder)) this.free(holder.held)
  }

  add(bytes: number): void {
    this.#used += bytes
    if (this.#used < this.#lookAt) return
    this.#lookAt = this.#used + this.#max / LOOK_PARTS
    if (this.#used > this.#max) this.#largest()?.relieveNow((2 * this.#max) / LOOK_PARTS)
    else this.#largest()?.relieve()
  }

  free(bytes: number): void {
    this.#used -= bytes
    this.#lookAt = Math.max(this.#max / 2, this.#used + this.#max / LOOK_PARTS)
  }

  #largest(): Holder | null {
    let largest: Holder | null = null
    for (const holder of this.#holders) if (holder.held > (largest?.held ?? 0)) largest = holder
    return largest
  }
}
