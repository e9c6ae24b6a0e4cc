import type { Disk } from '@cluster/core'

/**
 * What a killed process wrote last may be in the platform's cache alone: it can be read, and a power loss would
 * take it all the same. Whoever counts on what was read makes it durable first.
 */
export async function syncFile(disk: Disk, path: string): Promise<void> {
  const file = await disk.open(path)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
