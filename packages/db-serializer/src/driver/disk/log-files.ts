import {
  assert,
  ClusterError,
  type Disk,
  type DiskFile,
  type LogErrorDetail,
  type LogIndex,
} from '@cluster/core'
import type { Entry, HardState, PersistEffect, Recovered, SnapshotMeta } from '../../machine/raft/types.ts'
import { damaged, unknownFormat } from './block.ts'
import { HardFile, type HardRecord, isHardFile } from './hard-file.ts'
import type { LogStore, NewSnapshot, OpenSnapshot, StoredSnapshot } from './log-store.ts'
import {
  encodeRecords,
  encodeSegmentHeader,
  FORMAT_VERSION,
  judgeSegmentHeader,
  readRecord,
  wasDurable,
} from './records.ts'
import {
  isNewSnapshot,
  newSnapshotPath,
  SnapshotReader,
  type SnapshotSummary,
  SnapshotWriter,
  snapshotPath,
  snapshotsIn,
  verifySnapshot,
} from './snapshot-file.ts'
import { syncFile } from './sync-file.ts'

export interface LogFilesOptions {
  /** A segment that has reached this size is sealed and a new one begun; default 16 MiB. */
  readonly segmentBytesMax?: number
}

/** A file with consecutive entries. All but the last are sealed: complete and durable. */
interface Segment {
  readonly path: string
  readonly first: number
  /** Where the record of each entry begins. */
  readonly offsets: number[]
  size: number
}

/** Configurations remembered; only the newest few can still be cut off. */
const GROUPS_MAX = 64

const SEGMENT_NAME = /^log-(\d+)$/
const segmentPath = (first: number): string => `log-${String(first).padStart(16, '0')}`

/**
 * The log of one node in the files of one folder: segments of checksummed records, the newest snapshot, and the
 * hard state. One writer; calls are queued and done in order.
 */
export class LogFiles implements LogStore {
  readonly recovered: Recovered
  readonly #disk: Disk
  readonly #segmentBytesMax: number
  readonly #segments: Segment[]
  #active: DiskFile | null = null
  readonly #hard: HardFile
  #snapshot: StoredSnapshot | null
  #newSnapshots = 0
  /** Configurations of the snapshot and the log, oldest first. */
  #groups: NonNullable<HardRecord['group']>[]
  #lastIndex: number
  #durableIndex: number
  #queue: Promise<void> = Promise.resolve()

  private constructor(disk: Disk, options: LogFilesOptions, found: Found) {
    this.#disk = disk
    this.#segmentBytesMax = options.segmentBytesMax ?? 16 * 1024 * 1024
    this.#segments = found.segments
    this.#hard = found.hard
    this.#snapshot = found.snapshot
    this.#groups = groupsOf(found.snapshot?.meta ?? null, found.entries)
    this.#lastIndex = found.entries.at(-1)?.index ?? found.snapshot?.meta.index ?? 0
    this.#durableIndex = this.#lastIndex
    this.recovered = {
      hardState: found.hard.record?.state ?? null,
      snapshot: found.snapshot?.meta ?? null,
      entries: found.entries,
    }
  }

  /**
   * Recovers what the folder holds. What a crash left half written at the end is cut.
   * @throws LOG_DAMAGED when something that had been durable is damaged or missing; DISK_FORMAT
   */
  static async open(disk: Disk, options: LogFilesOptions = {}): Promise<LogFiles> {
    const found = await recover(disk)
    // Sealed segments were synced before.
    const newest = found.segments.at(-1)
    if (newest !== undefined) await syncFile(disk, newest.path)
    return new LogFiles(disk, options, found)
  }

