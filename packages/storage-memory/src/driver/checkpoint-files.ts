import { ClusterError, crc32c, type Disk, type DiskErrorDetail, logIndex, type Version } from '@cluster/core'
import { Decoder, Encoder } from 'cbor-x'
import {
  CHUNK_HEADER_BYTES,
  chunkBytes,
  damaged,
  decodeChunk,
  type EndChunk,
  encodeChunk,
  FORMAT,
  type RowsChunk,
} from './chunks.ts'

const MANIFEST = 'manifest'
/** Bytes gathered before they are handed to the disk. */
const WRITE_BYTES = 1 << 20

/** Which files make up the checkpoint. They are read in order: the base, then what changed since. */
export interface Manifest {
  readonly version: Version
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
}

const encoder = new Encoder({ useRecords: false })
const decoder = new Decoder({ useRecords: false })

/** The files of one partition's checkpoint; the manifest, replaced as a whole, says which of them count. */
export class CheckpointFiles {
  readonly #disk: Disk
  readonly #name: string

  constructor(disk: Disk, name: string) {
    this.#disk = disk
    this.#name = name
  }

  /** @returns null when there is no checkpoint. @throws DISK_DAMAGED, DISK_FORMAT */
  async manifest(): Promise<Manifest | null> {
    const bytes = await this.#disk.read(MANIFEST)
    if (bytes === null) return null
    const path = this.#path(MANIFEST)
    if (bytes.length < 5) throw damaged(path, 0)
    const checksum = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
    const payload = bytes.subarray(4)
    if (crc32c(payload) !== checksum) throw damaged(path, 0)
    const [format, version, files] = decoder.decode(payload) as [number, number, [string, number][]]
    if (format !== FORMAT) {
      throw new ClusterError<DiskErrorDetail>(
        { code: 'DISK_FORMAT', outcome: 'rejected', path, found: format, supported: FORMAT },
        `${path} has format ${format}, but this version reads format ${FORMAT}: run the version that wrote it`,
      )
    }
    return { version: logIndex(version), files: files.map(([name, size]) => ({ name, bytes: size })) }
  }

  /** Makes `manifest` the one that counts, durably. The files that no longer do are strays from now on. */
  async commit(manifest: Manifest): Promise<void> {
    const payload = encoder.encode([
      FORMAT,
      manifest.version,
      manifest.files.map(({ name, bytes }) => [name, bytes]),
    ])
    const bytes = new Uint8Array(4 + payload.length)
    new DataView(bytes.buffer).setUint32(0, crc32c(payload))
    bytes.set(payload, 4)
    await this.#disk.replace(MANIFEST, bytes)
  }

  /** Removes what an interrupted checkpoint left behind. */
  async removeStrays(manifest: Manifest | null): Promise<void> {
    const keep = new Set([MANIFEST, ...(manifest?.files.map((file) => file.name) ?? [])])
    for (const name of await this.#disk.list()) if (!keep.has(name)) await this.#disk.remove(name)
  }

  /** Removes everything; the manifest first, so that a crash in between leaves no half checkpoint. */
  async remove(): Promise<void> {
    await this.#disk.remove(MANIFEST)
    await this.removeStrays(null)
  }

  /** Writes a new file of chunks, durably. @returns its size in bytes */
  async write(name: string, chunks: AsyncIterable<RowsChunk>): Promise<number> {
    // The name may be left over from a checkpoint that was interrupted.
    await this.#disk.remove(name)
    const file = await this.#disk.open(name)
    try {
      let rowCount = 0
      let pending: Uint8Array[] = []
      let pendingBytes = 0
      for await (const chunk of chunks) {
        rowCount += chunk.keys.length
        const bytes = encodeChunk(chunk)
        pending.push(bytes)
        pendingBytes += bytes.length
        if (pendingBytes < WRITE_BYTES) continue
        await file.append(pending)
        pending = []
        pendingBytes = 0
      }
      await file.append([...pending, encodeChunk({ rowCount })])
      await file.sync()
      return file.size()
    } finally {
      await file.close()
    }
  }

  /** The chunks of a file. @throws DISK_DAMAGED, also when the end is missing */
  async *read(name: string): AsyncIterable<RowsChunk> {
    const path = this.#path(name)
    const file = await this.#disk.open(name)
    try {
      let offset = 0
      let rowCount = 0
      for (;;) {
        const size = chunkBytes(await file.read(offset, CHUNK_HEADER_BYTES))
        if (size === null || offset + size > file.size()) throw damaged(path, offset)
        const chunk: RowsChunk | EndChunk = decodeChunk(await file.read(offset, size), path, offset)
        if ('rowCount' in chunk) {
          if (chunk.rowCount !== rowCount) throw damaged(path, offset)
          return
        }
        rowCount += chunk.keys.length
        offset += size
        yield chunk
      }
    } finally {
      await file.close()
    }
  }

  #path(name: string): string {
    return `${this.#name}/${name}`
  }
}
