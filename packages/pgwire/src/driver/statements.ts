import type { WireCall, WireDescription, WireParameter, WireResult, WireSession } from '../backend.ts'
import type { PortalRun } from './portal.ts'

/**
 * The statements of one client, one at a time: whoever comes next has the rows of the one before put aside. Keeps the
 * transaction that several statements between two Syncs are.
 */
export class Statements {
  readonly #session: WireSession
  readonly #portalBytesMax: number
  readonly #copyIn: WireCall['copyIn']
  #running: AbortController | null = null
  /** What still reads from the session. */
  #occupant: PortalRun | null = null
  /** A transaction that nobody asked for by name. */
  #implicit = false

  constructor(session: WireSession, portalBytesMax: number, copyIn: WireCall['copyIn']) {
    this.#session = session
    this.#portalBytesMax = portalBytesMax
    this.#copyIn = copyIn
  }

  get state(): WireSession['transactionState'] {
    return this.#session.transactionState
  }

  count(text: string): number {
    return this.#session.count(text)
  }

  apart(text: string): readonly string[] | null {
    return this.#session.apart(text)
  }

  /** Ends what runs now, with 57014. */
  cancel(): void {
    this.#running?.abort()
  }

  describe(text: string): Promise<WireDescription> {
    return this.#run((call) => this.#session.describe(text, call))
  }

  /** @param alone a Sync follows: it commits by itself */
  async execute(text: string, parameters: readonly WireParameter[], alone: boolean): Promise<WireResult> {
    if (!alone && this.state === 'idle') {
      await this.#run((call) => this.#session.executeAll('BEGIN', call))
      this.#implicit = true
    }
    return this.#run((call) => this.#session.execute(text, parameters, call))
  }

  executeAll(text: string): Promise<readonly WireResult[]> {
    return this.#run((call) => this.#session.executeAll(text, call))
  }

  /** The run reads from the session until it is through, or somebody else comes. */
  occupy(run: PortalRun): void {
    this.#occupant = run
  }

  /** A statement is through. BEGIN makes the transaction one that was asked for. */
  ended(tag: string): void {
    if (tag === 'BEGIN' || this.state === 'idle') this.#implicit = false
  }

  /** Whether there is a transaction that nobody asked to begin. */
  get unfinished(): boolean {
    return this.#implicit
  }

  /** At a Sync: what nobody asked to begin ends. */
  async finish(): Promise<void> {
    const implicit = this.#implicit
    this.#implicit = false
    if (!implicit || this.state === 'idle') return
    const word = this.state === 'open' ? 'COMMIT' : 'ROLLBACK'
    await this.#run((call) => this.#session.executeAll(word, call))
  }

  close(): void {
    this.cancel()
    this.#session.close()
  }

  async #run<T>(work: (call: WireCall) => Promise<T>): Promise<T> {
    const occupant = this.#occupant
    this.#occupant = null
    if (occupant?.usesSession) await occupant.detach(this.#portalBytesMax)
    // Rows are read after this resolves, so what was begun can be cancelled until the next one begins.
    const controller = new AbortController()
    this.#running = controller
    return work({ signal: controller.signal, copyIn: this.#copyIn })
  }
}