  /** Does the writes in order, with one sync for neighbours that only bring entries. */
  write(writes: readonly PersistEffect[], received: (ref: number) => NewSnapshot): Promise<void> {
    return this.#enqueue(async () => {
      let hardState: HardState | null = null
      const saveHard = async (): Promise<void> => {
        if (hardState === null) return
        const state = hardState
        hardState = null
        // A hard state may speak of entries before it, so they must be durable first.
        await this.#sync()
        await this.#writeHard(state, this.#durableIndex)
      }
      for (const write of writes) {
        const { snapshot, truncateFrom, entries } = write
        const more = snapshot !== null || truncateFrom !== null || entries.length > 0
        if (more) await saveHard()
        // What is cut was never agreed on, so it may be gone at any time; but a hard state may found a history that begins
        // where the log is cut.
        if (truncateFrom !== null) await this.#truncateFrom(truncateFrom)
        if (write.hardState !== null) hardState = write.hardState
        if (!more) continue
        await saveHard()
        if (snapshot !== null) await this.#install(snapshot.meta, received(snapshot.ref))
        if (entries.length > 0) await this.#append(entries)
      }
      await saveHard()
      await this.#sync()
    })
  }

  async readSnapshot(): Promise<OpenSnapshot | null> {
    let open: OpenSnapshot | null = null
    await this.#enqueue(async () => {
      if (this.#snapshot === null) return
      const { meta, summary } = this.#snapshot
      open = { meta, summary, reader: await SnapshotReader.open(this.#disk, meta.index) }
    })
    return open
  }

  newSnapshot(meta: SnapshotMeta): Promise<SnapshotWriter> {
    this.#newSnapshots++
    return SnapshotWriter.create(this.#disk, newSnapshotPath(this.#newSnapshots), meta)
  }

  async saveSnapshot(
    meta: SnapshotMeta,
    pieces: AsyncIterable<Uint8Array>,
    cutBefore: LogIndex,
  ): Promise<SnapshotSummary> {
    // A large snapshot is written beside the queue: the log goes on meanwhile.
    const writer = await this.newSnapshot(meta)
    for await (const piece of pieces) await writer.add(piece)
    const summary = await writer.finish()
    await this.#enqueue(async () => {
      await this.#adoptSnapshot(writer.path, { meta, summary })
      await this.#cutBefore(cutBefore)
    })
    return summary
  }

  /** Removes everything. A crash in the middle is finished at the next `open`. */
  clear(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#hard.write({ state: null, durableIndex: 0 })
      await this.#closeActive()
      await removeAll(this.#disk, this.#hard)
      this.#segments.length = 0
      this.#groups = []
      this.#snapshot = null
      this.#lastIndex = 0
      this.#durableIndex = 0
    })
  }

  /** Makes everything durable and notes where the log ends, so that damage to its end will be seen. */
  close(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#sync()
      await this.#hard.mark(this.#durableIndex)
      await this.#hard.settle()
      await this.#hard.close()
      await this.#closeActive()
    })
  }

  /** Makes durable what is known of where the log ends, so that a power loss leaves it behind, too. */
  settle(): Promise<void> {
    return this.#enqueue(() => this.#hard.settle())
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work)
    // Each caller learns of its own failure; the next one's work is tried all the same.
    this.#queue = done.catch(() => {})
    return done
  }

  async #writeHard(state: HardState, durableIndex: number): Promise<void> {
    const group = this.#groups.at(-1)
    await this.#hard.write({ state, durableIndex, ...(group && { group }) })
  }

  /** What is noted as durable must not be removed while the note stands. */
  async #lowerNote(durableIndex: number): Promise<void> {
    const state = this.#hard.record?.state ?? null
    if (state !== null && this.#hard.noted > durableIndex) await this.#writeHard(state, durableIndex)
  }

  async #append(entries: readonly Entry[]): Promise<void> {
    const first = entries[0]
    assert(first !== undefined && first.index === this.#lastIndex + 1, 'entries follow the log on disk')
    const file = await this.#fileFor(first.index)
    const segment = this.#segments.at(-1)
    assert(segment !== undefined, 'there is a segment to append to')
    const chunks = encodeRecords(entries, this.#durableIndex)
    const before = segment.size
    try {
      await file.append(chunks)
    } catch (error) {
      // A full disk may have taken a part. Without it the node can go on once there is room; when it cannot be cut
      // off, that failure is the graver one and comes out instead: what is appended behind it would be damage.
      await file.truncate(before)
      throw error
    }
    let chunk = 0
    for (const entry of entries) {
      segment.offsets.push(segment.size)
      segment.size += chunks[chunk]?.length ?? 0
      chunk++
      const payload = entry.kind !== 'noop' && (entry.kind !== 'command' || entry.data.length > 0)
      if (payload) {
        segment.size += chunks[chunk]?.length ?? 0
        chunk++
      }
    }
    this.#lastIndex += entries.length
    this.#groups = [...this.#groups, ...groupsOf(null, entries)].slice(-GROUPS_MAX)
  }

  /** The segment to append to; a full one is sealed. */
  async #fileFor(first: number): Promise<DiskFile> {
    const last = this.#segments.at(-1)
    if (last !== undefined && last.size < this.#segmentBytesMax) {
      this.#active ??= await this.#disk.open(last.path)
      return this.#active
    }
    await this.#sync()
    await this.#closeActive()
    const path = segmentPath(first)
    const file = await this.#disk.open(path)
    if (file.size() > 0) await file.truncate(0)
    const header = encodeSegmentHeader(first, this.#hard.record?.state?.history?.cluster ?? '')
    await file.append([header])
    // Durable before any record, so that a bad header with records behind it is known to be damage.
    await file.sync()
    this.#segments.push({ path, first, offsets: [], size: header.length })
    this.#active = file
    return file
  }

  async #sync(): Promise<void> {
    if (this.#durableIndex === this.#lastIndex) return
    await this.#active?.sync()
    this.#durableIndex = this.#lastIndex
    // Nobody was told yet: whoever will be told finds the note beside what it was told of.
    await this.#hard.mark(this.#durableIndex)
  }

  async #closeActive(): Promise<void> {
    await this.#active?.close()
    this.#active = null
  }

  async #truncateFrom(index: number): Promise<void> {
    if (index > this.#lastIndex) return
    await this.#lowerNote(index - 1)
    for (;;) {
      const segment = this.#segments.at(-1)
      if (segment === undefined || segment.first < index) break
      // From the end on, so that a crash leaves a log without a hole.
      await this.#closeActive()
      await this.#disk.remove(segment.path)
      this.#segments.pop()
    }
    const segment = this.#segments.at(-1)
    const size = segment?.offsets[index - segment.first]
    if (segment !== undefined && size !== undefined) {
      this.#active ??= await this.#disk.open(segment.path)
      await this.#active.truncate(size)
      segment.offsets.length = index - segment.first
      segment.size = size
    }
    this.#groups = this.#groups.filter((group) => group.index < index)
    this.#lastIndex = index - 1
    this.#durableIndex = Math.min(this.#durableIndex, this.#lastIndex)
  }

  /** A leader's snapshot takes the place of the log. */
  async #install(meta: SnapshotMeta, { path, summary }: NewSnapshot): Promise<void> {
    await this.#lowerNote(meta.index)
    await this.#adoptSnapshot(path, { meta, summary })
    await this.#closeActive()
    await removeSegments(this.#disk, this.#segments)
    this.#groups = groupsOf(meta, [])
    this.#lastIndex = meta.index
    this.#durableIndex = meta.index
  }

  /** The written snapshot becomes the newest of the log, unless there is a newer one. */
  async #adoptSnapshot(path: string, snapshot: StoredSnapshot): Promise<void> {
    const { index } = snapshot.meta
    const before = this.#snapshot?.meta.index ?? null
    if (before !== null && before >= index) {
      await this.#disk.remove(path)
      return
    }
    await this.#disk.rename(path, snapshotPath(index))
    this.#snapshot = snapshot
    if (before !== null) await this.#disk.remove(snapshotPath(before))
  }

  async #cutBefore(index: number): Promise<void> {
    for (;;) {
      const [oldest, next] = this.#segments
      if (oldest === undefined || next === undefined || next.first > index) return
      await this.#disk.remove(oldest.path)
      this.#segments.shift()
    }
  }
}

