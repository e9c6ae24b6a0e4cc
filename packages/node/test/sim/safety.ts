import {
  assert,
  errorCode,
  hash32,
  type LogEntry,
  type NodeId,
  type OrderedLog,
  type Peers,
} from '@cluster/core'
import type { World } from '@cluster/testkit'
import { type Happenings, nothingHappened } from './report.ts'

/** Rate of the fastest clock of any profile. */
const FASTEST = 1.1

const print = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 2_000))

/**
 * What must hold at every moment, whatever fails: at most one leader a term, and all nodes apply the same
 * entries in the same order. Fails the world at the event that breaks it.
 */
export class SafetyWatch {
  readonly happenings: Happenings = { ...nothingHappened }
  readonly #world: World
  readonly #leaders = new Map<string, NodeId>()
  readonly #entries = new Map<string, { readonly digest: number; readonly node: NodeId }>()
  readonly #lineages = new Set<string>()
  readonly #configurations = new Set<string>()
  readonly #removed = new Set<string>()
  #version = 0
  #changedAt = 0
  readonly #forked = new Set<NodeId>()
  #leader: NodeId | null = null

  constructor(world: World) {
    this.#world = world
  }

  /** Who was elected last. */
  get leader(): NodeId | null {
    return this.#leader
  }

  /** True once the node said that its history has parted from the other's. */
  isForked(node: NodeId): boolean {
    return this.#forked.has(node)
  }

  /** When a node last saw other members, or came up. */
  get changedAt(): number {
    return this.#changedAt
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
        this.#changedAt = this.#world.now
        if (!this.#configurations.has(now)) this.happenings.membershipChanges++
        this.#configurations.add(now)
      }
      if (group.version > this.#version) {
        // The first one said what it supports.
        if (this.#version > 0) this.happenings.upgrades++
        this.#version = group.version
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
        if (group.witnesses.includes(log.self)) this.happenings.witnessTerms++
        this.#world.trace.note(log.self, 'leads', { term, voters: voters.join(), learners: learners.join() })
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
    log.on('forked', ({ peer }) => {
      this.#world.trace.note(log.self, 'forked', { peer })
      if (!this.#forked.has(log.self)) this.happenings.forks++
      this.#forked.add(log.self)
    })
    log.on('failed', ({ error }) => {
      const { voters, learners, away } = log.group()
      const isMember = [...voters, ...learners, ...away].includes(log.self)
      // The others went on without it and were upgraded; the operator upgrades it, too.
      if (errorCode(error) === 'LOG_PROGRAM_TOO_OLD' && !isMember) this.#world.trace.note(log.self, 'too old')
      else this.#world.fail(error)
    })
  }

  /**
   * Sees every command that one life of a node applies.
   * @param history what tells histories apart that have parted; the same for all where none can
   */
  follow(node: NodeId, machine: string, history: () => string = () => ''): (entry: LogEntry) => void {
    let index = 0
    let ordinal = 0
    let time = 0
    return (entry) => {
      // No clock of a node is faster than this, and log time stands still while nobody leads.
      const most = this.#world.now * FASTEST + 1
      assert(entry.time >= time, `log time goes back from ${time} to ${entry.time} at entry ${entry.index}`)
      assert(
        entry.time <= most,
        `log time runs ahead: ${entry.time} at entry ${entry.index}, ${most} at most`,
      )
      time = entry.time
      // A bundle may have several commands for one machine.
      ordinal = entry.index === index ? ordinal + 1 : 0
      index = entry.index
      const digest = hash32(`${entry.origin}|${entry.time}|${entry.wall}|${print(entry.command)}`)
      const at = `${history()} ${machine} ${index} ${ordinal}`
      const first = this.#entries.get(at)
      if (first === undefined) this.#entries.set(at, { digest, node })
      else
        assert(
          first.digest === digest,
          `entry ${entry.index} differs: ${first.node} and ${node} applied different commands`,
        )
    }
  }
}
