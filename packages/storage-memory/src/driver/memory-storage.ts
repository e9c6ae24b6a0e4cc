import {
  type Clock,
  chunkDamaged,
  type Disk,
  decodeChunk,
  type Logger,
  logIndex,
  type PartitionStore,
  type StorageEngine,
  silentLogger,
  type Version,
} from '@cluster/core'
import { VersionedRelations } from '../machine/versioned-relations.ts'
import { CheckpointFiles } from './checkpoint-files.ts'
import { MemoryPartition } from './memory-partition.ts'

export interface MemoryStoragePorts {
  /** The folder that belongs to the engine alone. */
  readonly disk: Disk
  readonly clock: Clock
  readonly logger?: Logger
}

/** The engine that keeps rows as JavaScript values in memory; durable through checkpoints and the log. */
export function memoryStorage({ disk, clock, logger = silentLogger }: MemoryStoragePorts): StorageEngine {
  const filesOf = (name: string): CheckpointFiles => new CheckpointFiles(disk.folder(name), name)

  const open = async (name: string): Promise<PartitionStore> => {
    const files = filesOf(name)
    const manifest = await files.manifest()
    await files.removeStrays(manifest)
    const relations = new VersionedRelations(manifest?.version ?? logIndex(0))
    for (const file of manifest?.files ?? []) {
      for await (const { relation, keys, rows } of files.read(file.name)) {
        for (const [i, key] of keys.entries()) {
          const row = rows[i] ?? null
          if (row === null) relations.unload(relation, key)
          else relations.load(relation, key, row)
        }
      }
    }
    return new MemoryPartition(relations, manifest, { files, clock, logger })
  }

  return {
    open,
    async import(name: string, version: Version, chunks: AsyncIterable<Uint8Array>): Promise<PartitionStore> {
      const files = filesOf(name)
      await files.remove()
      const relations = new VersionedRelations(version)
      let rowCount = 0
      let complete = false
      for await (const bytes of chunks) {
        const chunk = decodeChunk(bytes, `copy of ${name}`, 0)
        if ('rowCount' in chunk) {
          complete = chunk.rowCount === rowCount
          break
        }
        rowCount += chunk.keys.length
        for (const [i, key] of chunk.keys.entries()) relations.load(chunk.relation, key, chunk.rows[i] ?? [])
      }
      // A copy without its end is a copy of something else: the source went away while it sent.
      if (!complete) throw chunkDamaged(`copy of ${name}`, 0)
      const store = new MemoryPartition(relations, null, { files, clock, logger })
      await store.checkpoint()
      return store
    },
    async list(): Promise<readonly string[]> {
      const ending = '/manifest'
      const names = await disk.list()
      return names.filter((path) => path.endsWith(ending)).map((path) => path.slice(0, -ending.length))
    },
    async remove(name: string): Promise<void> {
      await filesOf(name).remove()
    },
  }
}
