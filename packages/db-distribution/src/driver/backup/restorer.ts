import {
  type BackupFile,
  type BackupInfo,
  backoffMs,
  type CallOptions,
  type Clock,
  type Database,
  type Disk,
  delay,
  EVERYWHERE,
  errorCode,
  isClusterError,
  type Key,
  type PartitionId,
  type Random,
  type RelationId,
  type RestoreOptions,
  type RestoreReport,
  type Row,
  type RowAddress,
  relationId,
  type Value,
  type Version,
} from '@cluster/core'
import { aborted, backupUnusable, notEmpty } from '../../errors.ts'
import { CHANGES_FILE, readRows } from './backup-files.ts'
import { readArchive } from './change-archive.ts'

/** Says how far a restore is; gone when it is finished. No caller's relation has this number. */
const RESTORES: RelationId = relationId(15)
const MARK: RowAddress = { relation: RESTORES, partition: EVERYWHERE, key: 'restore' }

const BATCH_ROWS = 1_000
const BATCH_BYTES = 256 * 1024
/** Commits under way at once while the order does not matter. */
const COMMITS_AT_ONCE = 4
const RETRY = { baseMs: 50, maxMs: 2_000 }
const RETRIES = 30
/** What says that trying again may help. Every write is the same each time, and nobody else writes. */
const PASSING: ReadonlySet<string> = new Set([
  'OUTCOME_UNKNOWN',
  'DEADLINE',
  'LOG_NO_QUORUM',
  'DB_UNAVAILABLE',
  'DB_TOO_FEW_COPIES',
  'DB_CONFLICT',
])

interface Write {
  readonly address: RowAddress
  readonly row: Row | null
}

export interface RestorePorts {
  readonly database: Database
  /** Relations that the database has rows of, or had. */
  readonly relations: ReadonlySet<RelationId>
  readonly clock: Clock
  readonly random: Random
}

/** The version to restore, and whether what was archived is needed for it. @throws DB_BACKUP_UNUSABLE */
export async function targetOf(
  info: BackupInfo,
  folder: Disk,
  { version, wall }: RestoreOptions,
): Promise<Version> {
  if (version === undefined && wall === undefined) return info.version
  const asked = typeof version === 'number' ? version : null
  if (asked === info.version) return asked
  if (wall !== undefined && wall < info.wall) throw backupUnusable(CHANGES_FILE, 'version')
  let newest = info.version
  for await (const { record } of readArchive(folder)) {
    if (wall !== undefined && record.wall > wall) break
    newest = record.through
  }
  if (asked !== null && (asked < info.version || asked > newest))
    throw backupUnusable(CHANGES_FILE, 'version')
  return asked ?? newest
}

/** Writes the rows of a backup, and changes archived beside it, into a database of its own. */
export class Restorer {
  readonly #ports: RestorePorts
  readonly #folder: Disk
  readonly #info: BackupInfo
  readonly #target: Version
  readonly #options: RestoreOptions
  #rows = 0
  #bytes = 0

  constructor(ports: RestorePorts, folder: Disk, info: BackupInfo, target: Version, options: RestoreOptions) {
    this.#ports = ports
    this.#folder = folder
    this.#info = info
    this.#target = target
    this.#options = options
  }

  async run(): Promise<RestoreReport> {
    // Tables appear when all of their rows are there: the partition with the catalogs comes last.
    const files = [...this.#info.files].sort((a, b) => order(a) - order(b))
    let done = await this.#resumed()
    if (done === null) {
      done = 0
      await this.#commit([this.#mark(0)])
    }
    for (const [i, file] of files.entries()) {
      if (i < done) continue
      await this.#file(file)
      await this.#commit([this.#mark(i + 1)])
      this.#options.onProgress?.({
        partitionsDone: i + 1,
        partitions: files.length,
        rows: this.#rows,
        bytes: this.#bytes,
      })
    }
    const changes = this.#target > this.#info.version ? await this.#changes() : 0
    await this.#commit([{ address: MARK, row: null }])
    return { restored: this.#target, rows: this.#rows, changes }
  }

