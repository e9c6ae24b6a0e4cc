import { backoffMs, type Cancel } from '@cluster/core'
import { type Assignment, encodeAssign } from '../machine/commands.ts'
import { planPlacement } from '../machine/placement.ts'
import type { Context } from './context.ts'
import { MACHINE_NAME } from './names.ts'
import { nodeView } from './node-view.ts'

const RETRY = { baseMs: 20, maxMs: 2_000 }

/** On the leader's node: keeps the record of replicas as it should be for the nodes that are there. */
export class Controller {
  readonly #context: Context
  #wanted = false
  #running = false
  #retry: Cancel = () => {}

  constructor(context: Context) {
    this.#context = context
  }

  /** Something changed: looks at the placement soon. */
  poke(): void {
    this.#wanted = true
    if (this.#running || this.#context.stopped) return
    this.#running = true
    // A turn later, so that changes that come together are planned together.
    this.#retry = this.#context.ports.clock.after(0, () => void this.#run())
  }

  stop(): void {
    this.#retry()
  }

  async #run(): Promise<void> {
    const { ports, stopping } = this.#context
    for (let attempt = 0; this.#wanted && !this.#context.stopped; ) {
      this.#wanted = false
      const plan = this.#plan()
      if (plan.length === 0) continue
      try {
        await ports.log.submit(MACHINE_NAME, encodeAssign(plan), { signal: stopping.signal })
        attempt = 0
      } catch (error) {
        if (this.#context.stopped) return
        ports.logger.log('warn', 'could not record a new placement', { error: String(error) })
        await this.#context.changed
          .next(ports.clock, backoffMs(ports.random, attempt++, RETRY), stopping.signal)
          .catch((reason: unknown) => {
            if (!this.#context.stopped) throw reason
          })
        this.#wanted = true
      }
    }
    this.#running = false
    if (this.#wanted) this.poke()
  }

  #plan(): Assignment[] {
    const { ports, machine } = this.#context
    const group = ports.log.group()
    if (group.role !== 'leader') return []
    const view = nodeView(this.#context)
    return machine.databases().flatMap((database) => planPlacement(database, view))
  }
}
