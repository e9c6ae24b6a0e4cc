import { below, pick, shuffle } from '@cluster/core'
import type { SimDisk } from './sim-disk.ts'
import type { CrashKind, SimNode } from './sim-node.ts'
import type { SimRandom } from './sim-random.ts'
import type { World } from './world.ts'

/** What ambushes are laid with. */
export interface Scene {
  readonly world: World
  readonly nodes: readonly SimNode<unknown>[]
  readonly random: SimRandom
  /** False once the faults have ended. */
  readonly on: boolean
  /** The network is cut; one cut at a time, so that its end does not end another one early. */
  isCut: boolean
  leader(): string | null
  mayGoDown(): boolean
  crash(node: SimNode<unknown> | undefined, kind: CrashKind): boolean
  restart(node: SimNode<unknown>, downMs?: readonly [number, number]): void
}

/** Several faults together, each at the worst moment for the others. Each method is false when it cannot be done now. */
export class Ambush {
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
  }

  /**
   * The worst moment for it, among three: one lags, and of the two that have the rest one loses its disk while the
   * other is down for a while.
   */
  betray(lose: (disk: SimDisk) => boolean): boolean {
    const leader = this.#scene.nodes.find((node) => node.id === this.#scene.leader())
    const [lagging, victim] = shuffle(
      this.#scene.random,
      this.#scene.nodes.filter((node) => node !== leader),
    )
    if (leader === undefined || lagging === undefined || victim === undefined) return false
    this.#scene.isCut = true
    this.#scene.world.network.isolate(lagging.id)
    this.#scene.world.schedule(this.#scene.random.between(300, 1_500), () => {
      this.#scene.isCut = false
      if (this.#scene.on && this.#scene.nodes.every((node) => node.running && !node.stopping)) {
        leader.crash('power')
        victim.crash('kill')
        lose(victim.disk)
        this.#scene.restart(leader, [2_000, 6_000])
        this.#scene.restart(victim, [20, 200])
      }
      this.#scene.world.network.mend()
    })
    return true
  }

  /** Kills one, and the leader (or another one) as soon as the first is up again and may lag. */
  crashInTurn(node: SimNode<unknown> | undefined, leader: SimNode<unknown> | undefined): boolean {
    const second =
      node === leader ? this.#scene.nodes.find((other) => other !== node && other.running) : leader
    if (node === undefined || second === undefined || !this.#scene.mayGoDown()) return false
    node.crash('kill')
    this.#scene.world.schedule(this.#scene.random.between(20, 800), () => {
      if (node.running || !this.#scene.on || !this.#scene.nodes.includes(node)) return
      node.start().catch((error: unknown) => this.#scene.world.fail(error))
      this.#scene.world.schedule(this.#scene.random.between(1, 300), () => {
        if (this.#scene.on) this.#scene.crash(second, 'kill')
      })
    })
    return true
  }

  /**
   * The leader takes out two that died, and is cut off from the others, all but one where there are many, before these
   * know: they and the two, who are back at once, must not decide without it, or it not without them.
   */
  undermine(): boolean {
    const { world, nodes, random } = this.#scene
    const leader = nodes.find((node) => node.id === this.#scene.leader())
    const whole = nodes.every((node) => node.running && !node.stopping)
    if (leader === undefined || this.#scene.isCut || nodes.length < 3 || !whole) return false
    const others = shuffle(
      random,
      nodes.filter((node) => node !== leader),
    )
    const [first, second, friend] = others
    if (first === undefined || second === undefined) return false
    const side = [leader, ...(friend && nodes.length > 4 ? [friend] : [])].map((node) => node.id)
    this.#scene.isCut = true
    const kill = (node: SimNode<unknown>): void => {
      if (!this.#scene.on || !node.running) return
      node.crash('kill')
      this.#scene.restart(node, [20, 300])
    }
    const apart = random.between(0, 8)
    kill(first)
    world.schedule(apart, () => kill(second))
    world.schedule(apart + random.between(0.5, 8), () => {
      if (this.#scene.on) world.network.partition([], side)
    })
    world.schedule(random.between(800, 3_000), () => {
      this.#scene.isCut = false
      world.network.mend()
    })
    return true
  }

  /** What was acknowledged before it was on the disk is lost, but on one node, which comes back last. */
  brownOut(up: readonly SimNode<unknown>[]): boolean {
    if (up.length < this.#scene.nodes.length) return false
    const swift = pick(this.#scene.random, up)
    for (const node of up)
      if (node !== swift)
        Object.assign(node.disk.faults, { slow: 1, slowMsMax: this.#scene.random.between(200, 800) })
    this.#scene.world.schedule(this.#scene.random.between(20, 600), () => {
      for (const node of up) {
        Object.assign(node.disk.faults, { slow: 0, slowMsMax: 0 })
        if (!this.#scene.on || !node.running) continue
        node.crash('power')
        this.#scene.restart(node, node === swift ? [2_000, 5_000] : [50, 1_000])
      }
    })
    return true
  }

  /** Whatever the one between them said before it was on its disk, it may have forgotten when the others ask. */
  bridge(between: SimNode<unknown> | undefined): boolean {
    const others = this.#scene.nodes.filter((node) => node !== between)
    if (between === undefined || this.#scene.isCut || others.length < 2 || !this.#scene.mayGoDown())
      return false
    const [one = [], other = []] = this.#halves(others)
    this.#scene.isCut = true
    for (const a of one)
      for (const b of other) {
        this.#scene.world.network.block(a.id, b.id)
        this.#scene.world.network.block(b.id, a.id)
      }
    Object.assign(between.disk.faults, { slow: 1, slowMsMax: 250 })
    const end = (): void => {
      this.#scene.isCut = false
      this.#scene.world.network.mend()
      Object.assign(between.disk.faults, { slow: 0, slowMsMax: 0 })
    }
    const fail = (left: number): void => {
      between.crash('power')
      this.#scene.restart(between, [10, 80])
      const leader = this.#scene.leader()
      const until = this.#scene.world.now + this.#scene.random.between(300, 1_500)
      const look = (): void => {
        if (left === 0 || !this.#scene.on) {
          end()
          return
        }
        const elected = this.#scene.nodes.find((node) => node.id === this.#scene.leader())
        if (elected !== undefined && elected.id !== leader && elected !== between) {
          // Held up, it cannot remind the one between them of its vote before the other half asks for it.
          elected.stall(this.#scene.random.between(100, 1_000))
          fail(left - 1)
        } else if (this.#scene.world.now >= until) fail(left - 1)
        else this.#scene.world.schedule(2, look)
      }
      this.#scene.world.schedule(2, look)
    }
    fail(2 + below(this.#scene.random, 4))
    return true
  }

  #halves(nodes: readonly SimNode<unknown>[]): SimNode<unknown>[][] {
    const mixed = shuffle(this.#scene.random, nodes)
    const middle = Math.ceil(mixed.length / 2)
    return [mixed.slice(0, middle), mixed.slice(middle)]
  }

  /** Each reaches so many neighbours in the ring that they make a majority with it; of three, two do not reach each other. */
  ring(nodes: readonly SimNode<unknown>[]): void {
    const majority = Math.floor(nodes.length / 2) + 1
    const reach = nodes.length === 3 ? 1 : Math.ceil((majority - 1) / 2)
    for (const [i, a] of nodes.entries())
      for (const [j, b] of nodes.entries()) {
        const apart = Math.abs(i - j)
        const distance = nodes.length === 3 ? apart : Math.min(apart, nodes.length - apart)
        if (distance > reach) this.#scene.world.network.block(a.id, b.id)
      }
  }
}