/** True for the files that make up the log, its snapshots and its hard state. */
export function isLogFile(path: string): boolean {
  return SEGMENT_NAME.test(path) || snapshotsIn([path]).length > 0 || isHardFile(path)
}

function groupsOf(
  snapshot: SnapshotMeta | null,
  entries: readonly Entry[],
): NonNullable<HardRecord['group']>[] {
  const groups = snapshot
    ? [{ index: Number(snapshot.configurationIndex), voters: snapshot.configuration.voters }]
    : []
  for (const entry of entries) {
    if (entry.kind !== 'configuration' || entry.index <= (groups.at(-1)?.index ?? 0)) continue
    groups.push({ index: entry.index, voters: entry.configuration.voters })
  }
  return groups
}

/** Removes segments from the end on, so that a crash leaves a log without a hole. */
async function removeSegments(disk: Disk, segments: Segment[]): Promise<void> {
  for (let segment = segments.pop(); segment !== undefined; segment = segments.pop())
    await disk.remove(segment.path)
}

async function removeAll(disk: Disk, hard: HardFile): Promise<void> {
  const paths = await disk.list()
  const ours = paths.filter(
    (path) => SEGMENT_NAME.test(path) || snapshotsIn([path]).length > 0 || isNewSnapshot(path),
  )
  for (const path of [...ours].reverse()) await disk.remove(path)
  await hard.remove()
}

/** What a folder holds. */
interface Found {
  readonly hard: HardFile
  readonly snapshot: StoredSnapshot | null
  entries: Entry[]
  segments: Segment[]
}

