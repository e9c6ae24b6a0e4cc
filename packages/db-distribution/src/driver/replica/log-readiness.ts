import { backoffMs } from '@cluster/core'
import type { Context } from '../context.ts'

const RETRY = { baseMs: 20, maxMs: 2_000 }

/** Whether this node has caught up with the log: before that, what is assigned to it may only be known later. */
export class LogReadiness {
  readonly #context: Context
  #ready = false

  constructor(context: Context) {
    this.#context = context
  }

  get now(): boolean {
    return this.#ready
  }

  /** Resolves once the log has caught up; false when the node stops instead. */
  async reached(): Promise<boolean> {
    const { ports, stopping } = this.#context
    for (let attempt = 0; !this.#ready; attempt++) {
      if (this.#context.stopped) return false
      try {
        await ports.log.ready({ signal: stopping.signal })
        this.#ready = true
      } catch (error) {
        if (this.#context.stopped) return false
        ports.logger.log('debug', 'the log is not ready yet', { error: String(error) })
        await this.pause(attempt)
      }
    }
    return true
  }

  /** Waits longer with each attempt, or until something changed. */
  async pause(attempt: number): Promise<void> {
    const { changed, ports, stopping } = this.#context
    const ms = backoffMs(ports.random, attempt, RETRY)
    try {
      await changed.next(ports.clock, ms, stopping.signal)
    } catch (error) {
      if (!this.#context.stopped) throw error
    }
  }
}
