import {
  assert,
  isClusterError,
  joinBytes,
  type NodeId,
  type PartitionId,
  type RelationId,
} from '@cluster/core'
import {
  type AlterCommand,
  type AssignCommand,
  type Assignment,
  type Command,
  type CommitCommand,
  type CreateCommand,
  type DropCommand,
  decodeCommand,
  type KeepCommand,
  type ReleaseCommand,
  type ReplicaCommand,
  type ReplicaRef,
  type ReserveCommand,
} from './commands.ts'
import { keepChanges, NOTHING_KEPT } from './kept-changes.ts'
import { isSettled, placeNew } from './placement.ts'
import { ProvisionalCommits } from './provisional.ts'
import type { Reads } from './reads.ts'
import { judgeAdditions, judgeReads } from './reads-judge.ts'
import { Reservations, TURN_MS_MAX } from './reservations.ts'
import type { CommandResult } from './results.ts'
import { type Entry, readState, statePieces } from './snapshot.ts'
import {
  completeCount,
  type DatabaseRecord,
  type PartitionRecord,
  type ReplicaRecord,
  replicaOn,
  withRelations,
} from './state.ts'
import { NO_TRAITS, type TraitsOf } from './traits.ts'
import { CertificationWindow, WINDOW_LIMITS, type WindowLimits } from './window.ts'

/** Relations below are catalogs. */
const FIRST_USER_RELATION = 16

/** So many databases that were dropped are remembered; what is on disk of earlier ones stays there. */
const DROPPED_MAX = 4_096

/** What an applied command changed, for the node's driver. */
export type Effect =
  | { readonly type: 'created'; readonly database: DatabaseRecord }
  | { readonly type: 'placed'; readonly databases: readonly DatabaseRecord[] }
  | { readonly type: 'dropped'; readonly database: DatabaseRecord }
  /** It may be the turn of another transaction that waits. */
  | { readonly type: 'turned' }
  | { readonly type: 'completed'; readonly node: NodeId; readonly replicas: readonly ReplicaRef[] }
  | {
      readonly type: 'committed'
      readonly database: DatabaseRecord
      readonly commit: CommitCommand
      readonly relations: readonly RelationId[]
    }

export interface Step {
  readonly result: CommandResult
  readonly effects: readonly Effect[]
}

const NO_EFFECTS: readonly Effect[] = []

/**
 * The replicated state of all databases: which exist, which node holds what, and who wrote what lately.
 * Deterministic: the same commands at the same indexes give the same state, results and snapshot everywhere.
 */
export class DatabasesMachine {
  readonly #limits: WindowLimits
  #byName = new Map<string, Entry>()
  #byId = new Map<number, Entry>()
  #index = 0
  #traits: TraitsOf = NO_TRAITS
  /** Unique names of databases that were dropped, so that whoever was away then knows what its stores are of. */
  #dropped: ReadonlySet<string> = new Set()
  /** What the bundle under way would commit; null outside of bundles. */
  #bundle: ProvisionalCommits | null = null

  /** @param limits of the certification window; the same on every node */
  constructor(limits: WindowLimits = WINDOW_LIMITS) {
    this.#limits = limits
  }

  /** The index of the newest command applied, or of the snapshot. */
  get index(): number {
    return this.#index
  }

  /** What nodes have told of themselves. */
  get traits(): TraitsOf {
    return this.#traits
  }

  database(name: string): DatabaseRecord | null {
    return this.#byName.get(name) ?? null
  }

  databaseById(id: number): DatabaseRecord | null {
    return this.#byId.get(id) ?? null
  }

  /** Whether the database with that unique name was dropped. */
  isDropped(uid: string): boolean {
    return this.#dropped.has(uid)
  }

