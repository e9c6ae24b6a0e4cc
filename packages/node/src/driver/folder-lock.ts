import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A lock file that tells who holds it: process id and, where the platform tells, when that process started. */
interface Holder {
  readonly pid: number
  readonly started: string | null
}

export interface FolderLock {
  release(): Promise<void>
}

const NAME = 'lock'

/**
 * Locks a folder for this process. A lock left by a process that is gone (kill −9, power cut) is taken over.
 * @returns the lock, or the process id of the living holder
 */
export async function lockFolder(folder: string): Promise<FolderLock | number> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, NAME)
  const mine = JSON.stringify({ pid: process.pid, started: await startOf(process.pid) })
  for (;;) {
    if (await takeFree(path, mine)) return { release: () => release(path, mine) }
    const text = await readLock(path)
    if (text === null) continue
    const holder = parse(text)
    if (holder && (await isAlive(holder))) return holder.pid
    await removeStale(path, text)
  }
}

/** A hard link is made whole or not at all, and never over another: so the lock is never half written. */
async function takeFree(path: string, mine: string): Promise<boolean> {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, mine)
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/** Moves the stale lock aside. Two may try: the one who moved a fresh lock instead puts it back. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.stale.${randomBytes(6).toString('hex')}`
  try {
    await rename(path, aside)
    if ((await readFile(aside, 'utf8')) !== stale) await link(aside, path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error
  } finally {
    await rm(aside, { force: true })
  }
}

async function release(path: string, mine: string): Promise<void> {
  if ((await readLock(path)) === mine) await rm(path, { force: true })
}

async function readLock(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function parse(text: string): Holder | null {
  try {
    const value = JSON.parse(text) as Partial<Holder>
    return typeof value.pid === 'number' ? { pid: value.pid, started: value.started ?? null } : null
  } catch {
    // Not a lock that this program wrote: nobody can be asked, so it is stale.
    return null
  }
}

async function isAlive({ pid, started }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  // Process ids are used again: the one with that number now may have started later.
  return started === null || (await startOf(pid)) === started
}

/** When the process started, in the kernel's ticks since boot, with the boot's id; null where /proc is missing. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const [line, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    // The command name, in parentheses, may hold spaces; the start time is the 20th field behind it.
    return `${boot.trim()}:${line.slice(line.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    // No such process, or a platform without /proc.
    return null
  }
}
