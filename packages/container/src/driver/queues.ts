import {
  assert,
  type CallOptions,
  type Cancel,
  isClusterError,
  type PushOptions,
  type QueueMessage,
  type QueueOptions,
  type QueueSize,
  type ReadOptions,
  type SetAsideMessage,
  type SharedQueue,
  type TakeOptions,
  VERSION_OF,
  type Written,
} from '@cluster/core'
import { aborted, leaseLost, optionInvalid, stopped } from '../errors.ts'
import { encodeCommand, type Operation } from '../machine/codec.ts'
import type { Message } from '../machine/state.ts'
import { type AnyOptions, laterOf, whole } from '../options.ts'
import type { Context } from './context.ts'
import { type Answer, Handle } from './handle.ts'
import { Values } from './values.ts'

const LEASE_MS_MAX = 86_400_000

export class QueueHandle<V> extends Handle implements SharedQueue<V> {
  readonly #values: Values<V>
  /** Attempts of this handle to take one that are under way: there must be a message for each. */
  #attempts = 0

  constructor(
    context: Context,
    name: string,
    kind: 'queue' | 'priorityQueue',
    options: QueueOptions<V> & AnyOptions,
  ) {
    super(context, name, kind, options)
    this.#values = new Values(name, options, context.settings.limits.valueBytes)
  }

