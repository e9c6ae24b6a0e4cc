import {
  type Address,
  assert,
  type Cancel,
  type Clock,
  type Disk,
  type Logger,
  type LogLevel,
  type NodeId,
  nodeId,
  type Random,
  type Transport,
} from '@cluster/core'
import type { SimNetwork } from './network.ts'
import type { Timeline } from './parties.ts'
import { Process } from './process.ts'
import { ClockFaults, SimClock } from './sim-clock.ts'
import { SimDisk } from './sim-disk.ts'
import type { SimRandom } from './sim-random.ts'
import { SimTransport } from './sim-transport.ts'

/** What a machine stands in. */
export interface Surroundings extends Timeline {
  readonly random: SimRandom
  readonly network: SimNetwork
  readonly logLevel: LogLevel
}

/** What a program gets from the world, for one life. */
export interface NodePorts {
  readonly self: NodeId
  /** 1 at the first start, one more at each. */
  readonly start: number
  /** Where the node listens once its transport started. */
  readonly address: Address
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly transport: Transport
  readonly logger: Logger
}

export type StopReason = 'away' | 'left'

/** The program that a node runs: composed anew at each start. */
export interface Program<App> {
  /** Builds and starts the program; rejects when it cannot start. */
  start(ports: NodePorts): Promise<App>
  /** Stops it in good order: to come back (`away`), or for good (`left`). */
  stop(app: App, reason: StopReason): Promise<void>
}

/**
 * How a life ends without `stop`:
 * - `kill`: the process is gone at once, as by kill −9; its host closes its connections, the disk keeps what was written;
 * - `power`: the host is gone at once and says nothing; what was not synced is lost or torn.
 */
export type CrashKind = 'kill' | 'power'

/** One machine with its disk, on which a program is started, crashes and is started again. */
export class SimNode<App> {
  readonly id: NodeId
  readonly disk: SimDisk
  readonly clockFaults: ClockFaults
  readonly #world: Surroundings
  readonly #random: SimRandom
  readonly #program: Program<App>
  readonly #clockBase: number
  #starts = 0
  #process: Process | null = null
  #transport: SimTransport | null = null
  #app: App | null = null
  #stopping = false
  readonly #onDeath = new Set<() => void>()

  constructor(world: Surroundings, name: string, program: Program<App>) {
    this.#world = world
    this.id = nodeId(name)
    this.#random = world.random.fork(`node ${name}`)
    this.#program = program
    this.clockFaults = new ClockFaults(world)
    this.disk = new SimDisk(this.#random.fork('disk'))
    this.#clockBase = Math.floor(this.#random.between(0, 1_000_000))
    world.network.addHost(this.id)
  }

  /** The running program; null while it starts, and while the node is down. */
  get app(): App | null {
    return this.#app
  }

  /** True from `start` until it crashes or has stopped. */
  get running(): boolean {
    return this.#process?.alive ?? false
  }

  /** True while the program stops in good order. */
  get stopping(): boolean {
    return this.#stopping && this.running
  }

  get starts(): number {
    return this.#starts
  }

  /** Resolves with the program once it has started; never if it crashes before. */
  async start(): Promise<App> {
    assert(!this.running, `${this.id} runs already`)
    this.#starts++
    const process = new Process(this.#world, this.id, this.#starts)
    this.#process = process
    this.#stopping = false
    this.#world.network.setPower(this.id, true)
    this.#world.network.booted(this.id)
    const transport = new SimTransport(this.#world.network, process, this.id)
    this.#transport = transport
    this.#world.trace.note(this.id, 'start', { number: this.#starts })
    const app = await this.#program.start({
      self: this.id,
      start: this.#starts,
      address: this.#world.network.addressOf(this.id),
      clock: new SimClock(process, this.clockFaults, this.#clockBase),
      random: this.#random.fork(`life ${this.#starts}`),
      disk: this.disk.port(process),
      transport,
      logger: this.#world.trace.logger(this.id, this.#world.logLevel, () => process.alive),
    })
    if (process.alive) this.#app = app
    return app
  }

  /** Nothing of the program runs for so long: a blocked event loop, a stopped process. */
  stall(ms: number): void {
    this.#world.trace.note(this.id, 'stalls', { ms: Math.round(ms) })
    this.#process?.stall(ms)
  }

  crash(kind: CrashKind): void {
    const process = this.#process
    if (!process?.alive) return
    this.#world.trace.note(this.id, kind === 'kill' ? 'killed' : 'power lost')
    this.#end(process)
    if (kind === 'power') this.#world.network.setPower(this.id, false)
    this.#transport?.died({ silently: kind === 'power' })
    if (kind === 'power') {
      this.disk.powerLost()
      this.#world.network.noticeSilence()
    } else this.disk.killed()
    this.#died()
  }

  /** Stops the program in good order, then ends the process. */
  async stop(reason: StopReason = 'away'): Promise<void> {
    const process = this.#process
    const app = this.#app
    if (!process?.alive || app === null || this.#stopping) return
    this.#stopping = true
    this.#world.trace.note(this.id, reason === 'left' ? 'leaving' : 'stopping')
    await this.#program.stop(app, reason)
    if (!process.alive) return
    this.#world.trace.note(this.id, 'stopped')
    this.#end(process)
    this.#transport?.died({ silently: false })
    this.disk.killed()
    this.#died()
  }

  /** Calls `run` once when the present life ends, however it ends. */
  onDeath(run: () => void): Cancel {
    this.#onDeath.add(run)
    return () => void this.#onDeath.delete(run)
  }

  #end(process: Process): void {
    process.end()
    this.#app = null
  }

  #died(): void {
    const waiting = [...this.#onDeath]
    this.#onDeath.clear()
    for (const run of waiting) run()
  }
}
