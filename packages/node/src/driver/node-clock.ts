import type { Cancel, Clock } from '@cluster/core'

/** The platform's time. `now()` is `CLOCK_MONOTONIC`. */
export const nodeClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delayMs: number, run: () => void): Cancel {
    const timer = setTimeout(run, Math.max(0, delayMs))
    return () => clearTimeout(timer)
  },
  turn: () =>
    new Promise((resolve) => {
      setImmediate(resolve)
    }),
}
