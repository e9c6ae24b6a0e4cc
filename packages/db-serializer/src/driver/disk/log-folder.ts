import { assert, type Clock, type Disk, type Logger, type NodeId, type Random } from '@cluster/core'
import type { OpenedLog, OpenLogOptions, openLog } from './open-log.ts'
import { type PatientDisk, patientDisk } from './patient-disk.ts'

export interface LogFolderPorts {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** The folder of one log, from its opening to its closing. */
export class LogFolder {
  readonly #open: (options: OpenLogOptions) => Promise<OpenedLog>
  readonly #options: OpenLogOptions
  readonly #logger: Logger
  readonly #patient: PatientDisk
  #opened: OpenedLog | null = null

  constructor(
    open: typeof openLog,
    self: NodeId,
    { disk, clock, random, logger }: LogFolderPorts,
    options: OpenLogOptions,
  ) {
    this.#options = options
    this.#logger = logger
    this.#patient = patientDisk(disk, clock, logger)
    const ports = { self, disk: this.#patient, random, logger, wall: () => clock.wall() }
    this.#open = (how) => open(ports, how)
  }

  /** Null before `open`. */
  get opened(): OpenedLog | null {
    return this.#opened
  }

  /** Writes wait for room. */
  get isFull(): boolean {
    return this.#patient.isFull
  }

  /** @throws LOG_DAMAGED, LOG_ROLE_DIFFERS, DISK_FORMAT */
  async open(): Promise<OpenedLog> {
    this.#opened = await this.#open(this.#options)
    return this.#opened
  }

  /** Empties the log of a group that was given up into another one, and remembers that. */
  async clear(cluster: string): Promise<void> {
    assert(this.#opened, 'the folder is open')
    const { groupFile, store } = this.#opened
    await groupFile.bury(cluster)
    await store.clear()
  }

  /** Moves the log to a folder of its own, with a list of what only its history has, and opens an empty one. */
  async setAside(): Promise<void> {
    assert(this.#opened, 'the folder is open')
    await this.#opened.store.close()
    this.#opened = await this.#open({ ...this.#options, giveUpHistory: 'any' })
  }

  /** Writes that wait for room fail from now on. */
  giveUp(): void {
    this.#patient.giveUp()
  }

  async close(): Promise<void> {
    try {
      await this.#opened?.store.close()
    } catch (closing) {
      this.#logger.log('warn', 'the log file did not close', { why: String(closing) })
    }
  }
}
