import {
  type Address,
  type ChannelHandlers,
  type Clock,
  isClusterError,
  type LinkInfo,
  type Member,
  type MemberState,
  type NodeId,
  type Transport,
} from '@cluster/core'
import { TransportPeers } from '@cluster/testkit'

interface Known {
  member: Member
  heardAt: number
}

const DIAL_MS = 40
const DEAD_MS = 3_000
const FAREWELL = 'farewell'

/** A node that does not answer is tried again; what nobody foresaw fails the test. */
function ifTyped(error: unknown): null {
  if (!isClusterError(error)) throw error
  return null
}

/** The least that is a `Peers`: dials a fixed list of addresses and proves deaths. Heartbeats are the log's own. */
export class PlainPeers extends TransportPeers {
  readonly #clock: Clock
  readonly #addresses: readonly Address[]
  readonly #known = new Map<NodeId, Known>()
  #stopped = false

  constructor(transport: Transport, clock: Clock, addresses: readonly Address[]) {
    super(transport)
    this.#clock = clock
    this.#addresses = addresses
    transport.on('linkUp', (link) => this.#linkUp(link))
    transport.on('linkDown', (link) => {
      const known = this.#known.get(link.peer)
      const silentMs = Math.max(0, clock.now() - (known?.heardAt ?? 0))
      this.events.emit('linkDown', { peer: link.peer, start: link.start, cause: link.cause, silentMs })
      if (this.#stopped) return
      if (known?.member.state === 'alive') this.#set(link.peer, 'suspected')
      if (link.cause === 'closed-by-host') void this.#prove(link)
      clock.after(DEAD_MS, () => {
        if (this.#known.get(link.peer)?.member.state === 'suspected') this.#set(link.peer, 'dead')
      })
    })
    transport.handle(FAREWELL, {
      notify: (peer, frame) => this.#set(peer, frame[0] === 1 ? 'left' : 'away'),
    })
  }

  members(): readonly Member[] {
    const own: Member = {
      id: this.self,
      state: 'alive',
      addresses: this.transport.addresses(),
      start: 1,
      heardAt: this.#clock.now(),
      self: true,
    }
    return [own, ...[...this.#known.values()].map(({ member }) => member)].sort((a, b) =>
      a.id < b.id ? -1 : 1,
    )
  }

  member(id: NodeId): Member | null {
    return this.members().find((member) => member.id === id) ?? null
  }

  override serve(service: string, handlers: ChannelHandlers): void {
    const heard = (peer: NodeId): void => {
      const known = this.#known.get(peer)
      if (known) known.heardAt = this.#clock.now()
    }
    super.serve(service, {
      ...handlers,
      notify: (peer, frame) => {
        heard(peer)
        handlers.notify?.(peer, frame)
      },
    })
  }

  async start(): Promise<void> {
    await this.transport.start()
    this.#dial()
  }

  async stop(reason: 'away' | 'left'): Promise<void> {
    this.#stopped = true
    this.broadcast(FAREWELL, new Uint8Array([reason === 'left' ? 1 : 0]))
    await this.transport.stop()
  }

  #dial(): void {
    if (this.#stopped) return
    const linked = new Set(this.transport.links().flatMap(({ listening }) => listening))
    for (const address of this.#addresses) {
      if (linked.has(address) || this.transport.addresses().includes(address)) continue
      this.transport.connect(address, { deadlineMs: 500 }).catch(ifTyped)
    }
    this.#clock.after(DIAL_MS, () => this.#dial())
  }

  #linkUp({ peer, start, listening }: LinkInfo): void {
    const before = this.#known.get(peer)?.member.state ?? null
    const heardAt = this.#clock.now()
    const member: Member = { id: peer, state: 'alive', addresses: listening, start, heardAt, self: false }
    this.#known.set(peer, { member, heardAt })
    this.events.emit('linkUp', { peer, start })
    if (before !== 'alive') this.events.emit('member', { member, before })
  }

  #set(peer: NodeId, state: MemberState): void {
    const known = this.#known.get(peer)
    if (!known || known.member.state === state) return
    const before = known.member.state
    known.member = { ...known.member, state }
    this.events.emit('member', { member: known.member, before })
  }

  async #prove({ peer, start, listening }: LinkInfo): Promise<void> {
    const silentMs = Math.max(0, this.#clock.now() - (this.#known.get(peer)?.heardAt ?? 0))
    const [address] = listening
    if (address === undefined) return
    const result = await this.transport.probe(address, { deadlineMs: 500 }).catch(ifTyped)
    if (this.#stopped || result === null || result.answer === 'silent') return
    if (this.#known.get(peer)?.member.state !== 'suspected') return
    if (result.answer === 'node' && (result.peer !== peer || result.start <= start)) return
    const by = result.answer === 'refused' ? 'refused' : 'restarted'
    this.events.emit('deathProved', { peer, start, silentMs, by })
    if (by === 'refused') this.#set(peer, 'dead')
  }
}
