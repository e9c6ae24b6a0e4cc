import {
  decodeChunk,
  errorCode,
  InvariantError,
  type Key,
  logIndex,
  type PartitionStore,
  type RelationId,
  type Row,
  type RowBatch,
  type RowWrite,
  type ScanRequest,
  type StorageEngine,
  type Value,
  type Version,
} from '@cluster/core'

/** Ends everything at the first difference. */
interface Alarm {
  /** Throws what was found, if anything was. */
  check(): void
  /** @throws always */
  differ(call: string, first: string, second: string): never
}

/**
 * Two engines side by side: every call goes to both, and every answer of the first is compared with that of the second
 * before it is given. The first difference ends it: an `InvariantError` shows the call and both answers, and every
 * later call throws it again. The second engine should be one that is trusted, or the naive `modelStorage`.
 */
export function mirrorStorage(first: StorageEngine, second: StorageEngine): StorageEngine {
  let found: InvariantError | null = null
  const alarm: Alarm = {
    check() {
      if (found !== null) throw found
    },
    differ(call, one, other) {
      found = new InvariantError(
        `two storage engines differ: ${call} gives ${one} by the first, but ${other} by the second`,
      )
      throw found
    },
  }
  return {
    async open(name) {
      alarm.check()
      const stores = await bothAsync(alarm, `open ${name}`, first.open(name), second.open(name))
      return new MirrorPartition(name, stores, alarm)
    },
    async import(name, version, chunks) {
      alarm.check()
      const copies = twice(chunks)
      try {
        const call = `import ${name}`
        const stores = await bothAsync(
          alarm,
          call,
          first.import(name, version, copies[0]),
          second.import(name, version, copies[1]),
        )
        return new MirrorPartition(name, stores, alarm)
      } catch (error) {
        // One of them may have taken it.
        await Promise.all([first.remove(name), second.remove(name)])
        throw error
      }
    },
    async list() {
      alarm.check()
      const [names, others] = await bothAsync(alarm, 'list', first.list(), second.list())
      if (show(names) !== show(others)) alarm.differ('list', show(names), show(others))
      return names
    },
    async remove(name) {
      alarm.check()
      await bothAsync(alarm, `remove ${name}`, first.remove(name), second.remove(name))
    },
  }
}

/**
 * The chunks for two readers, each of which gets them all, or their error. A chunk is taken when the faster one asks for it
 * and kept until the slower one did; an engine that gave up early makes it wait for nothing.
 */
function twice(
  chunks: AsyncIterable<Uint8Array>,
): readonly [AsyncIterable<Uint8Array>, AsyncIterable<Uint8Array>] {
  const source = chunks[Symbol.asyncIterator]()
  const taken = new Map<number, Promise<IteratorResult<Uint8Array>>>()
  const reader = async function* (): AsyncIterable<Uint8Array> {
    for (let i = 0; ; i++) {
      const waiting = taken.get(i)
      const chunk = waiting ?? source.next()
      if (waiting === undefined) taken.set(i, chunk)
      else taken.delete(i)
      const next = await chunk
      if (next.done === true) return
      yield next.value
    }
  }
  return [reader(), reader()]
}

type Stores = readonly [PartitionStore, PartitionStore]

class MirrorPartition implements PartitionStore {
  readonly #name: string
  readonly #first: PartitionStore
  readonly #second: PartitionStore
  readonly #alarm: Alarm
  #closed = false

  constructor(name: string, [first, second]: Stores, alarm: Alarm) {
    this.#name = name
    this.#first = first
    this.#second = second
    this.#alarm = alarm
  }

