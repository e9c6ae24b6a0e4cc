import {
  type Addition,
  assert,
  ClusterError,
  isClusterError,
  type Key,
  type LineageId,
  type NodeId,
  type PartitionId,
  type PartitionStore,
  type RelationId,
  type RowProgram,
  type RowWrite,
  type Version,
} from '@cluster/core'
import { addTo } from '../../machine/additions.ts'
import type { CommitCommand, CommitPart } from '../../machine/commands.ts'
import { type KeptChanges, NOTHING_KEPT } from '../../machine/kept-changes.ts'
import { UnknownProgramError } from '../../machine/program/codec.ts'
import { runProgram } from '../../machine/program/run.ts'
import type { DatabaseRecord } from '../../machine/state.ts'
import { CHANGE_LIMITS, type ChangeLimits, ChangeLog } from '../feed/change-log.ts'
import { Outcomes } from './outcomes.ts'
import { signature, writtenIn } from './signature.ts'
import { slotName } from './store-names.ts'

/**
 * - `opening`: what is on disk is being opened;
 * - `missing`: there is nothing on disk that could be brought up to date; a copy is needed;
 * - `copying`: a copy is on its way;
 * - `ready`: the store has everything that was applied here;
 * - `retired`: this node no longer holds the partition.
 */
export type ReplicaPhase = 'opening' | 'missing' | 'copying' | 'ready' | 'retired'

interface Pending {
  readonly version: Version
  /** What is written, or computes it from the rows that are there then. */
  readonly writes: readonly (RowWrite | RowAddition)[] | RowProgram
  /** Of which relations changes were kept then. */
  readonly kept: KeptChanges
}

/** A row that is added to. */
interface RowAddition {
  readonly relation: RelationId
  readonly key: Key
  readonly additions: readonly Addition[]
}

/** What became of a commit's rows here. */
export type Written =
  | { readonly type: 'written' }
  /** Nobody can read its rows, so all leave them out alike. */
  | { readonly type: 'unreadable'; readonly error: ClusterError }
  /** Others could compute its rows and this replica cannot: its copy is of no use any more. */
  | { readonly type: 'lost'; readonly error: unknown }

const WRITTEN: Written = { type: 'written' }

/** One partition on this node: its store, and the writes that wait until the store is there. */
export class LocalReplica {
  readonly database: number
  readonly partition: PartitionId
  /** What stands for the partition on this node, whichever store is in use. */
  readonly slot: string
  /** The store's name in the engine; known once it was looked for on disk. */
  name: string
  phase: ReplicaPhase = 'opening'
  store: PartitionStore | null = null
  /** True while the log records this node's replica as complete. */
  recorded = false
  /** A store at or past this version, plus the writes queued, has everything. */
  baseline: number
  /** Who gave the copy, if it was copied in this process. */
  source: NodeId | null = null
  readonly #outcomes = new Outcomes()
  readonly #changes: ChangeLog
  /** Grows whenever writes were missed, so that a copy under way is known to be of no use. */
  generation = 0
  /** Bytes written since the last checkpoint began, roughly. */
  bytesSince = 0
  #pending: Pending[] = []
  #pendingBytes = 0
  readonly #pendingBytesMax: number
  #newestWrite: number
  /** A copy must be on disk up to here before it counts. */
  #solidFrom = 0
  #closed = false
  readonly #lineage: () => LineageId | null
  /** The lineage in which the store was written last, as the store itself says. */
  #writtenIn: LineageId | null = null

  constructor(
    { id, uid }: Pick<DatabaseRecord, 'id' | 'uid'>,
    partition: PartitionId,
    baseline: number,
    pendingBytesMax: number,
    lineage: () => LineageId | null,
    changes: ChangeLimits = CHANGE_LIMITS,
  ) {
    this.database = id
    this.partition = partition
    this.slot = slotName(uid, partition)
    this.name = this.slot
    this.#lineage = lineage
    this.#changes = new ChangeLog(partition, changes)
    this.baseline = baseline
    this.#newestWrite = baseline
    this.#pendingBytesMax = pendingBytesMax
  }

  /** The store, while it may answer: it has everything and the log says so. */
  serving(): PartitionStore | null {
    return this.phase === 'ready' && this.recorded && !this.#closed ? this.store : null
  }

