import {
  assert,
  type Bundle,
  type BundleVerdict,
  type CallOptions,
  type ContainerKey,
  type ContainersTransaction,
  type ContainersTransactionOptions,
  type FeedOptions,
  type HeldLock,
  type Key,
  type MapOptions,
  type PushOptions,
  type QueueMessage,
  type QueueOptions,
  type TransactionMap,
  VERSION_OF,
  type WriteOptions,
} from '@cluster/core'
import { contended, fenced, leaseLost, optionInvalid, tooMany } from '../errors.ts'
import {
  decodeResults,
  encodeCommand,
  encodeRequirements,
  OPERATIONS_MAX,
  type Operation,
  type Requirement,
  type Targeted,
} from '../machine/codec.ts'
import { CONTAINER_MACHINE } from '../machine/machine.ts'
import { type AnyOptions, ttlOf, wantedOf } from '../options.ts'
import type { Context } from './context.ts'
import { ONLY } from './counters.ts'
import { DistributedDraft, type Lost } from './distributed/draft.ts'
import { patience } from './distributed/place.ts'
import { errorOf, Handle, type Subject } from './handle.ts'
import { encodeKey } from './keys.ts'
import { COMPUTE_ATTEMPTS } from './maps.ts'
import { checkPriority, NEW, pushOf } from './queues.ts'
import { checkTimes } from './sets.ts'
import { Values } from './values.ts'

/** Runs the work, and again when something that it read is not so any more. */
export async function runTransaction<R>(
  context: Context,
  work: (tx: ContainersTransaction) => Promise<R>,
  options: ContainersTransactionOptions,
): Promise<R> {
  await context.demandVersion()
  let lost: Lost = new Map()
  for (let attempt = 0; attempt < COMPUTE_ATTEMPTS; attempt++) {
    await context.sync(options)
    const tx: Draft = new Draft(context, options, lost)
    try {
      const result = await work(tx)
      if (await tx.commit(options)) return result
      lost = tx.lost
    } finally {
      tx.end()
    }
  }
  throw contended(COMPUTE_ATTEMPTS)
}

/** What one run of the work has read and wants to write. */
class Draft implements ContainersTransaction {
  readonly #context: Context
  /** By container and key. */
  readonly #reads = new Map<string, Requirement>()
  readonly #operations: Targeted[] = []
  readonly #opened = new Set<string>()
  readonly #messages: QueueMessage<unknown>[] = []
  readonly #fences: HeldLock[] = []
  readonly #others: Partial<Bundle>[] = []
  readonly #distributed: DistributedDraft
  #over = false

