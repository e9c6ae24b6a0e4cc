import { assert, joinBytes } from '@cluster/core'
import type { CommandPart } from './envelope.ts'

/** Plain data, in snapshots: the parts of one command that are there. */
export interface GatheredState {
  readonly count: number
  readonly parts: readonly (readonly [position: number, bytes: Uint8Array])[]
}

/** The parts of one long command that are in the log so far. A part that comes again changes nothing. */
export class GatheredParts {
  readonly count: number
  readonly #parts = new Map<number, Uint8Array>()
  #bytes = 0
  #leading = 0

  constructor(count: number) {
    this.count = count
  }

  static load({ count, parts }: GatheredState): GatheredParts {
    const gathered = new GatheredParts(count)
    for (const [position, bytes] of parts) gathered.add({ position, count, bytes })
    return gathered
  }

  /** Bytes of the parts that are there. */
  get bytes(): number {
    return this.#bytes
  }

  /** So many parts are there without a gap from the first one on. */
  get leading(): number {
    return this.#leading
  }

  get complete(): boolean {
    return this.#leading === this.count
  }

  add({ position, count, bytes }: CommandPart): void {
    assert(count === this.count, `a command came in ${this.count} parts, and in ${count}`)
    if (this.#parts.has(position)) return
    this.#parts.set(position, bytes)
    this.#bytes += bytes.length
    while (this.#parts.has(this.#leading)) this.#leading++
  }

  /** All parts as one, once they are complete. */
  joined(): Uint8Array {
    assert(this.#parts.size === this.count, `${this.count - this.#parts.size} parts of a command are missing`)
    return joinBytes([...this.#parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes))
  }

  save(): GatheredState {
    return { count: this.count, parts: [...this.#parts].sort(([a], [b]) => a - b) }
  }
}
