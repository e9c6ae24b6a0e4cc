import {
  assert,
  type Clock,
  ClusterError,
  clusterId,
  type LineageId,
  type LogIndex,
  lineageId,
  logIndex,
  type NodeId,
  nodeId,
  type OrderedLog,
  type Term,
  term,
} from '@cluster/core'
import {
  type ModelEntry,
  ModelLogNode,
  type ModelStanding,
  type PlacedCommand,
  type SharedOrder,
} from './model-log-node.ts'

export type { ModelEntry, ModelStanding } from './model-log-node.ts'

export interface ModelLogOptions {
  /** Time of entries, deliveries and deadlines. Without it entries are delivered in the next microtask and no deadline fires. */
  readonly clock?: Clock
  /** Milliseconds from submission to the place in the order; with a clock only. Default 1. */
  readonly commitMs?: number
  /** Milliseconds from there until `node` applies the entry; with a clock only. Default 0. */
  readonly deliveryMs?: (node: NodeId, index: LogIndex) => number
  /** At most this many members vote, the others learn. Default 5. */
  readonly maxVoters?: number
}

/**
 * An `OrderedLog` of several nodes in one process: the order is one list in memory. It has no faults of its own;
 * tests cause them through the methods here.
 */
export interface ModelLog {
  /** A handle for the node's (next) process. The node becomes a member when it is started. */
  node(id: string): OrderedLog
  /** The node's process is gone at once; it stays a member until `remove`. Its pending calls reject with STOPPED, outcome unknown. */
  kill(id: string): void
  /** The group gives a member up. Its process, if it still runs, hears nothing more. */
  remove(id: string, reason?: 'dead' | 'left'): void
  /** The node applies nothing until `release`. */
  hold(id: string): void
  release(id: string): void
  /** No quorum: nothing is ordered and no barrier answered until `resume`. */
  pause(): void
  resume(): void
  /** Makes the node the leader. */
  lead(id: string): void
  /**
   * Takes a snapshot on the node and forgets the entries up to it: who starts anew, or is held further back,
   * gets the snapshot. Returns its index.
   */
  compact(id: string): LogIndex
  /** Everything ordered and not yet compacted. */
  entries(): readonly ModelEntry[]
}

interface Placed {
  readonly entry: ModelEntry
  /** The first node's result; every other node must give the same bytes. */
  result: Uint8Array | null
}

/** What waits for its place in the order. */
interface Waiting {
  readonly run: () => void
  readonly origin: ModelLogNode
}

/** The shared half of the model: the order and the configuration. The nodes pull from it. */
class ModelOrder implements SharedOrder {
  readonly clock: Clock | null
  readonly commitMs: number
  readonly deliveryMs: (node: NodeId, index: LogIndex) => number
  readonly #maxVoters: number
  readonly nodes = new Map<NodeId, ModelLogNode>()
  readonly standing = new Map<NodeId, ModelStanding>()
  readonly cluster = clusterId('model')
  readonly lineage: LineageId = lineageId('model')
  term: Term = term(0)
  leader: NodeId | null = null
  provisional = true
  paused = false
  readonly #placed: Placed[] = []
  readonly #keys = new Map<string, LogIndex>()
  #base = 0
  snapshot: ReadonlyMap<string, Uint8Array> = new Map()
  #waiting: Waiting[] = []
  #lastTime = 0

  constructor(options: ModelLogOptions) {
    this.clock = options.clock ?? null
    this.commitMs = options.commitMs ?? 1
    this.deliveryMs = options.deliveryMs ?? (() => 0)
    this.#maxVoters = options.maxVoters ?? 5
  }

  /** Runs `run` once the order may go on: after the commit delay and when it is not paused. */
  inOrder(origin: ModelLogNode, run: () => void): void {
    const go = (): void => {
      if (!origin.running) return
      if (this.paused) this.#waiting.push({ run: go, origin })
      else run()
    }
    if (this.clock) this.clock.after(this.commitMs, go)
    else queueMicrotask(go)
  }

