import { backoffMs, type Cancel } from '@cluster/core'
import { encodeDescribe } from '../machine/commands.ts'
import { type NodeTraits, PLAIN } from '../machine/traits.ts'
import type { Context } from './context.ts'
import { MACHINE_NAME } from './names.ts'

const RETRY = { baseMs: 100, maxMs: 5_000 }

/** Has the zone and the capacity of this node recorded, whenever the record says something else. */
export class SelfDescription {
  readonly #context: Context
  readonly #traits: NodeTraits
  #running = false
  #failures = 0
  #cancel: Cancel = () => {}

  constructor(context: Context) {
    this.#context = context
    const { zone, capacity } = context.settings
    const hundredths = Math.min(100_000, Math.max(1, Math.round(capacity * 100)))
    this.#traits = { zone: zone === undefined || zone === '' ? null : zone, capacity: hundredths }
  }

  /** Something changed: the record may be that of another cluster, or of an earlier run. */
  look(): void {
    const { lineage, role } = this.#context.ports.log.group()
    if (this.#running || this.#context.stopped || this.#isRecorded || lineage === null || role === 'outsider')
      return
    this.#running = true
    void this.#run()
  }

  stop(): void {
    this.#cancel()
  }

  get #isRecorded(): boolean {
    const { zone, capacity } = this.#context.machine.traits.get(this.#context.self) ?? PLAIN
    return zone === this.#traits.zone && capacity === this.#traits.capacity
  }

  async #run(): Promise<void> {
    const { clock, random, logger } = this.#context.ports
    try {
      await this.#tell()
      this.#failures = 0
      this.#running = false
    } catch (error) {
      this.#running = false
      if (this.#context.stopped) return
      logger.log('debug', 'could not record what this node is', { error: String(error) })
      this.#cancel = clock.after(backoffMs(random, this.#failures++, RETRY), () => this.look())
    }
  }

  async #tell(): Promise<void> {
    const { ports, stopping, self } = this.#context
    // What is replayed at the start is not the record of now.
    await ports.log.ready({ signal: stopping.signal })
    if (this.#isRecorded) return
    const command = encodeDescribe({ node: self, traits: this.#traits })
    await ports.log.submit(MACHINE_NAME, command, { signal: stopping.signal })
  }
}
