import { type Cancel, type Database, errorCode, isClusterError, type Key } from '@cluster/core'
import type { ContainerEffect } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { ENDINGS, endingsOf, isLost, spanIn } from './entries.ts'
import { type Place, PlaceHandle } from './place.ts'
import { removeEnded } from './rows.ts'

/** What could not be removed is tried again after so long. */
const AGAIN_MS = 500
const BATCH_ROWS = 200

/**
 * The leader's part: removes the rows of entries whose spans are over. Nobody sees them any more; that they are removed is
 * what those who follow the changes are told. A new leader looks through all that is to end.
 */
export class Endings {
  readonly #context: Context
  readonly #cancel: Cancel
  #leads = false
  /** Maps to be looked through, and where the changes of their containers were read up to. */
  readonly #due = new Set<string>()
  readonly #seen = new Map<string, number>()
  #running = false
  #cancelTimer: Cancel = () => {}

  constructor(context: Context) {
    this.#context = context
    this.#cancel = context.log.on('group', ({ role }) => {
      const leads = role === 'leader'
      if (leads === this.#leads) return
      this.#leads = leads
      if (leads) this.#all()
    })
  }

  hear(effect: ContainerEffect): void {
    if (!this.#leads) return
    if (effect.type === 'restored') this.#all()
    else for (const name of effect.names) this.#look(name)
  }

  stop(): void {
    this.#cancel()
    this.#cancelTimer()
    this.#leads = false
  }

  #all(): void {
    this.#seen.clear()
    for (const { name, kind } of this.#context.machine.containers.values())
      if (kind === 'distributedMap') this.#look(name)
  }

  /** Whether a span of the map ended since the last look. */
  #look(name: string): void {
    const container = this.#context.container(name)
    if (container?.kind !== 'distributedMap') return
    const { feed } = container
    const from = this.#seen.get(name) ?? 0
    this.#seen.set(name, feed.newest)
    // What is not kept any more may have been an end.
    let ended = feed.lost > Math.max(from, container.id)
    for (let change = feed.after(from); change && !ended; change = feed.after(change.number))
      ended = change.type === 'expired'
    if (!ended) return
    this.#due.add(name)
    this.#run()
  }

  #run(): void {
    if (this.#running || this.#due.size === 0) return
    this.#running = true
    this.#removeAll()
      .catch((error: unknown) => {
        if (!isClusterError(error)) throw error
        this.#context.logger.log('debug', 'entries that ended are not removed yet', { code: error.code })
        this.#cancelTimer = this.#context.clock.after(AGAIN_MS, () => this.#run())
      })
      .finally(() => {
        this.#running = false
      })
  }

  async #removeAll(): Promise<void> {
    for (;;) {
      const [name] = this.#due
      if (name === undefined || !this.#leads || this.#context.stopped) return
      this.#due.delete(name)
      try {
        await this.#remove(new PlaceHandle(this.#context, name, true))
      } catch (error) {
        this.#due.add(name)
        throw error
      }
    }
  }

  /** Removes what is over, span by span. */
  async #remove(handle: PlaceHandle): Promise<void> {
    await this.#context.sync()
    const place = handle.place()
    if (place === undefined) return
    const { database } = await this.#context.stores.open(place.redundancy)
    for (let from: Key | null = ''; from !== null; ) from = await this.#span(handle, place, database, from)
  }

  /** Looks at the first span behind `from`. @returns where the next one is looked for; null when there is none */
  async #span(handle: PlaceHandle, { life }: Place, database: Database, from: Key): Promise<Key | null> {
    const { name } = handle
    const transaction = await database.begin()
    const due: { readonly entry: Key; readonly span: string }[] = []
    let at: Key | null = null
    try {
      const lasts = handle.lasting()
      const range = endingsOf(name, life, from)
      const scan = { relation: ENDINGS, range, columns: [0], limit: BATCH_ROWS, ordered: true }
      for await (const { keys, columns } of transaction.scan(scan))
        for (const [i, key] of keys.entries()) {
          const entry = columns[0]?.[i]
          const span = spanIn(name, key)
          at ??= span
          if (span !== at || typeof entry !== 'string' || lasts(span)) break
          due.push({ entry, span })
        }
    } finally {
      transaction.rollback()
    }
    if (at === null) return null
    if (due.length === 0) return `${at}\x01`
    await this.#removeRows(handle, database, life, due)
    return at
  }

  async #removeRows(
    handle: PlaceHandle,
    database: Database,
    life: number,
    due: readonly { readonly entry: Key; readonly span: string }[],
  ): Promise<void> {
    try {
      await removeEnded(handle, database, life, due, {})
    } catch (error) {
      // Somebody wrote to one of them: it is looked at again.
      if (!isLost(errorCode(error))) throw error
    }
  }
}
