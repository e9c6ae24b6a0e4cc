import type { Cancel } from '@cluster/core'
import type { NotificationHub } from './hub.ts'
import { Inbox } from './inbox.ts'
import { checkNotification, type Notification } from './notification.ts'

type Change = { readonly listen: string } | { readonly unlisten: string | null }

/** The channels that a session listens to. LISTEN and UNLISTEN count when their transaction commits. */
export class SessionChannels {
  readonly #hub: NotificationHub
  readonly #channels = new Set<string>()
  #inbox = new Inbox()
  #ring: () => void = () => {}
  #changes: Change[] = []
  #cancel: Cancel | null = null
  #closed = false

  constructor(hub: NotificationHub) {
    this.#hub = hub
  }

  /** In the order in which they were listened to. */
  get names(): readonly string[] {
    return [...this.#channels]
  }

  /** @throws 22023 */
  listen(channel: string): void {
    checkNotification(channel, '')
    this.#changes.push({ listen: channel })
  }

  /** @param channel null: all of them */
  unlisten(channel: string | null): void {
    this.#changes.push({ unlisten: channel })
  }

  /** A transaction has ended. */
  end(committed: boolean): Promise<void> | null {
    const changes = this.#changes
    if (changes.length === 0) return null
    this.#changes = []
    return committed ? this.#change(changes) : null
  }

  async #change(changes: readonly Change[]): Promise<void> {
    for (const change of changes)
      if ('listen' in change) this.#channels.add(change.listen)
      else if (change.unlisten === null) this.#channels.clear()
      else this.#channels.delete(change.unlisten)
    if (this.#channels.size === 0) this.#stop()
    else if (this.#cancel === null) await this.#start()
  }

  async #start(): Promise<void> {
    const inbox = new Inbox()
    const cancel = await this.#hub.subscribe({
      told: (notification) => {
        if (this.#channels.has(notification.channel)) inbox.put(notification)
      },
      lost: (error) => inbox.fail(error),
    })
    if (this.#closed) {
      cancel()
      return
    }
    this.#cancel = cancel
    this.#inbox = inbox
    inbox.onArrival(() => this.#ring())
  }

  #stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  /** Called whenever there is something to take. */
  onArrival(ring: () => void): void {
    this.#ring = ring
  }

  /** @throws when some were lost; nothing is listened to then any more */
  take(): readonly Notification[] {
    try {
      return this.#inbox.take()
    } catch (error) {
      this.#channels.clear()
      this.#stop()
      this.#inbox = new Inbox()
      throw error
    }
  }

  close(): void {
    this.#closed = true
    this.#channels.clear()
    this.#stop()
  }
}
