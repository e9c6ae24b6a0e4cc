import type { Clock, ClusterVersion, Logger, Member, NodeId, Peers } from '@cluster/core'
import { programTooOld } from '../../errors.ts'
import {
  Forming,
  type FormingEffect,
  type FormingInput,
  type FormingOptions,
  type FreshHello,
  type GroupCard,
  type Hello,
} from '../../machine/group/forming.ts'
import type { Lineage } from '../../machine/raft/types.ts'
import { decodeWishAnswer, encodeWish, SERVICE } from '../network/wire.ts'

export interface ContactPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly peers: Peers
  hello(to: NodeId, hello: Hello): void
  /** Makes the promise durable. */
  promise(to: NodeId): Promise<void>
  form(promised: readonly NodeId[]): void
  adopt(history: Lineage): void
  dissolve(into: string): void
  giveUp(into: string): void
  /** Another cluster of the same name has data, as this one has. */
  met(cluster: string, peer: NodeId): void
  failed(error: unknown): void
}

const ASK_DEADLINE_MS = 1_000

/** Does what the machine of first contact decides. */
export class Contact {
  readonly #options: FormingOptions
  readonly #ports: ContactPorts
  #forming: Forming | null = null
  #disk: string | undefined
  #waiting: string | null = null
  /** The version that the program must support to be let in; null while it is not too old. */
  #needs: ClusterVersion | null = null
  #inputs: FormingInput[] = []
  #stepping = false

  constructor(options: FormingOptions, ports: ContactPorts) {
    this.#options = options
    this.#ports = ports
  }

  /** What this node waits for, for people. */
  get waiting(): string | null {
    if (this.#needs === null) return this.#waiting
    return `a newer program: the cluster is at version ${this.#needs}, this program supports ${this.#options.supports}`
  }

  start(promise: NodeId | null, disk: Pick<FormingOptions, 'disk' | 'renounced'>): void {
    this.#forming = new Forming({ ...this.#options, ...disk }, promise)
    this.#disk = disk.disk
  }

  /** The node goes: it asks for nothing any more, least of all to be let in again. */
  retire(): void {
    this.#forming = null
    this.#waiting = null
  }

  /** What a fresh node said of itself; null when it is none, or not known. */
  fresh(node: NodeId): FreshHello | null {
    return this.#forming?.fresh(node) ?? null
  }

  tick(): void {
    const exploring = this.#ports.peers.exploring?.() ?? false
    this.#input({ type: 'tick', now: this.#now(), exploring })
  }

  linkUp(peer: NodeId): void {
    this.#input({ type: 'linkUp', peer, now: this.#now() })
  }

  linkDown(peer: NodeId, gone: boolean): void {
    this.#input({ type: 'linkDown', peer, now: this.#now(), gone })
  }

  /** A member that is given up counts as gone, whatever its link said before. */
  member({ id, state }: Member): void {
    if (state !== 'alive' && state !== 'suspected') this.linkDown(id, true)
  }

  hello(from: NodeId, hello: Hello): void {
    this.#input({ type: 'hello', from, hello, now: this.#now() })
  }

  group(card: GroupCard | null): void {
    this.#input({ type: 'group', card, now: this.#now() })
  }

  #now(): number {
    return this.#ports.clock.now()
  }

  #input(input: FormingInput): void {
    const forming = this.#forming
    if (!forming) return
    this.#inputs.push(input)
    if (this.#stepping) return
    this.#stepping = true
    try {
      // Forming or adopting a group brings the news of it back in here.
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
        for (const effect of forming.step(next)) this.#do(effect)
      }
    } finally {
      this.#stepping = false
    }
  }

  #do(effect: FormingEffect): void {
    const { logger } = this.#ports
    switch (effect.type) {
      case 'hello':
        this.#ports.hello(effect.to, effect.hello)
        return
      case 'promise':
        this.#ports.promise(effect.to).then(
          () => this.#input({ type: 'promised', to: effect.to }),
          (error: unknown) => this.#ports.failed(error),
        )
        return
      case 'form':
        this.#ports.form(effect.promised)
        return
      case 'askJoin':
        void this.#askJoin(effect.via, effect.fresh, 1)
        return
      case 'adopt':
        this.#ports.adopt(effect.history)
        return
      case 'dissolve':
        this.#ports.dissolve(effect.into)
        return
      case 'giveUp':
        this.#ports.giveUp(effect.into)
        return
      case 'conflict':
        logger.log(
          'warn',
          'another cluster of this name has data too: they stay apart. To give one of them up, start its nodes with --adopt (adopt in a program) and the id of the other',
          { other: effect.with, peer: effect.peer },
        )
        this.#ports.met(effect.with, effect.peer)
        return
      case 'waiting':
        this.#waiting = effect.for
        return
    }
  }

  #tellNeeds(needs: ClusterVersion | null): void {
    const { supports } = this.#options
    if (needs !== null && needs !== this.#needs)
      this.#ports.logger.log('error', programTooOld(supports, needs).message, { supports, needs })
    this.#needs = needs
  }

  /** @param detours how often the answer may name somebody else to ask */
  async #askJoin(via: NodeId, fresh: boolean, detours: number): Promise<void> {
    const { peers, logger } = this.#ports
    try {
      const { self, supports, witness } = this.#options
      const disk = this.#disk ?? null
      const wish = encodeWish({ node: self, wish: 'join', fresh, disk, supports, witness })
      const reply = await peers.request(via, SERVICE, wish, { deadlineMs: ASK_DEADLINE_MS })
      const { granted, leader, needs } = decodeWishAnswer(reply)
      this.#tellNeeds(needs)
      const other = leader !== null && leader !== via && leader !== self
      if (!granted && other && detours > 0) {
        await this.#askJoin(leader, fresh, detours - 1)
      }
    } catch (error) {
      // The machine asks again.
      logger.log('debug', 'admission not asked', { via, why: String(error) })
    }
  }
}
