import { assert } from '@cluster/core'
import type { ExecutionContext, SpillProfile } from '../context.ts'
import type { MemoryAccount } from '../memory.ts'
import type { TemporaryFile } from './temporary-files.ts'

/** The files of one operator in one run. Whoever makes it closes it, whatever happens. */
export class SpillFiles {
  readonly context: ExecutionContext
  readonly #node: object
  readonly #open = new Set<SpillFile>()
  #diskBytes = 0
  /** Runs that were written, or parts that were worked on one after another. */
  batches = 0
  #memoryBytes = 0

  /** @param node of the plan, by which EXPLAIN ANALYZE asks for it */
  constructor(context: ExecutionContext, node: object) {
    this.context = context
    this.#node = node
  }

  /** What the operator has written, in bytes. */
  get diskBytes(): number {
    return this.#diskBytes
  }

  /** True: there is something to close. */
  get used(): boolean {
    return this.#diskBytes > 0 || this.#open.size > 0
  }

  /** @throws 53100, 58030 */
  async create(): Promise<SpillFile> {
    const { files } = this.context.memory
    assert(files !== null, 'rows are only written where there is a place for them')
    const file = new SpillFile(await files.create(), this)
    this.#open.add(file)
    return file
  }

  /** Looks at the most that was kept in memory. */
  kept({ peak }: MemoryAccount): void {
    this.#memoryBytes = Math.max(this.#memoryBytes, peak)
  }

  wrote(bytes: number): void {
    this.#diskBytes += bytes
  }

  closed(file: SpillFile): void {
    this.#open.delete(file)
  }

  /** Notes for EXPLAIN ANALYZE what was written, and deletes the files that are still there. */
  async close(kind: SpillProfile['kind']): Promise<void> {
    const profile = this.#diskBytes === 0 ? undefined : this.context.profile?.of(this.#node)
    if (profile !== undefined) {
      const { batches, diskBytes } = this
      profile.spill = { kind, batches, memoryBytes: this.#memoryBytes, diskBytes }
    }
    const removed = await Promise.allSettled([...this.#open].map((file) => file.remove()))
    // One that cannot be deleted does not keep the others.
    for (const one of removed) if (one.status === 'rejected') throw one.reason
  }
}

/** A file of rows, shared by several lists of them. */
export class SpillFile {
  readonly owner: SpillFiles
  readonly #file: TemporaryFile

  constructor(file: TemporaryFile, owner: SpillFiles) {
    this.#file = file
    this.owner = owner
  }

  /** @returns where the bytes begin @throws 53100, 53400, 58030 */
  append(bytes: Uint8Array): Promise<number> {
    this.owner.wrote(bytes.length)
    return this.#file.append(bytes)
  }

  /** @throws 58030 */
  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#file.read(offset, length)
  }

  /** @throws 58030 */
  async remove(): Promise<void> {
    this.owner.closed(this)
    await this.#file.remove()
  }
}
