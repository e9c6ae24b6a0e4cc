import { assert, hash32, type LogEntry, type NodeId, type OrderedLog, type Peers } from '@cluster/core'
import type { World } from '@cluster/testkit'
import type { Happenings } from './report.ts'

const print = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 2_000))

/**
 * What must hold at every moment, whatever fails: at most one leader a term, and all nodes apply the same
 * entries in the same order. Fails the world at the event that breaks it.
 */
export class SafetyWatch {
  readonly happenings: Happenings = {
    elections: 0,
    restarts: 0,
    snapshots: 0,
    membershipChanges: 0,
    removals: 0,
    deathProofs: 0,
    aloneSteps: 0,
    declines: 0,
    takeOvers: 0,
    framesLost: 0,
    framesReordered: 0,
    linksBroken: 0,
    lossyPowerLosses: 0,
    tornWrites: 0,
    slowSyncs: 0,
    refusedWrites: 0,
    flippedBits: 0,
    newDisks: 0,
    renunciations: 0,
  }
  readonly #world: World
  readonly #leaders = new Map<string, NodeId>()
  readonly #entries = new Map<number, { readonly digest: number; readonly node: NodeId }>()
  readonly #lineages = new Set<string>()
  readonly #configurations = new Set<string>()
  readonly #removed = new Set<string>()
  #leader: NodeId | null = null

  constructor(world: World) {
    this.#world = world
  }

  /** Who was elected last. */
  get leader(): NodeId | null {
    return this.#leader
  }

  /** Watches one life of a node. */
  watch({ peers, log }: { readonly peers: Peers; readonly log: OrderedLog }): void {
    let configuration = ''
    peers.on('deathProved', ({ peer, by }) => {
      this.happenings.deathProofs++
      this.#world.trace.note(log.self, 'death proved', { peer, by })
    })
    peers.on('failed', ({ error }) => this.#world.fail(error))
    log.on('group', (group) => {
      const { lineage, term, role, voters, learners } = group
      if (lineage !== null && !this.#lineages.has(lineage)) {
        // The first lineage is the one that the cluster formed with.
        if (this.#lineages.size > 0) this.happenings.aloneSteps++
        this.#lineages.add(lineage)
      }
      const now = `${voters.join()}|${learners.join()}`
      if (now !== configuration) {
        configuration = now
        if (!this.#configurations.has(now)) this.happenings.membershipChanges++
        this.#configurations.add(now)
      }
      if (role !== 'leader') return
      const office = `${lineage} ${term}`
      const other = this.#leaders.get(office)
      assert(
        other === undefined || other === log.self,
        `term ${term} has two leaders: ${other} and ${log.self}`,
      )
      if (other === undefined) {
        this.happenings.elections++
        this.#leader = log.self
      }
      this.#leaders.set(office, log.self)
    })
    log.on('snapshotInstalled', ({ index }) => {
      this.happenings.snapshots++
      this.#world.trace.note(log.self, 'snapshot installed', { index })
    })
    log.on('removed', ({ node, reason }) => {
      const at = `${log.group().term} ${node} ${reason}`
      if (!this.#removed.has(at)) this.happenings.removals++
      this.#removed.add(at)
    })
    log.on('failed', ({ error }) => this.#world.fail(error))
  }

  /** Sees every entry that a node applies. */
  applied(node: NodeId, entry: LogEntry): void {
    const digest = hash32(`${entry.origin}|${entry.time}|${entry.wall}|${print(entry.command)}`)
    const first = this.#entries.get(entry.index)
    if (first === undefined) this.#entries.set(entry.index, { digest, node })
    else
      assert(
        first.digest === digest,
        `entry ${entry.index} differs: ${first.node} and ${node} applied different commands`,
      )
  }
}
