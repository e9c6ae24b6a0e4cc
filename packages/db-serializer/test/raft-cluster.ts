import { logIndex, type NodeId, nodeId, type Random, type Term } from '@cluster/core'
import { Raft } from '../src/machine/raft/raft.ts'
import type {
  Effect,
  Entry,
  HardState,
  Input,
  Lineage,
  Message,
  PersistEffect,
  RaftOptions,
  Recovered,
  SnapshotMeta,
} from '../src/machine/raft/types.ts'

/** A small seeded generator (xorshift), enough for tests. */
export class TestRandom implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 1) >>> 0 || 1
    for (let i = 0; i < 8; i++) this.uint32()
  }

  uint32(): number {
    let x = this.#state
    x ^= x << 13
    x >>>= 0
    x ^= x >>> 17
    x ^= x << 5
    x >>>= 0
    this.#state = x
    return x
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 255)
  }

  below(bound: number): number {
    return this.uint32() % bound
  }
}

export interface Letter {
  readonly from: NodeId
  readonly to: NodeId
  readonly message: Message
}

/** A snapshot as the tests keep it: its meta, and the applied entries as text. */
export interface TestSnapshot {
  readonly meta: SnapshotMeta
  readonly state: readonly string[]
}

/** What is durable on one node. */
interface TestDisk {
  hardState: HardState | null
  snapshot: TestSnapshot | null
  entries: Entry[]
}

const text = new TextDecoder()

export const describeEntry = (entry: Entry): string => {
  if (entry.kind === 'command') return text.decode(entry.data)
  if (entry.kind === 'noop') return 'noop'
  const { voters, learners, away, outgoing, witnesses } = entry.configuration
  const parts = [`voters ${voters.join(',')}`]
  if (outgoing !== undefined) parts.push(`outgoing ${outgoing.join(',')}`)
  if (learners.length > 0) parts.push(`learners ${learners.join(',')}`)
  if (away.length > 0) parts.push(`away ${away.join(',')}`)
  if (witnesses !== undefined) parts.push(`witnesses ${witnesses.join(',')}`)
  return `{${parts.join(' ')}}`
}

/** One node: a machine, a disk that loses what was not synced, and the effects that a driver would do. */
export class TestNode {
  readonly id: NodeId
  readonly cluster: TestCluster
  readonly disk: TestDisk = { hardState: null, snapshot: null, entries: [] }
  machine: Raft | null = null
  writes: PersistEffect[] = []
  /** What the state machine holds: one text an applied entry. */
  state: string[] = []
  received = new Map<number, TestSnapshot>()
  /** How far this node's clock is ahead of the others'. */
  skew = 0
  /** How fast it goes. */
  rate = 1

  constructor(cluster: TestCluster, id: NodeId) {
    this.cluster = cluster
    this.id = id
  }

  get raft(): Raft {
    if (this.machine === null) throw new Error(`${this.id} is down`)
    return this.machine
  }

  start(): void {
    const { hardState, snapshot, entries } = this.disk
    const recovered: Recovered = { hardState, snapshot: snapshot?.meta ?? null, entries: [...entries] }
    this.machine = new Raft({ ...this.cluster.options, self: this.id }, recovered, this.cluster.random)
    this.state = [...(snapshot?.state ?? [])]
    this.tick()
  }

  get now(): number {
    return this.cluster.now * this.rate + this.skew
  }

  tick(): void {
    this.step({ type: 'tick', now: this.now, wall: 0 })
  }

  crash(): void {
    this.machine = null
    this.writes = []
    this.received.clear()
  }

  step(input: Input): readonly Effect[] {
    const effects = this.raft.step(input)
    this.cluster.onStep(this, input, effects)
    for (const effect of effects) this.#perform(effect)
    return effects
  }

  /** The disk finishes the oldest write. */
  sync(): boolean {
    const write = this.writes.shift()
    if (write === undefined || this.machine === null) return false
    if (write.hardState !== null) this.disk.hardState = write.hardState
    if (write.snapshot !== null) {
      const snapshot = this.received.get(write.snapshot.ref)
      if (snapshot === undefined) throw new Error('the snapshot to install is not there')
      this.disk.snapshot = snapshot
      this.disk.entries = []
    }
    if (write.truncateFrom !== null) {
      const from = write.truncateFrom
      this.disk.entries = this.disk.entries.filter((entry) => entry.index < from)
    }
    this.disk.entries.push(...write.entries)
    this.cluster.onDurable(this, write.entries)
    for (const effect of write.then) {
      if (effect.type === 'send') this.#perform(effect)
      else {
        this.state = [...(this.received.get(effect.ref)?.state ?? [])]
        this.received.delete(effect.ref)
      }
    }
    this.step({ type: 'persisted', ticket: write.ticket })
    return true
  }