  /** True while nobody has ever written a row outside of the catalogs: tables without rows can be made again. */
  get empty(): boolean {
    for (const { relations } of this.#byId.values())
      for (const relation of relations) if (relation >= FIRST_USER_RELATION) return false
    return true
  }

  /** Sorted by name. */
  databases(): readonly DatabaseRecord[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Applies the command at `index`; indexes grow. What cannot be read is a result without effect.
   * @param time log time of the entry
   */
  apply(index: number, bytes: Uint8Array, time = 0): Step {
    let command: Command
    try {
      command = decodeCommand(bytes)
    } catch (error) {
      if (!isClusterError(error)) throw error
      this.#index = index
      return { result: { type: 'malformed' }, effects: NO_EFFECTS }
    }
    return this.step(index, command, time)
  }

  step(index: number, command: Command, time = 0): Step {
    this.#index = index
    if (this.#bundle !== null && command.type !== 'commit' && command.type !== 'execute')
      return refused({ type: 'malformed' })
    switch (command.type) {
      case 'create':
        return this.#create(index, command)
      case 'assign':
        return this.#assign(index, command)
      case 'complete':
      case 'lost':
        return this.#mark(index, command)
      case 'offer':
        return this.#offer(index, command)
      case 'durable':
        return this.#note(command)
      case 'commit':
      case 'execute':
        return this.#commit(index, command, time)
      case 'reserve':
        return this.#reserve(index, command, time)
      case 'release':
        return this.#release(command, time)
      case 'describe':
        this.#traits = new Map(this.#traits).set(command.node, command.traits)
        return placed([])
      case 'alter':
        return this.#alter(command)
      case 'drop':
        return this.#drop(command)
      case 'keep':
        return this.#keep(index, command)
    }
  }

  #create(index: number, { name, uid, options, candidates }: CreateCommand): Step {
    const existing = this.#byName.get(name)
    if (existing !== undefined)
      return { result: { type: 'database', id: existing.id, created: false }, effects: NO_EFFECTS }
    const entry: Entry = {
      id: index,
      name,
      uid,
      options,
      partitions: placeNew(index, options, candidates, this.#traits),
      relations: new Set(),
      window: new CertificationWindow(this.#limits),
      reservations: new Reservations(),
      kept: NOTHING_KEPT,
    }
    this.#byName.set(name, entry)
    this.#byId.set(index, entry)
    return {
      result: { type: 'database', id: index, created: true },
      effects: [{ type: 'created', database: entry }],
    }
  }

  #assign(index: number, { assignments }: AssignCommand): Step {
    const changed = new Set<Entry>()
    for (const assignment of assignments) {
      const entry = this.#byId.get(assignment.database)
      const partition = entry?.partitions[assignment.partition]
      if (entry === undefined || partition === undefined || partition.epoch !== assignment.epoch) continue
      const replicas = assigned(partition, assignment, index)
      if (replicas === null) continue
      this.#place(entry, partition, replicas)
      changed.add(entry)
    }
    if (changed.size === 0) return { result: { type: 'stale' }, effects: NO_EFFECTS }
    return placed([...changed])
  }

  #mark(index: number, { type, node, replicas }: ReplicaCommand): Step {
    const changed = new Set<Entry>()
    const marked: ReplicaRef[] = []
    for (const ref of replicas) {
      const entry = this.#byId.get(ref.database)
      const partition = entry?.partitions[ref.partition]
      if (entry === undefined || partition === undefined) continue
      const complete = type === 'complete'
      // `since` names the assignment: a copy made for an earlier one must not pass for this one.
      const fits = (replica: ReplicaRecord): boolean =>
        replica.node === node && replica.since === ref.since && replica.complete !== complete
      if (!partition.replicas.some(fits)) continue
      const next = partition.replicas.map(
        (replica): ReplicaRecord =>
          fits(replica)
            ? complete
              ? { ...replica, complete, durable: replica.since }
              : { node, complete, since: index, replaces: null, durable: 0 }
            : replica,
      )
      this.#place(entry, partition, next)
      changed.add(entry)
      marked.push(ref)
    }
    if (changed.size === 0) return { result: { type: 'stale' }, effects: NO_EFFECTS }
    const { result, effects } = placed([...changed])
    return type === 'lost'
      ? { result, effects }
      : { result, effects: [...effects, { type: 'completed', node, replicas: marked }] }
  }

  /**
   * A former holder comes back while nobody has a complete copy: its replica is recorded again, incomplete until
   * the node has found that its copy has everything.
   */
  #offer(index: number, { node, replicas }: ReplicaCommand): Step {
    const changed = new Set<Entry>()
    for (const ref of replicas) {
      const entry = this.#byId.get(ref.database)
      const partition = entry?.partitions[ref.partition]
      if (entry === undefined || partition === undefined) continue
      if (completeCount(partition) > 0 || replicaOn(partition, node) !== undefined) continue
      const offered: ReplicaRecord = { node, complete: false, since: index, replaces: null, durable: 0 }
      const next = [...partition.replicas, offered].sort((a, b) => (a.node < b.node ? -1 : 1))
      this.#place(entry, partition, next)
      changed.add(entry)
    }
    if (changed.size === 0) return { result: { type: 'stale' }, effects: NO_EFFECTS }
    return placed([...changed])
  }

  /** Notes what a node has on disk. Who holds what stays as it is, and so does the epoch. */
  #note({ node, replicas }: ReplicaCommand): Step {
    for (const { database, partition: id, since: durable } of replicas) {
      const entry = this.#byId.get(database)
      const partition = entry?.partitions[id]
      if (entry === undefined || partition === undefined) continue
      entry.partitions[id] = {
        ...partition,
        replicas: partition.replicas.map((replica) =>
          replica.node === node && replica.complete && replica.durable < durable
            ? { ...replica, durable }
            : replica,
        ),
      }
    }
    return { result: { type: 'done', copies: 0 }, effects: NO_EFFECTS }
  }

