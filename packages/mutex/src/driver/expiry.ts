import type { Cancel, NodeId } from '@cluster/core'
import type { MutexEffect } from '../machine/state.ts'
import { type Context, note } from './context.ts'

/** A note that did not get through, or came too early, is sent again after so long. */
const AGAIN_MS = 500

/** Times by the leader's clock. */
interface Heard {
  /** When the session was renewed, as far as this leader knows. */
  readonly at: number
  /** Not looked at before that. */
  readonly notBefore: number
}

/**
 * The leader's part: notes in the log that a session was not renewed in time, or that its node is gone. Time is the leader's
 * own and begins anew with its office, so that every session has a full term after an election.
 */
export class Expiry {
  readonly #context: Context
  /** What this leader last heard of each session; empty on other nodes. */
  readonly #heard = new Map<number, Heard>()
  /** The newest session that can be of a process that was proved dead, by its node. */
  readonly #dead = new Map<NodeId, number>()
  /** Members that are gone, with the newest session that can be theirs. */
  readonly #gone = new Map<NodeId, number>()
  readonly #cancels: Cancel[]
  #leads = false
  #cancelTimer: Cancel | null = null

  constructor(context: Context) {
    this.#context = context
    this.#cancels = [
      context.log.on('group', ({ role }) => this.#office(role === 'leader')),
      context.log.on('removed', ({ node, reason }) => {
        // Who is removed without a proof of its own may be there, and trust its lease: by the silence of one link, or by the
        // proof of a process that it has started anew since.
        const upTo = reason === 'left' ? context.machine.counter : this.#dead.get(node)
        if (upTo === undefined) return
        this.#gone.set(node, upTo)
        if (this.#leads) this.#tellGone()
      }),
      context.deaths?.((node) => this.#dead.set(node, context.machine.counter)) ?? (() => {}),
    ]
  }

  hear(effect: MutexEffect): void {
    if (effect.type === 'ended') this.#heard.delete(effect.session)
    if (!this.#leads) return
    if (effect.type === 'opened' || effect.type === 'renewed')
      this.#heard.set(effect.session, { at: this.#context.clock.now(), notBefore: 0 })
    else if (effect.type === 'restored') this.#beginTerm()
    else return
    this.#plan()
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel()
    this.#office(false)
  }

  #office(leads: boolean): void {
    if (leads === this.#leads) return
    this.#leads = leads
    this.#heard.clear()
    this.#cancelTimer?.()
    this.#cancelTimer = null
    if (!leads) return
    this.#beginTerm()
    this.#tellGone()
  }

  #beginTerm(): void {
    const now = this.#context.clock.now()
    this.#heard.clear()
    for (const id of this.#context.machine.sessions.keys()) this.#heard.set(id, { at: now, notBefore: 0 })
    this.#plan()
  }

  /** When a session is over if nothing more is heard of it. */
  #dueAt(id: number, { at, notBefore }: Heard): number {
    return Math.max(notBefore, at + (this.#context.machine.sessions.get(id)?.leaseMs ?? 0))
  }

  #plan(): void {
    if (this.#cancelTimer !== null || this.#heard.size === 0) return
    const { clock } = this.#context
    let first = Number.POSITIVE_INFINITY
    for (const [id, heard] of this.#heard) first = Math.min(first, this.#dueAt(id, heard))
    this.#cancelTimer = clock.after(Math.max(1, first - clock.now()), () => {
      this.#cancelTimer = null
      this.#sweep()
    })
  }

  #sweep(): void {
    const now = this.#context.clock.now()
    for (const [id, heard] of [...this.#heard]) {
      const session = this.#context.machine.sessions.get(id)
      if (session === undefined) {
        this.#heard.delete(id)
        continue
      }
      if (this.#dueAt(id, heard) > now) continue
      // Until the note comes back through the log it is as if the session had a little time left.
      this.#heard.set(id, { at: heard.at, notBefore: now + AGAIN_MS })
      void this.#isBusy(session.node, now - heard.at).then((busy) => {
        if (!busy && this.#leads) void note(this.#context, { type: 'expire', session: id })
      })
    }
    this.#plan()
  }

  /** Whether the process of a session that was not renewed is there, and has some patience left. */
  async #isBusy(node: NodeId, silentMs: number): Promise<boolean> {
    const { exists, settings, logger } = this.#context
    if (exists === undefined || silentMs >= settings.busyMs) return false
    const busy = await exists(node)
    if (busy) logger.log('debug', 'a node that does not renew its locks is there, and given time', { node })
    return busy
  }

  #tellGone(): void {
    const owners = new Map<NodeId, number>()
    for (const { node, id } of this.#context.machine.sessions.values())
      owners.set(node, Math.min(id, owners.get(node) ?? id))
    for (const [node, upTo] of [...this.#gone].sort(([a], [b]) => (a < b ? -1 : 1))) {
      this.#gone.delete(node)
      const oldest = owners.get(node)
      if (oldest === undefined || oldest > upTo) continue
      this.#context.logger.log('info', 'locks of a removed member are free', { node })
      // If it does not get through, the lease makes good for it.
      void note(this.#context, { type: 'gone', node, upTo })
    }
  }
}
