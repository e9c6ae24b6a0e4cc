import type { Cancel, Clock } from '@cluster/core'

/** The platform's time. `now()` is `CLOCK_MONOTONIC`. */
export const nodeClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delayMs: number, run: () => void): Cancel {
    const due = performance.now() + delayMs
    // The platform counts whole milliseconds and may fire a fraction early: what is left is waited for.
    const fire = (): void => {
      const rest = due - performance.now()
      if (rest <= 0) run()
      else timer = setTimeout(fire, Math.ceil(rest))
    }
    let timer = setTimeout(fire, Math.max(0, Math.ceil(delayMs)))
    return () => clearTimeout(timer)
  },
  turn: () =>
    new Promise((resolve) => {
      setImmediate(resolve)
    }),
}
