import { pick } from '@cluster/core'
import type { WriteBook } from '../check/acknowledged.ts'
import type { SimNode } from '../sim/sim-node.ts'
import type { SimRandom } from '../sim/sim-random.ts'
import type { World } from '../sim/world.ts'
import type { Load, Named, Told } from './load.ts'
import { type Ending, Recorder } from './recorder.ts'

export interface ClientsOptions<App, Input extends Named, Output> {
  readonly clients: number
  /** Time a client waits between two operations, milliseconds. */
  readonly thinkMs: readonly [number, number]
  readonly load: Load<App, Input, Output>
}

/** An operation whose end is unknown is tried again so often at most. */
const REPEATS_MAX = 4

/** Clients that use the program on random living nodes, one operation at a time each. */
export class Clients<App, Input extends Named = Named, Output = unknown> {
  readonly recorder: Recorder<Input, Output>
  readonly #world: World
  readonly #nodes: readonly SimNode<App>[]
  readonly #options: ClientsOptions<App, Input, Output>
  readonly #random: SimRandom
  readonly #book = { acknowledged: [] as string[], rejected: [] as string[], unknown: [] as string[] }
  readonly #open = new Set<string>()
  readonly #repeated = new Set<string>()
  #on = false
  #names = 0
  #busy = 0

  /** @param nodes looked at anew for each operation, so some may come and go */
  constructor(world: World, nodes: readonly SimNode<App>[], options: ClientsOptions<App, Input, Output>) {
    this.#world = world
    this.#nodes = nodes
    this.#options = options
    this.#random = world.random.fork('clients')
    this.recorder = new Recorder(world)
  }

  start(): void {
    this.#on = true
    for (let i = 0; i < this.#options.clients; i++) {
      this.#busy++
      this.#client(`client ${i}`, this.#random.fork(String(i))).then(
        () => this.#busy--,
        (error: unknown) => this.#world.fail(error),
      )
    }
  }

  /** No new operations begin. */
  stop(): void {
    this.#on = false
  }

  /** True when the last operation of every client has ended. */
  get idle(): boolean {
    return this.#busy === 0
  }

  /** What clients were told of their writes. */
  book(): WriteBook {
    return { ...this.#book, unknown: [...this.#book.unknown, ...this.#open] }
  }

  /** Writes that were tried again because nobody knew what had come of the first attempt. */
  get repeated(): ReadonlySet<string> {
    return this.#repeated
  }

  told(): Told<Input, Output> {
    return this.recorder.told()
  }

  /** Null when what the clients were told makes sense. */
  judge(): string | null {
    return this.#options.load.judge(this.told())
  }

  /** One write that no other has to do with on that very node; for the end, when all is well again. */
  async writeOn(node: SimNode<App>): Promise<Ending<Output>> {
    const input = this.#options.load.last(this.#newName('last'))
    return this.#run('last client', this.#random, node, input)
  }

  /** Everything is read on that very node; how each of the reads ended. */
  async closeOn(node: SimNode<App>): Promise<readonly Ending<Output>[]> {
    const endings: Ending<Output>[] = []
    for (const input of this.#options.load.closing?.(this.#newName('closing')) ?? [])
      endings.push(await this.#run('last client', this.#random, node, input))
    return endings
  }

  async #client(client: string, random: SimRandom): Promise<void> {
    const { thinkMs, load } = this.#options
    while (this.#on) {
      await this.#world.sleep(random.between(...thinkMs))
      const node = this.#anyNode(random)
      if (!this.#on || node === null) continue
      await this.#run(client, random, node, load.next(this.#newName(client), client, random))
    }
  }

  #newName(client: string): string {
    return `${client.replace('client ', 'c')}-${this.#names++}`
  }

  #anyNode(random: SimRandom): SimNode<App> | null {
    const up = this.#nodes.filter((node) => node.app !== null)
    return up.length === 0 ? null : pick(random, up)
  }

  async #run(client: string, random: SimRandom, node: SimNode<App>, input: Input): Promise<Ending<Output>> {
    if (node.app === null) return { how: 'rejected', error: new Error(`${node.id} is down`) }
    const { load } = this.#options
    const writes = load.writes(input)
    if (writes) this.#open.add(input.name)
    const ending = await this.recorder.perform(
      client,
      input,
      () => this.#attempts(random, node, input),
      () => ({ node: node.id, name: input.name }),
    )
    if (!writes) return ending
    this.#open.delete(input.name)
    const took = ending.how !== 'acknowledged' || (load.took?.(input, ending.output) ?? true)
    this.#book[took ? ending.how : 'rejected'].push(input.name)
    return ending
  }

  async #attempts(random: SimRandom, first: SimNode<App>, input: Input): Promise<Ending<Output>> {
    const { load, thinkMs } = this.#options
    let ending = await this.#attempt(first, input)
    for (let repeats = 0; ending.how === 'unknown' && repeats < REPEATS_MAX && this.#on; repeats++) {
      if (load.mayRepeat?.(input) !== true) break
      await this.#world.sleep(random.between(...thinkMs))
      const node = this.#anyNode(random)
      if (node === null) continue
      this.recorder.counts.repeated++
      this.#repeated.add(input.name)
      const again = await this.#attempt(node, input)
      // A later attempt that was refused says nothing of the first.
      if (again.how === 'acknowledged') ending = again
    }
    return ending
  }

  #attempt(node: SimNode<App>, input: Input): Promise<Ending<Output>> {
    const { app } = node
    if (app === null) return Promise.resolve({ how: 'unknown', error: new Error(`${node.id} is down`) })
    return this.recorder.attempt(node, () => this.#options.load.perform(app, input))
  }
}
