import {
  assert,
  type CallOptions,
  type ChannelHandlers,
  type Clock,
  type ClusterError,
  type FrameStream,
  InvariantError,
  isClusterError,
  type LinkDownCause,
  type LinkInfo,
  type NodeId,
} from '@cluster/core'
import {
  aborted,
  carriedError,
  deadlinePassed,
  frameTooLarge,
  linkBusy,
  linkDown,
  noHandler,
} from '../errors.ts'
import type { TransportLimits } from '../options.ts'
import { MemoryStream } from './memory-stream.ts'

export interface MemorySideHooks {
  readonly self: NodeId
  readonly limits: TransportLimits
  readonly clock: Clock
  readonly handlersOf: (channel: string) => ChannelHandlers | undefined
  readonly down: (side: MemorySide, cause: LinkDownCause) => void
}

interface Pending {
  readonly fail: (error: ClusterError) => void
}

/** One end of a link between two transports of one process. */
export class MemorySide {
  readonly info: LinkInfo
  readonly #hooks: MemorySideHooks
  #far: MemorySide | null = null
  /** What is on its way to the other end, first in first out. */
  #queue: (() => void)[] = []
  #queuedBytes = 0
  #draining = false
  #isUp = true
  readonly #pending = new Set<Pending>()
  readonly #serving = new Set<AbortController>()
  readonly #streams = new Set<MemoryStream>()
  readonly #closing: (() => void)[] = []

  constructor(info: LinkInfo, hooks: MemorySideHooks) {
    this.info = info
    this.#hooks = hooks
  }

  static join(a: MemorySide, b: MemorySide): void {
    a.#far = b
    b.#far = a
  }

  /** The other end. */
  get far(): MemorySide {
    assert(this.#far !== null, 'a link has two ends')
    return this.#far
  }

  /** @throws FRAME_TOO_LARGE */
  notify(channel: string, frame: Uint8Array): boolean {
    this.#checkSize(frame)
    if (!this.#isUp || !this.#hasRoom(frame)) return false
    this.#post(() => {
      this.far.#hooks.handlersOf(channel)?.notify?.(this.#hooks.self, frame)
    }, frame.length)
    return true
  }

