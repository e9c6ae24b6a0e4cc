import { assert, type Latches } from '@cluster/core'
import { answerGone, optionInvalid, stopped, tooMany } from '../errors.ts'
import { LIMIT_NAMES, type MutexResult } from '../machine/codec.ts'
import { type Context, sendOnce } from './context.ts'
import type { Patience } from './named.ts'
import { checkPatience, checkText, within } from './patience.ts'
import { demandLocks } from './version.ts'

const COUNT_MAX = 1_000_000

/** One who waits until a latch is open. */
interface Waiter {
  readonly open: () => void
  readonly fail: (error: unknown) => void
}

/** The latches of the cluster, seen from this node. */
export class ClusterLatches implements Latches {
  readonly #context: Context
  readonly #waiters = new Map<string, Set<Waiter>>()

  constructor(context: Context) {
    this.#context = context
  }

  async set(name: string, count: number): Promise<boolean> {
    checkCount(count)
    const { status, value } = (await this.#send(name, true, count)) ?? answerGone(name)
    if (status !== 'limit') return value === 1
    const limit = LIMIT_NAMES[value]
    assert(limit !== undefined, 'the limit has a name')
    throw tooMany(limit, this.#context.settings.limits[limit])
  }

  async countDown(name: string, by = 1): Promise<number> {
    checkCount(by)
    // Where the answer is gone the state is known that came with it.
    return (await this.#send(name, false, by))?.value ?? this.#left(name)
  }

  async count(name: string): Promise<number> {
    checkText('name', name)
    const { log } = this.#context
    await log.applied(await log.barrier())
    return this.#left(name)
  }

  async wait(name: string, { timeoutMs, signal }: Patience = {}): Promise<void> {
    checkPatience({ timeoutMs, signal })
    let waiter: Waiter | null = null
    const opened = async (): Promise<void> => {
      await this.count(name)
      // Looked at again: it may have been opened since that answer.
      if (this.#left(name) === 0) return
      await new Promise<void>((open, fail) => {
        waiter = { open, fail }
        const all = this.#waiters.get(name)
        if (all) all.add(waiter)
        else this.#waiters.set(name, new Set([waiter]))
      })
    }
    try {
      await within(this.#context.clock, name, opened(), { timeoutMs, signal })
    } finally {
      if (waiter !== null) this.#waiters.get(name)?.delete(waiter)
    }
  }

  hear(name: string, count: number): void {
    if (count > 0) return
    const all = this.#waiters.get(name) ?? []
    this.#waiters.delete(name)
    for (const { open } of all) open()
  }

  /** Another state took the place of the one known here. */
  restored(): void {
    for (const name of [...this.#waiters.keys()]) this.hear(name, this.#left(name))
  }

  stop(): void {
    for (const all of this.#waiters.values()) for (const { fail } of all) fail(stopped())
    this.#waiters.clear()
  }

  #left(name: string): number {
    return this.#context.machine.latches.get(name) ?? 0
  }

  async #send(name: string, set: boolean, count: number): Promise<MutexResult | null> {
    checkText('name', name)
    await demandLocks(this.#context.log)
    return sendOnce(this.#context, { type: 'latch', name, set, count })
  }
}

function checkCount(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > COUNT_MAX)
    throw optionInvalid('count', count, 'a whole number from 1 to 1000000')
}