  #place(entry: Entry, partition: PartitionRecord, replicas: readonly ReplicaRecord[]): void {
    entry.partitions[partition.id] = {
      ...partition,
      epoch: partition.epoch + 1,
      replicas,
      settled: partition.settled || isSettled(entry.options, replicas),
    }
  }

  #commit(index: number, commit: CommitCommand, time: number): Step {
    const entry = this.#byId.get(commit.database)
    if (entry === undefined) return refused({ type: 'unknownDatabase' })
    const { reservations } = entry
    const { reservation } = commit
    const before = reservations.current
    if (before !== null) reservations.expire(time)
    const relation = reservations.inTheWay(commit.parts, reservation)
    const result: CommandResult =
      relation === null ? this.#certify(index, entry, commit) : { type: 'reserved', relation }
    if (this.#bundle !== null) {
      if (result.type === 'done') this.#bundle.add({ index, commit, time })
      return reservations.current === before ? refused(result) : turned(refused(result))
    }
    const step = result.type === 'done' ? adopted(index, entry, commit, result) : refused(result)
    // Its turn is over, whatever came of it; unless it has yet to come.
    if (reservation !== 0 && relation === null) reservations.remove(reservation, time)
    return reservations.current === before ? step : turned(step)
  }

  /** What comes of the commit; nothing is changed by asking. */
  #certify(index: number, entry: Entry, commit: CommitCommand): CommandResult {
    const copies = judgeCopies(entry, commit)
    if (typeof copies !== 'number') return copies
    // A version from the future was read in another cluster, which this node has left since.
    if (commit.version >= index) return { type: 'versionGone', oldest: index }
    const conflict =
      judgeReads(entry.window, commit) ??
      judgeAdditions(entry.window, commit.version, commit.parts) ??
      this.#bundle?.judge(commit) ??
      null
    return conflict ?? { type: 'done', copies }
  }

  /**
   * From here on commits are judged, in the order in which they come, and change nothing yet. No other command is taken:
   * those of a bundle are what every node can judge.
   */
  beginBundle(): void {
    assert(this.#bundle === null, 'bundles of databases are not nested')
    this.#bundle = new ProvisionalCommits(this.#limits)
  }

  /** Does what was judged since `beginBundle`. */
  adoptBundle(): readonly Effect[] {
    const commits = this.#bundle?.commits ?? []
    this.#bundle = null
    return commits.flatMap(({ index, commit, time }) => {
      const entry = this.#byId.get(commit.database)
      assert(entry, `the database ${commit.database} of a commit that was judged exists`)
      const { reservations } = entry
      const before = reservations.current
      const { effects } = adopted(index, entry, commit, { type: 'done', copies: 0 })
      if (commit.reservation !== 0) reservations.remove(commit.reservation, time)
      return reservations.current === before ? effects : [...effects, { type: 'turned' as const }]
    })
  }

  dropBundle(): void {
    this.#bundle = null
  }

  #reserve(index: number, { database, turnMs, points, ranges }: ReserveCommand, time: number): Step {
    const entry = this.#byId.get(database)
    if (entry === undefined) return refused({ type: 'unknownDatabase' })
    const { reservations } = entry
    reservations.expire(time)
    const reservation = { id: index, turnMs: Math.min(turnMs, TURN_MS_MAX), points, ranges }
    const taken = reservations.add(reservation, time)
    return turned(refused(taken ? { type: 'done', copies: 0 } : { type: 'stale' }))
  }

  #release({ database, reservation }: ReleaseCommand, time: number): Step {
    const { reservations } = this.#byId.get(database) ?? {}
    const expired = reservations?.expire(time) ?? false
    const released = reservations?.remove(reservation, time) ?? false
    const step = refused(released ? { type: 'done', copies: 0 } : { type: 'stale' })
    return expired || released ? turned(step) : step
  }

  #alter({ database, redundancy, minCopies }: AlterCommand): Step {
    const entry = this.#byId.get(database)
    if (entry === undefined) return refused({ type: 'unknownDatabase' })
    entry.options = { ...entry.options, redundancy, minCopies }
    return placed([entry])
  }

  #drop({ database }: DropCommand): Step {
    const entry = this.#byId.get(database)
    if (entry === undefined) return refused({ type: 'unknownDatabase' })
    this.#byId.delete(database)
    this.#byName.delete(entry.name)
    const dropped = [...this.#dropped, entry.uid]
    this.#dropped = new Set(dropped.slice(-DROPPED_MAX))
    const result: CommandResult = { type: 'done', copies: 0 }
    return turned({ result, effects: [{ type: 'dropped', database: entry }] })
  }

  #keep(index: number, { database, on, relations }: KeepCommand): Step {
    const entry = this.#byId.get(database)
    if (entry === undefined) return refused({ type: 'unknownDatabase' })
    entry.kept = keepChanges(entry.kept, relations, on, index)
    return refused({ type: 'done', copies: 0 })
  }

  /** Whether it is a reservation's turn, or not yet, or no more. */
  turnOf(database: number, reservation: number): 'now' | 'later' | 'over' {
    const { reservations } = this.#byId.get(database) ?? {}
    if (reservations === undefined || !reservations.has(reservation)) return 'over'
    return reservations.current === reservation ? 'now' : 'later'
  }

  /** What a commit with these reads would be refused for after the last command applied; null when it would pass. */
  judge(database: number, reads: Reads): CommandResult | null {
    const entry = this.#byId.get(database)
    return entry === undefined ? { type: 'unknownDatabase' } : judgeReads(entry.window, reads)
  }

  /** The state of this moment; equal states give equal bytes. */
  snapshot(): Uint8Array {
    return joinBytes([...this.pieces()])
  }

  /** The same bytes in pieces that are made when they are asked for, while further commands are applied. */
  pieces(): Generator<Uint8Array> {
    return statePieces({
      index: this.#index,
      entries: this.#byId.values(),
      traits: this.#traits,
      dropped: this.#dropped,
    })
  }

  /** @throws DB_FRAME_DAMAGED when the snapshot cannot be read; the state is then what it was */
  restore(snapshot: Uint8Array | null, index: number): void {
    const read = snapshot === null || snapshot.length === 0 ? null : readState(snapshot, this.#limits)
    const entries = read?.entries ?? []
    this.#traits = read?.traits ?? new Map()
    this.#dropped = read?.dropped ?? new Set()
    this.#byId = new Map(entries.map((entry) => [entry.id, entry]))
    this.#byName = new Map(entries.map((entry) => [entry.name, entry]))
    this.#index = index
  }
}

