import { mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ClusterError, type Disk } from '@cluster/core'
import type { NodeErrorDetail } from '../errors.ts'
import { type FolderLock, isLock, lockFolder } from './folder-lock.ts'
import { nodeDisk } from './node-disk.ts'

const MANIFEST = 'node.json'
const FORMAT = 1
/** Slots tried below the default folder. */
const SLOTS_MAX = 1000

/** What a data folder says of itself. */
interface FolderManifest {
  readonly format: number
  readonly cluster: string
  readonly identity: string
  readonly starts: number
}

export interface DataFolder {
  readonly path: string
  readonly disk: Disk
  /** The node's private key in protobuf form. */
  readonly identity: Uint8Array
  /** How often a node was started here, this time included. */
  readonly start: number
  /** True when the folder was empty. */
  readonly fresh: boolean
  release(): Promise<void>
}

/**
 * Opens and locks the data folder, making it on first use.
 * @param name the cluster's name; a folder of another cluster is refused
 * @param path null for the default: the first unlocked slot of `.cluster/<name>/1, 2, …`
 * @throws DATA_IN_USE, DATA_FOREIGN, DISK_DENIED
 */
export async function openDataFolder(
  name: string,
  path: string | null,
  newIdentity: () => Promise<Uint8Array>,
): Promise<DataFolder> {
  if (path !== null) {
    const folder = resolve(path)
    // Nothing is left in a folder of somebody else, no lock either.
    if (!(await entriesOf(folder)).includes(MANIFEST)) await refuseStrangers(folder)
    const lock = await tryLock(folder)
    if (typeof lock === 'number') throw inUse(folder, lock)
    return await openLocked(name, folder, lock, newIdentity)
  }
  const base = resolve('.cluster', name)
  for (let slot = 1; slot <= SLOTS_MAX; slot++) {
    const folder = join(base, String(slot))
    const lock = await tryLock(folder)
    if (typeof lock !== 'number') return await openLocked(name, folder, lock, newIdentity)
  }
  throw inUse(base, 0)
}

const inTheWay = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EEXIST' || error.code === 'ENOTDIR')

async function tryLock(folder: string): Promise<FolderLock | number> {
  try {
    await mkdir(folder, { recursive: true })
    return await lockFolder(folder)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (inTheWay(error))
      throw new ClusterError(
        { code: 'DISK_DENIED', outcome: 'rejected', path: folder },
        `cannot use the data folder ${folder}: a file stands where a folder is wanted (${reason}); choose another with --data`,
        { cause: error },
      )
    throw new ClusterError(
      { code: 'DISK_DENIED', outcome: 'rejected', path: folder },
      `cannot use the data folder ${folder}: ${reason}; give this user the right to write there, or choose another with --data`,
      { cause: error },
    )
  }
}

async function openLocked(
  name: string,
  folder: string,
  lock: FolderLock,
  newIdentity: () => Promise<Uint8Array>,
): Promise<DataFolder> {
  try {
    const disk = nodeDisk(folder)
    const before = await readManifest(disk, folder)
    if (before === null) await refuseStrangers(folder)
    else if (before.cluster !== name) throw foreign(folder, `it belongs to the cluster "${before.cluster}"`)
    const identity = before ? Buffer.from(before.identity, 'base64') : await newIdentity()
    const manifest: FolderManifest = {
      format: FORMAT,
      cluster: name,
      identity: Buffer.from(identity).toString('base64'),
      starts: (before?.starts ?? 0) + 1,
    }
    await disk.replace(MANIFEST, new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`))
    return {
      path: folder,
      disk,
      identity: new Uint8Array(identity),
      start: manifest.starts,
      fresh: before === null,
      release: () => lock.release(),
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function readManifest(disk: Disk, folder: string): Promise<FolderManifest | null> {
  const bytes = await disk.read(MANIFEST)
  if (bytes === null) return null
  let manifest: Partial<FolderManifest>
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes)) as Partial<FolderManifest>
  } catch {
    throw foreign(folder, `its ${MANIFEST} cannot be read`)
  }
  const { format, cluster, identity, starts } = manifest
  if (format !== FORMAT) {
    throw new ClusterError(
      { code: 'DISK_FORMAT', outcome: 'rejected', path: folder, found: Number(format), supported: FORMAT },
      `the data folder ${folder} has format ${String(format)}, but this version reads format ${FORMAT}: run the version that wrote it, or choose another folder with --data`,
    )
  }
  if (typeof cluster !== 'string' || typeof identity !== 'string' || typeof starts !== 'number') {
    throw foreign(folder, `its ${MANIFEST} is incomplete`)
  }
  return { format, cluster, identity, starts }
}

/** A folder that holds other things is somebody's: nothing is written there. */
async function refuseStrangers(folder: string): Promise<void> {
  const [first] = (await entriesOf(folder)).filter(
    (entry) => !isLock(entry) && !entry.endsWith('.unfinished'),
  )
  if (first !== undefined) throw foreign(folder, `it holds other files ("${first}")`)
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    // That it is no folder, or may not be read, is said when it is to be locked.
    if (code === 'ENOTDIR' || code === 'EACCES') return []
    throw error
  }
}

function foreign(folder: string, found: string): ClusterError<NodeErrorDetail> {
  return new ClusterError<NodeErrorDetail>(
    { code: 'DATA_FOREIGN', outcome: 'rejected', folder, found },
    `${folder} is not a data folder of this cluster: ${found}; choose an empty folder with --data, or the right --name`,
  )
}

function inUse(folder: string, pid: number): ClusterError<NodeErrorDetail> {
  return new ClusterError<NodeErrorDetail>(
    { code: 'DATA_IN_USE', outcome: 'rejected', folder, pid },
    `the data folder ${folder} is in use by process ${pid}; stop that node, or choose another folder with --data`,
  )
}
