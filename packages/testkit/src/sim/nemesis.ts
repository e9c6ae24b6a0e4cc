import { below, pick, shuffle } from '@cluster/core'
import { Ambush, type Scene } from './ambush.ts'
import { type FaultKind, type FaultWeights, storm } from './fault-kinds.ts'
import type { SimDisk } from './sim-disk.ts'
import type { CrashKind, SimNode, StopReason } from './sim-node.ts'
import type { SimRandom } from './sim-random.ts'
import type { World } from './world.ts'

export interface NemesisOptions {
  readonly weights: FaultWeights
  /** Quiet time between two faults, milliseconds. */
  readonly pauseMs: readonly [number, number]
  /** How long a node stays down. */
  readonly downMs: readonly [number, number]
  /** How long cuts, losses and slow disks last. */
  readonly lastMs: readonly [number, number]
  /** At most so many nodes are down at once, all-at-once faults apart. Default: a minority. */
  readonly downMax?: number
  /**
   * True while the nodes are as redundant as they can be: only then may one of them lose what its disk holds, and no
   * other one before it holds again. Default: never.
   */
  readonly mayLoseDisk?: () => boolean
  /** Files that may rot; default all. */
  readonly rots?: RegExp
  /** True while a node may leave for good. Default: never. */
  readonly mayLeave?: () => boolean
  /** A node left some time ago: starts another one in its place, or the same again. Default: the same. */
  readonly replace?: (left: SimNode<unknown>) => void
  /** Who stands between two halves when only one node does; default any of the nodes. */
  readonly between?: SimNode<unknown>
  /** Tells the chance of several in one world apart. Default `nemesis`. */
  readonly label?: string
  /** Speeds between which monotonic clocks drift. Default 0.99 … 1.01. */
  readonly rates?: readonly [number, number]
}

export const defaultNemesis: NemesisOptions = {
  weights: storm,
  pauseMs: [300, 2_000],
  downMs: [50, 5_000],
  lastMs: [200, 5_000],
}

const HOUR_MS = 3_600_000

/** Causes faults in a world, at random from its seed, until it is told to stop. */
export class Nemesis {
  /** How often each kind happened. */
  readonly counts: Partial<Record<FaultKind, number>> = {}
  readonly #world: World
  readonly #nodes: readonly SimNode<unknown>[]
  readonly #options: NemesisOptions
  readonly #leader: () => string | null
  readonly #random: SimRandom
  readonly #total: number
  readonly #scene: { -readonly [Key in keyof Scene]: Scene[Key] }
  readonly #ambush: Ambush
  #failed = false