  async push(value: V, { priority = 0, delayMs, at, ...options }: PushOptions = {}): Promise<Written> {
    checkPriority(this.kind, priority)
    const later = { ...(delayMs !== undefined && { delayMs }), ...(at && { at }) }
    const operation = pushOf(await this.#values.encode(value), priority, later)
    const { index, value: version } = await this.write(operation, options)
    return { index, version }
  }

  async take({ timeoutMs, leaseMs, signal }: TakeOptions = {}): Promise<QueueMessage<V> | null> {
    if (timeoutMs !== undefined && !(timeoutMs >= 0))
      throw optionInvalid('timeoutMs', timeoutMs, 'a number of at least 0')
    const lease = whole('leaseMs', leaseMs, 1, LEASE_MS_MAX)
    const { clock } = this.context
    const until = timeoutMs === undefined ? Number.POSITIVE_INFINITY : clock.now() + timeoutMs
    for (let first = true; ; first = false) {
      if (signal?.aborted) throw aborted(signal.reason)
      if (this.context.stopped) throw stopped()
      if (first || this.#worthTrying()) {
        const message = await this.#within(this.#attempt(lease), signal)
        if (message !== null) return message
      }
      if (clock.now() >= until) return null
      if (!this.#worthTrying()) await this.#changed(until, signal)
    }
  }

  override async write(operation: Operation, options?: CallOptions): Promise<Answer> {
    if (this.wanted.deliveriesMax > 0 || NEW.has(operation.type))
      await this.context.demandVersion(VERSION_OF.queueDelays)
    return super.write(operation, options)
  }

  async size(options?: ReadOptions): Promise<QueueSize> {
    const queue = (await this.read(options))?.queue
    return {
      ready: queue?.ready.size ?? 0,
      taken: queue?.receipts.size ?? 0,
      delayed: queue?.delayed.size ?? 0,
      aside: queue?.aside.size ?? 0,
    }
  }

  async setAside(options?: ReadOptions): Promise<SetAsideMessage<V>[]> {
    const found: SetAsideMessage<V>[] = []
    const queue = (await this.read(options))?.queue
    queue?.aside.ascend(undefined, (_key, each) => {
      const message = queue.messages.get(each)
      assert(message, 'a message that was set aside is there')
      const { id, value, priority, deliveries } = message
      found.push({ id, value: this.#values.decode(value), priority, deliveries })
      return true
    })
    return found
  }

  async putBack(id?: number, options?: CallOptions): Promise<number> {
    const one = whole('id', id, 1, Number.MAX_SAFE_INTEGER)
    let sum = 0
    for (;;) {
      const { done, value } = await this.write({ type: 'putBack', id: one }, options)
      if (!done) return sum
      sum += value
      if (one !== 0) return sum
    }
  }

  async discard(id: number, options?: CallOptions): Promise<boolean> {
    const one = whole('id', id, 1, Number.MAX_SAFE_INTEGER)
    return (await this.write({ type: 'discard', id: one }, options)).done
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<QueueMessage<V>> {
    for (;;) {
      const message = await this.take()
      if (message !== null) yield message
    }
  }

  #worthTrying(): boolean {
    return (this.here()?.queue.ready.size ?? 0) > this.#attempts
  }

  /** Null when there was none, or it was somebody else's again before it was heard of here. */
  async #attempt(leaseMs: number): Promise<QueueMessage<V> | null> {
    const receipt = `${this.context.uid}.${this.context.number()}`
    this.#attempts++
    try {
      const { done, value: id } = await this.write({ type: 'take', receipt, leaseMs })
      const message = done ? this.here()?.queue.messages.get(id) : undefined
      return message?.receipt === receipt ? this.#message(message) : null
    } finally {
      this.#attempts--
      // Another one of this handle may try in its place.
      this.context.wake(this.name)
    }
  }

  /** A caller who gives up while it is under way gives the message back. */
  #within(
    attempt: Promise<QueueMessage<V> | null>,
    signal: AbortSignal | undefined,
  ): Promise<QueueMessage<V> | null> {
    if (signal === undefined) return attempt
    return new Promise((resolve, reject) => {
      let over = false
      const abort = (): void => {
        over = true
        reject(aborted(signal.reason))
      }
      signal.addEventListener('abort', abort, { once: true })
      attempt
        .then((message) => {
          signal.removeEventListener('abort', abort)
          if (over && message !== null) this.#giveBack(message)
          resolve(message)
        })
        .catch(reject)
    })
  }

  #giveBack(message: QueueMessage<V>): void {
    message.release().catch((error: unknown) => {
      if (!isClusterError(error)) throw error
      // It is delivered again when its lease is over.
      this.context.logger.log('debug', 'message not given back', { container: this.name, code: error.code })
    })
  }

  /** Until the queue changes here, or the time is over, or the caller or the node ends it. */
  #changed(until: number, signal: AbortSignal | undefined): Promise<void> {
    const { context, name } = this
    return new Promise((resolve) => {
      const cancels: Cancel[] = []
      const done = (): void => {
        for (const cancel of cancels) cancel()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      cancels.push(context.listen(name, done), context.onStop(done))
      if (until !== Number.POSITIVE_INFINITY)
        cancels.push(context.clock.after(Math.max(0, until - context.clock.now()), done))
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  #message({ id, value, priority, deliveries, receipt }: Message): QueueMessage<V> {
    const { name, kind } = this
    const act = async (operation: Operation, options?: CallOptions): Promise<void> => {
      if (!(await this.write(operation, options)).done) throw leaseLost(name)
    }
    return {
      id,
      value: this.#values.decode(value),
      priority,
      deliveries,
      redelivered: deliveries > 1,
      acknowledgement: encodeCommand([{ name, kind, operation: { type: 'acknowledge', id, receipt } }]),
      acknowledge: (options) => act({ type: 'acknowledge', id, receipt }, options),
      release: ({ delayMs, ...options } = {}) => {
        if (delayMs === undefined) return act({ type: 'release', id, receipt }, options)
        return act({ type: 'postpone', id, receipt, delayMs: laterOf({ delayMs }).delayMs }, options)
      },
      extend: (leaseMs, options) =>
        act({ type: 'extend', id, receipt, leaseMs: whole('leaseMs', leaseMs, 1, LEASE_MS_MAX) }, options),
    }
  }
}

/** @throws CONTAINER_OPTION_INVALID */
export function pushOf(
  value: Uint8Array,
  priority: number,
  later: Pick<PushOptions, 'delayMs' | 'at'>,
): Operation {
  const { delayMs, wall } = laterOf(later)
  if (delayMs === 0 && wall === 0) return { type: 'push', value, priority }
  return { type: 'pushLater', value, priority, delayMs, wall }
}

/** Operations that older programs do not know. */
export const NEW: ReadonlySet<Operation['type']> = new Set(['pushLater', 'postpone', 'putBack', 'discard'])

/** @throws CONTAINER_OPTION_INVALID */
export function checkPriority(kind: string, priority: number): void {
  if (!Number.isFinite(priority) || (kind === 'queue' && priority !== 0))
    throw optionInvalid(
      'priority',
      priority,
      kind === 'queue' ? '0: only priority queues have them' : 'a finite number',
    )
}
