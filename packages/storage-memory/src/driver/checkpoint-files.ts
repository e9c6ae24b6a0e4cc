import {
  ByteReader,
  ByteWriter,
  CHUNK_FORMAT,
  CHUNK_HEADER_BYTES,
  ClusterError,
  chunkBytes,
  chunkDamaged,
  crc32c,
  type Disk,
  type DiskErrorDetail,
  decodeChunk,
  type EndChunk,
  encodeChunk,
  logIndex,
  type RowsChunk,
  type Version,
} from '@cluster/core'

const MANIFEST = 'manifest'
/** Bytes gathered before they are handed to the disk. */
const WRITE_BYTES = 1 << 20

/** Which files make up the checkpoint. They are read in order: the base, then what changed since. */
export interface Manifest {
  readonly version: Version
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
}

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
    const reader = new ByteReader(bytes)
    if (bytes.length < 6 || reader.u32() !== crc32c(bytes.subarray(4))) throw chunkDamaged(path, 0)
    const format = reader.u8()
    if (format !== CHUNK_FORMAT) {
      throw new ClusterError<DiskErrorDetail>(
        { code: 'DISK_FORMAT', outcome: 'rejected', path, found: format, supported: CHUNK_FORMAT },
        `${path} has format ${format}, but this version reads format ${CHUNK_FORMAT}: run the version that wrote it`,
      )
    }
    const version = logIndex(reader.varint())
    const files: { name: string; bytes: number }[] = []
    for (let left = reader.varint(); left > 0; left--)
      files.push({ name: reader.text(reader.varint()), bytes: reader.varint() })
    return { version, files }
  }

  /** Makes `manifest` the one that counts, durably. The files that no longer do are strays from now on. */
  async commit(manifest: Manifest): Promise<void> {
    const writer = new ByteWriter(256)
    writer.u32(0)
    writer.u8(CHUNK_FORMAT)
    writer.varint(manifest.version)
    writer.varint(manifest.files.length)
    for (const { name, bytes } of manifest.files) {
      // Names are ASCII, so their length is that of their bytes.
      writer.varint(name.length)
      writer.text(name)
      writer.varint(bytes)
    }
    writer.patchU32(0, crc32c(writer.view().subarray(4)))
    await this.#disk.replace(MANIFEST, writer.finish())
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
        if (size === null || offset + size > file.size()) throw chunkDamaged(path, offset)
        const chunk: RowsChunk | EndChunk = decodeChunk(await file.read(offset, size), path, offset)
        if ('rowCount' in chunk) {
          if (chunk.rowCount !== rowCount) throw chunkDamaged(path, offset)
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
