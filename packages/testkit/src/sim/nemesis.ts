import { below, pick, shuffle } from '@cluster/core'
import type { SimDisk } from './sim-disk.ts'
import type { CrashKind, SimNode } from './sim-node.ts'
import type { SimRandom } from './sim-random.ts'
import type { World } from './world.ts'

/**
 * - `kill`, `killLeader`: a process is gone, its host and disk stay;
 * - `power`: a host is gone without a word and un-synced bytes with it;
 * - `killAll`, `powerAll`: every node at once, as when the fuse blows;
 * - `stop`: a node stops in good order and comes back;
 * - `split`, `isolate`, `isolateLeader`, `oneWay`: the network is cut, for a while;
 * - `reset`: one link is reset;
 * - `cutLeader`: all links of the leader are reset, and it is cut off for a while;
 * - `loss`, `reorder`: frames get lost, or overtake each other and arrive twice, for a while;
 * - `slowDisk`, `fullDisk`: a disk is slow, or has no room, for a while;
 * - `stall`: nothing of a process runs for a while;
 * - `rot`: a process dies, and a bit of what was durable on its disk is another one when it starts again;
 * - `newDisk`: a process dies with its disk, and starts again with an empty one.
 */
export type FaultKind =
  | 'kill'
  | 'killLeader'
  | 'power'
  | 'killAll'
  | 'powerAll'
  | 'stop'
  | 'split'
  | 'isolate'
  | 'isolateLeader'
  | 'cutLeader'
  | 'oneWay'
  | 'reset'
  | 'loss'
  | 'reorder'
  | 'slowDisk'
  | 'fullDisk'
  | 'stall'
  | 'rot'
  | 'newDisk'

/** How often each kind is chosen, relative to the others; absent ones never. */
export type FaultWeights = Readonly<Partial<Record<FaultKind, number>>>

/** A bit of everything; all nodes at once rarely, as it stops everything for seconds. */
export const storm: FaultWeights = {
  kill: 3,
  killLeader: 3,
  power: 4,
  killAll: 0.5,
  powerAll: 1,
  stop: 2,
  split: 2,
  isolate: 2,
  isolateLeader: 2,
  cutLeader: 2,
  oneWay: 1,
  reset: 3,
  loss: 3,
  reorder: 3,
  slowDisk: 3,
  fullDisk: 2,
  stall: 2,
  rot: 2,
  newDisk: 1.5,
}

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
}

export const defaultNemesis: NemesisOptions = {
  weights: storm,
  pauseMs: [300, 2_000],
  downMs: [50, 5_000],
  lastMs: [200, 5_000],
}

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
  #on = false
  #cut = false
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
    this.#random = world.random.fork('nemesis')
    this.#total = Object.values(options.weights).reduce((sum, weight) => sum + weight, 0)
  }

  start(): void {
    this.#on = true
    this.#next()
  }

  /** Ends the faults. Restarts that were planned still happen; `World.heal` ends the rest. */
  stop(): void {
    this.#on = false
  }

  #next(): void {
    this.#world.schedule(this.#random.between(...this.#options.pauseMs), () => {
      if (!this.#on) return
      const kind = this.#pickKind()
      if (this.#cause(kind)) {
        this.counts[kind] = (this.counts[kind] ?? 0) + 1
        this.#world.trace.note('', 'fault', { kind })
      }
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
      case 'power':
        return this.#crash(victim, 'power')
      case 'killAll':
        return this.#crashAll('kill')
      case 'powerAll':
        return this.#crashAll('power')
      case 'stop':
        return this.#stop(victim)
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
      case 'rot':
        return this.#loseDisk(victim, (disk) => disk.rot(this.#options.rots ?? /./))
      case 'newDisk':
        return this.#loseDisk(victim, (disk) => {
          disk.wipe()
          return true
        })
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
    if (this.#nodes.length === 3 && !this.#cut && below(this.#random, 2) === 0) return this.#betray(lose)
    if (!this.#crash(node, below(this.#random, 2) === 0 ? 'kill' : 'power')) return false
    return lose(node.disk)
  }

  /**
   * The worst moment for it, among three: one lags, and of the two that have the rest one loses its disk while the
   * other is down for a while.
   */
  #betray(lose: (disk: SimDisk) => boolean): boolean {
    const leader = this.#nodes.find((node) => node.id === this.#leader())
    const [lagging, victim] = shuffle(
      this.#random,
      this.#nodes.filter((node) => node !== leader),
    )
    if (leader === undefined || lagging === undefined || victim === undefined) return false
    this.#cut = true
    this.#world.network.isolate(lagging.id)
    this.#world.schedule(this.#random.between(300, 1_500), () => {
      this.#cut = false
      if (this.#nodes.every((node) => node.running && !node.stopping)) {
        leader.crash('power')
        victim.crash('kill')
        lose(victim.disk)
        this.#restart(leader, [2_000, 6_000])
        this.#restart(victim, [20, 200])
      }
      this.#world.network.mend()
    })
    return true
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
    const { starts } = node
    node.onDeath(() => this.#restart(node))
    node.stop().catch((error: unknown) => this.#world.fail(error))
    // A stop that the network holds up is cut short, as an impatient operator would.
    this.#world.schedule(this.#options.lastMs[1] + 5_000, () => {
      if (node.running && node.starts === starts) node.crash('kill')
    })
    return true
  }

  #restart(node: SimNode<unknown>, downMs = this.#options.downMs): void {
    this.#world.schedule(this.#random.between(...downMs), () => {
      if (!node.running) node.start().catch((error: unknown) => this.#world.fail(error))
    })
  }

  /** One cut at a time, so that its end does not end another one early. */
  #divide(cut: () => void): boolean {
    if (this.#cut) return false
    this.#cut = true
    cut()
    this.#later(() => {
      this.#cut = false
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
      if (this.#on) Object.assign(network.faults, before)
    })
    return true
  }

  #later(run: () => void): void {
    this.#world.schedule(this.#random.between(...this.#options.lastMs), run)
  }
}
