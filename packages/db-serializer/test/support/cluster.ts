import {
  type GroupView,
  type LogEntry,
  type NodeId,
  nodeId,
  type OrderedLog,
  type StateMachine,
} from '@cluster/core'
import { type SimNode, World } from '@cluster/testkit'
import { type OrderedLogOptions, orderedLog } from '../../src/index.ts'
import { PlainPeers } from './plain-peers.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Remembers every word that was ever submitted, in order. */
class Words implements StateMachine {
  readonly name = 'words'
  words: string[] = []
  restoredAt: number[] = []

  apply(entry: LogEntry): Uint8Array {
    const word = decoder.decode(entry.command)
    if (word === 'throw') throw new Error('this machine was told to throw')
    this.words.push(word)
    return encoder.encode(String(this.words.length))
  }

  snapshot(): Uint8Array {
    return encoder.encode(this.words.join(' '))
  }

  restore(snapshot: Uint8Array | null, index: number): void {
    this.restoredAt.push(index)
    this.words = snapshot && snapshot.length > 0 ? decoder.decode(snapshot).split(' ') : []
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}

export interface App {
  readonly log: OrderedLog
  readonly peers: PlainPeers
  readonly words: Words
  readonly events: string[]
}

export const word = (text: string): Uint8Array => encoder.encode(text)
export const read = (bytes: Uint8Array): string => decoder.decode(bytes)

/** Some nodes of a simulated world, each with an ordered log and a machine of words. */
export class Cluster {
  readonly world: World
  readonly nodes: SimNode<App>[] = []
  readonly lastWords = new Map<NodeId, Words>()

  /** @param options of all nodes, or of each start of one */
  constructor(
    names: readonly string[],
    options: OrderedLogOptions | ((name: string) => OrderedLogOptions) = {},
    seed: number | string = 1,
  ) {
    this.world = new World({ seed, logLevel: 'debug' })
    for (const name of names) {
      this.nodes.push(
        this.world.node<App>(name, {
          start: async (ports) => {
            const { transport, clock, disk, random, logger } = ports
            const addresses = names.map((each) => this.world.network.addressOf(each))
            const peers = new PlainPeers(transport, clock, addresses)
            const own = typeof options === 'function' ? options(name) : options
            const log = orderedLog(own)({
              peers,
              disk,
              clock,
              random,
              logger,
            })
            const words = new Words()
            this.lastWords.set(nodeId(name), words)
            if (own.witness !== true) log.attach(words)
            const events: string[] = []
            log.on('removed', ({ node, reason }) => events.push(`removed ${node} ${reason}`))
            log.on('snapshotInstalled', () => events.push('snapshot installed'))
            log.on('waiting', (waiting) => events.push(`waiting for ${waiting.for}`))
            log.on('failed', ({ error }) => events.push(`failed: ${String(error)}`))
            await peers.start()
            await log.start()
            return { log, peers, words, events }
          },
          stop: async ({ log, peers }) => {
            await log.stop('away')
            await peers.stop('away')
          },
        }),
      )
    }
  }

  node(name: string): SimNode<App> {
    const node = this.nodes.find(({ id }) => id === name)
    if (!node) throw new Error(`no node ${name}`)
    return node
  }

  app(name: string): App {
    const { app } = this.node(name)
    if (!app) throw new Error(`${name} does not run`)
    return app
  }

  /** Starts nodes at once and waits until each is in a group. */
  async start(...names: string[]): Promise<void> {
    const starting = names.map((name) => this.node(name).start())
    const apps = await this.world.settle(Promise.all(starting), 5_000)
    await this.world.settle(Promise.all(apps.map(({ log }) => log.ready())), 10_000)
  }

  async submit(name: string, text: string, options: { deadlineMs?: number; idempotencyKey?: string } = {}) {
    return this.world.settle(this.app(name).log.submit('words', word(text), options), 30_000)
  }

  group(name: string): GroupView {
    return this.app(name).log.group()
  }

  get running(): SimNode<App>[] {
    return this.nodes.filter(({ app }) => app !== null)
  }

  leader(): string {
    const leading = this.running.filter(({ app }) => app?.log.group().role === 'leader')
    const [first] = leading.sort((a, b) => (b.app?.log.group().term ?? 0) - (a.app?.log.group().term ?? 0))
    if (!first) throw new Error('nobody leads')
    return first.id
  }

  async until(done: () => boolean, virtualMs = 10_000): Promise<void> {
    if (!(await this.world.until(done, virtualMs))) {
      const state = this.running.map(
        ({ id, app }) => `${id} ${JSON.stringify(app?.log.group())} ${app?.events}`,
      )
      throw new Error(
        `not within ${virtualMs} virtual ms:\n${state.join('\n')}\n${this.world.trace.tail(60).join('\n')}`,
      )
    }
  }

  /** Waits until these nodes vote, and nobody else. */
  async untilVoters(...names: string[]): Promise<void> {
    const wanted = names.toSorted().join()
    await this.until(() => this.running.every(({ app }) => app?.log.group().voters.join() === wanted))
  }
}
