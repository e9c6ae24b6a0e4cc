import { type Cancel, type Clock, type Disk, type DiskFile, errorCode, type Logger } from '@cluster/core'

export interface PatientDiskEvents {
  /** A write found no room; it is tried again until there is some. */
  full(path: string, error: unknown): void
  /** There is room again. */
  free(): void
}

/** Wait before the next try: it doubles from the first to the last of these. */
const TRY_MS = 20
const TRY_MS_MAX = 1_000

/**
 * A disk whose writes wait for room instead of failing with DISK_FULL. Nobody is told that something is written before
 * it is, so a full disk is for everything above only a slow one. Other errors go through.
 */
export class PatientDisk implements Disk {
  readonly #disk: Disk
  readonly #room: Room

  constructor(disk: Disk, clock: Clock, events: PatientDiskEvents) {
    this.#disk = disk
    this.#room = new Room(clock, events)
  }

  /** Paths below this folder that wait for room now. */
  get isFull(): boolean {
    return this.#room.waiting > 0
  }

  /** Waits no longer: what is waiting fails as it would have failed at once. */
  giveUp(): void {
    this.#room.close()
  }

  list(): Promise<readonly string[]> {
    return this.#disk.list()
  }

  read(path: string): Promise<Uint8Array | null> {
    return this.#disk.read(path)
  }

  replace(path: string, content: Uint8Array): Promise<void> {
    return this.#room.until(path, () => this.#disk.replace(path, content))
  }

  async open(path: string): Promise<DiskFile> {
    const file = await this.#room.until(path, () => this.#disk.open(path))
    return new PatientFile(path, file, this.#room)
  }

  rename(path: string, to: string): Promise<void> {
    return this.#room.until(path, () => this.#disk.rename(path, to))
  }

  remove(path: string): Promise<void> {
    return this.#room.until(path, () => this.#disk.remove(path))
  }

  folder(path: string): Disk {
    return new Below(this, path)
  }
}

/** A patient disk that tells the operator when there is no room, and when there is some again. */
export function patientDisk(disk: Disk, clock: Clock, logger: Logger): PatientDisk {
  return new PatientDisk(disk, clock, {
    full: (path, error) =>
      logger.log('error', 'the disk is full: nothing is acknowledged until there is room', {
        path,
        why: String(error),
      }),
    free: () => logger.log('info', 'there is room on the disk again'),
  })
}

/** A folder of a patient disk, by longer paths. */
class Below implements Disk {
  readonly #disk: Disk
  readonly #prefix: string

  constructor(disk: Disk, name: string) {
    this.#disk = disk
    this.#prefix = `${name}/`
  }

  async list(): Promise<readonly string[]> {
    const paths = await this.#disk.list()
    const below = paths.filter((path) => path.startsWith(this.#prefix))
    return below.map((path) => path.slice(this.#prefix.length))
  }

  read(path: string): Promise<Uint8Array | null> {
    return this.#disk.read(this.#prefix + path)
  }

  replace(path: string, content: Uint8Array): Promise<void> {
    return this.#disk.replace(this.#prefix + path, content)
  }

  open(path: string): Promise<DiskFile> {
    return this.#disk.open(this.#prefix + path)
  }

  rename(path: string, to: string): Promise<void> {
    return this.#disk.rename(this.#prefix + path, this.#prefix + to)
  }

  remove(path: string): Promise<void> {
    return this.#disk.remove(this.#prefix + path)
  }

  folder(path: string): Disk {
    return new Below(this.#disk, this.#prefix + path)
  }
}

class Room {
  readonly #clock: Clock
  readonly #events: PatientDiskEvents
  readonly #wakers = new Set<() => void>()
  waiting = 0
  #closed = false

  constructor(clock: Clock, events: PatientDiskEvents) {
    this.#clock = clock
    this.#events = events
  }

  close(): void {
    this.#closed = true
    for (const wake of this.#wakers) wake()
  }

  /** Tries until it is done or fails for another reason than want of room. */
  async until<T>(path: string, write: () => Promise<T>): Promise<T> {
    let wait = TRY_MS
    let told = false
    try {
      for (;;) {
        try {
          return await write()
        } catch (error) {
          if (errorCode(error) !== 'DISK_FULL' || this.#closed) throw error
          if (!told) {
            told = true
            this.waiting++
            if (this.waiting === 1) this.#events.full(path, error)
          }
          await this.#rest(wait)
          wait = Math.min(2 * wait, TRY_MS_MAX)
        }
      }
    } finally {
      if (told) {
        this.waiting--
        if (this.waiting === 0 && !this.#closed) this.#events.free()
      }
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      let cancel: Cancel = () => {}
      const wake = (): void => {
        this.#wakers.delete(wake)
        cancel()
        resolve()
      }
      this.#wakers.add(wake)
      cancel = this.#clock.after(ms, wake)
    })
  }
}

/** Keeps what is not synced yet, as a full disk may show itself as late as then. */
class PatientFile implements DiskFile {
  readonly #path: string
  readonly #file: DiskFile
  readonly #room: Room
  #synced: number
  #unsynced: Uint8Array[] = []
  /** What was written over something since then. */
  #overwritten: { readonly offset: number; readonly bytes: Uint8Array }[] = []
  #queue: Promise<unknown> = Promise.resolve()

  constructor(path: string, file: DiskFile, room: Room) {
    this.#path = path
    this.#file = file
    this.#room = room
    this.#synced = file.size()
  }

  size(): number {
    return this.#file.size()
  }

  append(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#enqueue(async () => {
      const before = this.#file.size()
      let partly = false
      await this.#room.until(this.#path, async () => {
        // A part may have been taken.
        if (partly) await this.#file.truncate(before)
        partly = true
        await this.#file.append(chunks)
      })
      for (const chunk of chunks) this.#unsynced.push(chunk)
    })
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#enqueue(async () => {
      await this.#room.until(this.#path, () => this.#file.write(offset, bytes))
      // A place that is written again and again is kept once.
      const again = this.#overwritten.findIndex((each) => each.offset === offset)
      const covered = again >= 0 && (this.#overwritten[again]?.bytes.length ?? 0) <= bytes.length
      if (covered) this.#overwritten.splice(again, 1)
      this.#overwritten.push({ offset, bytes })
    })
  }

  sync(): Promise<void> {
    return this.#enqueue(async () => {
      let failed = false
      await this.#room.until(this.#path, async () => {
        if (failed) {
          // After a failed sync nobody knows what of the file is on the disk, and the platform may forget that it failed.
          await this.#file.truncate(this.#synced)
          await this.#file.append(this.#unsynced)
          for (const { offset, bytes } of this.#overwritten) await this.#file.write(offset, bytes)
        }
        failed = true
        await this.#file.sync()
      })
      this.#synced = this.#file.size()
      this.#unsynced = []
      this.#overwritten = []
    })
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#enqueue(() => this.#file.read(offset, length))
  }

  truncate(size: number): Promise<void> {
    return this.#enqueue(async () => {
      await this.#room.until(this.#path, () => this.#file.truncate(size))
      // It is durable, with all that it leaves.
      this.#synced = this.#file.size()
      this.#unsynced = []
      this.#overwritten = []
    })
  }

  close(): Promise<void> {
    return this.#enqueue(() => this.#file.close())
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work, work)
    this.#queue = done.catch(() => {})
    return done
  }
}
