import {
  assert,
  type Clock,
  type FrameStream,
  type Logger,
  type LogIndex,
  logIndex,
  type NodeId,
  type Peers,
} from '@cluster/core'
import { isWitness } from '../../machine/raft/configuration.ts'
import type { Entry } from '../../machine/raft/types.ts'
import type { Applier } from '../commands/applier.ts'
import { withoutData } from '../commands/applier-state.ts'
import type { Runner } from '../run/runner.ts'
import { receiveSnapshot, type Snapshot, sendSnapshot } from './snapshot-streams.ts'

export interface SnapshotsPorts {
  readonly clock: Clock
  readonly peers: Peers
  readonly logger: Logger
  readonly applier: Applier
  /** The runner of now; null while the log does not run or starts over. */
  runner(): Runner | null
}

export interface SnapshotLimits {
  readonly snapshotBytes: number
  readonly snapshotEntries: number
  readonly tailEntries: number
  /** With `last-standing` both of two voters may go on alone. */
  readonly quorum: 'majority' | 'last-standing'
  /** This node keeps the log only as long as others may need it from here. */
  readonly witness: boolean
}

/** Log kept since two nodes parted; it is in memory too. */
const PARTED_BYTES_MAX = 64 * 1024 * 1024
/** A follower that asks a witness for a snapshot asks again after this. */
const WITNESS_REFUSES_MS = 500
/** Time for a whole snapshot to go over. */
const SEND_DEADLINE_MS = 60_000

/** When to take a snapshot, when to save it, and who gets one. */
export class Snapshots {
  readonly #ports: SnapshotsPorts
  readonly #limits: SnapshotLimits
  /** The newest that is on disk here. Only such a one is sent: what it stands for, every holder has on its disk. */
  #saved: Snapshot | null = null
  /** Made, but not every machine has made its part durable yet. */
  #unsaved: Snapshot | null = null
  #saving = false
  #index = 0
  #bytesSince = 0

  constructor(ports: SnapshotsPorts, limits: SnapshotLimits) {
    this.#ports = ports
    this.#limits = limits
  }

  /** True while a snapshot waits for the machines to be durable. */
  get waits(): boolean {
    return this.#unsaved !== null
  }

  /** The log begins behind this snapshot, which is on disk; null when it begins at the first entry. */
  begin(saved: Snapshot | null): void {
    this.#saved = saved
    this.#unsaved = null
    this.#saving = false
    this.#index = saved?.meta.index ?? 0
    this.#bytesSince = 0
  }

  /** These entries are on their way to the machines. */
  count(entries: readonly Entry[]): void {
    for (const entry of entries) if (entry.kind === 'command') this.#bytesSince += entry.data.length
  }

  /** Takes a snapshot when the log since the last one has grown enough. */
  progressed(): void {
    const { snapshotBytes, snapshotEntries } = this.#limits
    const { applier } = this.#ports
    const entries = applier.applied - this.#index
    if (this.#unsaved || this.#saving || applier.sealed) return
    if (entries < snapshotEntries && (this.#bytesSince < snapshotBytes || entries === 0)) return
    const runner = this.#ports.runner()
    if (!runner) return
    this.#unsaved = this.#take(runner)
    this.save()
  }

  /** Up to here the log is needed by nobody: every machine here has it on disk, or every voter with data. */
  #durableIndex(runner: Runner): number {
    return this.#limits.witness ? runner.view().everywhere : this.#ports.applier.durableIndex()
  }

  /**
   * While this node is on its own and the other one may be too, the log since they parted is kept as long as that is
   * bearable: one of both histories will have to go, and what is in it is then written down.
   */
  #partedAt(runner: Runner): number {
    const { alone, configuration, history, logBytes } = runner.view()
    const single = alone && configuration?.voters.length === 1 && this.#limits.quorum === 'last-standing'
    const branch = history?.ancestry.at(-1)
    return single && branch && logBytes < PARTED_BYTES_MAX ? branch.index + 1 : Number.POSITIVE_INFINITY
  }

  /** Saves a snapshot once every machine has made durable by itself what lies before it: only then may the log go. */
  save(): void {
    const snapshot = this.#unsaved
    const runner = this.#ports.runner()
    if (!snapshot || this.#saving || !runner) return
    const { logger } = this.#ports
    if (this.#durableIndex(runner) < snapshot.meta.index) return
    this.#unsaved = null
    this.#saving = true
    const tail = this.#limits.witness ? 0 : this.#limits.tailEntries
    const cutBefore = logIndex(Math.max(1, Math.min(snapshot.meta.index + 1 - tail, this.#partedAt(runner))))
    runner.compact(snapshot, cutBefore, () => {
      this.#saving = false
      // A leader's snapshot may have come in meanwhile.
      if (this.#saved === null || this.#saved.meta.index < snapshot.meta.index) this.#saved = snapshot
      logger.log('debug', 'snapshot saved', { index: snapshot.meta.index, bytes: snapshot.bytes.length })
    })
  }

  /** @throws what the machines throw */
  restore(snapshot: Snapshot): void {
    const { meta, bytes } = snapshot
    this.#ports.applier.restore(bytes, meta.index, meta.configuration)
    this.#saved = snapshot
    this.#unsaved = null
    this.#index = meta.index
    this.#bytesSince = 0
  }

  /**
   * Streams the saved snapshot to a follower whose next entry is gone here. A newer one, taken now, could be ahead of
   * what holders have made durable by themselves: a holder that jumped there would count its own copies as lost.
   * A witness gets what it needs of it, and has none to give: it leads only until another voter can.
   */
  send(to: NodeId, atLeast: LogIndex, term: number): void {
    const { peers, logger } = this.#ports
    const runner = this.#ports.runner()
    const { history, configuration } = runner?.view() ?? {}
    const saved = this.#saved
    if (!runner || !history) return
    if (this.#limits.witness) {
      this.#ports.clock.after(WITNESS_REFUSES_MS, () => {
        if (this.#ports.runner() === runner)
          runner.input({ type: 'snapshotSent', to, index: atLeast, ok: false })
      })
      return
    }
    assert(saved !== null && saved.meta.index >= atLeast, 'the log is cut only behind a saved snapshot')
    // It may have been made before this group went on alone; what it holds is common to both lineages.
    const meta = { ...saved.meta, history }
    const witness = isWitness(configuration ?? null, to)
    const bytes = witness ? withoutData(saved.bytes, meta.index) : saved.bytes
    const snapshot = { meta, bytes }
    void sendSnapshot(peers, to, term, snapshot, logger, { deadlineMs: SEND_DEADLINE_MS }).then((ok) => {
      runner.input({ type: 'snapshotSent', to, index: snapshot.meta.index, ok })
    })
  }

  receive(from: NodeId, opening: Uint8Array, stream: FrameStream): void {
    const runner = this.#ports.runner()
    if (!runner) {
      stream.abort('the ordered log does not run')
      return
    }
    void receiveSnapshot(opening, stream, this.#ports.logger, ({ meta, term }, bytes) => {
      if (this.#ports.runner() === runner) runner.received(from, term, { meta, bytes })
    })
  }

  #take(runner: Runner): Snapshot {
    const { applier } = this.#ports
    const index = applier.applied
    assert(index > 0, 'there is something to take a snapshot of')
    const snapshot = { meta: runner.snapshotMeta(index), bytes: applier.snapshot() }
    this.#index = index
    this.#bytesSince = 0
    return snapshot
  }
}
