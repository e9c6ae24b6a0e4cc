import { below, ClusterError, type Disk, type DiskErrorDetail, type DiskFile, pick } from '@cluster/core'
import { CachedFile } from './page-cache.ts'
import type { Process } from './process.ts'
import type { SimRandom } from './sim-random.ts'

/** How a disk misbehaves. */
export interface DiskFaults {
  /** Chance that a sync or a replace is slow. */
  slow: number
  /** How long a slow one takes at most, milliseconds. */
  slowMsMax: number
  /** There is no room for anything new. */
  full: boolean
}

/** A disk that does what it should. */
export const calmDisk: DiskFaults = { slow: 0, slowMsMax: 0, full: false }

export interface DiskCounts {
  syncs: number
  slowSyncs: number
  appendedBytes: number
  /** Power losses that lost bytes which had not been synced. */
  lossyPowerLosses: number
  /** Crashes in the middle of a write. */
  tornWrites: number
  /** Writes that found no room. */
  refusedWrites: number
  /** Bits that flipped in what had long been durable. */
  flippedBits: number
  wipes: number
}

/** An operation that the platform works on: what it does when it completes, and what of it a crash leaves. */
interface Running {
  readonly complete: () => void
  readonly tear: (random: SimRandom) => void
}

/**
 * The disk of one node, with a page cache: a killed process loses nothing that it wrote, a power loss loses
 * what was not synced, at random and possibly torn. Replace, truncate, remove and the making of a file are
 * durable and all or nothing.
 */
export class SimDisk {
  readonly faults: DiskFaults = { ...calmDisk }
  readonly counts: DiskCounts = {
    syncs: 0,
    slowSyncs: 0,
    appendedBytes: 0,
    lossyPowerLosses: 0,
    tornWrites: 0,
    refusedWrites: 0,
    flippedBits: 0,
    wipes: 0,
  }
  readonly #random: SimRandom
  readonly #files = new Map<string, CachedFile>()
  readonly #running = new Set<Running>()

  constructor(random: SimRandom) {
    this.#random = random
  }

  /** The disk as one process sees it. */
  port(process: Process): Disk {
    return new FolderPort(this, process, '')
  }

