import { ClusterError, type CommonErrorDetail, type FrameStream, type NodeId } from '@cluster/core'
import type { Link } from './parties.ts'
import type { Process } from './process.ts'

/** Frames that may be on their way or unread before `send` waits. */
const WINDOW = 16

/** One end of a stream over a link. */
export class SimStream implements FrameStream {
  readonly peer: NodeId
  onEnd: (() => void) | null = null
  onFail: ((error: unknown) => void) | null = null
  readonly #process: Process
  readonly #link: Link
  readonly #self: NodeId
  readonly #arrived: Uint8Array[] = []
  #far: SimStream | null = null
  #inFlight = 0
  #senders: (() => void)[] = []
  #reader: (() => void) | null = null
  #closedHere = false
  #closedThere = false
  #failure: { readonly error: unknown } | null = null

  constructor(process: Process, link: Link, self: NodeId) {
    this.#process = process
    this.#link = link
    this.#self = self
    this.peer = link.here(self).info.peer
  }

  get alive(): boolean {
    return this.#process.alive
  }

  join(far: SimStream): void {
    this.#far = far
    far.#far = this
  }

  async send(frame: Uint8Array): Promise<void> {
    const bytes = frame.slice()
    while (this.#inFlight >= WINDOW && this.#failure === null)
      await new Promise<void>((resolve) => this.#senders.push(resolve))
    if (this.#failure) throw this.#failure.error
    if (this.#closedHere) throw ended('The stream was closed on this side.')
    this.#inFlight++
    this.#pass(bytes.length, (far) => far.#take(bytes))
  }

  async close(): Promise<void> {
    if (this.#closedHere || this.#failure) return
    this.#closedHere = true
    this.#pass(8, (far) => {
      far.#closedThere = true
      far.#wake()
      far.#endWhenOver()
    })
    this.#endWhenOver()
  }

  abort(reason: string): void {
    if (this.#failure) return
    const error = ended(reason)
    this.#pass(40, (far) => far.fail(error))
    this.fail(error)
  }

  fail(error: unknown): void {
    if (this.#failure || (this.#closedHere && this.#closedThere && this.#arrived.length === 0)) return
    this.#failure = { error }
    for (const wake of this.#senders.splice(0)) wake()
    this.#wake()
    this.onEnd?.()
    this.onFail?.(error)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    let finished = false
    try {
      for (;;) {
        // What arrived before the failure is still good.
        const frame = this.#arrived.shift()
        if (frame !== undefined) {
          this.#pass(8, (far) => far.#credit())
          yield frame
        } else if (this.#failure) {
          finished = true
          throw this.#failure.error
        } else if (this.#closedThere) {
          finished = true
          return
        } else
          await new Promise<void>((resolve) => {
            this.#reader = resolve
          })
      }
    } finally {
      // A reader that stops early wants no more.
      if (!finished) this.abort('The reader stopped.')
    }
  }

  #take(frame: Uint8Array): void {
    if (this.#failure) return
    this.#arrived.push(frame)
    this.#wake()
  }

  #credit(): void {
    this.#inFlight--
    this.#senders.shift()?.()
  }

  #wake(): void {
    const reader = this.#reader
    this.#reader = null
    reader?.()
  }

  #endWhenOver(): void {
    if (this.#closedHere && this.#closedThere) this.onEnd?.()
  }

  #pass(bytes: number, arrive: (far: SimStream) => void): void {
    const side = this.#link.here(this.#self)
    if (!this.#process.alive || !side.up) return
    this.#link.pass(side, { bytes, exposed: false, mayRepeat: false }, () => {
      const far = this.#far
      if (far?.alive && this.#link.there(this.#self).up) arrive(far)
    })
  }
}

function ended(reason: string): ClusterError<CommonErrorDetail> {
  return new ClusterError<CommonErrorDetail>({ code: 'ABORTED', outcome: 'unknown' }, reason)
}
