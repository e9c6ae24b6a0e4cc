import { createHash } from 'node:crypto'
import {
  type Address,
  address,
  type Cancel,
  type Clock,
  type Discovery,
  type Logger,
  type NodeId,
  nodeId,
} from '@cluster/core'
import type { PeerDiscovery, PeerInfo, Startable } from '@libp2p/interface'
import { isStartable } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { multiaddr } from '@multiformats/multiaddr'
import { orderAddresses, withoutPeer } from '../machine/addresses.ts'
import { quietLogger } from './quiet-logger.ts'

const SEARCH_MS = 500
const SEARCH_FOR_MS = 5_000
const INTERVAL_MS = 10_000

export interface MdnsOptions {
  /** The cluster's name; nodes of other names are not found. */
  readonly name: string
  /** This node, so that it does not find itself. */
  readonly self: NodeId
  /** How often to ask once the first seconds are over. Default 10,000. */
  readonly intervalMs?: number
}

export interface MdnsPorts {
  readonly clock: Clock
  readonly logger: Logger
}

type MdnsModule = PeerDiscovery & Startable
type MdnsComponents = Parameters<ReturnType<typeof mdns>>[0]

/** The DNS-SD service that nodes of this cluster name answer to. The name itself is not told. */
export function serviceTag(name: string): string {
  const digest = createHash('sha256').update(`cluster ${name}`).digest('hex')
  return `_c-${digest.slice(0, 12)}._udp.local`
}

/** Finds the nodes of the same cluster name on the local network, by multicast DNS. */
export const mdnsDiscovery =
  (options: MdnsOptions) =>
  (ports: MdnsPorts): Discovery =>
    new MdnsDiscovery(options, ports)

class MdnsDiscovery implements Discovery {
  readonly #options: MdnsOptions
  readonly #ports: MdnsPorts
  #running: MdnsModule | null = null
  #cancelChange: Cancel = () => {}
  #stopped = false

  constructor(options: MdnsOptions, ports: MdnsPorts) {
    this.#options = options
    this.#ports = ports
  }

  async start(
    own: readonly Address[],
    found: (peer: { readonly addresses: readonly Address[]; readonly id?: NodeId }) => void,
  ): Promise<void> {
    const announced = own.map((text) => multiaddr(`${withoutPeer(text)}/p2p/${this.#options.self}`))
    const onPeer = (event: CustomEvent<PeerInfo>): void => {
      const id = nodeId(event.detail.id.toString())
      if (this.#stopped || id === this.#options.self) return
      const addresses = orderAddresses(event.detail.multiaddrs.map((each) => withoutPeer(each.toString())))
      if (addresses.length > 0) found({ addresses: addresses.map(address), id })
    }
    const run = async (interval: number): Promise<void> => {
      // The module only asks for this node's addresses and for a logger.
      const components = {
        logger: quietLogger(this.#ports.logger, 'warn'),
        addressManager: { getAddresses: () => announced },
      } as unknown as MdnsComponents
      const module = mdns({
        serviceTag: serviceTag(this.#options.name),
        peerName: this.#options.self,
        interval,
      })(components)
      if (!isStartable(module)) throw new Error('the mDNS module cannot be started')
      module.addEventListener('peer', onPeer)
      this.#running = module
      await module.start()
    }
    await run(SEARCH_MS)
    // A node that starts asks often, since questions get lost; once it knows its neighbours, they hear less of it.
    this.#cancelChange = this.#ports.clock.after(SEARCH_FOR_MS, () => {
      const change = async (): Promise<void> => {
        await this.#running?.stop()
        if (!this.#stopped) await run(this.#options.intervalMs ?? INTERVAL_MS)
      }
      change().catch((error: unknown) => {
        this.#ports.logger.log('warn', 'mDNS stopped working', { error: String(error) })
      })
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelChange()
    await this.#running?.stop()
    this.#running = null
  }
}