  request(channel: string, frame: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const { peer } = this.info
      const { limits, clock } = this.#hooks
      this.#checkSize(frame)
      if (!this.#isUp) throw linkDown(peer, 'rejected')
      if (options.signal?.aborted) throw aborted('The request was cancelled before it was sent', 'rejected')
      if (this.#pending.size >= limits.requestsMax || !this.#hasRoom(frame)) throw linkBusy(peer)
      const controller = new AbortController()
      const { signal } = options
      const finish = (): boolean => {
        cancelDeadline()
        signal?.removeEventListener('abort', onAbort)
        return this.#pending.delete(pending)
      }
      const pending: Pending = {
        fail: (error) => {
          if (finish()) reject(error)
        },
      }
      const giveUp = (error: ClusterError): void => {
        pending.fail(error)
        if (this.#isUp) this.#post(() => controller.abort(aborted('The caller gave up', 'unknown')))
      }
      const onAbort = (): void => giveUp(aborted('The request was cancelled', 'unknown'))
      const afterMs = options.deadlineMs ?? limits.deadlineMs
      const cancelDeadline = clock.after(afterMs, () => giveUp(deadlinePassed(peer, afterMs, 'unknown')))
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#pending.add(pending)
      const settle = (run: () => void): void => {
        if (finish()) run()
      }
      this.#post(() => {
        this.far.#serve(channel, frame, controller, {
          resolve: (answer) => settle(() => resolve(answer)),
          reject: (error) => settle(() => reject(error)),
        })
      }, frame.length)
    })
  }

  async openStream(channel: string, opening: Uint8Array): Promise<FrameStream> {
    this.#checkSize(opening)
    if (!this.#isUp) throw linkDown(this.info.peer, 'rejected')
    const { far } = this
    const near = this.#newStream()
    const other = far.#newStream()
    MemoryStream.join(near, other)
    this.#post(() => {
      const handle = far.#hooks.handlersOf(channel)?.stream
      if (handle) handle(this.#hooks.self, opening, other)
      else other.refuse(noHandler(channel))
    })
    return near
  }

  /** Ends the link, after what was sent before. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#isUp) return resolve()
      // The other end may close at the same time; either way this ends.
      this.#closing.push(resolve)
      for (const stream of this.#streams) stream.abort('the link is being closed')
      this.#post(() => {
        this.end('closed-here')
        this.far.end('closed-by-host')
      })
    })
  }

  end(cause: LinkDownCause): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#queue = []
    const error = linkDown(this.info.peer, 'unknown')
    for (const pending of [...this.#pending]) pending.fail(error)
    for (const controller of this.#serving) controller.abort(error)
    for (const stream of [...this.#streams]) stream.fail(error)
    this.#hooks.down(this, cause)
    for (const resolve of this.#closing.splice(0)) resolve()
  }

  #serve(
    channel: string,
    frame: Uint8Array,
    controller: AbortController,
    answer: {
      readonly resolve: (answer: Uint8Array) => void
      readonly reject: (error: ClusterError) => void
    },
  ): void {
    const { self, limits, handlersOf } = this.#hooks
    const fail = (error: unknown): void => {
      this.#serving.delete(controller)
      const message = error instanceof Error ? error.message : String(error)
      const carried = { message, detail: isClusterError(error) ? error.detail : null }
      if (this.#isUp) this.#post(() => answer.reject(carriedError(carried, self)))
      if (error instanceof InvariantError)
        queueMicrotask(() => {
          // A broken invariant must stop the node, not just fail one request.
          throw error
        })
    }
    const handle = handlersOf(channel)?.request
    if (!handle) {
      fail(noHandler(channel))
      return
    }
    this.#serving.add(controller)
    const handled = async (): Promise<Uint8Array> => await handle(this.info.peer, frame, controller.signal)
    handled().then((result) => {
      this.#serving.delete(controller)
      if (!this.#isUp) return
      if (result.length > limits.frameBytesMax) fail(frameTooLarge(result.length, limits.frameBytesMax))
      else if (!this.#hasRoom(result)) fail(linkBusy(self))
      else this.#post(() => answer.resolve(result), result.length)
    }, fail)
  }

  #newStream(): MemoryStream {
    const stream = new MemoryStream(
      this.info.peer,
      this.#hooks.limits,
      (run) => {
        if (this.#isUp) this.#post(run)
      },
      (done) => this.#streams.delete(done),
    )
    this.#streams.add(stream)
    return stream
  }

  /** Runs at the other end in a later turn, after all that was posted before. */
  #post(run: () => void, bytes = 0): void {
    this.#queuedBytes += bytes
    this.#queue.push(() => {
      this.#queuedBytes -= bytes
      run()
    })
    if (this.#draining) return
    this.#draining = true
    void this.#hooks.clock.turn().then(() => this.#drain())
  }

  #drain(): void {
    const queue = this.#queue
    this.#queue = []
    this.#draining = false
    for (const run of queue) {
      if (!this.#isUp) return
      try {
        run()
      } catch (error) {
        // What a handler cannot bear counts as garbage of its sender, as it does over a network.
        this.far.end('failed')
        this.end('closed-by-host')
        if (error instanceof InvariantError) throw error
        return
      }
    }
  }

  #checkSize(frame: Uint8Array): void {
    const { frameBytesMax } = this.#hooks.limits
    if (frame.length > frameBytesMax) throw frameTooLarge(frame.length, frameBytesMax)
  }

  #hasRoom(frame: Uint8Array): boolean {
    return this.#queuedBytes + frame.length <= this.#hooks.limits.queueBytesMax
  }
}
