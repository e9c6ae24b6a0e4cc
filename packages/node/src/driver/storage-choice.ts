import { join } from 'node:path'
import { type Clock, ClusterError, type Disk, type Logger, type StorageEngine } from '@cluster/core'
import type { NodeErrorDetail } from '../errors.ts'
import type { DataFolder } from './data-folder.ts'

/** Where a node keeps its rows: in memory with checkpoints, or in LMDB files, for data larger than memory. */
export type StorageKind = 'memory' | 'lmdb'

/** Says which engine has the rows of a data folder; without it the memory engine has. */
const FILE = 'storage.json'
const FORMAT = 1

/**
 * The engine to keep rows with; null stands for the memory engine. A data folder keeps the engine it began with: another
 * one would not find the rows, and they would be copied anew or be missing.
 * @param wanted undefined: as the folder has it
 * @throws OPTION_INVALID when the folder has its rows in another engine, or LMDB does not run on this platform
 */
export async function chooseStorage(
  wanted: StorageKind | undefined,
  folder: Pick<DataFolder, 'path' | 'disk' | 'fresh'>,
  ports: { readonly clock: Clock; readonly logger: Logger },
): Promise<StorageEngine | null> {
  const known = folder.fresh ? null : await readKind(folder.disk)
  const kind = wanted ?? known ?? 'memory'
  if (known !== null && kind !== known) {
    throw invalid(
      kind,
      `the data folder ${folder.path} has its rows in the storage engine "${known}"; start with that one, or with an empty folder, into which the rows are copied from the other nodes`,
    )
  }
  if (kind === 'memory') return null
  const engine = await openLmdb(folder.path, ports)
  if (known === null) {
    const text = `${JSON.stringify({ format: FORMAT, engine: kind })}\n`
    await folder.disk.replace(FILE, new TextEncoder().encode(text))
  }
  return engine
}

async function readKind(disk: Disk): Promise<StorageKind> {
  const bytes = await disk.read(FILE)
  if (bytes === null) return 'memory'
  let found: { format?: unknown; engine?: unknown } = {}
  try {
    found = JSON.parse(new TextDecoder().decode(bytes)) as typeof found
  } catch {
    // What cannot be read names no engine, which is said below.
  }
  const { format, engine } = found
  if (format === FORMAT && (engine === 'lmdb' || engine === 'memory')) return engine
  throw invalid(
    String(engine),
    `${FILE} in the data folder names no storage engine that this version knows: run the version that wrote it`,
  )
}

/** Loaded only where it is asked for, since it brings a binary that not every platform has. */
async function openLmdb(
  path: string,
  ports: { readonly clock: Clock; readonly logger: Logger },
): Promise<StorageEngine> {
  let lmdb: typeof import('@cluster/storage-lmdb')
  try {
    lmdb = await import('@cluster/storage-lmdb')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw invalid('lmdb', `LMDB cannot be loaded on ${process.platform}-${process.arch}: ${reason}`, error)
  }
  return lmdb.lmdbStorage({ folder: join(path, 'data') })(ports)
}

function invalid(given: string, message: string, cause?: unknown): ClusterError<NodeErrorDetail> {
  return new ClusterError<NodeErrorDetail>(
    { code: 'OPTION_INVALID', outcome: 'rejected', option: 'storage', given },
    message,
    cause === undefined ? {} : { cause },
  )
}
