import type { Cancel } from '@cluster/core'
import type { NotificationHub } from './hub.ts'
import { Inbox } from './inbox.ts'
import { checkNotification, type Notification } from './notification.ts'

export interface ListenOptions {
  /** Ends it. */
  readonly signal?: AbortSignal
}

/**
 * Notifications of one channel, from any node, in the order of commits. The loop ends with the signal; leaving it ends
 * listening, too.
 */
export interface Listening extends AsyncIterable<Notification> {
  /** Begins to listen now. Once it resolves, everything is told that is committed from then on. The loop does it by itself. */
  ready(): Promise<void>
}

/** Listens to a channel outside of any session. */
export class ChannelListening implements Listening {
  readonly #hub: NotificationHub
  readonly #channel: string
  readonly #signal: AbortSignal | null
  readonly #inbox = new Inbox()
  #beginning: Promise<Cancel> | null = null

  /** @throws 22023 for a name that no channel has */
  constructor(hub: NotificationHub, channel: string, { signal }: ListenOptions) {
    checkNotification(channel, '')
    this.#hub = hub
    this.#channel = channel
    this.#signal = signal ?? null
  }

  async ready(): Promise<void> {
    await this.#begin()
  }

  #begin(): Promise<Cancel> {
    this.#beginning ??= this.#hub.subscribe({
      told: (notification) => {
        if (notification.channel === this.#channel) this.#inbox.put(notification)
      },
      lost: (error) => this.#inbox.fail(error),
    })
    return this.#beginning
  }

  get #ended(): boolean {
    return this.#signal?.aborted === true
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Notification> {
    const signal = this.#signal
    let wake: () => void = () => {}
    const onAbort = (): void => wake()
    signal?.addEventListener('abort', onAbort)
    const cancel = await this.#begin()
    try {
      while (!this.#ended) {
        const arrival = new Promise<void>((resolve) => {
          wake = resolve
        })
        this.#inbox.onArrival(() => wake())
        const taken = this.#inbox.take()
        for (const notification of taken) yield notification
        if (taken.length === 0 && !this.#ended) await arrival
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      cancel()
    }
  }
}
