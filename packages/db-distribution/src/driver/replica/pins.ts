import type { ChannelHandlers, NodeId, Version } from '@cluster/core'
import { ByteReader, ByteWriter } from '../../machine/bytes.ts'
import type { Context } from '../context.ts'

/** The name of the service in `Peers`: nodes tell each other the oldest version that they still read. */
export const PINS_SERVICE = 'db-pins'
const PINS_FORMAT = 1
/** What is younger than this needs no telling: everybody keeps versions longer. */
const TOLD_AFTER_MS = 1_000
/** What another node told counts this long. It tells again every second. */
const HEARD_MS = 5_000

interface Pin {
  readonly version: Version
  readonly since: number
  /** Not used for so long, it is let go. */
  until: number
}

/** The versions that transactions read at, here and elsewhere: stores keep what they need. */
export class Pins {
  readonly #context: Context
  readonly #pins = new Map<object, Pin>()
  readonly #heard = new Map<NodeId, { readonly version: number; readonly until: number }>()
  #told = false

  constructor(context: Context) {
    this.#context = context
  }

  add(owner: object, version: Version): void {
    const since = this.#context.ports.clock.now()
    this.#pins.set(owner, { version, since, until: since + this.#context.settings.pinMs })
  }

  /** The transaction goes on. */
  touch(owner: object): void {
    const pin = this.#pins.get(owner)
    if (pin !== undefined) pin.until = this.#context.ports.clock.now() + this.#context.settings.pinMs
  }

  release(owner: object): void {
    this.#pins.delete(owner)
  }

  /** The oldest version still needed, here or elsewhere; those that nobody used for too long are let go. */
  oldest(): number {
    const now = this.#context.ports.clock.now()
    let oldest = Number.POSITIVE_INFINITY
    for (const [owner, { version, until }] of this.#pins) {
      if (until <= now) this.#pins.delete(owner)
      else if (version < oldest) oldest = version
    }
    for (const [node, { version, until }] of this.#heard) {
      if (until <= now) this.#heard.delete(node)
      else if (version < oldest) oldest = version
    }
    return oldest
  }

  /** Tells the others what transactions here still read, once they take long; and once more when none does. */
  tell(): void {
    const { ports } = this.#context
    const now = ports.clock.now()
    let oldest = 0
    for (const { version, since } of this.#pins.values())
      if (now - since >= TOLD_AFTER_MS && (oldest === 0 || version < oldest)) oldest = version
    if (oldest === 0 && !this.#told) return
    this.#told = oldest !== 0
    ports.peers.broadcast(PINS_SERVICE, new ByteWriter().byte(PINS_FORMAT).varint(oldest).finish())
  }

  handlers(): ChannelHandlers {
    return {
      notify: (peer, frame) => {
        try {
          const reader = new ByteReader(frame)
          if (reader.byte() !== PINS_FORMAT) return
          const version = reader.varint()
          if (version === 0) this.#heard.delete(peer)
          else this.#heard.set(peer, { version, until: this.#context.ports.clock.now() + HEARD_MS })
        } catch (error) {
          this.#context.ports.logger.log('warn', 'a message about versions in use cannot be read', {
            peer,
            error: String(error),
          })
        }
      },
    }
  }
}
