import {
  type BackupFile,
  type BackupInfo,
  type BackupOptions,
  ClusterError,
  crc32c,
  type DatabaseErrorDetail,
  type Disk,
  type DiskFile,
  decodeChunk,
  encodeChunk,
  isClusterError,
  type NodeId,
  type PartitionId,
  randomId,
  type Version,
} from '@cluster/core'
import { aborted, isVersionGone, stopped, unavailable, versionGone } from '../../errors.ts'
import { versionIn } from '../../machine/lineage.ts'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { Pace } from '../pace.ts'
import { storeAt } from '../read/serving.ts'
import { readCopy } from '../replica/copy.ts'
import type { Pins } from '../replica/pins.ts'
import type { Replicas } from '../replica/replicas.ts'
import { OWN_ROWS } from '../replica/signature.ts'
import { BEGUN, encodeManifest, MANIFEST, readManifest } from './backup-files.ts'

/** Bytes gathered before they are handed to the disk. */
const WRITE_BYTES = 1 << 20
/** A backup whose version was let go meanwhile is begun anew, so many times. */
const ATTEMPTS = 3
const AGAIN_MS = 100

export interface BackupParts {
  readonly context: Context
  readonly replicas: Replicas
  readonly pins: Pins
  record(): DatabaseRecord
  keep(): Promise<Version>
}

/** Writes a database as it is at one version to a folder, partition by partition. */
export class BackupWriter {
  readonly #parts: BackupParts
  readonly #folder: Disk
  readonly #options: BackupOptions
  readonly #pace: Pace
  #bytes = 0
  #rows = 0

  constructor(parts: BackupParts, folder: Disk, options: BackupOptions) {
    this.#parts = parts
    this.#folder = folder
    this.#options = options
    const { clock } = parts.context.ports
    this.#pace = new Pace(clock, options.bytesPerSecond ?? Number.POSITIVE_INFINITY)
  }

  async run(): Promise<BackupInfo> {
    if ((await readManifest(this.#folder, MANIFEST)) !== null) throw isFinished()
    let info = await this.#resumed()
    for (let attempt = 1; ; attempt++) {
      this.#check()
      info ??= await this.#begin()
      const pins = this.#parts.pins
      pins.add(this, info.version)
      try {
        return await this.#finish(await this.#copyAll(info))
      } catch (error) {
        if (!isVersionGone(error) || attempt === ATTEMPTS) throw error
        const { logger } = this.#parts.context.ports
        logger.log('warn', 'a backup is begun anew: its version is not kept any more', {
          version: info.version,
        })
        info = null
      } finally {
        pins.release(this)
      }
    }
  }

  #check(): void {
    if (this.#options.signal?.aborted) throw aborted()
    if (this.#parts.context.stopped) throw stopped()
  }

  /** One that was not finished, if it is of this very database and its version may still be there. */
  async #resumed(): Promise<BackupInfo | null> {
    const { context, record } = this.#parts
    const begun = await readManifest(this.#folder, BEGUN)
    const { history } = context
    if (begun === null || history === null || begun.uid !== record().uid) return null
    return versionIn(history, begun.lineage, begun.version) === null ? null : begun
  }

  async #begin(): Promise<BackupInfo> {
    const { context, record, keep } = this.#parts
    const { log, random, clock } = context.ports
    const call = this.#options.signal ? { signal: this.#options.signal } : {}
    const version = this.#options.keepChanges === true ? await keep() : await log.barrier(call)
    await log.applied(version, call)
    const { name, uid, options } = record()
    const { history } = context
    if (history === null) throw stopped()
    for (const path of await this.#folder.list()) await this.#folder.remove(path)
    const [id, wall] = [randomId(random), clock.wall()]
    return this.#note({
      id,
      database: name,
      uid,
      version,
      lineage: history.lineage,
      wall,
      options,
      files: [],
    })
  }

  async #note(info: BackupInfo): Promise<BackupInfo> {
    await this.#folder.replace(BEGUN, encodeManifest(info))
    return info
  }

  async #copyAll(begun: BackupInfo): Promise<BackupInfo> {
    let info = begun
    this.#bytes = info.files.reduce((sum, { bytes }) => sum + bytes, 0)
    this.#rows = info.files.reduce((sum, { rows }) => sum + rows, 0)
    for (const { id } of this.#parts.record().partitions) {
      if (info.files.some(({ partition }) => partition === id)) continue
      const file = await this.#copy(info.version, id)
      info = await this.#note({ ...info, files: [...info.files, file] })
      this.#progress(info)
    }
    return info
  }

