import {
  type CallOptions,
  type Cancel,
  type ContainerOptions,
  errorCode,
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
import { notYetCounted, optionInvalid, stopped } from '../errors.ts'
import type { Result, When } from '../machine/codec.ts'
import { whole } from '../options.ts'
import type { Context } from './context.ts'
import { errorOf, Handle, withOpening } from './handle.ts'
import { encodeKey } from './keys.ts'
import { KeyedHandle } from './maps.ts'
import { checkTimes } from './sets.ts'

/** The one key of what has one entry. */
export const ONLY = encodeKey(null)
const RETRY_MS = 200
/** One attempt to flush; what it does not bring to the log is sent again after `RETRY_MS`. */
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

/** What is on its way to the log, under one key until it is known to be there. */
interface Flush {
  readonly by: number
  readonly idempotencyKey: string
}

/** What this process added to one counter, on its way to the log. */
export class FastSum {
  readonly #handle: Handle
  readonly #flushMs: number
  readonly #refused: () => void
  /** Added, and in no entry yet. */
  #pending = 0
  #flush: Flush | null = null
  #sending: Promise<void> | null = null
  #cancel: Cancel | null = null
  /** Why the counter will never take it. */
  #failure: Error | null = null

  /** @param refused called when the counter will never take what is added here */
  constructor(handle: Handle, flushMs: number, refused: () => void) {
    this.#handle = handle
    this.#flushMs = flushMs
    this.#refused = refused
  }

  get unflushed(): number {
    return this.#pending + (this.#flush?.by ?? 0)
  }

  add(by: number): void {
    if (this.#failure !== null) throw this.#failure
    if (this.#handle.context.stopped) throw stopped()
    if (!Number.isSafeInteger(this.unflushed + by)) throw optionInvalid('by', by, 'small enough to be added')
    this.#pending += by
    this.#flushLater(this.#flushMs)
  }

  /** Until everything that was added before is in the log. @throws OUTCOME_UNKNOWN: it is kept, and sent again later */
  async flush(): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    this.#cancel?.()
    this.#cancel = null
    await this.#sending
    while (this.unflushed !== 0 || this.#flush !== null) {
      this.#sending ??= this.#send().finally(() => {
        this.#sending = null
      })
      await this.#sending
    }
  }

  #flushLater(afterMs: number): void {
    const { context, name } = this.#handle
    this.#cancel ??= context.clock.after(afterMs, () => {
      this.#cancel = null
      this.flush().catch((error: unknown) => {
        context.logger.log('debug', 'what was counted is not in the log yet', {
          container: name,
          code: errorCode(error),
          sum: this.unflushed,
        })
      })
    })
  }

  /** Adds what there is, once: under the same key for as long as nobody knows what became of it. */
  async #send(): Promise<void> {
    const { context, name } = this.#handle
    this.#flush ??= { by: this.#takePending(), idempotencyKey: `${context.uid} ${context.number()}` }
    const { by, idempotencyKey } = this.#flush
    const operations = withOpening(this.#handle, [{ type: 'add', key: ONLY, by }])
    const deadlineMs = ATTEMPT_MS
    let results: readonly Result[] | null
    try {
      await context.demandVersion()
      const outcome = await context.batcher.submit(operations, { deadlineMs, idempotencyKey })
      results = outcome.results
    } catch (error) {
      if (context.stopped || !isClusterError(error)) throw error
      this.#flushLater(RETRY_MS)
      throw notYetCounted(name, idempotencyKey, error)
    }
    this.#flush = null
    // Without an answer it was applied all the same.
    for (const result of results ?? []) {
      const error = errorOf(context, name, result)
      if (error === null) continue
      this.#failure = error
      this.#refused()
      context.logger.log('warn', 'a counter refused what was added', { container: name, sum: by })
      throw error
    }
  }

  #takePending(): number {
    const pending = this.#pending
    this.#pending = 0
    return pending
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
    this.#sum =
      known ?? new FastSum(this, whole('flushMs', flushMs, 1, 60_000) || 100, () => sums.delete(name))
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
