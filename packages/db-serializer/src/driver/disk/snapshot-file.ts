import type { Disk } from '@cluster/core'
import type { SnapshotMeta } from '../../machine/raft/types.ts'
import { damaged, decodeBlock, encodeBlock } from './block.ts'

const KIND = { magic: 0x50534e43, version: 1 }
const NAME = /^snapshot-(\d+)$/

export const snapshotPath = (index: number): string => `snapshot-${String(index).padStart(16, '0')}`

/** Indexes of the snapshots in the folder, oldest first. */
export function snapshotsIn(paths: readonly string[]): number[] {
  const indexes: number[] = []
  for (const path of paths) {
    const found = NAME.exec(path)
    if (found !== null) indexes.push(Number(found[1]))
  }
  return indexes.sort((a, b) => a - b)
}

export async function writeSnapshot(disk: Disk, meta: SnapshotMeta, state: Uint8Array): Promise<void> {
  await disk.replace(snapshotPath(meta.index), encodeBlock(KIND, meta, state))
}

/** @throws LOG_DAMAGED, DISK_FORMAT */
export async function readSnapshotFile(
  disk: Disk,
  index: number,
): Promise<{ readonly meta: SnapshotMeta; readonly state: Uint8Array }> {
  const path = snapshotPath(index)
  const bytes = await disk.read(path)
  if (bytes === null) throw damaged(path, 0, 'the file is missing')
  const block = decodeBlock(path, KIND, bytes)
  if (block === null || block.length !== bytes.length)
    throw damaged(path, 0, 'the checksum of the snapshot does not hold')
  const meta = block.meta as SnapshotMeta
  if (meta.index !== index) throw damaged(path, 0, `it holds the snapshot of index ${meta.index}`)
  return { meta, state: block.rest }
}