  #progress({ files, options: { partitions } }: BackupInfo): void {
    const { onProgress } = this.#options
    onProgress?.({
      partitionsDone: files.length,
      partitions: partitions + 1,
      rows: this.#rows,
      bytes: this.#bytes,
    })
  }

  async #finish(info: BackupInfo): Promise<BackupInfo> {
    await this.#folder.replace(MANIFEST, encodeManifest(info))
    await this.#folder.remove(BEGUN)
    return info
  }

  /** From this node if it holds the partition, else from whoever answers; another one is asked when one fails. */
  async #copy(version: Version, partition: PartitionId): Promise<BackupFile> {
    const { context, record } = this.#parts
    const { self, ports, settings, changed } = context
    const until = ports.clock.now() + settings.unavailableMs
    const gone = new Set<NodeId>()
    let last: unknown
    for (;;) {
      const { id, name } = record()
      const holders = holdersOf(context, id, partition)
      for (const source of [...holders].sort((a, b) => Number(b === self) - Number(a === self))) {
        if (gone.has(source)) continue
        this.#check()
        try {
          return await this.#copyFrom(source, { database: id, partition, version })
        } catch (error) {
          this.#check()
          // What the folder's disk reports is no matter of the source.
          if (!isClusterError(error) || error.code.startsWith('DISK_')) throw error
          if (isVersionGone(error)) gone.add(source)
          last = error
          ports.logger.log('warn', 'a partition was not backed up from one of its holders', {
            partition,
            source,
            error: error.message,
          })
        }
      }
      if (holders.length > 0 && holders.every((node) => gone.has(node))) throw versionGone(name, version)
      const left = until - ports.clock.now()
      if (left <= 0) throw unavailable(name, [partition], holders, last)
      await changed.next(ports.clock, Math.min(left, AGAIN_MS), this.#options.signal)
    }
  }

  #copyFrom(
    source: NodeId,
    where: { readonly database: number; readonly partition: PartitionId; readonly version: Version },
  ): Promise<BackupFile> {
    const { context, replicas } = this.#parts
    const take = (_at: Version, chunks: AsyncIterable<Uint8Array>): Promise<BackupFile> =>
      this.#write(where.partition, chunks)
    if (source !== context.self) return readCopy(context, source, { ...where, exact: true }, take)
    return (async () => {
      const store = await storeAt(context, replicas, where, this.#options.signal)
      return take(where.version, store.export(where.version))
    })()
  }

  /** Rows that a partition has for itself are left out. */
  async #write(partition: PartitionId, chunks: AsyncIterable<Uint8Array>): Promise<BackupFile> {
    const name = `p${partition}.rows`
    await this.#folder.remove(name)
    const file = await this.#folder.open(name)
    const out = new Output(file)
    try {
      let rows = 0
      for await (const bytes of chunks) {
        this.#check()
        this.#parts.pins.touch(this)
        const chunk = decodeChunk(bytes, name, out.bytes)
        if ('rowCount' in chunk || chunk.relation === OWN_ROWS) continue
        rows += chunk.keys.length
        await out.add(bytes)
        await this.#pace.spend(bytes.length, () => {
          this.#check()
          this.#parts.pins.touch(this)
        })
      }
      await out.add(encodeChunk({ rowCount: rows }))
      await out.end()
      this.#rows += rows
      this.#bytes += out.bytes
      return { partition, file: name, bytes: out.bytes, rows, checksum: out.checksum }
    } finally {
      await file.close()
    }
  }
}

/** A file that is written in large pieces. */
class Output {
  bytes = 0
  checksum = 0
  readonly #file: DiskFile
  #pending: Uint8Array[] = []
  #pendingBytes = 0

  constructor(file: DiskFile) {
    this.#file = file
  }

  async add(bytes: Uint8Array): Promise<void> {
    this.#pending.push(bytes.slice())
    this.#pendingBytes += bytes.length
    this.bytes += bytes.length
    this.checksum = crc32c(bytes, this.checksum)
    if (this.#pendingBytes >= WRITE_BYTES) await this.#flush()
  }

  async #flush(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    if (pending.length > 0) await this.#file.append(pending)
  }

  async end(): Promise<void> {
    await this.#flush()
    await this.#file.sync()
  }
}

function holdersOf(context: Context, database: number, partition: PartitionId): NodeId[] {
  const record = context.partition(database, partition)
  return record === null ? [] : context.livingHolders(record)
}

const isFinished = (): ClusterError<DatabaseErrorDetail> =>
  new ClusterError(
    { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: 'folder', given: MANIFEST },
    `The folder has a finished backup (${MANIFEST}) already. Give an empty folder.`,
  )
