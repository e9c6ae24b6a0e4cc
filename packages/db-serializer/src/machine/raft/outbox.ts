import type { LogIndex, NodeId } from '@cluster/core'
import type { AfterPersist, Effect, Entry, HardState, Message, PersistEffect, SendEffect } from './types.ts'

interface PendingWrite {
  readonly ticket: number
  /** `now` when it was asked for. */
  readonly since: number
  readonly hard: boolean
  /** The log on disk reaches to here once it is done; lowered when a later write cuts the log. */
  durableTo: LogIndex
}

/** Collects what one step asks for and remembers the writes that are under way. */
export class Outbox {
  #effects: Effect[] = []
  #sends: SendEffect[] = []
  #then: AfterPersist[] = []
  #hardChanged = false
  #truncateFrom: LogIndex | null = null
  #entries: Entry[] = []
  #snapshot: PersistEffect['snapshot'] = null
  #lastTicket = 0
  #pending: PendingWrite[] = []

  /** The ticket of the write that this step will ask for, if it asks for one. */
  get nextTicket(): number {
    return this.#lastTicket + 1
  }

  emit(effect: Effect): void {
    this.#effects.push(effect)
  }

  /** Sends when the hard state is durable; at once, if it is. */
  send(to: NodeId, message: Message): void {
    this.#sends.push({ type: 'send', to, message })
  }

  /** Sends when everything written by this step is durable. */
  sendWhenDurable(to: NodeId, message: Message): void {
    this.#then.push({ type: 'send', to, message })
  }

  whenDurable(after: AfterPersist): void {
    this.#then.push(after)
  }

  hardStateChanged(): void {
    this.#hardChanged = true
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) this.#entries.push(entry)
  }

  truncateFrom(index: LogIndex): void {
    this.#truncateFrom =
      this.#truncateFrom === null || index < this.#truncateFrom ? index : this.#truncateFrom
    this.#entries = this.#entries.filter((entry) => entry.index < index)
    this.#lower(index)
  }

  /** The log on disk is replaced by the snapshot. */
  replaceBySnapshot(snapshot: NonNullable<PersistEffect['snapshot']>): void {
    this.#snapshot = snapshot
    this.#truncateFrom = null
    this.#entries = []
    this.#lower(0 as LogIndex)
  }

  /** Notes that writes up to the ticket are done; returns how far the log is durable by them, 0 for nowhere new. */
  persisted(ticket: number): LogIndex {
    let durableTo = 0 as LogIndex
    for (const write of this.#pending) {
      if (write.ticket <= ticket && write.durableTo > durableTo) durableTo = write.durableTo
    }
    this.#pending = this.#pending.filter((write) => write.ticket > ticket)
    return durableTo
  }

  /** When the oldest write was asked for that is not durable yet; infinite without one. */
  get writingSince(): number {
    return this.#pending[0]?.since ?? Number.POSITIVE_INFINITY
  }

  /** Ends the step. @param lastIndex the end of the log in memory */
  flush(hardState: HardState, lastIndex: LogIndex, now: number): Effect[] {
    const effects = this.#effects
    // Nothing leaves the node that rests on a term or vote which a crash could still take back.
    const held = this.#hardChanged || this.#pending.some((write) => write.hard)
    const then = held ? [...this.#sends, ...this.#then] : this.#then
    if (!held) for (const send of this.#sends) effects.push(send)
    if (
      this.#hardChanged ||
      this.#truncateFrom !== null ||
      this.#entries.length > 0 ||
      this.#snapshot !== null ||
      then.length > 0
    ) {
      this.#lastTicket++
      this.#pending.push({
        ticket: this.#lastTicket,
        since: now,
        hard: this.#hardChanged,
        durableTo: lastIndex,
      })
      effects.push({
        type: 'persist',
        ticket: this.#lastTicket,
        hardState: this.#hardChanged ? hardState : null,
        snapshot: this.#snapshot,
        truncateFrom: this.#truncateFrom,
        entries: this.#entries,
        then,
      })
    }
    this.#effects = []
    this.#sends = []
    this.#then = []
    this.#hardChanged = false
    this.#truncateFrom = null
    this.#entries = []
    this.#snapshot = null
    return effects
  }

  #lower(index: LogIndex): void {
    for (const write of this.#pending) {
      if (write.durableTo >= index) write.durableTo = Math.max(0, index - 1) as LogIndex
    }
  }
}
