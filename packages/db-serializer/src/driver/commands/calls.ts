import { type CallOptions, type Cancel, type Clock, ClusterError } from '@cluster/core'

interface Open {
  readonly fail: (error: unknown) => void
}

/** Waits with a deadline and a signal. One set a node, so that all of them end when it stops. */
export class Calls {
  readonly #clock: Clock
  readonly #open = new Set<Open>()
  #stopped: ClusterError | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * A promise that `begin` resolves, or that fails at the deadline, when aborted or when the node stops.
   * @param deadlineMs used when the options name none; null waits for ever
   * @param late makes the error of a passed deadline
   */
  run<T>(
    options: CallOptions,
    deadlineMs: number | null,
    late: (afterMs: number) => ClusterError,
    begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    if (this.#stopped) return Promise.reject(this.#stopped)
    const { signal } = options
    if (signal?.aborted) return Promise.reject(aborted())
    return new Promise((resolve, reject) => {
      const limit = options.deadlineMs ?? deadlineMs
      let cancelDeadline: Cancel | null = null
      let finished = false
      const finish = (): void => {
        finished = true
        cancelDeadline?.()
        signal?.removeEventListener('abort', abort)
        this.#open.delete(open)
      }
      const fail = (error: unknown): void => {
        finish()
        reject(error)
      }
      const abort = (): void => fail(aborted())
      const open: Open = { fail }
      this.#open.add(open)
      signal?.addEventListener('abort', abort, { once: true })
      begin((value) => {
        finish()
        resolve(value)
      }, fail)
      // What is answered at once needs no timer.
      if (finished) return
      if (limit !== null && limit < Number.POSITIVE_INFINITY) {
        cancelDeadline = this.#clock.after(limit, () => fail(late(limit)))
      }
    })
  }

  stop(error: ClusterError): void {
    this.#stopped = error
    for (const { fail } of [...this.#open]) fail(error)
  }
}

function aborted(): ClusterError {
  return new ClusterError({ code: 'ABORTED', outcome: 'rejected' }, 'The call was aborted by its signal.')
}
