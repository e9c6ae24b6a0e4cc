import {
  type BackupInfo,
  CHUNK_HEADER_BYTES,
  chunkBytes,
  crc32c,
  type Disk,
  decodeChunk,
  errorCode,
  type RowsChunk,
} from '@cluster/core'
import { backupUnusable } from '../../errors.ts'

/** Written last: with it the backup is finished. */
export const MANIFEST = 'backup.json'
/** What is there of one that is being made. */
export const BEGUN = 'begun.json'
export const CHANGES_FILE = 'changes.log'
const FORMAT = 1

/** Text of a manifest: its JSON, and a checksum of it in a second line. */
export function encodeManifest(info: BackupInfo): Uint8Array {
  const text = JSON.stringify({ format: FORMAT, ...info }, null, 1)
  const json = new TextEncoder().encode(text)
  return new TextEncoder().encode(`${text}\n${crc32c(json).toString(16)}\n`)
}

/** @returns null when there is none. @throws DB_BACKUP_UNUSABLE */
export async function readManifest(folder: Disk, path: string): Promise<BackupInfo | null> {
  const bytes = await folder.read(path)
  if (bytes === null) return null
  const text = new TextDecoder().decode(bytes)
  const end = text.lastIndexOf('\n', text.length - 2)
  const json = text.slice(0, end)
  const sum = text.slice(end + 1).trim()
  if (end < 0 || crc32c(new TextEncoder().encode(json)).toString(16) !== sum)
    throw backupUnusable(path, 'damaged')
  const { format, ...info } = JSON.parse(json) as BackupInfo & { format: number }
  if (format !== FORMAT) throw backupUnusable(path, 'format')
  return info
}

/** A finished backup. @throws DB_BACKUP_UNUSABLE */
export async function openBackup(folder: Disk): Promise<BackupInfo> {
  const info = await readManifest(folder, MANIFEST)
  if (info === null) throw backupUnusable(MANIFEST, 'missing')
  return info
}

/** The rows of one file, checked to its end. @throws DB_BACKUP_UNUSABLE */
export async function* readRows(folder: Disk, file: BackupInfo['files'][number]): AsyncIterable<RowsChunk> {
  const disk = await folder.open(file.file)
  try {
    if (disk.size() !== file.bytes) throw backupUnusable(file.file, 'damaged')
    let rows = 0
    let checksum = 0
    for (let offset = 0; ; ) {
      const size = chunkBytes(await disk.read(offset, CHUNK_HEADER_BYTES))
      if (size === null || offset + size > file.bytes) throw backupUnusable(file.file, 'damaged')
      const bytes = await disk.read(offset, size)
      checksum = crc32c(bytes, checksum)
      offset += size
      const chunk = decoded(bytes, file.file, offset)
      if ('rowCount' in chunk) {
        const whole = chunk.rowCount === rows && rows === file.rows && offset === file.bytes
        if (!whole || checksum !== file.checksum) throw backupUnusable(file.file, 'damaged')
        return
      }
      rows += chunk.keys.length
      yield chunk
    }
  } finally {
    await disk.close()
  }
}

function decoded(bytes: Uint8Array, path: string, offset: number): ReturnType<typeof decodeChunk> {
  try {
    return decodeChunk(bytes, path, offset)
  } catch (error) {
    const code = errorCode(error)
    if (code === null) throw error
    throw backupUnusable(path, code === 'DISK_FORMAT' ? 'format' : 'damaged')
  }
}
