import {
  type Clock,
  type ColumnBatch,
  EVERYWHERE,
  type FragmentEvaluator,
  type FragmentInput,
  type FrameStream,
  inputColumns,
  type PartitionId,
  type PartitionStore,
  type Value,
} from '@cluster/core'
import { fragmentRefused, isVersionGone } from '../../errors.ts'
import type { Context } from '../context.ts'
import { storesSource } from '../read/holder-scan.ts'
import { storeAt } from '../read/serving.ts'
import type { Replicas } from '../replica/replicas.ts'
import {
  decodeCompute,
  encodeDone,
  encodeResult,
  encodeWorking,
  type HolderFragment,
} from './compute-wire.ts'
import { counted } from './counted.ts'

/** Rows that go into one frame. */
const FRAME_ROWS = 1_024
/** A holder that has sent nothing for so long says that it is still at work. */
const WORKING_MS = 2_000

type Send = (frame: Uint8Array) => Promise<void>

/**
 * Computes a fragment over partitions of this node and sends what comes of it. Ends early when the other side goes away or
 * ends its half of the stream.
 * @throws DB_FRAGMENT_REFUSED, DB_VERSION_GONE, DB_UNAVAILABLE, and what sending throws
 */
export async function serveFragment(
  context: Context,
  replicas: Replicas,
  opening: Uint8Array,
  stream: FrameStream,
  send: Send,
): Promise<void> {
  const evaluator = context.ports.fragments
  if (evaluator === undefined) throw fragmentRefused('this node computes none')
  const fragment = decodeCompute(opening)
  const stores = new Map<PartitionId, PartitionStore>()
  const needed = fragment.inputs.some(({ from }) => from === 'everywhere')
    ? [EVERYWHERE, ...fragment.partitions]
    : fragment.partitions
  for (const partition of needed)
    stores.set(partition, await storeAt(context, replicas, { ...fragment, partition }))
  const gone = new AbortController()
  void whenEnded(stream).then(() => gone.abort())
  const pins: { release(): void }[] = []
  try {
    for (const store of stores.values()) pins.push(store.pin(fragment.version))
    await new HolderRun(context.ports.clock, fragment, stores, send, gone.signal).run(evaluator)
  } finally {
    for (const pin of pins) pin.release()
  }
}

/** Nothing comes behind the opening; the end, or a failure, says that nobody wants the rest. */
async function whenEnded(stream: FrameStream): Promise<void> {
  const frames = stream[Symbol.asyncIterator]()
  try {
    while ((await frames.next()).done !== true);
  } catch {
    // However the stream failed, its other side is not there any more.
  }
}

class HolderRun {
  readonly #clock: Clock
  readonly #fragment: HolderFragment
  readonly #stores: ReadonlyMap<PartitionId, PartitionStore>
  readonly #send: Send
  readonly #signal: AbortSignal
  #sentAt: number

  constructor(
    clock: Clock,
    fragment: HolderFragment,
    stores: ReadonlyMap<PartitionId, PartitionStore>,
    send: Send,
    signal: AbortSignal,
  ) {
    this.#clock = clock
    this.#fragment = fragment
    this.#stores = stores
    this.#send = send
    this.#signal = signal
    this.#sentAt = clock.now()
  }

  async run(evaluator: FragmentEvaluator): Promise<void> {
    const { partitions, together, skip } = this.#fragment
    const units = together ? [partitions] : partitions.map((partition) => [partition])
    let known = skip
    for (const unit of units) {
      const gathered = new Gathered(known)
      const read = this.#fragment.inputs.map(() => Number.NaN)
      known = 0
      for await (const batch of this.#results(evaluator, unit, read)) {
        gathered.add(batch)
        if (gathered.length >= FRAME_ROWS) await this.#give(encodeResult(gathered.take()))
      }
      if (gathered.length > 0) await this.#give(encodeResult(gathered.take()))
      await this.#give(encodeDone(read))
    }
  }

  async *#results(
    evaluator: FragmentEvaluator,
    unit: readonly PartitionId[],
    read: number[],
  ): AsyncGenerator<ColumnBatch> {
    const { program, inputs } = this.#fragment
    const opened = inputs.map((input, i) => () => counted(this.#rows(input, unit), read, i))
    try {
      yield* evaluator.evaluate(program, opened, this.#signal)
    } catch (error) {
      if (isVersionGone(error)) throw error
      throw fragmentRefused(error instanceof Error ? error.message : String(error), error)
    }
  }

  async *#rows(input: FragmentInput, unit: readonly PartitionId[]): AsyncGenerator<ColumnBatch> {
    const { database, version } = this.#fragment
    const { relation, range, columns, from } = input
    const partitions = from === 'everywhere' ? [EVERYWHERE] : unit
    const stores = partitions.flatMap((partition) => this.#stores.get(partition) ?? [])
    const scan = { database, version, relation, range, partitions, columns, ordered: false, reverse: false }
    const source = storesSource(stores, { ...scan, limit: null }, this.#clock)
    try {
      for (;;) {
        this.#signal.throwIfAborted()
        const batch = await source.next()
        if (batch === null) return
        if (this.#clock.now() - this.#sentAt > WORKING_MS) await this.#give(encodeWorking())
        yield inputColumns(input, batch)
      }
    } finally {
      source.close()
    }
  }

  async #give(frame: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted()
    await this.#send(frame)
    this.#sentAt = this.#clock.now()
  }
}

/** Puts small batches together, and leaves out the first rows. */
class Gathered {
  #skip: number
  #columns: Value[][] = []
  length = 0

  constructor(skip: number) {
    this.#skip = skip
  }

  add({ length, columns }: ColumnBatch): void {
    const from = Math.min(this.#skip, length)
    this.#skip -= from
    if (from === length) return
    if (this.length === 0) this.#columns = columns.map(() => [])
    columns.forEach((column, c) => {
      const target = this.#columns[c] as Value[]
      for (let i = from; i < length; i++) target.push(column[i] as Value)
    })
    this.length += length - from
  }

  take(): ColumnBatch {
    const batch = { length: this.length, columns: this.#columns }
    this.length = 0
    return batch
  }
}