  /** Gives a command its place; a key that has one already keeps it. */
  place(placed: PlacedCommand, origin: NodeId, key: string | null): LogIndex {
    const { machine } = placed
    const known = key === null ? undefined : this.#keys.get(`${machine}\n${key}`)
    if (known !== undefined) return known
    const index = logIndex(this.last() + 1)
    this.#lastTime = this.clock ? Math.max(this.#lastTime, this.clock.now()) : this.#lastTime + 1
    const wall = this.clock ? this.clock.wall() : 1_700_000_000_000 + this.#lastTime
    this.#placed.push({
      entry: { index, time: this.#lastTime, wall, origin, ...placed },
      result: null,
    })
    if (key !== null) this.#keys.set(`${machine}\n${key}`, index)
    for (const node of this.sorted()) node.deliver()
    return index
  }

  last(): number {
    return this.#base + this.#placed.length
  }

  base(): number {
    return this.#base
  }

  entry(index: number): ModelEntry {
    const placed = this.#placed[index - this.#base - 1]
    assert(placed, `model log: entry ${index} is compacted or not yet there`)
    return placed.entry
  }

  entries(): readonly ModelEntry[] {
    return this.#placed.map((placed) => placed.entry)
  }

  /** Records what a node's machine answered. @throws InvariantError when two nodes differ */
  answered(index: number, node: NodeId, result: Uint8Array): void {
    const placed = this.#placed[index - this.#base - 1]
    if (!placed) return
    assert(
      result.length <= 4096,
      `model log: the result of entry ${index} has ${result.length} bytes, over 4 KiB`,
    )
    if (placed.result === null) placed.result = result.slice()
    else assert(sameBytes(placed.result, result), `model log: ${node} answers entry ${index} differently`)
  }

  /** The answer to an entry, if some node applied it. */
  result(index: number): Uint8Array | null {
    return this.#placed[index - this.#base - 1]?.result ?? null
  }

  join(node: ModelLogNode): void {
    this.nodes.set(node.self, node)
    const standing = this.standing.get(node.self)
    if (standing === undefined || standing === 'away') {
      this.standing.set(node.self, this.voters().length < this.#maxVoters ? 'voter' : 'learner')
    }
    if (this.voters().length > 1) this.provisional = false
    this.elect()
    this.changed()
  }

  /** The node's process is gone; its standing stays, or changes as told. */
  part(node: ModelLogNode, standing: ModelStanding | 'left' | null): void {
    if (this.nodes.get(node.self) === node) this.nodes.delete(node.self)
    this.#waiting = this.#waiting.filter((waiting) => waiting.origin !== node)
    if (standing === 'left') this.remove(node.self, 'left')
    else if (standing !== null) {
      // The last one stays the group, as the real log has it.
      const others = this.voters().some((voter) => voter !== node.self)
      if (standing !== 'away' || others) this.standing.set(node.self, standing)
      this.#promote()
    }
    this.elect()
    this.changed()
  }

  remove(id: NodeId, reason: 'dead' | 'left'): void {
    if (!this.standing.delete(id)) return
    this.#promote()
    this.elect()
    this.changed()
    for (const node of this.sorted()) node.removed(id, reason)
  }

  lead(id: NodeId | null): void {
    if (this.leader === id) return
    this.leader = id
    if (id !== null) this.term = term(this.term + 1)
  }

  /** Keeps the leader, or makes the smallest running voter the leader. */
  elect(): void {
    const running = this.voters().filter((voter) => this.nodes.has(voter))
    if (this.leader !== null && running.includes(this.leader)) return
    this.lead(running[0] ?? null)
  }

  changed(): void {
    for (const node of this.sorted()) node.regrouped()
  }

  members(standing: ModelStanding): NodeId[] {
    return [...this.standing.entries()]
      .filter(([, each]) => each === standing)
      .map(([id]) => id)
      .sort()
  }

  voters(): NodeId[] {
    return this.members('voter')
  }

  compact(id: NodeId): LogIndex {
    const node = this.nodes.get(id)
    assert(node, `model log: ${id} does not run`)
    const { index, parts } = node.takeSnapshot()
    this.#placed.splice(0, index - this.#base)
    this.#base = index
    this.snapshot = parts
    return index
  }

  resume(): void {
    this.paused = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) each.run()
  }

  sorted(): ModelLogNode[] {
    return [...this.nodes.values()].sort((a, b) => (a.self < b.self ? -1 : 1))
  }

  #promote(): void {
    for (const learner of this.members('learner')) {
      if (this.voters().length >= this.#maxVoters) return
      this.standing.set(learner, 'voter')
    }
  }
}

/** Makes a model of the ordered log. */
export function modelLog(options: ModelLogOptions = {}): ModelLog {
  const order = new ModelOrder(options)
  const running = (id: string): ModelLogNode => {
    const node = order.nodes.get(nodeId(id))
    if (!node) {
      throw new ClusterError(
        { code: 'STOPPED', outcome: 'rejected' },
        `The node ${id} does not run in this model log. Start it first.`,
      )
    }
    return node
  }
  return {
    node: (id) => new ModelLogNode(order, nodeId(id)),
    kill: (id) => running(id).end(null, 'its process was killed'),
    remove(id, reason = 'dead') {
      order.nodes.get(nodeId(id))?.end(null, 'it was removed from the group')
      order.remove(nodeId(id), reason)
    },
    hold: (id) => running(id).hold(),
    release: (id) => running(id).release(),
    pause() {
      order.paused = true
    },
    resume: () => order.resume(),
    lead(id) {
      order.lead(running(id).self)
      order.changed()
    },
    compact: (id) => order.compact(nodeId(id)),
    entries: () => order.entries(),
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
