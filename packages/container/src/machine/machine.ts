import {
  assert,
  type BundleSupport,
  type ContainerKind,
  joinBytes,
  type Key,
  type LogEntry,
  type LogIndex,
  type StateMachine,
  type StatePieces,
} from '@cluster/core'
import { answer, full, over, record } from './changing.ts'
import {
  decodeCommand,
  decodeRequirements,
  decodeResults,
  encodeResults,
  type Operation,
  type Result,
  type Targeted,
} from './codec.ts'
import { type Deadline, DeadlineHeap } from './heap.ts'
import { add, clearEntries, expire, put, remove, tidyOrder, touch } from './keyed.ts'
import { clearElements, cutElement, placeElement } from './listed.ts'
import { isAsWanted, isFeed, isQueue, makeContainer, settle, sizeOf } from './make.ts'
import { becomesReady, clearQueue, discard, handle, isDelayed, push, putBack, take } from './queued.ts'
import { emptyState, type MachineState, SnapshotLoading, savePieces } from './snapshot.ts'
import {
  CONTAINER_LIMITS,
  type Container,
  type ContainerEffect,
  type ContainerLimits,
  type Turn,
} from './state.ts'

export const CONTAINER_MACHINE = 'container'

/** Entries that one note ends at most, or messages that it makes ready: the next one does the rest. */
const SWEEP_MAX = 1_000

const encoder = new TextEncoder()

/**
 * All small containers of a cluster, by name. Nothing happens by itself: entries end, and messages are delivered again, by
 * notes in the log, and only if their log time is over when the note comes.
 */
export class ContainerMachine implements StateMachine {
  readonly name = CONTAINER_MACHINE
  readonly #limits: ContainerLimits
  readonly #tell: (effects: readonly ContainerEffect[]) => void
  #state: MachineState = emptyState()
  /** What may end, and what may be delivered again. Some of it is out of date. */
  readonly #deadlines = new DeadlineHeap()
  readonly #leases = new DeadlineHeap()
  #touched = new Map<string, Container | null>()
  /** How to take back what the bundle under way did, the newest last; null outside of bundles. */
  #undo: (() => void)[] | null = null

  /** @param tell hears what each entry, or adopted bundle, changed on this node */
  constructor(
    limits: Partial<ContainerLimits> = {},
    tell: (effects: readonly ContainerEffect[]) => void = () => {},
  ) {
    this.#limits = { ...CONTAINER_LIMITS, ...limits }
    this.#tell = tell
  }

  get containers(): ReadonlyMap<string, Readonly<Container>> {
    return this.#state.containers
  }

  /** Log time of the newest entry for this machine. */
  get time(): number {
    return this.#state.time
  }

  /** Number of the newest change of any container; it only grows. */
  get counter(): number {
    return this.#state.counter
  }

  /** Version of an entry; 0 when there is none. */
  versionOf(name: string, key: Key): number {
    return this.#state.containers.get(name)?.entries.get(key)?.version ?? 0
  }

  /** What may end next; it may be out of date. */
  get nextDeadline(): Deadline | undefined {
    return this.#deadlines.peek()
  }