  /** @param leader the node that leads now, as far as anyone knows */
  constructor(
    world: World,
    nodes: readonly SimNode<unknown>[],
    leader: () => string | null,
    options: NemesisOptions = defaultNemesis,
  ) {
    this.#world = world
    this.#nodes = nodes
    this.#leader = leader
    this.#options = options
    this.#random = world.random.fork(options.label ?? 'nemesis')
    this.#scene = {
      world,
      nodes,
      random: this.#random,
      on: false,
      isCut: false,
      leader,
      mayGoDown: () => this.#mayGoDown(),
      crash: (node, kind) => this.#crash(node, kind),
      restart: (node, downMs) => this.#restart(node, downMs),
    }
    this.#ambush = new Ambush(this.#scene)
    this.#total = Object.values(options.weights).reduce((sum, weight) => sum + weight, 0)
  }

  start(): void {
    this.#scene.on = true
    this.#next()
  }

  /** Ends the faults. Restarts that were planned still happen; `World.heal` ends the rest. */
  stop(): void {
    this.#scene.on = false
  }

  /** Crashes a node after a moment, if it still runs then and one may go down. */
  strike(kind: FaultKind, id: string, delayMs: number): void {
    this.#world.schedule(delayMs, () => {
      const node = this.#nodes.find((each) => each.id === id)
      if (this.#scene.on && node?.running && this.#crash(node, 'kill')) this.#count(kind)
    })
  }

  #count(kind: FaultKind): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
    this.#world.trace.note('', 'fault', { kind })
  }

  #next(): void {
    this.#world.schedule(this.#random.between(...this.#options.pauseMs), () => {
      if (!this.#scene.on) return
      const kind = this.#pickKind()
      if (this.#cause(kind)) this.#count(kind)
      this.#next()
    })
  }

  #pickKind(): FaultKind {
    let at = this.#random.between(0, this.#total)
    const kinds = Object.keys(this.#options.weights).sort() as FaultKind[]
    for (const kind of kinds) {
      at -= this.#options.weights[kind] ?? 0
      if (at < 0) return kind
    }
    return kinds.at(-1) ?? 'kill'
  }

  /** False when there is nothing to do it to. */
  #cause(kind: FaultKind): boolean {
    const up = this.#nodes.filter((node) => node.running)
    const leader = up.find((node) => node.id === this.#leader())
    const victim = up.length === 0 ? undefined : pick(this.#random, up)
    switch (kind) {
      case 'kill':
        return this.#crash(victim, 'kill')
      case 'killLeader':
        return this.#crash(leader, 'kill')
      case 'killInTurn':
        return this.#ambush.crashInTurn(victim, leader)
      case 'undermine':
        return this.#ambush.undermine()
      case 'power':
        return this.#crash(victim, 'power')
      case 'killAll':
        return this.#crashAll('kill')
      case 'powerAll':
        return this.#crashAll('power')
      case 'brownout':
        return this.#ambush.brownOut(up)
      case 'stop':
        return this.#stop(victim)
      case 'leave':
        return this.#leave(victim)
      case 'split': {
        const half = shuffle(this.#random, this.#nodes).slice(
          0,
          1 + below(this.#random, this.#nodes.length - 1),
        )
        return this.#divide(() =>
          this.#world.network.partition(
            [],
            half.map((node) => node.id),
          ),
        )
      }
      case 'isolate':
        return victim !== undefined && this.#divide(() => this.#world.network.isolate(victim.id))
      case 'isolateLeader':
        return leader !== undefined && this.#divide(() => this.#world.network.isolate(leader.id))
      case 'cutLeader':
        return (
          leader !== undefined &&
          this.#divide(() => {
            this.#world.network.isolate(leader.id)
            for (const link of this.#world.network.links()) if (link.joins(leader.id, leader.id)) link.reset()
          })
        )
      case 'oneWay': {
        const other = pick(this.#random, this.#nodes)
        if (victim === undefined || victim === other) return false
        return this.#divide(() => this.#world.network.block(victim.id, other.id))
      }
      case 'ring':
        return this.#divide(() => this.#ambush.ring(shuffle(this.#random, this.#nodes)))
      case 'bridge':
        return this.#ambush.bridge(this.#options.between ?? victim)
      case 'reset': {
        const links = this.#world.network.links()
        if (links.length === 0) return false
        pick(this.#random, links).reset()
        return true
      }
      case 'loss':
        return this.#disturb({ loss: this.#random.between(0.01, 0.15) })
      case 'reorder':
        return this.#disturb({
          reorder: this.#random.between(0.05, 0.4),
          reorderMsMax: this.#random.between(2, 60),
          duplicate: this.#random.between(0, 0.1),
        })
      case 'duplicate':
        return this.#disturb({
          duplicate: this.#random.between(0.1, 0.6),
          reorderMsMax: this.#random.between(2, 400),
        })
      case 'slowDisk': {
        if (victim === undefined) return false
        Object.assign(victim.disk.faults, { slow: this.#random.between(0.1, 1), slowMsMax: 200 })
        this.#later(() => Object.assign(victim.disk.faults, { slow: 0, slowMsMax: 0 }))
        return true
      }
      case 'fullDisk':
        if (victim === undefined) return false
        victim.disk.faults.full = true
        this.#later(() => {
          victim.disk.faults.full = false
        })
        return true
      case 'stall': {
        // The leader every other time: it has the most to get wrong.
        const sleeper = below(this.#random, 2) === 0 ? (leader ?? victim) : victim
        sleeper?.stall(this.#random.between(50, 3_000))
        return sleeper !== undefined
      }
      case 'clockJump':
        for (const node of below(this.#random, 2) === 0 ? up : up.slice(0, 1)) {
          node.clockFaults.skewMs += Math.round(this.#random.between(-HOUR_MS, HOUR_MS))
        }
        return up.length > 0
      case 'drift':
        if (victim === undefined) return false
        victim.clockFaults.rate = this.#random.between(...(this.#options.rates ?? [0.99, 1.01]))
        return true
      case 'rot':
        return this.#loseDisk(victim, (disk) => disk.rot(this.#options.rots ?? /./))
      case 'newDisk':
        return this.#loseDisk(victim, (disk) => {
          disk.wipe()
          return true
        })
      case 'coldLoss':
        if (victim === undefined || this.#options.mayLoseDisk?.() !== true || !this.#crashAll('power'))
          return false
        victim.disk.wipe()
        return true
      case 'killCopier':
      case 'killSource':
      case 'killJoiner':
        return this.#crash(victim, 'kill')
    }
  }

  #mayGoDown(): boolean {
    const down = this.#nodes.filter((node) => !node.running).length
    return down < (this.#options.downMax ?? Math.floor((this.#nodes.length - 1) / 2))
  }

  #crash(node: SimNode<unknown> | undefined, kind: CrashKind): boolean {
    if (node === undefined || !this.#mayGoDown()) return false
    node.crash(kind)
    this.#restart(node)
    return true
  }

  #loseDisk(node: SimNode<unknown> | undefined, lose: (disk: SimDisk) => boolean): boolean {
    if (node === undefined || this.#options.mayLoseDisk?.() !== true) return false
    if (this.#nodes.length === 3 && !this.#scene.isCut && below(this.#random, 2) === 0)
      return this.#ambush.betray(lose)
    if (!this.#crash(node, below(this.#random, 2) === 0 ? 'kill' : 'power')) return false
    return lose(node.disk)
  }

  #crashAll(kind: CrashKind): boolean {
    const up = this.#nodes.filter((node) => node.running)
    if (up.length < this.#nodes.length) return false
    for (const node of shuffle(this.#random, up)) {
      node.crash(kind)
      this.#restart(node)
    }
    return true
  }

  #stop(node: SimNode<unknown> | undefined): boolean {
    if (node === undefined || node.app === null || !this.#mayGoDown()) return false
    return this.#end(node, 'away', () => this.#restart(node))
  }

  #leave(node: SimNode<unknown> | undefined): boolean {
    if (node === undefined || node.app === null || node.stopping) return false
    if (!this.#mayGoDown() || this.#options.mayLeave?.() !== true) return false
    const { starts } = node
    const replace = (): void => {
      this.#world.schedule(this.#random.between(...this.#options.downMs), () => {
        if (node.running || node.starts !== starts || !this.#nodes.includes(node)) return
        if (this.#options.replace) this.#options.replace(node)
        else node.start().catch((error: unknown) => this.#world.fail(error))
      })
    }
    return this.#end(node, 'left', replace)
  }

  #end(node: SimNode<unknown>, reason: StopReason, then: () => void): boolean {
    const { starts } = node
    node.onDeath(then)
    node.stop(reason).catch((error: unknown) => this.#world.fail(error))
    // A stop that the network holds up is cut short, as an impatient operator would.
    this.#world.schedule(this.#options.lastMs[1] + 5_000, () => {
      if (node.running && node.starts === starts) node.crash('kill')
    })
    return true
  }

  #restart(node: SimNode<unknown>, downMs = this.#options.downMs): void {
    const { starts } = node
    this.#world.schedule(this.#random.between(...downMs), () => {
      // Somebody else may have started it meanwhile, and it may be down again, or another one is in its place.
      const isHere = this.#nodes.includes(node) || node === this.#options.between
      if (!node.running && node.starts === starts && isHere)
        node.start().catch((error: unknown) => this.#world.fail(error))
    })
  }

  /** One cut at a time, so that its end does not end another one early. */
  #divide(cut: () => void): boolean {
    if (this.#scene.isCut) return false
    this.#scene.isCut = true
    cut()
    this.#later(() => {
      this.#scene.isCut = false
      this.#world.network.mend()
    })
    return true
  }

  #disturb(faults: Partial<World['network']['faults']>): boolean {
    if (this.#failed) return false
    this.#failed = true
    const { network } = this.#world
    const before = { ...network.faults }
    Object.assign(network.faults, faults)
    this.#later(() => {
      this.#failed = false
      // What `heal` has reset meanwhile stays so.
      if (this.#scene.on) Object.assign(network.faults, before)
    })
    return true
  }

  #later(run: () => void): void {
    this.#world.schedule(this.#random.between(...this.#options.lastMs), run)
  }
}
