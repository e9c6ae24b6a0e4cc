import { readFile } from 'node:fs/promises'

export const MIB = 1024 * 1024

/** Memory of processes, all their pages counted. Linux only. */
export async function residentBytes(pids: readonly number[]): Promise<number> {
  let bytes = 0
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    bytes += Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
  }
  return bytes
}
