import type { BackupReport, Disk } from '@cluster/core'
import { openBackup, readRows } from './backup-files.ts'
import { readArchive } from './change-archive.ts'

/**
 * Reads a whole backup and what was archived beside it, and checks every byte. Needs no cluster.
 * @throws DB_BACKUP_UNUSABLE
 */
export async function verifyBackup(folder: Disk): Promise<BackupReport> {
  const info = await openBackup(folder)
  let rows = 0
  for (const file of info.files) for await (const chunk of readRows(folder, file)) rows += chunk.keys.length
  let changes = 0
  let newest = info.version
  let newestWall = info.wall
  for await (const { record } of readArchive(folder)) {
    changes += record.changes.length
    newest = record.through
    newestWall = record.wall
  }
  const bytes = info.files.reduce((sum, file) => sum + file.bytes, 0)
  return { ...info, rows, bytes, changes, newest, newestWall }
}