  /** A crash in the middle of the oldest write: the log may be cut, then the hard state be there, and the entries not. */
  tear(random: TestRandom): void {
    const write = this.writes[0]
    if (write === undefined || write.hardState === null || write.snapshot !== null) return
    const from = write.truncateFrom
    if (from !== null) {
      if (random.below(2) === 0) return
      this.disk.entries = this.disk.entries.filter((entry) => entry.index < from)
    }
    if (random.below(2) === 0) this.disk.hardState = write.hardState
  }

  /** Takes a snapshot of everything applied, and cuts the log, but for `keep` entries. */
  compact(keep: number): void {
    const view = this.raft.view()
    if (view.appliedIndex === view.snapshotIndex) return
    // A witness keeps what a voter with data may need from it.
    const witness = view.configuration?.witnesses?.includes(this.id)
    if (witness && view.appliedIndex > view.everywhere) return
    const meta = this.raft.snapshotMeta(view.appliedIndex)
    this.disk.snapshot = { meta, state: [...this.state] }
    const cutBefore = Math.max(1, view.appliedIndex + 1 - keep)
    const last = this.disk.entries.at(-1)
    // As the log files do, cut only what is on disk, and keep the order of the writes.
    if (last !== undefined) this.disk.entries = this.disk.entries.filter((entry) => entry.index >= cutBefore)
    this.step({ type: 'compact', snapshot: meta, cutBefore: logIndex(cutBefore) })
  }

  #perform(effect: Effect): void {
    if (effect.type === 'persist') this.writes.push(effect)
    else if (effect.type === 'send') this.cluster.post(this.id, effect.to, effect.message)
    else if (effect.type === 'apply') for (const entry of effect.entries) this.#apply(entry)
  }

  #apply(entry: Entry): void {
    if (entry.index !== this.state.length + 1)
      throw new Error(`${this.id} applied ${entry.index} after ${this.state.length}`)
    this.state.push(`${entry.term} ${describeEntry(entry)}`)
    this.cluster.onApply(this, entry)
  }
}

/** Several nodes and the letters between them. Nothing happens by itself. */
export class TestCluster {
  readonly options: Omit<RaftOptions, 'self'>
  readonly random: TestRandom
  readonly nodes = new Map<NodeId, TestNode>()
  letters: Letter[] = []
  now = 1
  lastRef = 0
  onStep: (node: TestNode, input: Input, effects: readonly Effect[]) => void = () => {}
  onApply: (node: TestNode, entry: Entry) => void = () => {}
  onDurable: (node: TestNode, entries: readonly Entry[]) => void = () => {}

  constructor(seed: number, options: Omit<RaftOptions, 'self'> = {}) {
    this.random = new TestRandom(seed)
    this.options = options
  }

  node(id: string): TestNode {
    const node = this.nodes.get(nodeId(id))
    if (node === undefined) throw new Error(`there is no node ${id}`)
    return node
  }

  add(id: string): TestNode {
    const node = new TestNode(this, nodeId(id))
    this.nodes.set(node.id, node)
    return node
  }

  /** Nodes that start as voters (and learners) of one group, as if its founder's entry were on every disk. */
  formed(
    voters: readonly string[],
    learners: readonly string[] = [],
    witnesses: readonly string[] = [],
  ): void {
    const history = { cluster: 'c', lineage: 'L1', ancestry: [] } as unknown as Lineage
    const entry: Entry = {
      index: logIndex(1),
      term: 1 as Term,
      time: 0,
      wall: 0,
      kind: 'configuration',
      configuration: {
        voters: voters.map(nodeId).sort(),
        learners: learners.map(nodeId).sort(),
        away: [],
        provisional: voters.length < 2,
        ...(witnesses.length > 0 && { witnesses: witnesses.map(nodeId).sort() }),
      },
    }
    for (const id of [...voters, ...learners]) {
      const node = this.add(id)
      node.disk.hardState = {
        history,
        term: 1 as Term,
        votedFor: null,
        alone: false,
        committed: entry.index,
        founding: false,
      }
      node.disk.entries = [entry]
      node.start()
    }
  }

  post(from: NodeId, to: NodeId, message: Message): void {
    this.letters.push({ from, to, message })
  }

  deliver(letter: Letter): void {
    const node = this.nodes.get(letter.to)
    if (node?.machine)
      node.step({ type: 'message', from: letter.from, message: letter.message, now: node.now })
  }

  ref(): number {
    this.lastRef++
    return this.lastRef
  }

  tick(ms: number): void {
    this.now += ms
    for (const node of this.nodes.values()) if (node.machine !== null) node.tick()
  }

  leaders(): TestNode[] {
    return [...this.nodes.values()].filter((node) => node.machine?.view().role === 'leader')
  }
}
