import { type Address, address, chance, type NodeId } from '@cluster/core'
import type { Endpoint, Link, Timeline } from './parties.ts'
import type { SimRandom } from './sim-random.ts'

/** How the network misbehaves. */
export interface NetworkFaults {
  /** Shortest time of one frame from host to host, milliseconds. */
  latencyMinMs: number
  latencyMaxMs: number
  /** Chance that a notification, request or answer never arrives. */
  loss: number
  /** Chance that a notification, request or answer takes up to `reorderMsMax` longer, and so is overtaken. */
  reorder: number
  reorderMsMax: number
  /** Chance that a notification arrives twice. */
  duplicate: number
}

/** What one node has sent: notifications, requests and answers, and signs of life. */
export interface Traffic {
  frames: number
  bytes: number
}

export interface NetworkCounts {
  frames: number
  lost: number
  reordered: number
  duplicated: number
  /** Frames that waited for the end of a partition. */
  held: number
  linksUp: number
  linksBroken: number
}

export const calmNetwork: NetworkFaults = {
  latencyMinMs: 0.1,
  latencyMaxMs: 0.5,
  loss: 0,
  reorder: 0,
  reorderMsMax: 0,
  duplicate: 0,
}

/** After so long without a word from the other side a link is given up. */
const SILENCE_MS = 4_000

/** One host: its address answers as long as it has power. */
interface Host {
  readonly node: NodeId
  powered: boolean
  /** The process that listens, if one does. */
  transport: Endpoint | null
}

/** All hosts and what lies between them. */
export class SimNetwork {
  readonly faults: NetworkFaults = { ...calmNetwork }
  readonly counts: NetworkCounts = {
    frames: 0,
    lost: 0,
    reordered: 0,
    duplicated: 0,
    held: 0,
    linksUp: 0,
    linksBroken: 0,
  }
  readonly #sent = new Map<NodeId, Traffic>()
  readonly #timeline: Timeline
  readonly #random: SimRandom
  readonly #hosts = new Map<Address, Host>()
  readonly #blocked = new Set<string>()
  readonly #links = new Set<Link>()

  constructor(timeline: Timeline, random: SimRandom) {
    this.#timeline = timeline
    this.#random = random
  }

  /** What each node has sent so far. */
  get sent(): ReadonlyMap<NodeId, Readonly<Traffic>> {
    return this.#sent
  }

  /** One frame of `bytes` leaves that node. */
  note(from: NodeId, bytes: number): void {
    let traffic = this.#sent.get(from)
    if (traffic === undefined) {
      traffic = { frames: 0, bytes: 0 }
      this.#sent.set(from, traffic)
    }
    traffic.frames++
    traffic.bytes += bytes
  }

  /** Where a node listens. */
  addressOf(node: string): Address {
    return address(`/sim/${node}`)
  }

  addHost(node: NodeId): void {
    this.#hosts.set(this.addressOf(node), { node, powered: true, transport: null })
  }

  host(at: Address): Host | null {
    return this.#hosts.get(at) ?? null
  }

  setPower(node: NodeId, powered: boolean): void {
    const host = this.#hosts.get(this.addressOf(node))
    if (host) host.powered = powered
  }

  /** A host came up again: it resets connections that it does not know. */
  booted(node: NodeId): void {
    for (const link of [...this.#links])
      for (const side of link.sides)
        if (side.up && side.info.peer === node)
          this.#timeline.schedule(this.latencyMs(40), () => link.end(side, 'closed-by-host'))
  }

  listen(node: NodeId, transport: Endpoint | null): void {
    const host = this.#hosts.get(this.addressOf(node))
    if (host) host.transport = transport
  }

  /** True when frames from one host do not reach the other now. */
  isBlocked(from: string, to: string): boolean {
    return this.#blocked.has(`${from}>${to}`) || !this.#powered(to) || !this.#powered(from)
  }

  #powered(node: string): boolean {
    return this.#hosts.get(this.addressOf(node))?.powered ?? false
  }

  /** Cuts the way between the nodes of one group and those of the others. Nodes not named are with the first. */
  partition(...groups: readonly (readonly string[])[]): void {
    const side = new Map<string, number>()
    for (const [index, group] of groups.entries()) for (const node of group) side.set(node, index)
    const nodes = [...this.#hosts.values()].map((host) => host.node)
    for (const a of nodes)
      for (const b of nodes) if (a !== b && (side.get(a) ?? 0) !== (side.get(b) ?? 0)) this.block(a, b)
  }

  isolate(node: string): void {
    for (const host of this.#hosts.values())
      if (host.node !== node) {
        this.block(node, host.node)
        this.block(host.node, node)
      }
  }

  /** Stops frames in one direction. */
  block(from: string, to: string): void {
    this.#blocked.add(`${from}>${to}`)
    this.noticeSilence()
  }

  /** Ends all partitions; what waited is delivered. */
  mend(): void {
    if (this.#blocked.size === 0) return
    this.#blocked.clear()
    for (const link of [...this.#links]) link.released()
  }

  /** Resets the link between two nodes, as a router that lost its tables does. False when there is none. */
  breakLink(a: string, b: string): boolean {
    for (const link of this.#links)
      if (link.joins(a, b)) {
        link.reset()
        return true
      }
    return false
  }

  links(): readonly Link[] {
    return [...this.#links]
  }

  addLink(link: Link): void {
    this.#links.add(link)
    this.counts.linksUp++
  }

  dropLink(link: Link): void {
    this.#links.delete(link)
  }

  /** Starts the countdown of every link that is cut now and has none running. */
  noticeSilence(): void {
    for (const link of this.#links) link.watchSilence(SILENCE_MS)
  }

  latencyMs(bytes: number): number {
    const { latencyMinMs, latencyMaxMs } = this.faults
    return this.#random.between(latencyMinMs, latencyMaxMs) + bytes / 100_000
  }

  /** What becomes of one frame that may be lost: the delays after which it arrives, none when it does not. */
  fate(bytes: number, { mayRepeat }: { readonly mayRepeat: boolean }): number[] {
    this.counts.frames++
    const { loss, reorder, reorderMsMax, duplicate } = this.faults
    if (loss > 0 && chance(this.#random, loss)) {
      this.counts.lost++
      return []
    }
    const delays = [this.latencyMs(bytes)]
    if (reorder > 0 && chance(this.#random, reorder)) {
      this.counts.reordered++
      delays[0] = (delays[0] ?? 0) + this.#random.between(0, reorderMsMax)
    }
    if (mayRepeat && duplicate > 0 && chance(this.#random, duplicate)) {
      this.counts.duplicated++
      delays.push(this.latencyMs(bytes) + this.#random.between(0, reorderMsMax))
    }
    return delays
  }

  schedule(delayMs: number, run: () => void): void {
    this.#timeline.schedule(delayMs, run)
  }
}
