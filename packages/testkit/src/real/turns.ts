const BATCH = 64

/**
 * Calls `step` again and again, each call in a turn of the real event loop of its own, until it returns false.
 * Between two calls every promise callback that the first one caused has run, so `step` sees a world at rest.
 */
export function eachTurn(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let finished = false
    const once = (): void => {
      if (finished) return
      try {
        if (step()) return
        finished = true
        resolve()
      } catch (error) {
        finished = true
        reject(error)
      }
    }
    // One pass of the event loop costs a system call, so a whole batch of turns goes into each pass.
    const batch = (): void => {
      if (finished) return
      for (let i = 0; i < BATCH; i++) setImmediate(once)
      setImmediate(batch)
    }
    batch()
  })
}
