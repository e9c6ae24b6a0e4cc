import { randomBytes } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
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
/** What a lock that was given back says. */
const RELEASED = 'released'

/**
 * Locks a folder for this process. A lock left by a process that is gone (kill −9, power cut) is taken over.
 *
 * Locks are files with growing numbers; the one with the highest number counts. Who finds that its process is gone makes the
 * next one, which only one can, and looks whether there is a higher one by now. A lower file is only removed by who has made
 * a higher one, so however long somebody hesitates between looking and making, it is never the highest by mistake. That is
 * also why a lock that is given back leaves its file: numbers never begin anew.
 * @returns the lock, or the process id of the living holder
 */
export async function lockFolder(folder: string): Promise<FolderLock | number> {
  await mkdir(folder, { recursive: true })
  const mine = JSON.stringify({ pid: process.pid, started: await startOf(process.pid) })
  for (;;) {
    const highest = (await numbersIn(folder))[0] ?? 0
    const text = await readLock(join(folder, nameOf(highest)))
    const holder = text === null ? null : parse(text)
    if (holder !== null && (await isAlive(holder))) return holder.pid
    const number = highest + 1
    const path = join(folder, nameOf(number))
    if (!(await make(path, mine))) continue
    const [newest = number, ...older] = await numbersIn(folder)
    if (newest !== number) {
      await rm(path, { force: true })
      continue
    }
    for (const each of older) await rm(join(folder, nameOf(each)), { force: true })
    return { release: () => release(path) }
  }
}

/** Numbers of the locks in the folder, the highest first. */
async function numbersIn(folder: string): Promise<number[]> {
  const numbers: number[] = []
  for (const name of await readdir(folder)) {
    const [, number] = /^lock(?:\.(\d+))?$/.exec(name) ?? []
    if (number !== undefined) numbers.push(Number(number))
    else if (name === NAME) numbers.push(0)
  }
  return numbers.sort((a, b) => b - a)
}

/** True for the names of lock files, half made ones too. */
export const isLock = (entry: string): boolean => entry === NAME || entry.startsWith(`${NAME}.`)

const nameOf = (number: number): string => (number === 0 ? NAME : `${NAME}.${number}`)

/** A hard link is made whole or not at all, and never over another: so the lock is never half written. */
async function make(path: string, text: string): Promise<boolean> {
  const draft = draftOf(path)
  await writeFile(draft, text)
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

async function release(path: string): Promise<void> {
  const draft = draftOf(path)
  try {
    await writeFile(draft, RELEASED)
    await rename(draft, path)
  } catch (error) {
    // Somebody removed the folder meanwhile, and the lock with it: there is nothing left to give back.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

const draftOf = (path: string): string => `${path}.${process.pid}.${randomBytes(6).toString('hex')}`

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
