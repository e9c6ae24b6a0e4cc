/**
 * Calls that wait for something, each until a time of its own. One timer serves all of them: it is set for the
 * earliest deadline that was known when it was set, so most calls never touch it.
 */
export class Waiting<Call extends { readonly deadlineAt: number }> {
  readonly #calls = new Map<number, Call>()

  get size(): number {
    return this.#calls.size
  }

  add(id: number, call: Call): void {
    this.#calls.set(id, call)
  }

  has(id: number): boolean {
    return this.#calls.has(id)
  }

  /** Takes the call out. */
  take(id: number): Call | null {
    const call = this.#calls.get(id)
    if (!call) return null
    this.#calls.delete(id)
    return call
  }

  /** Takes out every call whose time has come, in the order in which they were added. */
  expired(now: number): readonly (readonly [number, Call])[] {
    const found: [number, Call][] = []
    for (const [id, call] of this.#calls) if (call.deadlineAt <= now) found.push([id, call])
    for (const [id] of found) this.#calls.delete(id)
    return found
  }

  /** The earliest deadline, `Infinity` when nothing waits. */
  earliest(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const call of this.#calls.values()) earliest = Math.min(earliest, call.deadlineAt)
    return earliest
  }

  clear(): readonly Call[] {
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    return calls
  }
}
