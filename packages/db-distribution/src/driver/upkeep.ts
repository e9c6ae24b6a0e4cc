import { type Cancel, logIndex } from '@cluster/core'
import type { Context } from './context.ts'
import type { LocalReplica } from './replica/local-replica.ts'
import { Pins } from './replica/pins.ts'
import type { Replicas } from './replica/replicas.ts'

const TICK_MS = 1_000

/** The regular work on the stores of this node: lets go of old versions and writes to disk. */
export class Upkeep {
  readonly #context: Context
  readonly #replicas: Replicas
  readonly pins: Pins
  /** What was applied when, oldest first. */
  readonly #marks: { readonly at: number; readonly index: number }[] = []
  readonly #dirtySince = new Map<LocalReplica, number>()
  #cancel: Cancel = () => {}
  #busy = false
  /** The log waits for a checkpoint to be cut. */
  #asked = false

  constructor(context: Context, replicas: Replicas) {
    this.#context = context
    this.#replicas = replicas
    this.pins = new Pins(context)
  }

  start(): void {
    this.#cancel = this.#context.ports.clock.after(TICK_MS, () => this.#tick())
  }

  stop(): void {
    this.#cancel()
  }

  /** The log would like to be cut: what is not on disk is written soon. */
  ask(): void {
    this.#asked = true
  }

  #tick(): void {
    if (this.#context.stopped) return
    this.pins.tell()
    this.#trim()
    if (!this.#busy) void this.#checkpointDue()
    this.start()
  }

  #trim(): void {
    const { ports, settings } = this.#context
    const now = ports.clock.now()
    const applied = ports.log.appliedIndex()
    if (this.#marks.at(-1)?.index !== applied) this.#marks.push({ at: now, index: applied })
    let old = 0
    while (this.#marks.length > 1 && (this.#marks[1]?.at ?? now) <= now - settings.keepVersionsMs) {
      this.#marks.shift()
    }
    const first = this.#marks[0]
    if (first !== undefined && first.at <= now - settings.keepVersionsMs) old = first.index
    const keep = Math.min(Math.max(old, applied - settings.keepVersionsMax), this.pins.oldest())
    if (keep <= 0) return
    for (const replica of this.#replicas.all()) replica.serving()?.trim(logIndex(keep))
  }

  /** One partition after another, so that the disk is not flooded. */
  async #checkpointDue(): Promise<void> {
    this.#busy = true
    const asked = this.#asked
    this.#asked = false
    const { ports, settings } = this.#context
    const now = ports.clock.now()
    for (const replica of [...this.#replicas.all()]) {
      if (!replica.dirty) {
        this.#dirtySince.delete(replica)
        continue
      }
      const since = this.#dirtySince.get(replica) ?? now
      this.#dirtySince.set(replica, since)
      const due = replica.bytesSince >= settings.checkpointBytes || now - since >= settings.checkpointMs
      if (!due && !asked) continue
      if (this.#context.stopped) break
      await this.#checkpoint(replica)
    }
    for (const replica of this.#dirtySince.keys())
      if (replica.phase === 'retired') this.#dirtySince.delete(replica)
    await this.#replicas.reportDurable()
    this.#busy = false
  }

  async #checkpoint(replica: LocalReplica): Promise<void> {
    try {
      await this.#replicas.checkpoint(replica)
      this.#dirtySince.delete(replica)
    } catch (error) {
      // The log is kept as long as the disk does not take the rows, so nothing is lost; it is tried again.
      this.#context.ports.logger.log('error', 'could not write a partition to disk', {
        store: replica.name,
        error: String(error),
      })
    }
  }

  /** Writes everything to disk now, so that the log can be cut. @throws what the disk reports */
  async checkpointAll(): Promise<void> {
    for (const replica of [...this.#replicas.all()])
      if (replica.dirty) await this.#replicas.checkpoint(replica)
    await this.#replicas.reportDurable()
  }
}
