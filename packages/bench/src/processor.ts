import { readdir, readFile } from 'node:fs/promises'

/** Clock ticks a second in `/proc`, which has been 100 on Linux for ever. */
const TICKS = 100

/**
 * Seconds of processor that the processes, and those that they had started and that have ended, have used so far; Linux
 * only, else 0.
 * @param living those that they have started and that are there count, too: some servers are a process a connection
 */
export async function usedSeconds(
  pids: readonly number[],
  living: 'with children' | 'alone' = 'alone',
): Promise<number> {
  const wanted = new Set(pids)
  let ticks = 0
  for (const { pid, parent, own, ended } of await processes()) {
    if (wanted.has(pid)) ticks += own + ended
    else if (living === 'with children' && wanted.has(parent)) ticks += own
  }
  return ticks / TICKS
}

interface ProcessTimes {
  readonly pid: number
  readonly parent: number
  /** Clock ticks. */
  readonly own: number
  /** Of those that it started and that have ended. */
  readonly ended: number
}

async function processes(): Promise<readonly ProcessTimes[]> {
  let names: string[] = []
  try {
    names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  } catch {
    // Another platform.
  }
  const each = names.map(async (name): Promise<ProcessTimes | null> => {
    try {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8')
      // The name may hold spaces; what follows its bracket does not.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const sum = (from: number): number => Number(fields[from]) + Number(fields[from + 1])
      return { pid: Number(name), parent: Number(fields[1]), own: sum(11), ended: sum(13) }
    } catch {
      // It ended meanwhile.
      return null
    }
  })
  return (await Promise.all(each)).filter((one) => one !== null)
}

/** Bytes of memory that the process holds; 0 where the platform does not tell. */
export async function residentBytes(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** Who used the processor, in cores. A client inside a server counts as server. */
export interface Cores {
  readonly servers: number
  readonly client: number
  /** Everything else on the machine, as far as the platform tells. */
  readonly others: number
}

/** Seconds that all cores of the machine were busy since it started. */
async function busy(): Promise<number> {
  try {
    const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] =
      (await readFile('/proc/stat', 'utf8')).split('\n', 1)[0]?.split(/\s+/).slice(1).map(Number) ?? []
    return (user + nice + system + irq + softIrq) / TICKS
  } catch {
    return 0
  }
}

/** Runs something and says which processes were busy meanwhile. */
export async function withCores<T>(
  pids: { readonly servers: readonly number[]; readonly client: readonly number[] },
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly cores: Cores }> {
  const clients = pids.client.filter((pid) => !pids.servers.includes(pid))
  const look = async (): Promise<readonly [number, number, number]> => [
    await usedSeconds(pids.servers, 'with children'),
    await usedSeconds(clients),
    await busy(),
  ]
  const before = await look()
  const startedAt = performance.now()
  const result = await run()
  const seconds = (performance.now() - startedAt) / 1000
  const after = await look()
  const [servers = 0, client = 0, all = 0] = after.map((value, i) => (value - (before[i] ?? 0)) / seconds)
  return { result, cores: { servers, client, others: Math.max(0, all - servers - client) } }
}
