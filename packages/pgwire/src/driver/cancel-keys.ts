import type { Random } from '@cluster/core'
import { sameBytes } from '../machine/scram.ts'

interface Entry {
  readonly secret: Uint8Array
  readonly cancel: () => void
}

export interface CancelKey {
  readonly process: number
  readonly secret: Uint8Array
  /** The connection is over. */
  release(): void
}

/** Secrets by which another connection may cancel what one is doing. */
export class CancelKeys {
  readonly #random: Random
  readonly #entries = new Map<number, Entry>()
  #last = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** @param secretBytes 4 up to protocol 3.1, more from 3.2 on */
  issue(secretBytes: number, cancel: () => void): CancelKey {
    this.#last = (this.#last + 1) & 0x7fff_ffff
    const process = this.#last
    const secret = this.#random.bytes(secretBytes)
    this.#entries.set(process, { secret, cancel })
    return { process, secret, release: () => this.#entries.delete(process) }
  }

  /** Cancels when the secret is right; says nothing either way, so that nobody learns from it. */
  cancel(process: number, secret: Uint8Array): void {
    const entry = this.#entries.get(process)
    if (entry && sameBytes(entry.secret, secret)) entry.cancel()
  }
}