  #mark(done: number): Write {
    return { address: MARK, row: [this.#info.id, this.#target, done] }
  }

  /** How many files an earlier call has written; null when there was none. @throws DB_NOT_EMPTY */
  async #resumed(): Promise<number | null> {
    const { database, relations } = this.#ports
    const transaction = await database.begin({ readOnly: true, ...this.#call() })
    const row = await transaction.get(MARK)
    transaction.rollback()
    const [id, target, done] = row ?? []
    if (row !== null && id === this.#info.id && target === this.#target) return Number(done)
    if (row !== null || [...relations].some((relation) => relation !== RESTORES))
      throw notEmpty(database.name)
    return null
  }

  #call(): CallOptions {
    const { signal } = this.#options
    return signal === undefined ? {} : { signal }
  }

  async #file(file: BackupFile): Promise<void> {
    const running = new Set<Promise<void>>()
    const failures: unknown[] = []
    const submit = async (writes: readonly Write[]): Promise<void> => {
      const commit: Promise<void> = this.#commit(writes)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(commit))
      running.add(commit)
      if (running.size >= COMMITS_AT_ONCE) await Promise.race(running)
      if (failures.length > 0) throw failures[0]
    }
    const batch = new Batch(submit)
    try {
      for await (const { relation, keys, rows } of readRows(this.#folder, file))
        for (const [i, key] of keys.entries()) {
          const row = rows[i] ?? null
          if (row === null) continue
          this.#rows++
          await batch.add({ address: this.#place(file.partition, relation, key, row), row })
        }
      await batch.end()
    } finally {
      await Promise.all(running)
    }
    if (failures.length > 0) throw failures[0]
    this.#bytes += file.bytes
  }

  /** One after another: later changes of a row replace earlier ones. */
  async #changes(): Promise<number> {
    let count = 0
    const batch = new Batch((writes) => this.#commit(writes))
    for await (const { record } of readArchive(this.#folder)) {
      for (const { version, relation, partition, key, before, after } of record.changes) {
        if (version <= this.#info.version || version > this.#target) continue
        count++
        await batch.add({ address: this.#place(partition, relation, key, after ?? before ?? []), row: after })
      }
      if (record.through >= this.#target) break
    }
    await batch.end()
    return count
  }

  #place(partition: PartitionId, relation: RelationId, key: Key, row: Row): RowAddress {
    const { database } = this.#ports
    if (partition === EVERYWHERE || database.options.partitions === this.#info.options.partitions)
      return { relation, partition, key }
    const { distributionKey } = this.#options
    const by = distributionKey === undefined ? key : distributionKey(relation, key, row)
    return { relation, partition: database.partitionOf(by), key }
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    const { database, clock, random } = this.#ports
    for (let attempt = 0; ; attempt++) {
      if (this.#options.signal?.aborted) throw aborted()
      try {
        const transaction = await database.begin({ optimistic: true, ...this.#call() })
        for (const { address, row } of writes) {
          if (row === null) transaction.delete(address)
          else transaction.put(address, row)
        }
        await transaction.commit(this.#call())
        return
      } catch (error) {
        const passing = isClusterError(error) && PASSING.has(errorCode(error) ?? '')
        if (!passing || attempt === RETRIES) throw error
        await delay(clock, backoffMs(random, attempt, RETRY))
      }
    }
  }
}

const order = ({ partition }: BackupFile): number =>
  partition === EVERYWHERE ? Number.POSITIVE_INFINITY : partition

/** Gathers writes into transactions of a bearable size. */
class Batch {
  readonly #submit: (writes: readonly Write[]) => Promise<void>
  #writes: Write[] = []
  #bytes = 0

  constructor(submit: (writes: readonly Write[]) => Promise<void>) {
    this.#submit = submit
  }

  async add(write: Write): Promise<void> {
    this.#writes.push(write)
    this.#bytes += bytesOf(write)
    if (this.#writes.length >= BATCH_ROWS || this.#bytes >= BATCH_BYTES) await this.end()
  }

  async end(): Promise<void> {
    const writes = this.#writes
    this.#writes = []
    this.#bytes = 0
    if (writes.length > 0) await this.#submit(writes)
  }
}

function bytesOf({ address, row }: Write): number {
  let bytes = address.key.length + 8
  for (const value of row ?? []) bytes += valueBytes(value)
  return bytes
}

const valueBytes = (value: Value): number =>
  typeof value === 'string' || value instanceof Uint8Array ? value.length + 4 : 9
