import type { LinkDownCause, LinkInfo, NodeId } from '@cluster/core'
import type { SimNetwork } from './network.ts'
import type { Endpoint, Link, LinkSide, Passing } from './parties.ts'

const MAINTENANCE: Passing = { bytes: 40, exposed: false, mayRepeat: false }

/**
 * A connection between two processes. Each end learns on its own that it is over: by the other's FIN, by
 * silence, or because it closed it itself.
 */
export class SimLink implements Link {
  readonly #network: SimNetwork
  readonly #sides: readonly [LinkSide, LinkSide]
  /** Counts the ends of partitions, so that a countdown of an earlier one does not end a later one. */
  #releases = 0
  #watching = false

  constructor(
    network: SimNetwork,
    dialler: Endpoint,
    dialled: Endpoint,
    infos: readonly [LinkInfo, LinkInfo],
  ) {
    this.#network = network
    const side = (transport: Endpoint, info: LinkInfo): LinkSide => ({
      transport,
      info,
      up: false,
      queuedBytes: 0,
      lastArrival: 0,
      held: [],
    })
    this.#sides = [side(dialler, infos[0]), side(dialled, infos[1])]
  }

  get sides(): readonly [LinkSide, LinkSide] {
    return this.#sides
  }

  joins(a: string, b: string): boolean {
    const [x, y] = this.#sides
    const nodes = [x.transport.self, y.transport.self] as string[]
    return nodes.includes(a) && nodes.includes(b)
  }

  here(self: NodeId): LinkSide {
    return this.#sides[0].transport.self === self ? this.#sides[0] : this.#sides[1]
  }

  there(self: NodeId): LinkSide {
    return this.#sides[0].transport.self === self ? this.#sides[1] : this.#sides[0]
  }

  pass(from: LinkSide, { bytes, exposed, mayRepeat }: Passing, arrive: () => void): void {
    const to = this.#other(from)
    const now = from.transport.timeline.now
    this.#network.note(from.transport.self, bytes)
    const delays = exposed ? this.#network.fate(bytes, { mayRepeat }) : [this.#network.latencyMs(bytes)]
    for (const delay of delays) {
      // Exposed frames keep their order too, unless they were picked to be late.
      let at = now + delay
      if (!exposed || delay === delays[0]) {
        const late = exposed && delay > this.#network.faults.latencyMaxMs + bytes / 100_000
        if (!late) {
          at = Math.max(at, from.lastArrival)
          from.lastArrival = at
        }
      }
      from.queuedBytes += bytes
      const land = (): void => {
        if (this.#network.isBlocked(from.transport.self, to.transport.self)) {
          this.#network.counts.held++
          from.held.push(land)
          this.#network.noticeSilence()
          return
        }
        // The platform takes it in, the process reads it when it runs again.
        if (to.transport.stalledMs > 0) {
          this.#network.schedule(to.transport.stalledMs, land)
          return
        }
        from.queuedBytes -= bytes
        if (to.transport.alive) arrive()
      }
      this.#network.schedule(at - now, land)
    }
  }

  close(self: NodeId, cause: LinkDownCause, { silently = false } = {}): void {
    const here = this.here(self)
    if (here.up) {
      here.up = false
      here.transport.linkLost(this, cause)
    }
    const there = this.#other(here)
    if (!silently)
      this.pass(here, MAINTENANCE, () => {
        this.end(there, 'closed-by-host')
      })
    this.#forgetWhenOver()
  }

  end(side: LinkSide, cause: LinkDownCause): void {
    if (side.up) {
      side.up = false
      this.#network.counts.linksBroken++
      if (side.transport.alive) side.transport.linkLost(this, cause)
    }
    this.#forgetWhenOver()
  }

  reset(): void {
    for (const side of this.#sides) this.end(side, 'closed-by-host')
  }

  released(): void {
    this.#releases++
    this.#watching = false
    for (const side of this.#sides) {
      const held = side.held
      side.held = []
      let delay = this.#network.latencyMs(0)
      for (const land of held) {
        this.#network.schedule(delay, land)
        delay += 0.001
      }
      side.lastArrival = Math.max(side.lastArrival, side.transport.timeline.now + delay)
    }
  }

  watchSilence(silenceMs: number): void {
    if (this.#watching || !this.#cut()) return
    this.#watching = true
    const releases = this.#releases
    const check = (): void => {
      if (releases !== this.#releases) return
      this.#watching = false
      if (!this.#cut()) return
      for (const side of this.#sides) this.end(side, 'timed-out')
    }
    this.#network.schedule(silenceMs, check)
  }

  #cut(): boolean {
    const [a, b] = this.#sides
    return (
      (a.up || b.up) &&
      (this.#network.isBlocked(a.transport.self, b.transport.self) ||
        this.#network.isBlocked(b.transport.self, a.transport.self))
    )
  }

  #other(side: LinkSide): LinkSide {
    return side === this.#sides[0] ? this.#sides[1] : this.#sides[0]
  }

  #forgetWhenOver(): void {
    if (!this.#sides[0].up && !this.#sides[1].up) this.#network.dropLink(this)
  }
}