  /** After a restart one of them may know more than the other; the replay of the log then brings both to the same. */
  appliedVersion(): Version {
    return logIndex(Math.min(this.#first.appliedVersion(), this.#second.appliedVersion()))
  }

  durableVersion(): Version {
    return logIndex(Math.min(this.#first.durableVersion(), this.#second.durableVersion()))
  }

  oldestVersion(): Version {
    return logIndex(Math.max(this.#first.oldestVersion(), this.#second.oldestVersion()))
  }

  apply(version: Version, writes: readonly RowWrite[]): void {
    this.#both(`apply at ${version}`, (store) => store.apply(version, writes))
  }

  get(relation: RelationId, key: Key, version: Version): Row | null {
    const call = `get of ${show(key)} in relation ${relation} at version ${version}`
    const [row, other] = this.#both(call, (store) => store.get(relation, key, version), version)
    if (!sameRow(row, other)) this.#alarm.differ(this.#call(call), show(row), show(other))
    return row
  }

  scan(request: ScanRequest): Iterable<RowBatch> {
    const call = `scan ${show(request)}`
    const [batches, others] = this.#both(call, (store) => store.scan(request), request.version)
    return this.#scan(call, request.version, batches, others)
  }

  /** Engines may cut batches in different places, so rows are compared, not batches. */
  *#scan(
    call: string,
    version: Version,
    batches: Iterable<RowBatch>,
    others: Iterable<RowBatch>,
  ): Iterable<RowBatch> {
    const ones = batches[Symbol.iterator]()
    const rest = rowsOf(others)
    let count = 0
    try {
      for (;;) {
        const [next, ahead] = this.#both(
          call,
          (store) => (store === this.#first ? ones.next() : rest.next()),
          version,
        )
        if (next.done === true || ahead.done === true) {
          if (next.done !== ahead.done) this.#differAt(call, count, next.done ? null : next.value, ahead)
          return
        }
        const batch = next.value as RowBatch
        let other: IteratorResult<readonly Value[]> = ahead as IteratorResult<readonly Value[]>
        for (let i = 0; i < batch.length; i++, count++) {
          const row = [batch.keys[i] as Key, ...batch.columns.map((column) => column[i] as Value)]
          if (i > 0) other = rest.next()
          if (other.done === true || !sameRow(row, other.value)) this.#differAt(call, count, row, other)
        }
        yield batch
      }
    } finally {
      ones.return?.()
      rest.return?.()
    }
  }

  #differAt(call: string, row: number, one: unknown, other: IteratorResult<unknown>): never {
    const where = `row ${row} of ${this.#call(call)}`
    return this.#alarm.differ(
      where,
      one === null ? 'no row' : show(one),
      other.done ? 'no row' : show(other.value),
    )
  }

  count(relation: RelationId): number {
    const call = `count of relation ${relation}`
    const [count, other] = this.#both(call, (store) => store.count(relation))
    if (count !== other) this.#alarm.differ(this.#call(call), show(count), show(other))
    return count
  }

  pin(version: Version): { release(): void } {
    const pins = this.#both(`pin of version ${version}`, (store) => store.pin(version), version)
    return {
      release: () => {
        for (const pin of pins) pin.release()
      },
    }
  }

  trim(version: Version): void {
    this.#both(`trim to ${version}`, (store) => store.trim(version))
  }

  async checkpoint(): Promise<Version> {
    this.#alarm.check()
    const asked = this.appliedVersion()
    const results = await bothAsync(
      this.#alarm,
      this.#call('checkpoint'),
      this.#first.checkpoint(),
      this.#second.checkpoint(),
    )
    // Both have what was applied when they were asked; how much of what came since depends on their pace. A store that is
    // closed meanwhile need not write any more.
    if (!this.#closed && results.some((version) => version < asked))
      this.#alarm.differ(this.#call(`checkpoint of version ${asked}`), show(results[0]), show(results[1]))
    return logIndex(Math.min(...results))
  }

  /** Gives the chunks of the first. Engines may cut chunks in different places, so rows are compared. */
  async *export(version: Version): AsyncIterable<Uint8Array> {
    const call = `export of version ${version}`
    const pin = this.pin(version)
    const rest = exportedRows(this.#second.export(version))
    let count = 0
    try {
      for await (const chunk of this.#first.export(version)) {
        for await (const row of exportedRows([chunk])) {
          const other = await rest.next()
          if (other.done === true || !sameRow(row, other.value)) this.#differAt(call, count, row, other)
          count++
        }
        yield chunk
      }
      const other = await rest.next()
      if (other.done !== true) this.#differAt(call, count, null, other)
    } finally {
      await rest.return()
      pin.release()
    }
  }

  async drop(): Promise<void> {
    this.#closed = true
    await bothAsync(this.#alarm, this.#call('drop'), this.#first.drop(), this.#second.drop())
  }

  async close(): Promise<void> {
    this.#closed = true
    await bothAsync(this.#alarm, this.#call('close'), this.#first.close(), this.#second.close())
  }

  #call(call: string): string {
    return `${call} of ${this.#name}`
  }

  /**
   * The answers of both. Errors must be the same, by code.
   * @param version what is read; below the oldest of one of them only that one is asked, whose error is the answer
   */
  #both<T>(call: string, ask: (store: PartitionStore) => T, version?: Version): readonly [T, T] {
    this.#alarm.check()
    const oldest = this.oldestVersion()
    if (version !== undefined && version < oldest) {
      const strict = this.#first.oldestVersion() === oldest ? this.#first : this.#second
      const answer = ask(strict)
      return [answer, answer]
    }
    const results = [outcomeOf(() => ask(this.#first)), outcomeOf(() => ask(this.#second))] as const
    return unwrap(this.#alarm, this.#call(call), results)
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

function outcomeOf<T>(run: () => T): Outcome<T> {
  try {
    return { value: run() }
  } catch (error) {
    return { error }
  }
}

async function bothAsync<A, B>(
  alarm: Alarm,
  call: string,
  first: Promise<A>,
  second: Promise<B>,
): Promise<readonly [A, B]> {
  const [one, other] = await Promise.allSettled([first, second])
  const outcome = <T>(result: PromiseSettledResult<T>): Outcome<T> =>
    result.status === 'fulfilled' ? { value: result.value } : { error: result.reason }
  return unwrap(alarm, call, [outcome(one), outcome(other)])
}

function unwrap<A, B>(
  alarm: Alarm,
  call: string,
  [one, other]: readonly [Outcome<A>, Outcome<B>],
): readonly [A, B] {
  if ('value' in one && 'value' in other) return [one.value, other.value]
  const failed = (outcome: Outcome<unknown>): string =>
    'value' in outcome ? 'an answer' : `the error ${errorCode(outcome.error) ?? String(outcome.error)}`
  if ('value' in one || 'value' in other || errorCode(one.error) !== errorCode(other.error))
    alarm.differ(call, failed(one), failed(other))
  throw one.error
}

/** Keys and columns of each row in turn. */
function* rowsOf(batches: Iterable<RowBatch>): Generator<readonly Value[], void> {
  for (const { length, keys, columns } of batches)
    for (let i = 0; i < length; i++) yield [keys[i] as Key, ...columns.map((column) => column[i] as Value)]
}

/** Relation, key and fields of each row in turn, and the number of rows that the last chunk tells. */
async function* exportedRows(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<readonly Value[], void> {
  for await (const bytes of chunks) {
    const chunk = decodeChunk(bytes, 'an export', 0)
    if ('rowCount' in chunk) yield ['rows in all', chunk.rowCount]
    else for (const [i, key] of chunk.keys.entries()) yield [chunk.relation, key, ...(chunk.rows[i] ?? [])]
  }
}

function sameRow(a: readonly Value[] | null, b: readonly Value[] | null): boolean {
  if (a === null || b === null) return a === b
  return a.length === b.length && a.every((value, i) => sameValue(value, b[i]))
}

function sameValue(a: Value, b: Value | undefined): boolean {
  if (a instanceof Uint8Array)
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i])
  return Object.is(a, b)
}

/** An answer in one line: keys and bytes readable, big integers and −0 told apart from numbers. */
function show(answer: unknown): string {
  const text = JSON.stringify(answer, (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`
    if (value instanceof Uint8Array) return `bytes ${[...value.subarray(0, 32)].join(' ')}`
    if (typeof value === 'number' && (Object.is(value, -0) || !Number.isFinite(value)))
      return Object.is(value, -0) ? '-0' : String(value)
    return value
  })
  return text.length > 500 ? `${text.slice(0, 500)} …` : text
}