  /** Adds a commit's writes, or runs its program; commits come in order. */
  write(
    version: Version,
    part: CommitPart,
    type: CommitCommand['type'],
    kept: KeptChanges = NOTHING_KEPT,
  ): Written {
    if (this.phase === 'retired') return WRITTEN
    this.#newestWrite = version
    if (this.#closed || this.phase === 'missing') return WRITTEN
    let unreadable: ClusterError | null = null
    let writes: Pending['writes'] = []
    try {
      writes = type === 'execute' ? part.program() : rowWrites(part)
    } catch (error) {
      if (error instanceof UnknownProgramError) return this.#lose(error)
      if (!isClusterError(error)) throw error
      unreadable = error
    }
    const written = this.#add({ version, writes, kept }, part)
    return unreadable === null ? written : { type: 'unreadable', error: unreadable }
  }

  #add(pending: Pending, part: CommitPart): Written {
    if (this.phase === 'ready') {
      assert(this.store !== null, 'a replica that is ready has a store')
      this.bytesSince += part.bytes + 32
      try {
        return this.#put(this.store, pending)
      } catch (error) {
        if (!isClusterError(error)) throw error
        return this.#lose(error)
      }
    }
    this.#pending.push(pending)
    this.#pendingBytes += part.bytes + 64
    if (this.phase === 'copying' && this.#pendingBytes > this.#pendingBytesMax)
      this.restartQueue(pending.version)
    return WRITTEN
  }

  /** Writes are told by the log or by the program, which finds here what every other replica finds. */
  #put(store: PartitionStore, { version, writes, kept }: Pending): Written {
    // Replay: the store has it, and what came behind it.
    if (version <= store.appliedVersion()) return WRITTEN
    if (!('steps' in writes)) {
      const { rows, unreadable } = withSums(store, version, writes)
      store.apply(version, this.#signed(this.#withChanges(store, version, rows, kept)))
      return unreadable === null ? WRITTEN : { type: 'unreadable', error: unreadable }
    }
    const { relation } = writes
    const run = runProgram(writes, (key) => store.get(relation, key, version))
    const rows = run.writes.map(({ key, row }): RowWrite => ({ relation, key, row }))
    const all = this.#withChanges(store, version, rows, kept)
    store.apply(version, this.#signed([...all, this.#outcomes.write(version, run.outcome)]))
    return WRITTEN
  }

  /** What is kept for those who follow the changes is written with them. */
  #withChanges(
    store: PartitionStore,
    version: Version,
    writes: readonly RowWrite[],
    kept: KeptChanges,
  ): readonly RowWrite[] {
    if (kept.size === 0) return writes
    const changes = this.#changes.rows(version, writes, kept, store)
    return changes.length === 0 ? writes : [...writes, ...changes]
  }

  /** The first writes of a lineage carry its name. */
  #signed(writes: readonly RowWrite[]): readonly RowWrite[] {
    const lineage = this.#lineage()
    if (lineage === null || lineage === this.#writtenIn) return writes
    this.#writtenIn = lineage
    return [...writes, signature(lineage)]
  }

  /**
   * A copy is given away at a version of now, whenever the last write was: it must name the lineage of now.
   * @param version everything up to it was applied here
   */
  sign(version: Version): void {
    if (this.phase !== 'ready' || this.store === null || this.#closed || this.#writtenIn === null) return
    if (version <= this.store.appliedVersion()) return
    const signed = this.#signed([])
    if (signed.length > 0) this.store.apply(version, signed)
  }

  /** The copy here is of no use any more. */
  #lose(error: unknown): Written {
    this.restartQueue(this.#newestWrite)
    if (this.phase === 'ready') this.phase = 'missing'
    return { type: 'lost', error }
  }

  /** Others have agreed that the copy here is wrong, although nobody here would know. */
  condemn(): void {
    assert(this.phase === 'ready', 'only a copy in use is given up')
    this.restartQueue(this.#newestWrite)
    this.phase = 'missing'
  }

  /** Begins to queue: the store to come must stand at `version` or later. */
  restartQueue(version: number): void {
    this.#pending = []
    this.#pendingBytes = 0
    this.baseline = version
    this.generation++
  }

  /** A snapshot replaced the state: writes up to `lastWrite` may have been missed. */
  jumped(lastWrite: number): void {
    this.#newestWrite = lastWrite
    this.restartQueue(lastWrite)
    if (this.phase !== 'ready' || this.store === null) return
    if (this.store.appliedVersion() < lastWrite) this.phase = 'missing'
  }

  /**
   * Takes the store into service, if it has everything together with the queue. False when it has not.
   * @param copied it came from another node, so a restart may find no log behind what is on disk
   */
  adopt(store: PartitionStore, copied = false): boolean {
    const lineage = writtenIn(store)
    // What was never written says nothing of how far it goes, unless whoever gave it does.
    if ((lineage === null && !copied ? 0 : store.appliedVersion()) < this.baseline) return false
    this.#writtenIn = lineage
    this.#changes.load(store)
    for (const pending of this.#pending) this.#put(store, pending)
    this.#solidFrom = copied ? store.appliedVersion() : 0
    this.#pending = []
    this.#pendingBytes = 0
    this.store = store
    this.phase = 'ready'
    return true
  }

  /** True once a restart would find all of it, with the log that is kept from now on. */
  get solid(): boolean {
    return this.store !== null && this.store.durableVersion() >= this.#solidFrom
  }

  /** No more writes reach the store; it is about to be closed. */
  close(): void {
    this.#closed = true
  }

  retire(): void {
    this.phase = 'retired'
    this.recorded = false
    this.#pending = []
  }

  /** True when a checkpoint would make something durable. */
  get dirty(): boolean {
    return this.store !== null && this.phase === 'ready' && this.store.durableVersion() < this.#newestWrite
  }

  /** After a restart no log entry up to this index is needed for this partition. */
  durableIndex(): number {
    switch (this.phase) {
      case 'opening':
        return 0
      case 'missing':
      case 'copying':
      case 'retired':
        // What is on disk is not counted on: after a restart the partition is copied anew.
        return Number.POSITIVE_INFINITY
      case 'ready': {
        const durable = this.store?.durableVersion() ?? 0
        return durable >= this.#newestWrite ? Number.POSITIVE_INFINITY : durable
      }
    }
  }

  /** What came of the program at that version, if this replica ran it, or has it from one that did. */
  outcome(version: Version): Uint8Array | null {
    return this.phase === 'ready' && this.store !== null ? this.#outcomes.read(this.store, version) : null
  }

  rows(relations: Iterable<RelationId>): number {
    if (this.store === null) return 0
    let rows = 0
    for (const relation of relations) rows += this.store.count(relation)
    return rows
  }
}

function rowWrites(part: CommitPart): readonly (RowWrite | RowAddition)[] {
  const rows = part.rows()
  const added = part.additions()
  return rows.map((row, i) => {
    const relation = part.relations[i] as RelationId
    const key = part.keys[i] as string
    const additions = added.get(i)
    return additions === undefined ? { relation, key, row } : { relation, key, additions }
  })
}

/**
 * Rows that are added to as they become. That the row is there and has room was certified; where it is not so all the same, all
 * replicas find the same and leave the row as it is: a wrong sum must not cost anybody its copy.
 */
function withSums(
  store: PartitionStore,
  version: Version,
  writes: readonly (RowWrite | RowAddition)[],
): { readonly rows: readonly RowWrite[]; readonly unreadable: ClusterError | null } {
  let unreadable: ClusterError | null = null
  const rows: RowWrite[] = []
  for (const write of writes) {
    if (!('additions' in write)) {
      rows.push(write)
      continue
    }
    const { relation, key, additions } = write
    const before = store.get(relation, key, version)
    const row = before === null ? null : addTo(before, additions)
    if (row === null) unreadable = sumImpossible(relation)
    else rows.push({ relation, key, row })
  }
  return { rows, unreadable }
}

const sumImpossible = (relation: RelationId): ClusterError =>
  new ClusterError(
    { code: 'DB_FRAME_DAMAGED', outcome: 'rejected' },
    `Something was to be added to a row of relation ${relation} that is not there or has no room, although the cluster agreed on it. The row stays as it is; compare the copies (verify), and run the same version on all nodes.`,
  )
