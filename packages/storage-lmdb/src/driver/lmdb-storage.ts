import {
  type Clock,
  type Logger,
  logIndex,
  type PartitionStore,
  type StorageEngine,
  silentLogger,
  type Version,
} from '@cluster/core'
import { BufferBudget } from '../machine/buffer-budget.ts'
import { BulkLoad } from './bulk-load.ts'
import { Environment } from './environment.ts'
import { Files } from './files.ts'
import { Folders } from './folders.ts'
import { LmdbPartition } from './lmdb-partition.ts'
import { takeBack } from './recovery.ts'
import { readHead } from './store-head.ts'

export interface LmdbStorageOptions {
  /** The folder of the platform's file system that belongs to the engine alone. */
  readonly folder: string
  /**
   * Memory that writes of all partitions may take together before they are in the files, roughly counted. Past half of
   * it the engine writes them by itself, past all of it each further write waits for a part of that. Default 64 MiB.
   */
  readonly bufferBytesMax?: number
  /** Address space that LMDB reserves for a partition at first; it grows by itself. Default 16 MiB. */
  readonly mapBytes?: number
}

export interface LmdbStoragePorts {
  readonly clock: Clock
  readonly logger?: Logger
}

/** The engine for data larger than memory: rows live in LMDB files, and only writes of the last moments in memory. */
export function lmdbStorage(options: LmdbStorageOptions): (ports: LmdbStoragePorts) => StorageEngine {
  return (ports) => new LmdbStorage(options, ports)
}

class LmdbStorage implements StorageEngine {
  readonly #folders: Folders
  readonly #mapBytes: number
  readonly #budget: BufferBudget
  readonly #clock: Clock
  readonly #logger: Logger
  /** LMDB allows one opening of a file in a process. */
  readonly #open = new Map<string, LmdbPartition>()

  constructor(
    { folder, bufferBytesMax = 64 * 1024 * 1024, mapBytes = 16 * 1024 * 1024 }: LmdbStorageOptions,
    { clock, logger = silentLogger }: LmdbStoragePorts,
  ) {
    this.#folders = new Folders(folder)
    this.#mapBytes = mapBytes
    this.#budget = new BufferBudget(bufferBytesMax)
    this.#clock = clock
    this.#logger = logger
  }

  async open(name: string): Promise<PartitionStore> {
    await this.#closeOpen(name)
    const folder = this.#folders.of(name)
    await this.#folders.remove(this.#folders.incoming(name))
    if (!this.#folders.exists(folder)) return this.#partition(name, null)
    const env = Environment.open(folder, { mapBytes: this.#mapBytes })
    try {
      const head = readHead(env)
      if (head !== null) {
        const files = new Files(env, head)
        await takeBack(files)
        return this.#partition(name, files)
      }
    } catch (error) {
      await env.close()
      throw error
    }
    // Its first checkpoint was never finished: there is nothing in it that counts.
    await env.close()
    await this.#folders.remove(folder)
    return this.#partition(name, null)
  }

  async import(name: string, version: Version, chunks: AsyncIterable<Uint8Array>): Promise<PartitionStore> {
    const incoming = this.#folders.incoming(name)
    await this.#folders.remove(incoming)
    const files = this.#make(incoming)
    try {
      await new BulkLoad(files, version, `copy of ${name}`).run(chunks)
    } catch (error) {
      await files.env.close()
      await this.#folders.remove(incoming)
      throw error
    }
    await files.env.close()
    await this.#closeOpen(name)
    await this.#folders.adopt(name)
    return this.open(name)
  }

  list(): Promise<readonly string[]> {
    return this.#folders.list()
  }

  async remove(name: string): Promise<void> {
    await this.#closeOpen(name)
    await this.#folders.remove(this.#folders.incoming(name))
    await this.#folders.remove(this.#folders.of(name))
  }

  #partition(name: string, files: Files | null): LmdbPartition {
    const folder = this.#folders.of(name)
    const partition: LmdbPartition = new LmdbPartition(name, files, {
      clock: this.#clock,
      logger: this.#logger,
      budget: this.#budget,
      makeFiles: () => this.#make(folder),
      removeFiles: () => this.#folders.remove(folder),
    })
    this.#open.set(name, partition)
    return partition
  }

  /** Fresh files in the folder. */
  #make(folder: string): Files {
    this.#folders.make(folder)
    const env = Environment.open(folder, { mapBytes: this.#mapBytes })
    this.#folders.persist(folder)
    return new Files(env, { version: logIndex(0), counts: new Map() })
  }

  async #closeOpen(name: string): Promise<void> {
    await this.#open.get(name)?.close()
    this.#open.delete(name)
  }
}
