import {
  assert,
  type Clock,
  crc32c,
  delay,
  type FrameStream,
  hash32,
  type Logger,
  type LogIndex,
  logIndex,
  type NodeId,
  type Peers,
} from '@cluster/core'
import type { Effect, Entry, SnapshotMeta } from '../../machine/raft/types.ts'
import type { Applier } from '../commands/applier.ts'
import { headOf, type TakenState, withoutData } from '../commands/applier-state.ts'
import type { LogStore, OpenSnapshot } from '../disk/log-store.ts'
import { Tally } from '../disk/snapshot-file.ts'
import type { Runner } from '../run/runner.ts'
import { type Sendable, SnapshotInbox, sendSnapshot } from './snapshot-streams.ts'

export interface SnapshotsPorts {
  readonly clock: Clock
  readonly peers: Peers
  readonly logger: Logger
  readonly applier: Applier
  /** The log on disk; only while it is open. */
  store(): LogStore
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
/** Writing a piece of an own snapshot that takes longer is followed by a rest, of so long at most. */
const LONG_MS = 2
const REST_MS_MAX = 100
/** A node takes its snapshots earlier than the limits say by up to this part of them. */
const SHARE_LESS_MAX = 0.3

/** A snapshot that was taken and is not on disk yet. */
export interface TakenSnapshot {
  readonly meta: SnapshotMeta
  readonly state: TakenState
}

/** When to take a snapshot, when to save it, and who gets one. */
export class Snapshots {
  readonly #ports: SnapshotsPorts
  readonly #limits: SnapshotLimits
  /** The newest that is on disk here. Only such a one is sent: what it stands for, every holder has on its disk. */
  #saved: SnapshotMeta | null = null
  /** Taken, but not every machine has made its part durable yet. */
  #unsaved: TakenSnapshot | null = null
  readonly #inbox: SnapshotInbox
  /** Of the limits, which this node goes by: were it the same for all, all would be busy with snapshots at once. */
  readonly #share: number
  #saving = false
  #index = 0
  #bytesSince = 0

