import { ClusterError, type Disk, type DiskFile } from '@cluster/core'
import { sqlError } from '../../errors.ts'

/** Where statements put rows that are too many for memory. */
export interface TemporaryFiles {
  /**
   * Makes an empty file that nobody else knows.
   * @throws 53100 when the disk is full, 58030 when it fails
   */
  create(): Promise<TemporaryFile>
}

/** A file that lives no longer than the statement that made it. One writer; calls one after another. */
export interface TemporaryFile {
  /**
   * Adds bytes at the end; they are read before this resolves and not after.
   * @returns where they begin
   * @throws 53100 when the disk is full, 53400 when all statements of the node have written too much, 58030
   */
  append(bytes: Uint8Array): Promise<number>
  /** @throws 58030 when they cannot be read */
  read(offset: number, length: number): Promise<Uint8Array>
  /** Deletes the file. Once is enough; again does nothing. @throws 58030 */
  remove(): Promise<void>
}

export interface TemporaryFilesOptions {
  /** What all files together may take, in bytes. Default: as much as the disk has. */
  readonly bytesMax?: number
}

/** The temporary files of a node, of all its statements together. */
export interface NodeTemporaryFiles extends TemporaryFiles {
  /** What the files take at present, in bytes. */
  readonly bytes: number
  /** Deletes what an earlier process left behind; to be called before the first file is made. */
  empty(): Promise<void>
}

/** Temporary files in a folder that belongs to nobody else. */
export function temporaryFiles(
  disk: Disk,
  { bytesMax = Number.POSITIVE_INFINITY }: TemporaryFilesOptions = {},
): NodeTemporaryFiles {
  return new DiskFiles(disk, bytesMax)
}

class DiskFiles implements NodeTemporaryFiles {
  readonly #disk: Disk
  readonly #bytesMax: number
  #bytes = 0
  #made = 0

  constructor(disk: Disk, bytesMax: number) {
    this.#disk = disk
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  async empty(): Promise<void> {
    for (const name of await this.#disk.list()) await this.#disk.remove(name)
  }

  async create(): Promise<TemporaryFile> {
    const name = `rows-${++this.#made}`
    try {
      return new OneFile(this, name, await this.#disk.open(name))
    } catch (error) {
      throw temporaryError('create', error)
    }
  }

  /** @throws 53400 */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax)
      throw sqlError('53400', `temporary file size exceeds the limit of ${this.#bytesMax} bytes`, {
        hint: 'All statements of the node share it. Raise work_mem, or let fewer large statements run at once.',
      })
    this.#bytes += bytes
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }

  async remove(name: string): Promise<void> {
    await this.#disk.remove(name)
  }
}

class OneFile implements TemporaryFile {
  readonly #files: DiskFiles
  readonly #name: string
  readonly #file: DiskFile
  /** What it counts for, also where a write failed half way. */
  #bytes = 0
  #removed = false

  constructor(files: DiskFiles, name: string, file: DiskFile) {
    this.#files = files
    this.#name = name
    this.#file = file
  }

  async append(bytes: Uint8Array): Promise<number> {
    this.#files.take(bytes.length)
    this.#bytes += bytes.length
    const offset = this.#file.size()
    try {
      await this.#file.append([bytes])
    } catch (error) {
      throw temporaryError('write to', error)
    }
    return offset
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    let bytes: Uint8Array
    try {
      bytes = await this.#file.read(offset, length)
    } catch (error) {
      throw temporaryError('read from', error)
    }
    if (bytes.length === length) return bytes
    throw sqlError('58030', 'could not read from temporary file: it is shorter than what was written to it', {
      hint: 'Look at the disk and the system log.',
    })
  }

  async remove(): Promise<void> {
    if (this.#removed) return
    this.#removed = true
    try {
      await this.#file.close()
      await this.#files.remove(this.#name)
    } catch (error) {
      throw temporaryError('delete', error)
    } finally {
      this.#files.give(this.#bytes)
    }
  }
}

/** A failure of the disk in the words of PostgreSQL; everything else as it is. */
function temporaryError(what: string, error: unknown): unknown {
  if (!(error instanceof ClusterError)) return error
  const { code } = error.detail as { readonly code: string }
  if (code === 'DISK_FULL')
    return sqlError('53100', `could not ${what} temporary file: No space left on device`, {
      hint: 'Nothing was changed. Free some space, or raise work_mem so that less is written.',
      cause: error,
    })
  if (code === 'DISK_FAILED' || code === 'DISK_DENIED')
    return sqlError('58030', `could not ${what} temporary file: ${error.message}`, {
      hint: 'Look at the disk and the system log.',
      cause: error,
    })
  return error
}
