import {
  type BackupInfo,
  ClusterError,
  type Database,
  type DatabaseErrorDetail,
  type DatabaseOptions,
  type Disk,
  decodeChunk,
  EVERYWHERE,
  encodeChunk,
  type Key,
  lineageId,
  logIndex,
  type PartitionId,
  type RelationId,
  type RestoreOptions,
  type RestoreReport,
  type Row,
  relationId,
  type Version,
} from '@cluster/core'
import type { ModelChange } from './model-feed.ts'

export interface ModelRow {
  readonly relation: RelationId
  readonly key: Key
  readonly row: Row
}

interface ModelBackup {
  readonly database: string
  readonly options: Required<DatabaseOptions>
  readonly version: Version
  readonly partitions: readonly { readonly partition: PartitionId; readonly rows: readonly ModelRow[] }[]
}

const MANIFEST = 'model.json'

const unusable = (reason: 'missing' | 'version', path: string): ClusterError<DatabaseErrorDetail> =>
  new ClusterError({ code: 'DB_BACKUP_UNUSABLE', outcome: 'rejected', path, reason }, `${path}: ${reason}.`)

/** One row a file: slow, and nothing can go wrong. */
async function writeRow(folder: Disk, path: string, { relation, key, row }: ModelRow): Promise<void> {
  await folder.replace(path, encodeChunk({ relation, keys: [key], rows: [row] }))
}

async function* readFolder(
  folder: Disk,
  prefix: string,
): AsyncIterable<ModelRow & { readonly path: string }> {
  for (const path of await folder.list()) {
    if (!path.startsWith(prefix)) continue
    const chunk = decodeChunk((await folder.read(path)) ?? new Uint8Array(), path, 0)
    if ('rowCount' in chunk) continue
    yield { path, relation: chunk.relation, key: chunk.keys[0] ?? '', row: chunk.rows[0] ?? [] }
  }
}

export async function writeModelBackup(folder: Disk, backup: ModelBackup): Promise<BackupInfo> {
  if ((await folder.read(MANIFEST)) !== null)
    throw new ClusterError<DatabaseErrorDetail>(
      { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: 'folder', given: MANIFEST },
      'The folder has a backup; give an empty one.',
    )
  const { database, options, version, partitions } = backup
  for (const { partition, rows } of partitions)
    for (const [i, row] of rows.entries()) await writeRow(folder, `rows/${partition}/${i}`, row)
  await folder.replace(MANIFEST, new TextEncoder().encode(JSON.stringify({ database, options, version })))
  const files = partitions.map(({ partition, rows }) => ({
    partition,
    file: `rows/${partition}`,
    bytes: 0,
    rows: rows.length,
    checksum: 0,
  }))
  const lineage = lineageId('model')
  return { id: 'model', uid: database, database, options, version, lineage, wall: 0, files }
}

export async function readModelBackup(folder: Disk): Promise<Omit<ModelBackup, 'partitions'>> {
  const bytes = await folder.read(MANIFEST)
  if (bytes === null) throw unusable('missing', MANIFEST)
  return JSON.parse(new TextDecoder().decode(bytes)) as Omit<ModelBackup, 'partitions'>
}

export async function writeModelChanges(
  folder: Disk,
  version: Version,
  changes: readonly ModelChange[],
): Promise<void> {
  const name = String(version).padStart(12, '0')
  // A row of the archive says whether the row of the database is there; NULL in front when it was deleted.
  for (const [i, { relation, partition, key, before, after }] of changes.entries())
    await writeRow(folder, `changes/${name}/${partition}/${String(i).padStart(6, '0')}`, {
      relation,
      key,
      row: [after !== null, ...(after ?? before ?? [])],
    })
  if (changes.length === 0)
    await writeRow(folder, `changes/${name}/-`, { relation: relationId(0), key: '', row: [] })
}

export async function restoreModel(
  folder: Disk,
  { version, options }: Omit<ModelBackup, 'partitions'>,
  database: Database,
  { version: asked = version, distributionKey }: RestoreOptions,
): Promise<RestoreReport> {
  const transaction = await database.begin()
  const addressOf = (partition: PartitionId, { relation, key, row }: ModelRow) => {
    if (partition === EVERYWHERE || options.partitions === database.options.partitions)
      return { relation, partition, key }
    return { relation, partition: database.partitionOf(distributionKey?.(relation, key, row) ?? key), key }
  }
  let rows = 0
  for await (const found of readFolder(folder, 'rows/')) {
    const partition = Number(found.path.split('/')[1]) as PartitionId
    transaction.put(addressOf(partition, found), found.row)
    rows++
  }
  let newest: number = version
  let changes = 0
  for await (const found of readFolder(folder, 'changes/')) {
    const [, at, partition] = found.path.split('/')
    if (asked !== 'newest' && Number(at) > asked) break
    newest = Number(at)
    if (partition === '-') continue
    changes++
    const [there, ...row] = found.row
    const address = addressOf(Number(partition) as PartitionId, { ...found, row })
    if (there === true) transaction.put(address, row)
    else transaction.delete(address)
  }
  if (asked !== 'newest' && asked !== newest) throw unusable('version', 'changes')
  await transaction.commit()
  return { restored: logIndex(newest), rows, changes }
}
