import { sqlError } from '../errors.ts'
import type { Notification } from './notification.ts'

/** What may wait for a session or a loop that does not take it. */
const COUNT_MAX = 65_536
const UNITS_MAX = 16 * 1024 * 1024

/** Notifications that came and were not taken yet, within a bound. */
export class Inbox {
  #waiting: Notification[] = []
  #units = 0
  #failure: unknown = null
  #ring: () => void = () => {}

  /** Called whenever there is something to take. */
  onArrival(ring: () => void): void {
    this.#ring = ring
  }

  put(notification: Notification): void {
    if (this.#failure !== null) return
    this.#waiting.push(notification)
    this.#units += notification.channel.length + notification.payload.length
    if (this.#waiting.length > COUNT_MAX || this.#units > UNITS_MAX)
      this.fail(
        sqlError('53200', 'too many notifications were not taken, and some of them are lost', {
          hint: 'Listen again, and read anew what they tell of.',
        }),
      )
    else this.#ring()
  }

  /** Nothing more will come. */
  fail(error: unknown): void {
    this.#failure ??= error
    this.#waiting = []
    this.#units = 0
    this.#ring()
  }

  /** All that came, in the order of commits. @throws why nothing more comes, if that is so */
  take(): readonly Notification[] {
    if (this.#failure !== null) throw this.#failure
    const taken = this.#waiting
    this.#waiting = []
    this.#units = 0
    return taken
  }
}
