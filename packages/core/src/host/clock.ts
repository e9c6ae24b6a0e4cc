/** Cancels what it stands for; calling it again does nothing. */
export type Cancel = () => void

/** Time, injected. Nothing outside the drivers asks the platform for the time. */
export interface Clock {
  /** Milliseconds on a monotonic clock (fractions allowed) that, where the platform can, counts sleep. */
  now(): number
  /** Milliseconds since 1970 by the wall clock; for people and SQL's `now()`, never for protocol decisions. */
  wall(): number
  /** Runs `run` once, at least `delayMs` (≥ 0) later, in a turn of its own. */
  after(delayMs: number, run: () => void): Cancel
  /** Resolves in a later turn of the event loop, so that other work gets its chance. */
  turn(): Promise<void>
}

/** Resolves after `delayMs`. */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve)
  })
}
