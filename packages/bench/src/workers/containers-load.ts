import type { Cluster } from '@cluster/node'
import { type Caller, closedLoop, draws, type LoadAnswer } from '../closed-loop.ts'
import type { ContainerAcknowledged, ContainerHeld, ContainerLoad } from './objects-worker-protocol.ts'

/** Local reads between two looks at the clock. */
const LOCAL_READS = 1_000
const FIRST_TAKE_MS = 5_000
const VALUE = 'x'.repeat(100)
/** Room for everything that a run puts in. */
const ROOM = { bytesMax: 2 ** 34, historyMax: 1 } as const

const documentOf = (i: number) => ({ id: i, name: `document ${i}`, tags: ['a', 'b'], text: VALUE })

/** Callers of containers in one node, and what was acknowledged to them. */
export class ContainerCallers {
  readonly #cluster: Cluster
  readonly #below = draws(12_345 + process.pid)
  /** Keys that were put are `prefix/1 … prefix/count`. */
  readonly #puts = new Map<string, number>()
  #runs = 0
  #added = 0
  #pushed = 0
  #done = 0
  #heard = 0
  #wake: () => void = () => {}

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  load({ kind, keys, ...loop }: ContainerLoad): Promise<LoadAnswer> {
    const run = ++this.#runs
    return closedLoop(loop, (at) => this.#callerOf(kind, keys, `${process.pid}/${run}/${at}`))
  }

  /** Fills a map with documents. */
  async fill(documents: number): Promise<void> {
    const map = this.#cluster.map<number, ReturnType<typeof documentOf>>('documents', ROOM)
    await Promise.all(Array.from({ length: documents }, (_, i) => map.set(i, documentOf(i))))
  }

  /** Resolves when this node has all documents. */
  async documents(count: number): Promise<void> {
    const map = this.#cluster.map<number, unknown>('documents', ROOM)
    while (map.local.size < count)
      await new Promise((resolve) => {
        setTimeout(resolve, 1)
      })
  }

  /** Hears what is published from now on. */
  async subscribe(): Promise<void> {
    const topic = this.#cluster.topic<string>('news')
    // What is published afterwards is behind this.
    await topic.toArray()
    const feed = topic.subscribe()
    const hear = async (): Promise<void> => {
      for await (const _ of feed) {
        this.#heard++
        this.#wake()
      }
    }
    hear().catch((error: unknown) => {
      // The node was stopped at the end of the run.
      if ((error as { code?: unknown }).code !== 'STOPPED') throw error
    })
  }

  /** Resolves when so many messages were heard. */
  async heard(count: number): Promise<void> {
    while (this.#heard < count)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }

  acknowledged(): ContainerAcknowledged {
    return { puts: [...this.#puts], added: this.#added, pushed: this.#pushed, done: this.#done }
  }

  /** What of that is there, as the whole cluster has it. */
  async held(puts: ContainerAcknowledged['puts']): Promise<ContainerHeld> {
    const map = this.#cluster.map<string, string>('bench', ROOM)
    await map.size()
    let found = 0
    for (const [prefix, count] of puts)
      for (let i = 1; i <= count; i++) if (map.local.get(`${prefix}/${i}`) === VALUE) found++
    const { ready, taken } = await this.#cluster.queue('jobs', { bytesMax: ROOM.bytesMax }).size()
    return { puts: found, counter: await this.#cluster.counter('hits').value(), queued: ready + taken }
  }

  #callerOf(kind: ContainerLoad['kind'], keys: number, prefix: string): Caller {
    const cluster = this.#cluster
    switch (kind) {
      case 'put': {
        const map = cluster.map<string, string>('bench', ROOM)
        let put = 0
        return async () => {
          await map.set(`${prefix}/${put + 1}`, VALUE)
          this.#puts.set(prefix, ++put)
          return 1
        }
      }
      case 'get': {
        const map = cluster.map<number, unknown>('documents', ROOM)
        return async () => {
          await map.get(this.#below(keys))
          return 1
        }
      }
      case 'local': {
        const { local } = cluster.map<number, unknown>('documents', ROOM)
        return async () => {
          for (let i = 0; i < LOCAL_READS; i++) local.get(this.#below(keys))
          // Others get their turn.
          await new Promise(setImmediate)
          return LOCAL_READS
        }
      }
      case 'queue': {
        const queue = cluster.queue<string>('jobs', { bytesMax: ROOM.bytesMax })
        return async () => {
          await queue.push(VALUE)
          this.#pushed++
          const message = await queue.take({ timeoutMs: FIRST_TAKE_MS })
          if (message === null) throw new Error('a queue that has a message gave none')
          await message.acknowledge()
          this.#done++
          return 1
        }
      }
      case 'counter': {
        const counter = cluster.counter('hits')
        return async () => {
          await counter.add(1)
          this.#added++
          return 1
        }
      }
      case 'topic': {
        const topic = cluster.topic<string>('news')
        return async () => {
          await topic.publish(VALUE)
          return 1
        }
      }
    }
  }
}