/** The step, and the news that it may be somebody else's turn. */
const turned = ({ result, effects }: Step): Step => ({ result, effects: [...effects, { type: 'turned' }] })

const refused = (result: CommandResult): Step => ({ result, effects: NO_EFFECTS })

/** Notes that the commit took place. */
function adopted(index: number, entry: Entry, commit: CommitCommand, result: CommandResult): Step {
  const relations = entry.window.add(index, commit.parts)
  for (const relation of relations) entry.relations.add(relation)
  for (const part of commit.parts) {
    const record = entry.partitions[part.partition]
    if (record === undefined) continue
    const written = withRelations(record.relations, part.relations)
    entry.partitions[part.partition] = { ...record, lastWrite: index, relations: written }
  }
  return { result, effects: [{ type: 'committed', database: entry, commit, relations }] }
}

const placed = (databases: readonly DatabaseRecord[]): Step => ({
  result: { type: 'done', copies: 0 },
  effects: [{ type: 'placed', databases }],
})

/** The new replicas of a partition; null when the change would lose the last complete copy. */
function assigned(
  partition: PartitionRecord,
  { replicas }: Assignment,
  index: number,
): readonly ReplicaRecord[] | null {
  const next = replicas.map(({ node, replaces }): ReplicaRecord => {
    const before = partition.replicas.find((replica) => replica.node === node)
    if (before === undefined) return { node, complete: false, since: index, replaces, durable: 0 }
    return before.replaces === replaces ? before : { ...before, replaces }
  })
  return next.some((replica) => replica.complete) ? next : null
}

/** The fewest complete copies among the partitions written, or why it cannot be written. */
function judgeCopies(entry: Entry, { parts }: CommitCommand): number | CommandResult {
  let copies = Number.MAX_SAFE_INTEGER
  for (const { partition } of parts) {
    const record = entry.partitions[partition]
    if (record === undefined) return { type: 'malformed' }
    const complete = completeCount(record)
    if (complete === 0) return { type: 'unavailable', partition: partition as PartitionId }
    if (complete < copies) copies = complete
  }
  if (parts.length === 0) return 0
  return copies < entry.options.minCopies ? { type: 'tooFewCopies', copies } : copies
}
