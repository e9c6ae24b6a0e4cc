import type { Clock, LogIndex, OrderedLog, SubmitOptions } from '@cluster/core'
import { decodeResults, encodeCommand, OPERATIONS_MAX, type Result, type Targeted } from '../machine/codec.ts'
import { CONTAINER_MACHINE } from '../machine/machine.ts'

/** A batch is cut once it has so many bytes of values. */
const BATCH_BYTES = 256 * 1024
/** Batches under way at once: what comes meanwhile gathers. */
const IN_FLIGHT_MAX = 4

/** What became of the operations of one call; null when the answer is gone. */
export interface Outcome {
  readonly index: LogIndex
  readonly results: readonly Result[] | null
}

interface Call {
  readonly operations: readonly Targeted[]
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

const bytesOf = (each: Targeted): number => {
  if ('sweep' in each || !('value' in each.operation)) return 128
  const { value } = each.operation
  return 128 + (typeof value === 'number' ? 8 : value.length)
}

/** Operations of callers that come together share entries of the log. Those of one call stay together, in order. */
export class Batcher {
  readonly #log: OrderedLog
  readonly #clock: Clock
  #queue: Call[] = []
  #scheduled = false
  #inFlight = 0

  constructor(log: OrderedLog, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** @throws what the log throws */
  submit(operations: readonly Targeted[], options: SubmitOptions = {}): Promise<Outcome> {
    const { deadlineMs, signal, idempotencyKey } = options
    // Whoever has a deadline or a key of its own goes alone, so that the log knows of it.
    if (deadlineMs !== undefined || signal !== undefined || idempotencyKey !== undefined)
      return this.#send(operations, options)
    return new Promise((resolve, reject) => {
      this.#queue.push({ operations, resolve, reject })
      this.#schedule()
    })
  }

  async #send(operations: readonly Targeted[], options: SubmitOptions): Promise<Outcome> {
    const { result, index } = await this.#log.submit(CONTAINER_MACHINE, encodeCommand(operations), options)
    return { index, results: result.length === 0 ? null : decodeResults(result) }
  }

  #schedule(): void {
    if (this.#scheduled || this.#inFlight >= IN_FLIGHT_MAX || this.#queue.length === 0) return
    this.#scheduled = true
    void this.#clock.turn().then(() => {
      this.#scheduled = false
      this.#flush()
      this.#schedule()
    })
  }

  #flush(): void {
    const batch: Call[] = []
    let count = 0
    let bytes = 0
    for (const call of this.#queue) {
      count += call.operations.length
      bytes += call.operations.reduce((sum, each) => sum + bytesOf(each), 0)
      if (batch.length > 0 && (count > OPERATIONS_MAX || bytes > BATCH_BYTES)) break
      batch.push(call)
    }
    if (batch.length === 0) return
    this.#queue = this.#queue.slice(batch.length)
    this.#inFlight++
    this.#send(
      batch.flatMap(({ operations }) => operations),
      {},
    )
      .then(
        ({ index, results }) => {
          let at = 0
          for (const { operations, resolve } of batch) {
            const mine = results?.slice(at, at + operations.length) ?? null
            at += operations.length
            resolve({ index, results: mine })
          }
        },
        (error: unknown) => {
          for (const { reject } of batch) reject(error)
        },
      )
      .finally(() => {
        this.#inFlight--
        this.#schedule()
      })
  }
}