  constructor(ports: SnapshotsPorts, limits: SnapshotLimits) {
    this.#ports = ports
    this.#limits = limits
    this.#share = 1 - (hash32(ports.peers.self) / 2 ** 32) * SHARE_LESS_MAX
    this.#inbox = new SnapshotInbox({
      logger: ports.logger,
      create: (meta) => ports.store().newSnapshot(meta),
    })
  }

  /** True while a snapshot waits for the machines to be durable. */
  get waits(): boolean {
    return this.#unsaved !== null
  }

  /** The log begins behind this snapshot, which is on disk; null when it begins at the first entry. */
  begin(saved: SnapshotMeta | null): void {
    this.#saved = saved
    this.#saving = false
    this.#from(saved?.index ?? 0)
    this.#inbox.forget()
  }

  stop(): void {
    this.#inbox.close()
    this.#unsaved?.state.release()
    this.#unsaved = null
  }

  #from(index: number): void {
    this.#unsaved?.state.release()
    this.#unsaved = null
    this.#index = index
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
    const many = entries >= snapshotEntries * this.#share
    if (!many && (this.#bytesSince < snapshotBytes * this.#share || entries === 0)) return
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
    const { meta, state } = snapshot
    const pieces = state.pieces(this.#pace())
    runner.compact(meta, pieces, cutBefore, ({ bytes }) => {
      this.#saving = false
      // A leader's snapshot may have come in meanwhile.
      if (this.#saved === null || this.#saved.index < meta.index) this.#saved = meta
      logger.log('debug', 'snapshot saved', { index: meta.index, bytes })
    })
  }

  /**
   * What comes between two pieces: a turn for others, and after work that took long, as syncs do, as long a rest, so that
   * the log has the disk for half of the time.
   */
  #pace(): () => Promise<void> {
    const { clock } = this.#ports
    let begunAt = clock.now()
    return async () => {
      const tookMs = Math.min(clock.now() - begunAt, REST_MS_MAX)
      await (tookMs < LONG_MS ? clock.turn() : delay(clock, tookMs))
      begunAt = clock.now()
    }
  }

  /**
   * The log begins behind this snapshot: the machines take it from the disk.
   * @returns its bytes; null when a newer one came meanwhile, or the node stops
   * @throws what the machines throw
   */
  async restore(meta: SnapshotMeta): Promise<number | null> {
    this.#saved = meta
    this.#from(meta.index)
    const { index } = meta
    this.#ports.applier.hold()
    const snapshot = await this.#ports.store().readSnapshot()
    if (snapshot === null) return null
    const { summary, reader } = snapshot
    try {
      // The newer one is brought in by itself.
      if (snapshot.meta.index !== index) return null
      const restored = await this.#ports.applier.restore(reader.pieces(), index, meta.configuration)
      return restored ? summary.bytes : null
    } finally {
      await reader.close()
    }
  }

  /**
   * Streams the saved snapshot to a follower whose next entry is gone here. A newer one, taken now, could be ahead of
   * what holders have made durable by themselves: a holder that jumped there would count its own copies as lost.
   * A witness gets what it needs of it, and has none to give: it leads only until another voter can.
   */
  send({ to, atLeast, term, witness }: Extract<Effect, { type: 'sendSnapshot' }>): void {
    const { logger } = this.#ports
    const runner = this.#ports.runner()
    const { history } = runner?.view() ?? {}
    const saved = this.#saved
    if (!runner || !history) return
    if (this.#limits.witness) {
      this.#ports.clock.after(WITNESS_REFUSES_MS, () => {
        if (this.#ports.runner() === runner)
          runner.input({ type: 'snapshotSent', to, index: atLeast, ok: false })
      })
      return
    }
    assert(saved !== null && saved.index >= atLeast, 'the log is cut only behind a saved snapshot')
    const sending = this.#stream(to, term, history, witness)
    void sending
      .catch((error: unknown) => {
        logger.log('warn', 'snapshot not read', { to, why: String(error) })
        return null
      })
      .then((index) => {
        const ok = index !== null
        runner.input({ type: 'snapshotSent', to, index: index ?? saved.index, ok })
      })
  }

  /** @returns the index of what was sent whole, else null */
  async #stream(
    to: NodeId,
    term: number,
    history: SnapshotMeta['history'],
    witness: boolean,
  ): Promise<LogIndex | null> {
    const { peers, logger } = this.#ports
    const open = await this.#ports.store().readSnapshot()
    if (open === null) return null
    try {
      const { pieces, summary } = witness ? await forWitness(open) : whole(open)
      // It may have been made before this group went on alone; what it holds is common to both lineages.
      const sendable = { meta: { ...open.meta, history }, summary, pieces }
      const options = { deadlineMs: SEND_DEADLINE_MS }
      return (await sendSnapshot(peers, to, term, sendable, logger, options)) ? open.meta.index : null
    } finally {
      await open.reader.close()
    }
  }

  receive(from: NodeId, opening: Uint8Array, stream: FrameStream): void {
    const runner = this.#ports.runner()
    if (!runner) {
      stream.abort('the ordered log does not run')
      return
    }
    this.#inbox.receive(opening, stream, ({ opening: { meta, term }, snapshot, discard }) => {
      if (this.#ports.runner() === runner) runner.received(from, term, { ...snapshot, meta, discard })
      else void discard()
    })
  }

  #take(runner: Runner): TakenSnapshot {
    const { applier } = this.#ports
    const index = applier.applied
    assert(index > 0, 'there is something to take a snapshot of')
    const snapshot = { meta: runner.snapshotMeta(index), state: applier.snapshot() }
    this.#index = index
    this.#bytesSince = 0
    return snapshot
  }
}

type Content = Pick<Sendable, 'summary' | 'pieces'>

const whole = ({ summary, reader }: OpenSnapshot): Content => ({
  summary,
  pieces: (from) => reader.pieces(from),
})

async function forWitness({ meta, reader }: OpenSnapshot): Promise<Content> {
  const pieces = withoutData(await headOf(reader.pieces(), meta.index))
  const tally = new Tally()
  for (const piece of pieces) tally.add(piece.length, crc32c(piece))
  return { summary: tally.summary, pieces: (from) => pieces.slice(from) }
}
