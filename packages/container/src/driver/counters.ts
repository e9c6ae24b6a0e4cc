import {
  type CallOptions,
  type Cancel,
  type ContainerOptions,
  delay,
  type FastCounter,
  type FastCounterOptions,
  isClusterError,
  type KeyedOptions,
  type ReadOptions,
  type SharedCounter,
  type SharedReference,
  type WriteOptions,
  type Written,
} from '@cluster/core'
import { optionInvalid, stopped } from '../errors.ts'
import type { When } from '../machine/codec.ts'
import { whole } from '../options.ts'
import type { Context } from './context.ts'
import { errorOf, Handle, withOpening } from './handle.ts'
import { encodeKey } from './keys.ts'
import { KeyedHandle } from './maps.ts'
import { checkTimes } from './sets.ts'

/** The one key of what has one entry. */
export const ONLY = encodeKey(null)
const RETRY_MS = 200
/** One attempt to flush; it is repeated until it is known what became of it. */
const ATTEMPT_MS = 2_000

export class CounterHandle extends KeyedHandle<null, number> implements SharedCounter {
  constructor(context: Context, name: string, options: ContainerOptions) {
    super(context, name, 'counter', options)
  }

  async value(options?: ReadOptions): Promise<number> {
    const entry = await this.entry(ONLY, options)
    return typeof entry?.value === 'number' ? entry.value : 0
  }

  async add(by = 1, options?: CallOptions): Promise<number> {
    checkTimes('by', by, Number.MIN_SAFE_INTEGER)
    return (await this.write({ type: 'add', key: ONLY, by }, options)).value
  }

  async compareAndSet(before: number, after: number, options?: CallOptions): Promise<boolean> {
    const value = checkTimes('after', after, Number.MIN_SAFE_INTEGER)
    const when: When = { is: 'equal', value: checkTimes('before', before, Number.MIN_SAFE_INTEGER) }
    return (await this.write({ type: 'put', key: ONLY, value, ttl: 0, when }, options)).done
  }
}

/** What this process added to one counter, on its way to the log. */
export class FastSum {
  readonly #handle: Handle
  readonly #flushMs: number
  /** Added, and in no entry yet. */
  #pending = 0
  /** In an entry that is not known to be applied. */
  #underWay = 0
  #flushing: Promise<void> | null = null
  #cancel: Cancel | null = null

  constructor(handle: Handle, flushMs: number) {
    this.#handle = handle
    this.#flushMs = flushMs
  }

  get unflushed(): number {
    return this.#pending + this.#underWay
  }

  add(by: number): void {
    if (this.#handle.context.stopped) throw stopped()
    const sum = this.unflushed + by
    if (!Number.isSafeInteger(sum)) throw optionInvalid('by', by, 'small enough to be added')
    this.#pending += by
    this.#cancel ??= this.#handle.context.clock.after(this.#flushMs, () => {
      this.#cancel = null
      this.#flushSoon()
    })
  }

  /** Until everything that was added before is in the log. */
  async flush(): Promise<void> {
    this.#cancel?.()
    this.#cancel = null
    await this.#flushing
    while (this.#pending !== 0 || this.#flushing) {
      this.#flushing ??= this.#flush().finally(() => {
        this.#flushing = null
      })
      await this.#flushing
    }
  }

  #flushSoon(): void {
    this.flush().catch((error: unknown) => {
      const { context, name } = this.#handle
      context.logger.log('warn', 'what was counted is not in the log', {
        container: name,
        error: String(error),
      })
    })
  }

  /** Adds what there is, once: the same key again where nobody knows what became of it. */
  async #flush(): Promise<void> {
    const { context, name } = this.#handle
    await context.demandVersion()
    const by = this.#pending
    this.#pending = 0
    this.#underWay = by
    const deadlineMs = ATTEMPT_MS
    const idempotencyKey = `${context.uid} ${context.number()}`
    const operations = withOpening(this.#handle, [{ type: 'add', key: ONLY, by }])
    try {
      for (;;) {
        try {
          const { results } = await context.batcher.submit(operations, { deadlineMs, idempotencyKey })
          // Without an answer it was applied all the same.
          for (const result of results ?? []) {
            const error = errorOf(context, name, result)
            if (error !== null) throw error
          }
          break
        } catch (error) {
          if (!isClusterError(error) || error.outcome !== 'unknown' || error.code === 'STOPPED') throw error
          await delay(context.clock, RETRY_MS)
        }
      }
    } catch (error) {
      // It was not added, or this log is over.
      if (isClusterError(error) && error.outcome === 'rejected') this.#pending += by
      throw error
    } finally {
      this.#underWay = 0
    }
  }
}

export class FastCounterHandle extends Handle implements FastCounter {
  readonly #sum: FastSum

  constructor(
    context: Context,
    name: string,
    { flushMs, ...options }: FastCounterOptions,
    sums: Map<string, FastSum>,
  ) {
    super(context, name, 'counter', options)
    const known = sums.get(name)
    this.#sum = known ?? new FastSum(this, whole('flushMs', flushMs, 1, 60_000) || 100)
    sums.set(name, this.#sum)
  }

  add(by = 1): void {
    this.#sum.add(checkTimes('by', by, Number.MIN_SAFE_INTEGER))
  }

  async value(options?: ReadOptions): Promise<number> {
    const entry = (await this.read(options))?.entries.get(ONLY)
    return (typeof entry?.value === 'number' ? entry.value : 0) + this.#sum.unflushed
  }

  flush(): Promise<void> {
    return this.#sum.flush()
  }
}

export class ReferenceHandle<V> extends KeyedHandle<null, V> implements SharedReference<V> {
  constructor(context: Context, name: string, options: KeyedOptions<V>) {
    super(context, name, 'reference', options)
  }

  async get(options?: ReadOptions): Promise<V | undefined> {
    const entry = await this.entry(ONLY, options)
    return entry && this.codec.decode(entry.value)
  }

  async set(value: V, options?: WriteOptions): Promise<Written> {
    const { index, value: version } = await this.put(ONLY, value, { is: 'any' }, options)
    return { index, version }
  }

  async compareAndSet(before: V | undefined, after: V | undefined, options?: WriteOptions): Promise<boolean> {
    const when: When =
      before === undefined ? { is: 'absent' } : { is: 'equal', value: this.codec.encodeNow(before) }
    if (after !== undefined) return (await this.put(ONLY, after, when, options)).done
    if (before === undefined) return (await this.get(options)) === undefined
    return (await this.write({ type: 'remove', key: ONLY, when }, options)).done
  }

  compute(change: (value: V | undefined) => V | undefined, options?: WriteOptions): Promise<V | undefined> {
    return this.computeAt(ONLY, change, options)
  }

  async delete(options?: CallOptions): Promise<boolean> {
    return (await this.write({ type: 'remove', key: ONLY, when: { is: 'any' } }, options)).done
  }
}
