import type { LogEntry, LogIndex, StateLoading, StateMachine } from '@cluster/core'

const HEAD_BYTES = 16
const PAGE_BYTES = 256 * 1024
const NOTHING = new Uint8Array(0)

/** A snapshot that hands out its pages. */
interface Saving {
  /** The page that comes next. */
  next: number
  /** Pages as they were when it was taken. */
  readonly kept: Map<number, Uint8Array>
}

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
  #saving: Saving | null = null
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
      this.#keep(this.#stateEnd, this.#stateEnd + command.length)
      this.#state.set(command, this.#stateEnd)
      this.#stateEnd += command.length
    }
    return NOTHING
  }

  /** How many of the numbers 1 … count it saw. */
  held(submitter: number, count: number): number {
    return Math.min(count, this.#seen.get(submitter) ?? 0)
  }

  readonly pieces = {
    save: (): Iterator<Uint8Array> => this.#save(),
    load: (): StateLoading => this.#load(),
  }

  /** The state of now, in pages: a page that is written to before it was asked for is copied first. */
  #save(): Iterator<Uint8Array> {
    this.snapshotAt = this.#now()
    const head = this.#head()
    const saving: Saving = { next: 0, kept: new Map() }
    this.#saving = saving
    const pages = function* (state: Uint8Array): Generator<Uint8Array> {
      yield head
      for (; saving.next * PAGE_BYTES < state.length; ) {
        const page = saving.next++
        yield saving.kept.get(page) ?? state.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
        saving.kept.delete(page)
      }
    }
    return pages(this.#state)
  }

  /** What a snapshot under way still has to say of these bytes is kept. */
  #keep(from: number, to: number): void {
    const saving = this.#saving
    if (saving === null) return
    for (let page = Math.floor(from / PAGE_BYTES); page * PAGE_BYTES < to; page++)
      if (page >= saving.next && !saving.kept.has(page))
        saving.kept.set(page, this.#state.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES))
  }

  #head(): Uint8Array {
    const bytes = new Uint8Array(16 + this.#seen.size * 16)
    const view = new DataView(bytes.buffer)
    view.setFloat64(0, this.#seen.size, true)
    view.setFloat64(8, this.#stateEnd, true)
    let at = 16
    for (const [submitter, number] of this.#seen) {
      view.setFloat64(at, submitter, true)
      view.setFloat64(at + 8, number, true)
      at += 16
    }
    return bytes
  }

  #load(): StateLoading {
    const parts: Uint8Array[] = []
    return { piece: (bytes) => parts.push(bytes), done: () => this.#take(Buffer.concat(parts)) }
  }

  #take(bytes: Uint8Array): void {
    this.#seen.clear()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const size = view.getFloat64(0, true)
    this.#stateEnd = view.getFloat64(8, true)
    let at = 16
    for (let i = 0; i < size; i++, at += 16) {
      this.#seen.set(view.getFloat64(at, true), view.getFloat64(at + 8, true))
    }
    this.#state.set(bytes.subarray(at, at + this.#state.length))
  }

  snapshot(): Uint8Array {
    throw new Error('the register gives its state in pieces')
  }

  restore(snapshot: Uint8Array | null, _index: LogIndex): void {
    if (snapshot !== null) throw new Error('the register takes its state in pieces')
    this.#seen.clear()
    this.#stateEnd = 0
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}
