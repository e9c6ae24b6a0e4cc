import { writeSync, writevSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { ClusterError, type Disk, type DiskErrorDetail, type DiskFile } from '@cluster/core'

/** Suffix of a file that `replace` has not finished; never listed, removed by the next `replace`. */
const UNFINISHED = '.unfinished'
/** Files hold the node's key and people's data: nobody else reads them. */
const PRIVATE = 0o600
/** Appends up to this size go into the system's cache at once. */
const AT_ONCE_BYTES = 256 * 1024
/** What one `writev` takes at most on every system. */
const AT_ONCE_CHUNKS = 1024

/** A folder of the platform's file system. The folder is made when something is written. */
export function nodeDisk(folder: string): Disk {
  const at = (path: string): string => join(folder, ...path.split('/'))

  const list = async (): Promise<readonly string[]> => {
    try {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith(UNFINISHED))
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .sort()
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw diskError(folder, 'list', error)
    }
  }

  return {
    list,
    async read(path) {
      try {
        const bytes = await readFile(at(path))
        return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return null
        throw diskError(at(path), 'read', error)
      }
    },
    async replace(path, content) {
      const target = at(path)
      try {
        await makeFolder(dirname(target))
        const unfinished = target + UNFINISHED
        const handle = await open(unfinished, 'w', PRIVATE)
        try {
          await handle.writeFile(content)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await rename(unfinished, target)
        await syncFolder(dirname(target))
      } catch (error) {
        throw diskError(target, 'write', error)
      }
    },
    async open(path) {
      const target = at(path)
      try {
        await makeFolder(dirname(target))
        const existed = await exists(target)
        const handle = await open(target, existed ? 'r+' : 'w+', PRIVATE)
        if (!existed) {
          await handle.sync()
          await syncFolder(dirname(target))
        }
        return new NodeDiskFile(target, handle, (await handle.stat()).size)
      } catch (error) {
        throw diskError(target, 'open', error)
      }
    },
    async rename(path, to) {
      const [from, target] = [at(path), at(to)]
      try {
        await makeFolder(dirname(target))
        await rename(from, target)
        await syncFolder(dirname(target))
        if (dirname(from) !== dirname(target)) await syncFolder(dirname(from))
      } catch (error) {
        throw diskError(from, 'rename', error)
      }
    },
    async remove(path) {
      const target = at(path)
      try {
        if (!(await exists(target))) return
        await rm(target)
        await syncFolder(dirname(target))
      } catch (error) {
        throw diskError(target, 'remove', error)
      }
    },
    folder: (path) => nodeDisk(at(path)),
  }
}

class NodeDiskFile implements DiskFile {
  readonly #path: string
  readonly #handle: FileHandle
  #size: number
  /** Operations run one after another in the order of the calls. */
  #last: Promise<unknown> = Promise.resolve()
  /** Operations that are not done yet. */
  #open = 0

  constructor(path: string, handle: FileHandle, size: number) {
    this.#path = path
    this.#handle = handle
    this.#size = size
  }

  size(): number {
    return this.#size
  }

  append(chunks: readonly Uint8Array[]): Promise<void> {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const position = this.#size
    this.#size += bytes
    // A copy into the system's cache takes microseconds; a thread of the pool and the way there and back take
    // longer, most of all on a busy machine. Only the sync, which waits for the disk, is worth a thread.
    const atOnce = this.#open === 0 && bytes <= AT_ONCE_BYTES && chunks.length <= AT_ONCE_CHUNKS
    let written = 0
    let failure: unknown = null
    if (atOnce && bytes > 0) {
      try {
        written = writevSync(this.#handle.fd, [...chunks], position)
        if (written === bytes) return Promise.resolve()
      } catch (error) {
        failure = error
      }
    }
    return this.#queue('append to', async () => {
      if (bytes === 0) return
      if (failure !== null) throw failure
      if (written > 0) {
        await this.#writeAll(Buffer.concat(chunks).subarray(written), position + written)
        return
      }
      const [only] = chunks
      if (chunks.length === 1 && only) await this.#writeAll(only, position)
      else {
        const { bytesWritten } = await this.#handle.writev([...chunks], position)
        if (bytesWritten < bytes)
          await this.#writeAll(Buffer.concat(chunks).subarray(bytesWritten), position + bytesWritten)
      }
    })
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    // As for small appends: the copy is not worth a thread.
    if (this.#open === 0 && bytes.length <= AT_ONCE_BYTES) {
      try {
        if (writeSync(this.#handle.fd, bytes, 0, bytes.length, offset) === bytes.length)
          return Promise.resolve()
      } catch {
        // The way below meets the same failure, and says what it is.
      }
    }
    return this.#queue('write to', () => this.#writeAll(bytes, offset))
  }

  sync(): Promise<void> {
    return this.#queue('sync', () => this.#handle.datasync())
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#queue('read', async () => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#size - offset)))
      let done = 0
      while (done < bytes.length) {
        const { bytesRead } = await this.#handle.read(bytes, done, bytes.length - done, offset + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done === bytes.length ? bytes : bytes.subarray(0, done)
    })
  }

  truncate(size: number): Promise<void> {
    this.#size = Math.min(this.#size, size)
    return this.#queue('truncate', async () => {
      await this.#handle.truncate(size)
      await this.#handle.sync()
    })
  }

  close(): Promise<void> {
    return this.#queue('close', () => this.#handle.close())
  }

  /** The kernel may write less than asked, on a full disk for instance; the rest is tried until it says why. */
  async #writeAll(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0
    while (done < bytes.length) {
      done += (await this.#handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten
    }
  }

  #queue<T>(what: string, run: () => Promise<T>): Promise<T> {
    this.#open++
    const guarded = async (): Promise<T> => {
      try {
        return await run()
      } catch (error) {
        throw diskError(this.#path, what, error)
      } finally {
        this.#open--
      }
    }
    const result = this.#last.then(guarded, guarded)
    this.#last = result
    return result
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/** Makes the folder and its parents, names durable: a file in a folder that a power cut forgot is lost. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open folders; its file systems keep names with the file's own flush.
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code
}

const ADVICE = {
  DISK_FULL: 'free some space; the node goes on by itself then',
  DISK_DENIED: 'give this user the right to write there, or choose another folder with --data',
  DISK_FAILED: 'look at the disk and the system log',
} as const

function diskError(path: string, what: string, cause: unknown): ClusterError<DiskErrorDetail> {
  const errno = codeOf(cause)
  const code =
    errno === 'ENOSPC' || errno === 'EDQUOT'
      ? 'DISK_FULL'
      : errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS'
        ? 'DISK_DENIED'
        : 'DISK_FAILED'
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ClusterError<DiskErrorDetail>(
    { code, outcome: 'unknown', path },
    `could not ${what} ${path}: ${reason}; ${ADVICE[code]}`,
    { cause },
  )
}
