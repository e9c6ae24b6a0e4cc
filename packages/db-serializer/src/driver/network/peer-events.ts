import type { Cancel, DeathProof, Member, NodeId, Peers } from '@cluster/core'
import type { Input } from '../../machine/raft/types.ts'
import type { Contact } from '../group/contact.ts'
import type { GoingAlone } from '../group/going-alone.ts'
import type { Members } from '../group/members.ts'

export interface PeerEventsPorts {
  readonly peers: Peers
  readonly members: Members
  readonly contact: Contact
  readonly goingAlone: GoingAlone
  /** Nothing is passed on while it is false. */
  isRunning(): boolean
  input(input: Input): void
  /** A way to that node is there (again). */
  reached(peer: NodeId): void
  /** Time to look at everything. */
  tick(): void
  /** This node must not go on: another may prove it dead, or is it. */
  failed(error: unknown): void
}

/** What peers tell, from before the log starts on: it must know who is linked when it does. */
export class PeerEvents {
  readonly #ports: PeerEventsPorts
  readonly #linked = new Set<NodeId>()
  readonly #cancels: readonly Cancel[]

  constructor(ports: PeerEventsPorts) {
    this.#ports = ports
    const { peers, isRunning, failed } = ports
    this.#cancels = [
      peers.on('linkUp', ({ peer }) => {
        this.#linked.add(peer)
        if (isRunning()) this.#linkUp(peer)
      }),
      peers.on('linkDown', ({ peer }) => {
        this.#linked.delete(peer)
        if (isRunning()) this.#linkDown(peer)
      }),
      peers.on('member', ({ member }) => {
        if (!member.self && isRunning()) this.#member(member)
      }),
      peers.on('deathProved', (proof) => {
        if (isRunning()) this.#deathProved(proof)
      }),
      peers.on('failed', ({ error }) => failed(error)),
    ]
  }

  /** Tells of the members and links that were there before the log ran. */
  catchUp(): void {
    const { peers, members } = this.#ports
    for (const member of peers.members()) if (!member.self) members.member(member)
    for (const peer of this.#sorted()) this.#linkUp(peer)
  }

  /** A new machine begins: it knows of no link yet. */
  begunAnew(): void {
    for (const peer of this.#sorted()) this.#ports.input({ type: 'linkUp', peer })
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel()
  }

  #sorted(): readonly NodeId[] {
    return [...this.#linked].sort()
  }

  #linkUp(peer: NodeId): void {
    const { members, contact, input, reached } = this.#ports
    members.linkUp(peer)
    input({ type: 'linkUp', peer })
    contact.linkUp(peer)
    reached(peer)
  }

  #linkDown(peer: NodeId): void {
    const { peers, members, contact, input, tick } = this.#ports
    members.linkDown(peer)
    input({ type: 'linkDown', peer })
    const state = peers.member(peer)?.state
    contact.linkDown(peer, state === 'dead' || state === 'away' || state === 'left')
    tick()
  }

  #member(member: Member): void {
    const { members, contact } = this.#ports
    members.member(member)
    contact.member(member)
    members.act()
  }

  #deathProved(proof: DeathProof): void {
    const { members, goingAlone, input } = this.#ports
    members.deathProved(proof)
    input({ type: 'peerDead', peer: proof.peer })
    goingAlone.onProof()
    members.act()
  }
}
