import {
  type ColumnBatch,
  EVERYWHERE,
  errorCode,
  type FragmentEvaluator,
  type FragmentInput,
  type FragmentRequest,
  inputColumns,
  isClusterError,
  type NodeId,
  type PartitionId,
} from '@cluster/core'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { type Reader, ReadTry } from '../read/reader.ts'
import type { Replicas } from '../replica/replicas.ts'
import type { Computation } from './computation.ts'
import { addRead, counted } from './counted.ts'
import { RemoteFragment, TooMuchError } from './remote-fragment.ts'

/** A holder that answers with these does not compute the fragment, but may still give its rows. */
const refusals = new Set([
  'DB_FRAGMENT_REFUSED',
  'DB_FRAME_DAMAGED',
  'NO_HANDLER',
  'FRAME_TOO_LARGE',
  'REMOTE_FAILED',
])

/** Computes fragments on holders of their rows, and here what nobody else computes. */
export class Computer {
  readonly #context: Context
  readonly #replicas: Replicas
  readonly #reader: Reader
  readonly #evaluator: FragmentEvaluator

  constructor(context: Context, replicas: Replicas, reader: Reader, evaluator: FragmentEvaluator) {
    this.#context = context
    this.#replicas = replicas
    this.#reader = reader
    this.#evaluator = evaluator
  }

  /** True when this node lacks some of the rows. */
  isSpread({ id, partitions }: DatabaseRecord, inputs: readonly FragmentInput[]): boolean {
    if (!inputs.some(({ from }) => from === 'spread')) return false
    return partitions.some((partition) => this.#replicas.serving(id, partition.id) === null)
  }

  /** Who holds the hash partitions of those who would be asked now; a null node is this one. */
  places({
    id,
    partitions,
  }: DatabaseRecord): { readonly node: NodeId | null; readonly partitions: number }[] {
    const counts = new Map<NodeId | null, number>()
    for (const partition of partitions.slice(1)) {
      const here = this.#replicas.serving(id, partition.id) !== null
      const living = here ? [] : this.#context.livingHolders(partition)
      const node = here ? null : this.#reader.choice(partition.id, living)
      if (here || node !== null) counts.set(node, (counts.get(node) ?? 0) + 1)
    }
    return [...counts]
      .map(([node, count]) => ({ node, partitions: count }))
      .sort((a, b) => ((a.node ?? '') < (b.node ?? '') ? -1 : 1))
  }

  /** The results, of no partition before another. @throws DB_UNAVAILABLE, DB_VERSION_GONE, ABORTED, STOPPED */
  async *compute({
    onRead,
    ...request
  }: FragmentRequest & Omit<Computation, 'read'>): AsyncGenerator<ColumnBatch> {
    const computation = { ...request, read: [] }
    const partitions = computation.database.partitions.slice(1).map(({ id }) => id)
    const reading = new ReadTry(this.#context, computation.options)
    yield* this.#spread(computation, partitions, 0, reading)
    onRead?.(computation.read)
  }

  /** @param skip results of the first partition that are there already */
  async *#spread(
    computation: Computation,
    partitions: readonly PartitionId[],
    skip: number,
    reading: ReadTry,
    resumed: ReadTry | null = null,
  ): AsyncGenerator<ColumnBatch> {
    const { database, version } = computation
    const [first] = partitions
    const own: PartitionId[] = []
    const others = new Map<NodeId, PartitionId[]>()
    for (const partition of partitions) {
      const holder = await this.#reader.holder(database, partition, version, reading)
      const group = holder === this.#context.self ? own : (others.get(holder) ?? [])
      group.push(partition)
      if (holder !== this.#context.self) others.set(holder, group)
    }
    const skipOf = (group: readonly PartitionId[]): number => (group[0] === first ? skip : 0)
    const remotes = [...others].map(([holder, group]) => {
      const part = { computation, holder, partitions: group, skip: skipOf(group) }
      return new RemoteFragment(this.#context, part)
    })
    try {
      // They work while this node does its part.
      for (const remote of remotes) remote.start()
      if (own.length > 0) yield* this.#here(computation, own, skipOf(own))
      for (const remote of remotes) yield* this.#remote(computation, remote, resumed)
    } finally {
      for (const remote of remotes) remote.close()
    }
  }

  async *#remote(
    computation: Computation,
    remote: RemoteFragment,
    resumed: ReadTry | null,
  ): AsyncGenerator<ColumnBatch> {
    try {
      yield* remote.results()
      return
    } catch (error) {
      remote.close()
      if (error instanceof TooMuchError) {
        // Of each partition for itself there is less, and it need not be kept.
        const apart = { ...computation, together: false }
        yield* this.#spread(apart, remote.rest, 0, new ReadTry(this.#context, computation.options))
        return
      }
      if (!refusals.has(errorCode(error) ?? '')) {
        const reading =
          (remote.progressed ? null : resumed) ?? new ReadTry(this.#context, computation.options)
        this.#reader.failed(reading, remote.holder, error)
        yield* this.#spread(computation, remote.rest, remote.passed, reading, reading)
        return
      }
      this.#refused(remote, error, computation)
    }
    yield* this.#here(computation, remote.rest, remote.passed)
  }

  #refused(remote: RemoteFragment, error: unknown, { options }: Computation): void {
    new ReadTry(this.#context, options).check()
    if (!isClusterError(error)) throw error
    this.#context.ports.logger.log('debug', 'a fragment is computed here from rows of others', {
      holder: remote.holder,
      error: error.message,
    })
  }

  /** Computes it on this node, from its own rows or those that others send. */
  async *#here(
    computation: Computation,
    partitions: readonly PartitionId[],
    skip: number,
  ): AsyncGenerator<ColumnBatch> {
    const { inputs, program, options } = computation
    const [first] = partitions
    if (first === undefined) return
    if (skip > 0 && partitions.length > 1) {
      yield* this.#here(computation, [first], skip)
      yield* this.#here(computation, partitions.slice(1), 0)
      return
    }
    const stop = new AbortController()
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal])
    const read = inputs.map(() => Number.NaN)
    const opened = inputs.map(
      (input, i) => () => counted(this.#rows(computation, input, partitions), read, i),
    )
    let known = skip
    try {
      for await (const batch of this.#evaluator.evaluate(program, opened, signal)) {
        const from = Math.min(known, batch.length)
        known -= from
        if (from === batch.length) continue
        const { length, columns } = batch
        yield from === 0
          ? batch
          : { length: length - from, columns: columns.map((column) => column.slice(from, length)) }
      }
      addRead(computation.read, read)
    } finally {
      stop.abort()
    }
  }

  async *#rows(
    { database, version, options }: Computation,
    input: FragmentInput,
    partitions: readonly PartitionId[],
  ): AsyncGenerator<ColumnBatch> {
    const { relation, range, columns, from } = input
    const source = await this.#reader.scan(
      database,
      {
        database: database.id,
        version,
        relation,
        range,
        partitions: from === 'everywhere' ? [EVERYWHERE] : partitions,
        ordered: false,
        reverse: false,
        columns,
        limit: null,
      },
      options,
    )
    try {
      for (let batch = await source.next(); batch !== null; batch = await source.next())
        yield inputColumns(input, batch)
    } finally {
      source.close()
    }
  }
}