  /** The program died: what the platform was writing may be half there. */
  killed(): void {
    for (const running of this.#running) {
      running.tear(this.#random)
      this.counts.tornWrites++
    }
    this.#running.clear()
  }

  /** The power failed: as `killed`, and what was not synced is gone or torn. */
  powerLost(): void {
    this.killed()
    let lost = 0
    for (const path of this.paths()) lost += this.#files.get(path)?.loseUnsynced(this.#random) ?? 0
    if (lost > 0) this.counts.lossyPowerLosses++
  }

  /** Everything is gone: a new disk. */
  wipe(): void {
    this.#running.clear()
    this.#files.clear()
    this.counts.wipes++
  }

  /** Flips a bit, as a failing disk does. False when there is no such byte. */
  damage(path: string, offset: number): boolean {
    const file = this.#files.get(path)
    if (file === undefined || offset >= file.size) return false
    file.flip(offset)
    return true
  }

  /**
   * Flips a bit somewhere in the files that match, in what was durable before their newest sync. False when there is
   * nothing of that kind.
   */
  rot(matches: RegExp): boolean {
    const files = this.paths().filter(
      (path) => matches.test(path) && (this.#files.get(path)?.settled ?? 0) > 0,
    )
    // Mostly where most bytes are, as on real disks; sometimes in the small files that matter as much.
    const bytes = files.reduce((sum, path) => sum + (this.#files.get(path)?.settled ?? 0), 0)
    const end = evenOdds(this.#random) ? bytes : below(this.#random, Math.max(1, bytes))
    let sum = 0
    const bySize = files.find((path) => {
      sum += this.#files.get(path)?.settled ?? 0
      return sum > end
    })
    const path = bySize ?? (files.length === 0 ? undefined : pick(this.#random, files))
    const file = path === undefined ? undefined : this.#files.get(path)
    if (file === undefined) return false
    file.flip(below(this.#random, file.settled))
    this.counts.flippedBits++
    return true
  }

  /** Throws when there is no room. */
  demandRoom(path: string): void {
    if (!this.faults.full) return
    this.counts.refusedWrites++
    throw new ClusterError<DiskErrorDetail>(
      { code: 'DISK_FULL', outcome: 'rejected', path },
      `There is no room on the disk for ${path}. Free some.`,
    )
  }

  /** Names of all files, sorted. */
  paths(): string[] {
    return [...this.#files.keys()].sort()
  }

  file(path: string): CachedFile | undefined {
    return this.#files.get(path)
  }

  put(path: string, file: CachedFile): void {
    this.#files.set(path, file)
  }

  delete(path: string): void {
    this.#files.delete(path)
  }

  /** Works `delayMs` on something; a crash meanwhile leaves what `tear` says. */
  run<T>(process: Process, delayMs: number, work: () => T, tear: (random: SimRandom) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!process.alive) return
      const running: Running = {
        complete: () => {
          this.#running.delete(running)
          try {
            resolve(work())
          } catch (error) {
            reject(error)
          }
        },
        tear,
      }
      this.#running.add(running)
      process.later(delayMs, running.complete)
    })
  }

  /** How long a durable operation takes now. */
  syncMs(): number {
    this.counts.syncs++
    if (this.#random.between(0, 1) < this.faults.slow) {
      this.counts.slowSyncs++
      return this.#random.between(1, Math.max(1, this.faults.slowMsMax))
    }
    return this.#random.between(0.1, 0.4)
  }

  /** How much of a write still fits on a full disk. */
  partOf(bytes: number): number {
    return evenOdds(this.#random) ? 0 : below(this.#random, bytes)
  }

  quickMs(): number {
    return this.#random.between(0.005, 0.03)
  }
}

const nothing = (): void => {}
const evenOdds = (random: SimRandom): boolean => below(random, 2) === 0

class FolderPort implements Disk {
  readonly #disk: SimDisk
  readonly #process: Process
  readonly #prefix: string

  constructor(disk: SimDisk, process: Process, prefix: string) {
    this.#disk = disk
    this.#process = process
    this.#prefix = prefix
  }

  list(): Promise<readonly string[]> {
    return this.#process.soon(this.#disk.quickMs(), () =>
      this.#disk
        .paths()
        .filter((path) => path.startsWith(this.#prefix))
        .map((path) => path.slice(this.#prefix.length)),
    )
  }

  read(path: string): Promise<Uint8Array | null> {
    return this.#process.soon(this.#disk.quickMs(), () => {
      const file = this.#disk.file(this.#prefix + path)
      return file === undefined ? null : file.read(0, file.size)
    })
  }

  replace(path: string, content: Uint8Array): Promise<void> {
    const file = new CachedFile(content)
    const put = (): void => this.#disk.put(this.#prefix + path, file)
    const work = (): void => {
      this.#disk.demandRoom(path)
      put()
    }
    return this.#disk.run(this.#process, this.#disk.syncMs() * 2, work, (random) => {
      if (evenOdds(random) && !this.#disk.faults.full) put()
    })
  }

  open(path: string): Promise<DiskFile> {
    const full = this.#prefix + path
    const make = (): CachedFile => {
      if (this.#disk.file(full) === undefined) this.#disk.demandRoom(path)
      const file = this.#disk.file(full) ?? new CachedFile()
      this.#disk.put(full, file)
      return file
    }
    const exists = this.#disk.file(full) !== undefined
    return this.#disk.run(
      this.#process,
      exists ? this.#disk.quickMs() : this.#disk.syncMs(),
      () => new OpenFile(this.#disk, this.#process, make()),
      (random) => {
        if (evenOdds(random) && (this.#disk.file(full) !== undefined || !this.#disk.faults.full)) make()
      },
    )
  }

  rename(path: string, to: string): Promise<void> {
    const move = (): void => {
      const file = this.#disk.file(this.#prefix + path)
      if (file === undefined) throw new Error(`there is no file ${path} to rename`)
      this.#disk.delete(this.#prefix + path)
      this.#disk.put(this.#prefix + to, file)
    }
    return this.#disk.run(this.#process, this.#disk.syncMs(), move, (random) => {
      if (evenOdds(random)) move()
    })
  }

  remove(path: string): Promise<void> {
    const remove = (): void => this.#disk.delete(this.#prefix + path)
    return this.#disk.run(this.#process, this.#disk.syncMs(), remove, (random) => {
      if (evenOdds(random)) remove()
    })
  }

  folder(path: string): Disk {
    return new FolderPort(this.#disk, this.#process, `${this.#prefix}${path}/`)
  }
}

class OpenFile implements DiskFile {
  readonly #disk: SimDisk
  readonly #process: Process
  readonly #file: CachedFile
  /** Bytes of appends that were called and are not done. */
  #pending = 0
  #last: Promise<unknown> = Promise.resolve()
  #busy = 0
  #closed = false

  constructor(disk: SimDisk, process: Process, file: CachedFile) {
    this.#disk = disk
    this.#process = process
    this.#file = file
  }

  size(): number {
    return this.#file.size + this.#pending
  }

  append(chunks: readonly Uint8Array[]): Promise<void> {
    const copies = chunks.map((chunk) => chunk.slice())
    const bytes = copies.reduce((sum, chunk) => sum + chunk.length, 0)
    this.#pending += bytes
    this.#disk.counts.appendedBytes += bytes
    return this.#queue(
      () => this.#disk.quickMs(),
      () => {
        this.#pending -= bytes
        if (this.#disk.faults.full) this.#appendPart(copies, this.#disk.partOf(bytes))
        this.#disk.demandRoom('an open file')
        for (const chunk of copies) this.#file.append(chunk)
      },
      (random) => {
        this.#appendPart(copies, below(random, bytes + 1))
      },
    )
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice()
    return this.#queue(
      () => this.#disk.quickMs(),
      () => {
        this.#disk.demandRoom('an open file')
        this.#file.write(offset, copy)
      },
      (random) => this.#file.write(offset, copy.subarray(0, below(random, copy.length + 1))),
    )
  }

  #appendPart(chunks: readonly Uint8Array[], bytes: number): void {
    let left = bytes
    for (const chunk of chunks) {
      this.#file.append(chunk.subarray(0, left))
      left = Math.max(0, left - chunk.length)
    }
  }

  sync(): Promise<void> {
    return this.#queue(
      () => this.#disk.syncMs(),
      () => this.#file.sync(this.#file.size),
      nothing,
    )
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#queue(
      () => this.#disk.quickMs(),
      () => this.#file.read(offset, length),
      nothing,
    )
  }

  truncate(size: number): Promise<void> {
    const cut = (): void => this.#file.truncate(size)
    return this.#queue(
      () => this.#disk.syncMs(),
      cut,
      (random) => {
        if (evenOdds(random)) cut()
      },
    )
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#queue(() => this.#disk.quickMs(), nothing, nothing)
    this.#closed = true
  }

  #queue<T>(delayMs: () => number, work: () => T, tear: (random: SimRandom) => void): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the file is closed'))
    const run = (): Promise<T> => this.#disk.run(this.#process, delayMs(), work, tear)
    // The chain only orders; each caller gets its own rejection.
    const result = this.#busy === 0 ? run() : this.#last.then(run, run)
    this.#busy++
    const done = (): void => {
      this.#busy--
    }
    this.#last = result.then(done, done)
    return result
  }
}
