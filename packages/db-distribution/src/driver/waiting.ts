import type { Cancel, Clock } from '@cluster/core'
import { aborted } from '../errors.ts'

/** Rung when something changed; those who wait look again. */
export class Bell {
  #waiting = new Set<() => void>()

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  ring(): void {
    const waiting = this.#waiting
    if (waiting.size === 0) return
    this.#waiting = new Set()
    for (const wake of waiting) wake()
  }

  /** Resolves with the next ring or after `ms`, whichever comes first. @throws ABORTED */
  next(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let cancel: Cancel = () => {}
      const done = (): void => {
        cancel()
        this.#waiting.delete(done)
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const abort = (): void => {
        cancel()
        this.#waiting.delete(done)
        reject(aborted())
      }
      if (signal?.aborted) return abort()
      cancel = clock.after(Math.max(0, ms), done)
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting.add(done)
    })
  }
}

/** Runs at most `most` at once; the rest wait in line. */
export class Gate {
  #free: number
  readonly #line: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#line.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#line.shift()
      if (next) next()
      else this.#free++
    }
  }
}

/** Runs the works of one name one after another. */
export class Queues {
  readonly #tails = new Map<string, Promise<unknown>>()

  run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(name)
    const result = before === undefined ? work() : before.then(work, work)
    const tail = result.then(
      () => {},
      () => {},
    )
    this.#tails.set(name, tail)
    void tail.then(() => {
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
    })
    return result
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all([...this.#tails.values()])
  }
}

/** Rejects with what `onTime` makes when `work` takes longer than `ms`; the work itself goes on. */
export function within<T>(clock: Clock, ms: number, work: Promise<T>, onTime: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(onTime()))
    work.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}
