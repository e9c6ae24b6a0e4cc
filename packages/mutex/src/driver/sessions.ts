import { isClusterError, randomId } from '@cluster/core'
import { sessionLost, stopped, tooMany } from '../errors.ts'
import { type Context, send } from './context.ts'
import { LiveSession } from './session.ts'
import { demandLocks } from './version.ts'

const ATTEMPTS = 5

/** The one session of this process, opened when it is needed. */
export class Sessions {
  readonly #context: Context
  #current: LiveSession | null = null
  #opening: Promise<LiveSession> | null = null
  #stopped = false

  constructor(context: Context) {
    this.#context = context
  }

  /** The session, if there is one. */
  get current(): LiveSession | null {
    return this.#current
  }

  /** The session that there is, or a new one. @throws MUTEX_LIMIT, MUTEX_SESSION_LOST, STOPPED, and what the log throws */
  async use(): Promise<LiveSession> {
    if (this.#stopped) throw stopped()
    for (let current = this.#current; current !== null; current = this.#current) {
      if (current.valid()) return current
      await current.sure()
      if (this.#stopped) throw stopped()
    }
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null
    })
    return this.#opening
  }

  async stop(): Promise<void> {
    this.#stopped = true
    // One that is being opened sees to its end itself.
    await this.#current?.close('the locks of this node were stopped')
  }

  async #open(): Promise<LiveSession> {
    const { clock, random, settings, machine, log } = this.#context
    // The word must be the newest of this node, so it says what this node knows.
    await log.ready()
    await demandLocks(log)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const uid = randomId(random)
      const sentAt = clock.now()
      const result = await send(
        this.#context,
        { type: 'open', uid, known: machine.counter, leaseMs: settings.leaseMs },
        { key: `open ${uid}` },
      ).catch((error: unknown) => {
        // If it was opened all the same, the next one ends it.
        if (isClusterError(error) && error.outcome === 'unknown') return null
        throw error
      })
      if (result === null || result.status === 'stale') continue
      if (result.status === 'limit') throw tooMany('sessions', settings.limits.sessions)
      // Slower than its lease: it may be over already.
      if (machine.sessions.get(result.value)?.uid !== uid) continue
      const session = new LiveSession(this.#context, result.value, uid, sentAt, (ended) => {
        if (this.#current === ended) this.#current = null
      })
      this.#current = session
      if (this.#stopped) {
        await session.close('the locks of this node were stopped')
        throw stopped()
      }
      if (session.valid()) return session
      session.lose('it was opened too slowly')
    }
    throw sessionLost('none could be opened in time')
  }
}