  constructor(context: Context, options: CallOptions, lost: Lost) {
    this.#context = context
    this.#distributed = new DistributedDraft(
      context,
      options,
      lost,
      (each) => this.#read(each),
      (map, operation) => this.#operations.push({ name: map.name, kind: map.kind, operation }),
    )
  }

  /** The transactions of distributed maps that lost their races. */
  get lost(): Lost {
    return this.#distributed.lost
  }

  /** Whatever is still open is given up. */
  end(): void {
    this.#distributed.end()
  }

  map<K extends ContainerKey, V>(name: string, options: MapOptions<V> = {}): TransactionMap<K, V> {
    const known = this.#context.container(name)?.kind
    if (known === 'distributedMap' || options.distributed)
      return this.#distributed.map(name, options, () => this.#check())
    const kind = known === 'sortedMap' || known === 'cache' ? known : 'map'
    const subject: Subject = new Handle(this.#context, name, kind, options)
    const values = new Values<V>(name, options, this.#context.settings.limits.valueBytes)
    /** What this transaction wrote. */
    const written = new Map<Key, Uint8Array | null>()
    return {
      get: async (key) => {
        this.#check()
        const at = encodeKey(key)
        const mine = written.get(at)
        if (mine !== undefined) return mine === null ? undefined : values.decode(mine)
        const entry = this.#context.container(name)?.entries.get(at)
        this.#read({ name, key: at, version: entry?.version ?? 0 })
        return entry && values.decode(entry.value)
      },
      set: async (key, value, { ttlMs }: Pick<WriteOptions, 'ttlMs'> = {}) => {
        const at = encodeKey(key)
        const encoded = await values.encode(value)
        this.#add(subject, { type: 'put', key: at, value: encoded, ttl: ttlOf(ttlMs), when: { is: 'any' } })
        written.set(at, encoded)
      },
      delete: async (key) => {
        const at = encodeKey(key)
        const isThere =
          (written.get(at) ?? this.#context.container(name)?.entries.get(at)?.value ?? null) !== null
        if (written.get(at) === undefined) {
          const version = this.#context.machine.versionOf(name, at)
          this.#read({ name, key: at, version })
        }
        if (isThere && written.get(at) !== null)
          this.#add(subject, { type: 'remove', key: at, when: { is: 'any' } })
        written.set(at, null)
      },
    }
  }

  async push<V>(
    name: string,
    value: V,
    {
      priority,
      delayMs,
      at,
      ...options
    }: QueueOptions<V> & Pick<PushOptions, 'priority' | 'delayMs' | 'at'> = {},
  ): Promise<void> {
    const known = this.#context.container(name)?.kind
    const kind =
      known === 'priorityQueue' || (known === undefined && priority !== undefined) ? 'priorityQueue' : 'queue'
    checkPriority(kind, priority ?? 0)
    const encoded = await this.#encode(name, value, options)
    const later = { ...(delayMs !== undefined && { delayMs }), ...(at && { at }) }
    const operation = pushOf(encoded, priority ?? 0, later)
    if (NEW.has(operation.type) || options.deliveriesMax !== undefined)
      await this.#context.demandVersion(VERSION_OF.queueDelays)
    this.#add(this.#subject(name, kind, options), operation)
  }

  async publish<V>(name: string, value: V, options: FeedOptions<V> = {}): Promise<void> {
    const kind = this.#context.container(name)?.kind === 'ring' ? 'ring' : 'topic'
    const encoded = await this.#encode(name, value, options)
    this.#add(this.#subject(name, kind, options), { type: 'publish', value: encoded })
  }

  add(name: string, by = 1): void {
    checkTimes('by', by, Number.MIN_SAFE_INTEGER)
    this.#add(this.#subject(name, 'counter', {}), { type: 'add', key: ONLY, by })
  }

  async value(name: string): Promise<number> {
    this.#check()
    const entry = new Handle(this.#context, name, 'counter', {}).here()?.entries.get(ONLY)
    this.#read({ name, key: ONLY, version: entry?.version ?? 0 })
    return typeof entry?.value === 'number' ? entry.value : 0
  }

  acknowledge(message: QueueMessage<unknown>): void {
    this.#check()
    this.#messages.push(message)
  }

  fence(held: HeldLock): void {
    this.#check()
    this.#fences.push(held)
  }

  include(bundle: Partial<Bundle>): void {
    this.#check()
    this.#others.push(bundle)
  }

  /** True when all of it happened; false when something that was read is not so any more. */
  async commit(options: ContainersTransactionOptions): Promise<boolean> {
    this.#check()
    this.#over = true
    const together = options.together?.() ?? null
    const isBare = this.#isReading && !this.#distributed.isUsed
    if (isBare && together === null) return this.#stillSo()
    if (isBare && this.#reads.size === 0) return this.#judge(await together?.(null), 0)
    const left = patience(this.#context.clock, options)
    if (await this.#distributed.removeEnded(left)) return false
    const rows = await this.#distributed.prepare(left)
    let adopted = false
    try {
      const bundle = this.#bundle(rows.commands)
      const verdict =
        together === null ? await this.#context.log.submitBundle(bundle, left()) : await together(bundle)
      adopted = verdict.adopted
      const { refused, results } = verdict
      if (refused !== null && refused < rows.commands.length) return rows.refused(refused, results[0])
      return this.#judge(verdict, rows.commands.length)
    } finally {
      if (!adopted) {
        rows.release()
        this.#distributed.forget()
      }
    }
  }

  /**
   * @param before commands of the bundle before those of containers
   * @returns false when the work may be done again; throws why when it may not
   */
  #judge(verdict: BundleVerdict | undefined, before: number): boolean {
    assert(verdict, 'what happens together says what came of it')
    const { adopted, unmet, refused, results } = verdict
    if (adopted) return true
    if (unmet !== null) {
      const lock = this.#fences[unmet - this.#ownConditions()]
      if (unmet >= this.#ownConditions() && lock) throw fenced(lock.name)
      return false
    }
    assert(refused !== null, 'a bundle that was not adopted says why')
    this.#explain(refused - before, results[0])
    return false
  }

  /** True while there is nothing that the log would have to judge. */
  get #isReading(): boolean {
    const { length } = [...this.#operations, ...this.#messages, ...this.#fences, ...this.#others]
    return length === 0
  }

  #ownConditions(): number {
    return this.#reads.size > 0 ? 1 : 0
  }

  /** @param rows commits of the databases of distributed maps */
  #bundle(rows: Bundle['commands']): Bundle {
    const own = this.#operations
    if (own.length > OPERATIONS_MAX) throw tooMany('operations of a transaction', OPERATIONS_MAX)
    const machine = CONTAINER_MACHINE
    const commands = [
      ...rows,
      ...(own.length > 0 ? [{ machine, command: encodeCommand(own) }] : []),
      ...this.#messages.map(({ acknowledgement }) => ({ machine, command: acknowledgement })),
      ...this.#others.flatMap((other) => other.commands ?? []),
    ]
    // A bundle has a command; a note that time has come does no harm.
    const note = { machine, command: encodeCommand([{ sweep: true }]) }
    return {
      requires: [
        ...(this.#reads.size > 0
          ? [{ machine, condition: encodeRequirements([...this.#reads.values()]) }]
          : []),
        ...this.#fences.map(({ fence }) => fence),
        ...this.#others.flatMap(({ requires = [] }) => requires),
      ],
      commands: commands.length > 0 ? commands : [note],
    }
  }

  /** What was read of this node at several moments was so at one: now. */
  #stillSo(): boolean {
    return [...this.#reads.values()].every(
      ({ name, key, version }) => this.#context.machine.versionOf(name, key) === version,
    )
  }

  /** @throws why the command was refused, unless the work may be done again */
  #explain(refused: number, result: Uint8Array | undefined): void {
    const own = this.#operations.length > 0 ? 1 : 0
    if (refused < own) {
      const at = result ? decodeResults(result) : []
      for (const [i, each] of at.entries()) {
        const operation = this.#operations[i]
        const name = operation && 'name' in operation ? operation.name : ''
        const error = errorOf(this.#context, name, each)
        if (error !== null) throw error
      }
    } else if (refused < own + this.#messages.length) throw leaseLost('a queue')
  }

  #read(requirement: Requirement): void {
    const at = `${requirement.name}\n${requirement.key}`
    if (!this.#reads.has(at)) this.#reads.set(at, requirement)
  }

  #add(subject: Subject, operation: Operation): void {
    this.#check()
    const { name, kind, wanted } = subject
    if (!this.#opened.has(name)) {
      this.#opened.add(name)
      this.#operations.push({ name, kind, operation: { type: 'open', wanted } })
    }
    this.#operations.push({ name, kind, operation })
  }

  #subject(name: string, kind: Subject['kind'], options: AnyOptions): Subject {
    return { name, kind, wanted: wantedOf(options) }
  }

  async #encode<V>(name: string, value: V, options: QueueOptions<V>): Promise<Uint8Array> {
    return new Values<V>(name, options, this.#context.settings.limits.valueBytes).encode(value)
  }

  #check(): void {
    if (this.#over) throw optionInvalid('transaction', 'over', 'used before its work ends')
  }
}
