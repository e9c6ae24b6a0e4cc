import { type Cancel, type Database, errorCode } from '@cluster/core'
import type { Notification } from './notification.ts'
import { NOTIFICATIONS, notificationOf } from './outbox.ts'

/** Who is told. */
export interface Subscriber {
  readonly told: (notification: Notification) => void
  /** Nothing more will be told: what was committed meanwhile may have been missed. */
  readonly lost: (error: unknown) => void
}

interface Subscription {
  readonly subscriber: Subscriber
  /** Only what is committed behind it counts. */
  readonly since: number
}

/**
 * Follows what committed transactions notify, from any node, while somebody listens: the changes of one relation, which
 * every node holds.
 */
export class NotificationHub {
  readonly #database: Database
  readonly #subscriptions = new Set<Subscription>()
  #following: AbortController | null = null

  constructor(database: Database) {
    this.#database = database
  }

  /** @returns ends it; once it is there, everything is told that is committed anywhere from then on */
  async subscribe(subscriber: Subscriber): Promise<Cancel> {
    const since = await this.#database.keepChanges([NOTIFICATIONS])
    const subscription = { subscriber, since }
    this.#subscriptions.add(subscription)
    if (this.#following === null) {
      this.#following = new AbortController()
      void this.#follow(since, this.#following)
    }
    return () => {
      this.#subscriptions.delete(subscription)
      if (this.#subscriptions.size > 0) return
      this.#following?.abort()
      this.#following = null
    }
  }

  /** Never rejects: what ends it is told to everybody. */
  async #follow(
    from: Awaited<ReturnType<Database['keepChanges']>>,
    following: AbortController,
  ): Promise<void> {
    const { signal } = following
    try {
      for await (const { version, after } of this.#database.changes({
        relations: [NOTIFICATIONS],
        from,
        signal,
      })) {
        if (after === null) continue
        const notification = notificationOf(after)
        for (const { subscriber, since } of [...this.#subscriptions])
          if (version > since) subscriber.told(notification)
      }
    } catch (error) {
      if (signal.aborted && errorCode(error) === 'ABORTED') return
      this.#following = null
      const all = [...this.#subscriptions]
      this.#subscriptions.clear()
      for (const { subscriber } of all) subscriber.lost(error)
    }
  }
}
