import {
  type ArchiveOptions,
  type Change,
  crc32c,
  type Disk,
  type DiskFile,
  delay,
  errorCode,
  type PartitionId,
  type RelationId,
  type Version,
} from '@cluster/core'
import { backupUnusable, databaseGone } from '../../errors.ts'
import { ByteReader, ByteWriter } from '../../machine/bytes.ts'
import type { DatabaseRecord } from '../../machine/state.ts'
import { type FeedParts, PartitionedFeed } from '../feed/change-feed.ts'
import { encodeToken, type FeedPosition } from '../feed/token.ts'
import { CHANGES_FILE, openBackup } from './backup-files.ts'

const FORMAT = 1
const HEADER_BYTES = 8
/** Larger records are damage. */
const RECORD_BYTES_MAX = 256 * 1024 * 1024
const FLUSH_MS = 1_000
const FLUSH_CHANGES = 1_000

export type ArchivedChange = Omit<Change, 'token'>

/** What was written at once. */
export interface ArchiveRecord {
  /** Everything up to this version is in this record or in those before it. */
  readonly through: Version
  /** `through` was there by then, by the clock of the node that wrote it. */
  readonly wall: number
  /** Where to go on. */
  readonly token: string
  readonly changes: readonly ArchivedChange[]
}

function encodeRecord({ through, wall, token, changes }: ArchiveRecord): Uint8Array {
  const writer = new ByteWriter()
    .byte(FORMAT)
    .varint(through)
    .varint(Math.max(0, Math.floor(wall)))
  writer.text(token).varint(changes.length)
  for (const { version, relation, partition, key, before, after } of changes) {
    writer.varint(version).varint(relation).varint(partition).key(key)
    writer.byte((before === null ? 0 : 1) | (after === null ? 0 : 2))
    if (before !== null) writer.row(before)
    if (after !== null) writer.row(after)
  }
  const payload = writer.finish()
  const bytes = new Uint8Array(HEADER_BYTES + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, payload.length)
  view.setUint32(4, crc32c(payload))
  bytes.set(payload, HEADER_BYTES)
  return bytes
}

/** @throws DB_FRAME_DAMAGED, DB_BACKUP_UNUSABLE */
function decodeRecord(payload: Uint8Array): ArchiveRecord {
  const reader = new ByteReader(payload)
  if (reader.byte() !== FORMAT) throw backupUnusable(CHANGES_FILE, 'format')
  const through = reader.varint() as Version
  const wall = reader.varint()
  const token = reader.text()
  const changes: ArchivedChange[] = []
  for (let left = reader.count(5); left > 0; left--) {
    const version = reader.varint() as Version
    const relation = reader.varint() as RelationId
    const partition = reader.varint() as PartitionId
    const key = reader.key()
    const flags = reader.byte()
    const before = (flags & 1) === 0 ? null : reader.row()
    changes.push({
      version,
      relation,
      partition,
      key,
      before,
      after: (flags & 2) === 0 ? null : reader.row(),
    })
  }
  return { through, wall, token, changes }
}

/** Records of an archive, in order, with where each ends. What was cut off at the end by a crash does not count. */
export async function* readArchive(
  folder: Disk,
): AsyncIterable<{ readonly record: ArchiveRecord; readonly end: number }> {
  if (!(await folder.list()).includes(CHANGES_FILE)) return
  const file = await folder.open(CHANGES_FILE)
  try {
    for (let at = 0; ; ) {
      const payload = await readPayload(file, at)
      if (payload === null) return
      at += HEADER_BYTES + payload.length
      yield { record: decodeRecord(payload), end: at }
    }
  } finally {
    await file.close()
  }
}

