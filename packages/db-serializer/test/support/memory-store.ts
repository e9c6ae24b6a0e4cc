import { type Disk, type LogIndex, logIndex } from '@cluster/core'
import type { LogStore } from '../../src/driver/log-store.ts'
import type { Entry, HardState, PersistEffect, SnapshotMeta } from '../../src/machine/types.ts'

interface Kept {
  hardState: HardState | null
  snapshot: { meta: SnapshotMeta; bytes: Uint8Array } | null
  entries: Entry[]
}

/** Keeps the log in memory across restarts; a write takes as long as one tiny file on the disk. */
export class MemoryStores {
  readonly #kept = new Map<string, Kept>()

  open(node: string): (disk: Disk) => Promise<LogStore> {
    return async (disk) => {
      let kept = this.#kept.get(node)
      if (!kept) {
        kept = { hardState: null, snapshot: null, entries: [] }
        this.#kept.set(node, kept)
      }
      return new MemoryStore(kept, disk)
    }
  }
}

class MemoryStore implements LogStore {
  readonly #kept: Kept
  readonly #disk: Disk
  readonly recovered: LogStore['recovered']

  constructor(kept: Kept, disk: Disk) {
    this.#kept = kept
    this.#disk = disk
    this.recovered = {
      hardState: kept.hardState,
      snapshot: kept.snapshot?.meta ?? null,
      entries: [...kept.entries],
    }
  }

  async readSnapshot(): Promise<Uint8Array | null> {
    return this.#kept.snapshot?.bytes ?? null
  }

  async write(writes: readonly PersistEffect[], received: (ref: number) => Uint8Array): Promise<void> {
    await this.#disk.replace('write', new Uint8Array(1))
    const kept = this.#kept
    for (const write of writes) {
      if (write.hardState) kept.hardState = write.hardState
      if (write.snapshot) {
        kept.snapshot = { meta: write.snapshot.meta, bytes: received(write.snapshot.ref) }
        kept.entries = []
      }
      const { truncateFrom } = write
      if (truncateFrom !== null) kept.entries = kept.entries.filter(({ index }) => index < truncateFrom)
      kept.entries.push(...write.entries)
    }
  }

  async saveSnapshot(meta: SnapshotMeta, bytes: Uint8Array, cutBefore: LogIndex): Promise<void> {
    await this.#disk.replace('write', new Uint8Array(1))
    this.#kept.snapshot = { meta, bytes }
    this.#kept.entries = this.#kept.entries.filter(({ index }) => index >= logIndex(cutBefore))
  }

  async clear(): Promise<void> {
    this.#kept.hardState = null
    this.#kept.snapshot = null
    this.#kept.entries = []
  }

  async close(): Promise<void> {}
}