async function recover(disk: Disk): Promise<Found> {
  const hard = await HardFile.open(disk)
  const state = hard.record?.state ?? null
  const paths = await disk.list()
  for (const path of paths.filter(isNewSnapshot)) await disk.remove(path)
  const snapshots = snapshotsIn(paths)
  const firsts = paths
    .flatMap((path) => SEGMENT_NAME.exec(path)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
  if (state === null) {
    if (hard.record !== null) await removeAll(disk, hard)
    else if (snapshots.length + firsts.length > 0)
      throw damaged('hard', 0, 'term, vote and lineage are missing, but there is a log')
    return { hard, snapshot: null, entries: [], segments: [] }
  }
  const newest = snapshots.pop()
  const snapshot = newest === undefined ? null : await verifySnapshot(disk, newest)
  const cluster = state.history?.cluster ?? ''
  const log = await readSegments(disk, firsts, cluster, hard.noted)
  if (snapshot !== null) await reconcile(disk, log, snapshot.meta)
  for (const index of snapshots) await disk.remove(snapshotPath(index))
  const found: Found = { hard, snapshot, ...log }
  demandWhole(found, state, hard.noted)
  return found
}

type ReadLog = Pick<Found, 'entries' | 'segments'>

async function readSegments(
  disk: Disk,
  firsts: readonly number[],
  cluster: string,
  noted: number,
): Promise<ReadLog> {
  const entries: Entry[] = []
  const segments: Segment[] = []
  for (const [place, first] of firsts.entries()) {
    const path = segmentPath(first)
    const last = place === firsts.length - 1
    const bytes = (await disk.read(path)) ?? new Uint8Array()
    const header = encodeSegmentHeader(first, cluster)
    const judged = judgeSegmentHeader(bytes, header)
    if (typeof judged === 'object') throw unknownFormat(path, judged.version, FORMAT_VERSION)
    if (judged === 'torn' && last) {
      await disk.remove(path)
      break
    }
    if (judged === 'foreign') throw foreign(path)
    if (judged !== 'good') throw damaged(path, 0, 'the header of the segment does not hold')
    const before = entries.at(-1)
    if (before !== undefined && before.index + 1 !== first)
      throw damaged(path, 0, `entries ${before.index + 1} to ${first - 1} are missing before it`)
    const segment: Segment = { path, first, offsets: [], size: header.length }
    while (segment.size < bytes.length) {
      const index = first + segment.offsets.length
      const record = readRecord(bytes, segment.size)
      if (record === null) {
        if (!last) throw damaged(path, segment.size, 'a record of a sealed segment does not hold')
        if (index <= noted || wasDurable(bytes, segment.size, index))
          throw damaged(path, segment.size, 'a record that had been durable does not hold')
        await cut(disk, path, segment.size)
        break
      }
      if (record.entry.index !== index)
        throw damaged(path, segment.size, `there is entry ${record.entry.index} in the place of ${index}`)
      entries.push(record.entry)
      segment.offsets.push(segment.size)
      segment.size = record.end
    }
    segments.push(segment)
  }
  return { entries, segments }
}

/** The end of the last segment was being written when the node stopped. */
async function cut(disk: Disk, path: string, size: number): Promise<void> {
  const file = await disk.open(path)
  await file.truncate(size)
  await file.close()
}

/**
 * A crash may have come after a leader's snapshot was saved and before the log that it replaces was removed. Such a
 * log ends before the snapshot or differs from it there.
 */
async function reconcile(disk: Disk, log: ReadLog, snapshot: SnapshotMeta): Promise<void> {
  const last = log.entries.at(-1)
  if (last === undefined) return
  const there = log.entries.find((entry) => entry.index === snapshot.index)
  const replaced = last.index < snapshot.index || (there !== undefined && there.term !== snapshot.term)
  if (!replaced) return
  await removeSegments(disk, log.segments)
  log.entries.length = 0
}

function demandWhole({ entries, segments, snapshot }: Found, state: HardState, noted: number): void {
  const path = segments.at(-1)?.path ?? 'hard'
  const size = segments.at(-1)?.size ?? 0
  const first = entries[0]?.index
  const base = snapshot?.meta.index ?? 0
  if (first !== undefined && first > base + 1)
    throw damaged(segments[0]?.path ?? path, 0, `entries ${base + 1} to ${first - 1} are missing before it`)
  const end = entries.at(-1)?.index ?? base
  const known = Math.max(noted, state.committed - (state.founding ? 1 : 0))
  if (end < known) throw damaged(path, size, `it ends at entry ${end}, but ${known} had been durable`)
  const term = entries.at(-1)?.term ?? snapshot?.meta.term ?? 0
  if (term > state.term) throw damaged('hard', 0, `term ${state.term} is older than the log's ${term}`)
}

function foreign(path: string): ClusterError<LogErrorDetail> {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_DAMAGED', outcome: 'rejected', path, offset: 0 },
    `The log file ${path} belongs to another cluster than the rest of its folder. Files of two data folders were ` +
      'mixed; put back the ones that belong together, or start with an empty data folder.',
  )
}
