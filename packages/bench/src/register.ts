import type { LogEntry, LogIndex, StateMachine } from '@cluster/core'

const HEAD_BYTES = 16
const NOTHING = new Uint8Array(0)

/**
 * A state machine that does as little as a benchmark's may: it remembers which numbers of which submitter it saw,
 * so that acknowledged commands can be looked for, and keeps the newest commands up to a limit.
 */
export class Register implements StateMachine {
  readonly name = 'register'
  /** Highest number seen of each submitter, when all below it were seen too. */
  readonly #seen = new Map<number, number>()
  readonly #state: Uint8Array
  readonly #now: () => number
  #stateEnd = 0
  /** When the newest snapshot was begun. */
  snapshotAt = 0

  constructor(stateBytes: number, now: () => number = () => 0) {
    this.#now = now
    this.#state = new Uint8Array(stateBytes)
  }

  /** A command of `bytes` bytes: submitter and number, then filling. */
  static command(submitter: number, number: number, bytes: number): Uint8Array {
    const command = new Uint8Array(bytes)
    const view = new DataView(command.buffer)
    view.setFloat64(0, submitter, true)
    view.setFloat64(8, number, true)
    return command.fill(120, HEAD_BYTES)
  }

  apply({ command }: LogEntry): Uint8Array {
    const view = new DataView(command.buffer, command.byteOffset, command.length)
    const submitter = view.getFloat64(0, true)
    const number = view.getFloat64(8, true)
    const before = this.#seen.get(submitter) ?? 0
    // A submitter waits for its answer before the next number, so a hole is a lost command and stays one.
    if (number === before + 1) this.#seen.set(submitter, number)
    if (command.length <= this.#state.length) {
      if (this.#stateEnd + command.length > this.#state.length) this.#stateEnd = 0
      this.#state.set(command, this.#stateEnd)
      this.#stateEnd += command.length
    }
    return NOTHING
  }

  /** How many of the numbers 1 … count it saw. */
  held(submitter: number, count: number): number {
    return Math.min(count, this.#seen.get(submitter) ?? 0)
  }

  snapshot(): Uint8Array {
    this.snapshotAt = this.#now()
    const bytes = new Uint8Array(16 + this.#seen.size * 16 + this.#state.length)
    const view = new DataView(bytes.buffer)
    view.setFloat64(0, this.#seen.size, true)
    view.setFloat64(8, this.#stateEnd, true)
    let at = 16
    for (const [submitter, number] of this.#seen) {
      view.setFloat64(at, submitter, true)
      view.setFloat64(at + 8, number, true)
      at += 16
    }
    bytes.set(this.#state, at)
    return bytes
  }

  restore(snapshot: Uint8Array | null, _index: LogIndex): void {
    this.#seen.clear()
    this.#stateEnd = 0
    if (snapshot === null) return
    const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.length)
    const size = view.getFloat64(0, true)
    this.#stateEnd = view.getFloat64(8, true)
    let at = 16
    for (let i = 0; i < size; i++, at += 16) {
      this.#seen.set(view.getFloat64(at, true), view.getFloat64(at + 8, true))
    }
    this.#state.set(snapshot.subarray(at, at + this.#state.length))
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}
