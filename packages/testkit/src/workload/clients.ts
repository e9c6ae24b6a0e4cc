import { below, chance, pick } from '@cluster/core'
import type { WriteBook } from '../check/acknowledged.ts'
import type { RegistersInput, RegistersOutput } from '../check/registers.ts'
import type { SimNode } from '../sim/sim-node.ts'
import type { SimRandom } from '../sim/sim-random.ts'
import type { World } from '../sim/world.ts'
import { type Ending, Recorder } from './recorder.ts'

/** An operation with the unique name under which a write enters the journal. */
export interface NamedInput extends RegistersInput {
  readonly name: string
}

export interface ClientsOptions<App> {
  readonly clients: number
  readonly groups: number
  readonly registersPerGroup: number
  /** Time a client waits between two operations, milliseconds. */
  readonly thinkMs: readonly [number, number]
  /** Does the operation on a node's program. */
  perform(app: App, input: NamedInput): Promise<RegistersOutput>
}

/** Clients that read, write and compare-and-set registers on random living nodes, one operation at a time each. */
export class Clients<App> {
  readonly recorder: Recorder<RegistersInput, RegistersOutput>
  readonly #world: World
  readonly #nodes: readonly SimNode<App>[]
  readonly #options: ClientsOptions<App>
  readonly #random: SimRandom
  readonly #book = { acknowledged: [] as string[], rejected: [] as string[], unknown: [] as string[] }
  readonly #open = new Set<string>()
  readonly #written = new Map<string, string[]>()
  #on = false
  #names = 0
  #busy = 0

  constructor(world: World, nodes: readonly SimNode<App>[], options: ClientsOptions<App>) {
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

  /** One write to a register of its own on that very node; for the end, when all is well again. */
  async writeOn(node: SimNode<App>): Promise<Ending<RegistersOutput>> {
    const name = this.#newName('last')
    const input: NamedInput = { name, group: name, reads: ['a'], writes: { a: name } }
    return this.#run('last client', node, input)
  }

  async #client(client: string, random: SimRandom): Promise<void> {
    while (this.#on) {
      await this.#world.sleep(random.between(...this.#options.thinkMs))
      const up = this.#nodes.filter((node) => node.app !== null)
      if (!this.#on || up.length === 0) continue
      await this.#run(client, pick(random, up), this.#input(client, random))
    }
  }

  async #run(client: string, node: SimNode<App>, input: NamedInput): Promise<Ending<RegistersOutput>> {
    const { app } = node
    if (app === null) return { how: 'rejected', error: new Error(`${node.id} is down`) }
    const writes = Object.keys(input.writes).length > 0
    if (writes) {
      this.#open.add(input.name)
      for (const [register, value] of Object.entries(input.writes)) {
        const at = `${input.group}/${register}`
        const values = this.#written.get(at) ?? []
        this.#written.set(at, values)
        values.push(value)
      }
    }
    const ending = await this.recorder.perform(
      client,
      input,
      node,
      () => this.#options.perform(app, input),
      () => ({ name: input.name, group: input.group }),
    )
    if (writes) {
      this.#open.delete(input.name)
      this.#book[ending.how].push(input.name)
    }
    return ending
  }

  #newName(client: string): string {
    return `${client.replace('client ', 'c')}-${this.#names++}`
  }

  #input(client: string, random: SimRandom): NamedInput {
    const name = this.#newName(client)
    const all = Array.from({ length: this.#options.registersPerGroup }, (_, i) => String.fromCharCode(97 + i))
    const group = `g${below(random, this.#options.groups)}`
    const some = chance(random, 0.5) ? all : [pick(random, all)]
    const luck = random.between(0, 1)
    if (luck < 0.35) return { name, group, reads: some, writes: {} }
    const writes = Object.fromEntries(some.map((register) => [register, name]))
    if (luck < 0.7) return { name, group, reads: chance(random, 0.5) ? all : [], writes }
    // A comparison with what was written lately: it holds often enough.
    const first = some[0] ?? 'a'
    const guess = this.#lately(group, first, random)
    return { name, group, reads: all, writes, onlyIf: { [first]: guess } }
  }

  /** One of the last values that clients wrote, or tried to write, to the register. */
  #lately(group: string, register: string, random: SimRandom): string | null {
    const values = this.#written.get(`${group}/${register}`) ?? []
    return values[values.length - 1 - below(random, 3)] ?? null
  }
}
