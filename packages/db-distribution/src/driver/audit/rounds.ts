import { type Cancel, partitionId } from '@cluster/core'
import type { Context } from '../context.ts'
import type { Auditor } from './auditor.ts'

/** On the leader's node: compares one partition after another, for ever, a little at a time. */
export class AuditRounds {
  readonly #context: Context
  readonly #auditor: Auditor
  #cancel: Cancel = () => {}
  #next = 0

  constructor(context: Context, auditor: Auditor) {
    this.#context = context
    this.#auditor = auditor
  }

  start(): void {
    const { ports, settings } = this.#context
    if (settings.auditMs > 0) this.#cancel = ports.clock.after(settings.auditMs, () => void this.#round())
  }

  stop(): void {
    this.#cancel()
  }

  async #round(): Promise<void> {
    const { ports, machine, settings } = this.#context
    try {
      const databases = machine.databases()
      const total = databases.reduce((sum, { partitions }) => sum + partitions.length, 0)
      if (total > 0 && ports.log.group().role === 'leader') {
        let position = this.#next++ % total
        for (const database of databases) {
          if (position < database.partitions.length) {
            const options = { rowsPerSecond: settings.auditRowsPerSecond }
            await this.#auditor.partition(database, partitionId(position), options)
            break
          }
          position -= database.partitions.length
        }
      }
    } catch (error) {
      if (this.#context.stopped) return
      ports.logger.log('warn', 'copies could not be compared', { error: String(error) })
    }
    if (!this.#context.stopped) this.start()
  }
}