  /** What may be delivered again next. */
  nextLease(): Deadline | undefined {
    for (;;) {
      const next = this.#leases.peek()
      if (next === undefined || this.#isLent(next)) return next
      this.#leases.pop()
    }
  }

  apply(entry: LogEntry): Uint8Array {
    this.#setTime(entry.time)
    const operations = decodeCommand(entry.command)
    const turn = this.#turn(entry)
    const results = operations?.map((each) => this.#run(turn, each)) ?? [answer('malformed')]
    if (this.#undo === null) this.#flush()
    return encodeResults(results)
  }

  readonly bundles: BundleSupport = {
    check: (condition) => {
      const wanted = decodeRequirements(condition)
      return wanted?.every((each) => this.versionOf(each.name, each.key) === each.version) ?? false
    },
    begin: () => {
      assert(this.#undo === null, 'bundles of containers are not nested')
      this.#undo = []
    },
    commit: () => {
      this.#undo = null
      this.#flush()
    },
    rollback: () => {
      for (const undo of (this.#undo ?? []).reverse()) undo()
      this.#undo = null
      this.#touched.clear()
    },
    refuses: (result) => decodeResults(result).some(({ status }) => status !== 'done'),
  }

  readonly pieces: StatePieces = {
    save: () => savePieces(this.#state, false),
    load: () => {
      const loading = new SnapshotLoading()
      return { piece: (bytes) => loading.piece(bytes), done: () => this.#replace(loading.done()) }
    },
  }

  /** The pieces in one, sorted: equal states give equal bytes. */
  snapshot(): Uint8Array {
    return joinBytes([...savePieces(this.#state, true)])
  }

  restore(snapshot: Uint8Array | null, _index: LogIndex): void {
    const loading = new SnapshotLoading()
    if (snapshot !== null) loading.piece(snapshot)
    this.#replace(snapshot === null ? emptyState() : loading.done())
  }

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }

  empty(): boolean {
    return [...this.#state.containers.values()].every((container) => sizeOf(container) === 0)
  }

  #replace(state: MachineState): void {
    this.#state = state
    this.#deadlines.clear()
    this.#leases.clear()
    for (const { name, entries, queue } of state.containers.values()) {
      entries.ascend(undefined, (key, { deadline, version }) => {
        if (deadline > 0) this.#deadlines.push({ deadline, container: name, key, number: version })
        return true
      })
      for (const { id, receipt, deadline } of queue.messages.values())
        if (receipt === '' && deadline > 0)
          this.#deadlines.push({ deadline, container: name, key: '', number: id })
        else if (receipt !== '') this.#leases.push({ deadline, container: name, key: receipt, number: id })
    }
    this.#tell([{ type: 'restored' }])
  }

  #turn(entry: LogEntry): Turn {
    return {
      entry,
      limits: this.#limits,
      deadlines: this.#deadlines,
      leases: this.#leases,
      next: () => {
        const { counter } = this.#state
        this.#state.counter = counter + 1
        this.#did(() => {
          this.#state.counter = counter
        })
        return counter + 1
      },
      did: (undo) => this.#did(undo),
      touch: (container) => this.#touched.set(container.name, container),
    }
  }

  #run(turn: Turn, each: Targeted): Result {
    if ('sweep' in each) return this.#sweep(turn)
    const { name, kind, operation } = each
    const container = this.#state.containers.get(name)
    if (operation.type === 'open') return this.#open(turn, name, kind, operation, container)
    if (container === undefined) return answer('absent')
    if (container.kind !== kind) return answer('kindDiffers')
    if (operation.type === 'destroy') return this.#destroy(turn, container)
    if (kind === 'list') return onList(turn, container, operation)
    if (isQueue(kind)) return onQueue(turn, container, operation)
    return isFeed(kind) ? onFeed(turn, container, operation) : onEntries(turn, container, operation)
  }

  #open(
    turn: Turn,
    name: string,
    kind: ContainerKind,
    { wanted }: Extract<Operation, { type: 'open' }>,
    known: Container | undefined,
  ): Result {
    if (known !== undefined) {
      if (known.kind !== kind) return answer('kindDiffers')
      return isAsWanted(known.settings, wanted) ? answer('done', known.id) : answer('optionsDiffer')
    }
    const bytes = encoder.encode(name).length
    if (bytes === 0) return answer('malformed')
    if (bytes > this.#limits.nameBytes) return over('nameBytes')
    const { containers } = this.#state
    if (containers.size >= this.#limits.containers) return over('containers')
    const container = makeContainer(name, kind, turn.next(), settle(kind, wanted))
    containers.set(name, container)
    turn.did(() => containers.delete(name))
    turn.touch(container)
    return answer('done', container.id)
  }

  #destroy(turn: Turn, container: Container): Result {
    const { containers } = this.#state
    containers.delete(container.name)
    turn.did(() => containers.set(container.name, container))
    this.#touched.set(container.name, null)
    return answer('done', container.id)
  }

  /** Ends what is over by the log time of this very entry. */
  #sweep(turn: Turn): Result {
    let ended = 0
    for (let next = this.#deadlines.peek(); next && ended < SWEEP_MAX; next = this.#deadlines.peek()) {
      if (next.deadline > turn.entry.time) break
      const due = next
      this.#deadlines.pop()
      turn.did(() => this.#deadlines.push(due))
      const container = this.#state.containers.get(due.container)
      if (container === undefined) continue
      const { key, number, deadline } = due
      const ends = isQueue(container.kind)
        ? becomesReady(turn, container, number, deadline)
        : expire(turn, container, key, number, deadline)
      if (ends) ended++
    }
    return answer('done', ended)
  }

  #isLent({ container, key, number, deadline }: Deadline): boolean {
    const message = this.#state.containers.get(container)?.queue.messages.get(number)
    return message !== undefined && message.receipt === key && message.deadline === deadline
  }

  #setTime(time: number): void {
    const { time: before } = this.#state
    this.#state.time = time
    this.#did(() => {
      this.#state.time = before
    })
  }

  #did(undo: () => void): void {
    this.#undo?.push(undo)
  }

  #flush(): void {
    if (this.#touched.size === 0) return
    const touched = [...this.#touched.values()]
    const names = [...this.#touched.keys()].sort()
    this.#touched.clear()
    // Who listens sees all of it, also what is let go at once.
    this.#tell([{ type: 'changed', names }])
    for (const container of touched) {
      if (container === null) continue
      const { bytesMax, historyMax } = container.settings
      container.feed.trim(historyMax, isFeed(container.kind) ? bytesMax : bytesMax / 4)
      if (container.kind === 'cache') tidyOrder(container)
    }
    this.#tidy()
  }

  /** Deadlines that were set anew again and again must not pile up. */
  #tidy(): void {
    const { containers } = this.#state
    let alive = 0
    if (this.#deadlines.length < 1_024 && this.#leases.length < 1_024) return
    for (const { entries, queue } of containers.values())
      alive += entries.size + queue.receipts.size + queue.delayed.size
    this.#deadlines.tidy(alive, ({ container, key, number, deadline }) => {
      const { entries, queue } = containers.get(container) ?? {}
      const message = queue?.messages.get(number)
      if (message !== undefined) return isDelayed(message, deadline)
      const entry = entries?.get(key)
      return entry?.version === number && entry.deadline === deadline
    })
    this.#leases.tidy(alive, (lease) => this.#isLent(lease))
  }
}

function onEntries(turn: Turn, container: Container, operation: Operation): Result {
  const counts = container.kind === 'counter' || container.kind === 'multiset'
  switch (operation.type) {
    case 'put':
      return put(turn, container, operation)
    case 'remove':
      return remove(turn, container, operation)
    case 'add':
      return counts ? add(turn, container, operation) : answer('malformed')
    case 'touch':
      return touch(turn, container, operation)
    case 'clear':
      return clearEntries(turn, container)
    default:
      return answer('malformed')
  }
}

function onList(turn: Turn, container: Container, operation: Operation): Result {
  switch (operation.type) {
    case 'insert':
    case 'place':
      return placeElement(turn, container, operation)
    case 'cut':
      return cutElement(turn, container, operation)
    case 'clear':
      return clearElements(turn, container)
    default:
      return answer('malformed')
  }
}

function onQueue(turn: Turn, container: Container, operation: Operation): Result {
  switch (operation.type) {
    case 'push':
    case 'pushLater':
      return push(turn, container, operation)
    case 'take':
      return take(turn, container, operation)
    case 'acknowledge':
    case 'release':
    case 'redeliver':
    case 'extend':
    case 'postpone':
      return handle(turn, container, operation)
    case 'putBack':
      return putBack(turn, container, operation.id)
    case 'discard':
      return discard(turn, container, operation.id)
    case 'clear':
      return clearQueue(turn, container)
    default:
      return answer('malformed')
  }
}

/** Topics and rings keep what is newest. */
function onFeed(turn: Turn, container: Container, operation: Operation): Result {
  if (operation.type !== 'publish') return answer('malformed')
  const { value } = operation
  if (value.length > turn.limits.valueBytes) return over('valueBytes')
  if (value.length + 128 > container.settings.bytesMax) return full(container)
  return answer('done', record(turn, container, { type: 'published', key: '', before: null, after: value }))
}
