import type { Disk, DiskFile } from '@cluster/core'

/** A disk that is a map from paths to bytes: never fails, never slow, always durable. */
export class MemoryDisk implements Disk {
  readonly #files: Map<string, Uint8Array>
  readonly #prefix: string

  constructor(files = new Map<string, Uint8Array>(), prefix = '') {
    this.#files = files
    this.#prefix = prefix
  }

  /** Another disk with the same files, as they are now. */
  copy(): MemoryDisk {
    const files = [...this.#files].map(([path, bytes]) => [path, bytes.slice()] as const)
    return new MemoryDisk(new Map(files), this.#prefix)
  }

  async list(): Promise<readonly string[]> {
    const paths = [...this.#files.keys()].filter((path) => path.startsWith(this.#prefix))
    return paths.map((path) => path.slice(this.#prefix.length)).sort()
  }

  async read(path: string): Promise<Uint8Array | null> {
    return this.#files.get(this.#prefix + path)?.slice() ?? null
  }

  async replace(path: string, content: Uint8Array): Promise<void> {
    this.#files.set(this.#prefix + path, content.slice())
  }

  async open(path: string): Promise<DiskFile> {
    const full = this.#prefix + path
    const content = (): Uint8Array => this.#files.get(full) ?? new Uint8Array()
    this.#files.set(full, content())
    return {
      size: () => content().length,
      append: async (chunks) => {
        const size = content().length + chunks.reduce((sum, chunk) => sum + chunk.length, 0)
        const grown = new Uint8Array(size)
        grown.set(content())
        let at = content().length
        for (const chunk of chunks) {
          grown.set(chunk, at)
          at += chunk.length
        }
        this.#files.set(full, grown)
      },
      write: async (offset, bytes) => {
        const whole = content().slice()
        whole.set(bytes, offset)
        this.#files.set(full, whole)
      },
      sync: async () => {},
      read: async (offset, length) => content().slice(offset, offset + length),
      truncate: async (size) => void this.#files.set(full, content().slice(0, size)),
      close: async () => {},
    }
  }

  async rename(path: string, to: string): Promise<void> {
    const content = this.#files.get(this.#prefix + path)
    if (content === undefined) throw new Error(`there is no file ${path} to rename`)
    this.#files.delete(this.#prefix + path)
    this.#files.set(this.#prefix + to, content)
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(this.#prefix + path)
  }

  folder(path: string): Disk {
    return new MemoryDisk(this.#files, `${this.#prefix}${path}/`)
  }
}
