import type { WireSession } from '../backend.ts'
import type { Outgoing } from './outgoing.ts'

/** Tells a client what comes unasked: before ReadyForQuery, and at once while nothing else is being said. */
export class Notifier {
  readonly #session: WireSession
  readonly #out: Outgoing
  readonly #onLost: (error: unknown) => void
  #idle = false
  /** What is being sent now. */
  #sending: Promise<void> | null = null

  /** @param onLost called when notifications were lost while nothing else is being said */
  constructor(session: WireSession, out: Outgoing, onLost: (error: unknown) => void) {
    this.#session = session
    this.#out = out
    this.#onLost = onLost
    session.notifications?.onArrival(() => this.#arrived())
  }

  /** Adds what came to what is sent next. @returns how many @throws when some were lost */
  tell(): number {
    const taken = this.#session.notifications?.take() ?? []
    for (const notification of taken) this.#out.writer.notification(notification)
    return taken.length
  }

  /** Waits for the client; meanwhile it is told what comes, unless it is in the middle of something. */
  async whileIdle<T>(idle: boolean, wait: () => Promise<T>): Promise<T> {
    this.#idle = idle
    if (idle) this.#arrived()
    const result = await wait()
    this.#idle = false
    // Nobody else writes before that is through.
    await this.#sending
    return result
  }

  #arrived(): void {
    if (!this.#idle || this.#sending !== null) return
    this.#sending = this.#send().finally(() => {
      this.#sending = null
    })
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    try {
      // More may come while these are on their way.
      while (this.#idle && this.tell() > 0) await this.#out.flush()
    } catch (error) {
      this.#onLost(error)
    }
  }
}