/** @returns null at the end. @throws DB_BACKUP_UNUSABLE when something follows that can be read, but not this */
async function readPayload(file: DiskFile, at: number): Promise<Uint8Array | null> {
  const header = await file.read(at, HEADER_BYTES)
  if (header.length < HEADER_BYTES) return null
  const view = new DataView(header.buffer, header.byteOffset)
  const length = view.getUint32(0)
  const torn = length > RECORD_BYTES_MAX || at + HEADER_BYTES + length > file.size()
  if (torn) return null
  const payload = await file.read(at + HEADER_BYTES, length)
  if (crc32c(payload) === view.getUint32(4)) return payload
  // The last record may be half there after a crash; one in the middle was whole once.
  if (at + HEADER_BYTES + length === file.size()) return null
  throw backupUnusable(CHANGES_FILE, 'damaged')
}

/** Follows a database and appends its changes to the archive of a backup, each once, whoever does it and how often it ends. */
export class ChangeArchiver {
  readonly #parts: FeedParts
  readonly #folder: Disk
  readonly #options: ArchiveOptions
  readonly #enough = new AbortController()
  #batch: Change[] = []
  #written: string | null = null
  #changes = 0

  constructor(parts: FeedParts, folder: Disk, options: ArchiveOptions) {
    this.#parts = parts
    this.#folder = folder
    this.#options = options
  }

  async run(): Promise<void> {
    const info = await openBackup(this.#folder)
    const record: DatabaseRecord = this.#parts.record()
    if (record.uid !== info.uid) throw databaseGone(info.database)
    let from: string | Version = info.version
    let size = 0
    for await (const { record: archived, end } of readArchive(this.#folder)) {
      from = archived.token
      size = end
      this.#changes += archived.changes.length
    }
    const file = await this.#folder.open(CHANGES_FILE)
    const { signal } = this.#options
    const abort = (): void => this.#enough.abort()
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    try {
      if (file.size() > size) await file.truncate(size)
      await this.#follow(file, new PartitionedFeed(this.#parts, { from, signal: this.#enough.signal }))
    } finally {
      abort()
      signal?.removeEventListener('abort', abort)
      await file.close()
    }
  }

  async #follow(file: DiskFile, feed: PartitionedFeed): Promise<void> {
    const { clock } = this.#parts.context.ports
    const changes = feed[Symbol.asyncIterator]()
    const take = (): Promise<Change | 'enough'> =>
      changes.next().then(
        ({ value }) => value as Change,
        (error: unknown) => {
          if (this.#enough.signal.aborted && errorCode(error) === 'ABORTED') return 'enough'
          throw error
        },
      )
    const flushMs = this.#options.flushMs ?? FLUSH_MS
    let next = take()
    let due = delay(clock, flushMs)
    for (;;) {
      const came = await Promise.race([next, due.then(() => 'due' as const)])
      if (came === 'enough') return this.#flush(file, feed)
      if (came === 'due') {
        await this.#flush(file, feed)
        due = delay(clock, flushMs)
        continue
      }
      this.#batch.push(came)
      next = take()
      if (this.#batch.length >= FLUSH_CHANGES) await this.#flush(file, feed)
    }
  }

  /** Writes what came, or that nothing did up to where the feed is by now. */
  async #flush(file: DiskFile, feed: PartitionedFeed): Promise<void> {
    const { context, record } = this.#parts
    const last = this.#batch.at(-1)
    const position = feed.settled
    const at = position !== null && (last === undefined || isBehind(position, last)) ? position : null
    const token = at === null ? (last?.token ?? null) : encodeToken(record().uid, at)
    if (token === null || token === this.#written) return
    const through = (
      at === null ? Number(last?.version) - 1 : at.version - (at.place === null ? 0 : 1)
    ) as Version
    const changes = this.#batch
    this.#batch = []
    await file.append([encodeRecord({ through, wall: context.ports.clock.wall(), token, changes })])
    await file.sync()
    this.#written = token
    this.#changes += changes.length
    this.#options.onProgress?.({ version: through, changes: this.#changes })
  }
}

/** True when the position is behind the change, or at it. */
function isBehind({ version, place }: FeedPosition, change: Change): boolean {
  return version > change.version || (version === change.version && place === null)
}
