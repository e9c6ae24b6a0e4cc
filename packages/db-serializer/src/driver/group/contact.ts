import type { Clock, Logger, Member, NodeId, Peers } from '@cluster/core'
import {
  Forming,
  type FormingEffect,
  type FormingInput,
  type FormingOptions,
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
  #inputs: FormingInput[] = []
  #stepping = false

  constructor(options: FormingOptions, ports: ContactPorts) {
    this.#options = options
    this.#ports = ports
  }

  /** What this node waits for, for people. */
  get waiting(): string | null {
    return this.#waiting
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

  /** The disk that a fresh node said to have. */
  diskOf(node: NodeId): string | undefined {
    return this.#forming?.diskOf(node)
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
        logger.log('warn', 'two groups of one name, both with data: they stay apart', {
          other: effect.with,
          peer: effect.peer,
        })
        return
      case 'waiting':
        this.#waiting = effect.for
        return
    }
  }

  /** @param detours how often the answer may name somebody else to ask */
  async #askJoin(via: NodeId, fresh: boolean, detours: number): Promise<void> {
    const { peers, logger } = this.#ports
    try {
      const wish = encodeWish({ node: this.#options.self, wish: 'join', fresh, disk: this.#disk ?? null })
      const reply = await peers.request(via, SERVICE, wish, { deadlineMs: ASK_DEADLINE_MS })
      const { granted, leader } = decodeWishAnswer(reply)
      const other = leader !== null && leader !== via && leader !== this.#options.self
      if (!granted && other && detours > 0) {
        await this.#askJoin(leader, fresh, detours - 1)
      }
    } catch (error) {
      // The machine asks again.
      logger.log('debug', 'admission not asked', { via, why: String(error) })
    }
  }
}
