import {
  type Applied,
  type AppliedBundle,
  assert,
  type Bundle,
  type CallOptions,
  type Cancel,
  CLUSTER_VERSION,
  type Clock,
  ClusterError,
  type ClusterId,
  EventHub,
  type GroupView,
  joinBytes,
  type LineageId,
  type LogEntry,
  type LogIndex,
  logIndex,
  type NodeId,
  type OrderedLog,
  type OrderedLogEvents,
  type StateMachine,
  type SubmitOptions,
  type Term,
} from '@cluster/core'

import { applyModelBundle, readBundleResult } from './model-bundle.ts'

interface Waiter {
  readonly index: number
  readonly resolve: () => void
}

/** One committed command of the model and the machine it is for; a bundle is for the machine `''`. */
export interface ModelEntry extends LogEntry {
  readonly machine: string
  readonly bundle?: Bundle
}

/** How a member stands in the configuration. */
export type ModelStanding = 'voter' | 'learner' | 'away'

/** What gets a place in the order. */
export type PlacedCommand = Pick<ModelEntry, 'machine' | 'command' | 'bundle'>

/** The order that the nodes share, as one of them sees it. */
export interface SharedOrder {
  readonly clock: Clock | null
  readonly deliveryMs: (node: NodeId, index: LogIndex) => number
  readonly nodes: ReadonlyMap<NodeId, { end(standing: ModelStanding | null, why: string): void }>
  readonly standing: ReadonlyMap<NodeId, ModelStanding>
  readonly snapshot: ReadonlyMap<string, Uint8Array>
  readonly cluster: ClusterId
  readonly lineage: LineageId
  readonly term: Term
  readonly leader: NodeId | null
  readonly provisional: boolean
  readonly paused: boolean
  /** Runs it when the origin's submissions before it are in the order. */
  inOrder(origin: ModelLogNode, run: () => void): void
  place(command: PlacedCommand, origin: NodeId, key: string | null): LogIndex
  last(): number
  base(): number
  entry(index: number): ModelEntry
  answered(index: number, node: NodeId, result: Uint8Array): void
  result(index: number): Uint8Array | null
  join(node: ModelLogNode): void
  part(node: ModelLogNode, standing: ModelStanding | 'left' | null): void
  members(standing: ModelStanding): NodeId[]
  voters(): NodeId[]
}

/** One process of the model log: applies what the shared order holds, at its own pace. */
export class ModelLogNode implements OrderedLog {
  readonly self: NodeId
  running = false
  readonly #order: SharedOrder
  readonly #machines = new Map<string, StateMachine>()
  readonly #events = new EventHub<OrderedLogEvents>()
  readonly #rejects = new Set<(error: unknown) => void>()
  #waiters: Waiter[] = []
  #applied = 0
  #held = false
  #applying = false
  #ended: string | null = null
  /** When the newest entry reaches this node; entries keep their order. */
  #dueAt = 0
  #reachable = 0
  #scheduled = 0
  #seen = ''

  constructor(order: SharedOrder, self: NodeId) {
    this.#order = order
    this.self = self
  }

  attach(machine: StateMachine): void {
    assert(!this.running, `the machine ${machine.name} must be attached before the log starts`)
    assert(!this.#machines.has(machine.name), `two machines are named ${machine.name}`)
    this.#machines.set(machine.name, machine)
  }

  async start(): Promise<void> {
    assert(!this.running && this.#ended === null, `the log of ${this.self} was started before`)
    this.#order.nodes.get(this.self)?.end(null, 'the node was started again')
    this.running = true
    if (this.#order.base() > 0) this.#install(false)
    this.#order.join(this)
    this.deliver()
  }

  async ready(options: CallOptions = {}): Promise<void> {
    await this.applied(logIndex(this.#order.last()), options)
  }

  async submit(machine: string, command: Uint8Array, options: SubmitOptions = {}): Promise<Applied> {
    if (!this.#machines.has(machine)) {
      throw new ClusterError(
        { code: 'LOG_UNKNOWN_MACHINE', outcome: 'rejected', machine },
        `No machine named ${machine} is attached to this log. Attach it before the log starts.`,
      )
    }
    return this.#place({ machine, command }, options)
  }

  async submitBundle(bundle: Bundle, options: SubmitOptions = {}): Promise<AppliedBundle> {
    const { commands, requires = [] } = bundle
    assert(commands.length > 0, 'a bundle has at least one command')
    for (const { machine } of [...commands, ...requires]) {
      if (this.#machines.get(machine)?.bundles) continue
      const code = this.#machines.has(machine) ? 'LOG_NO_BUNDLES' : 'LOG_UNKNOWN_MACHINE'
      throw new ClusterError(
        { code, outcome: 'rejected', machine },
        `The machine ${machine} takes no part in bundles of this log. Attach one that does before the log starts.`,
      )
    }
    const { result, ...applied } = await this.#place(
      { machine: '', command: new Uint8Array(0), bundle },
      options,
    )
    return { ...applied, ...readBundleResult(result) }
  }

  #place(command: PlacedCommand, options: SubmitOptions): Promise<Applied> {
    const key = options.idempotencyKey ?? null
    let sent = false
    return this.#call<Applied>(
      options,
      key,
      () => sent,
      (resolve, over) => {
        this.#order.inOrder(this, () => {
          if (over()) return
          sent = true
          const index = this.#order.place(command, this.self, key)
          this.#whenApplied(index, () => {
            const result = this.#order.result(index) ?? new Uint8Array(0)
            const durableOn = this.#order.voters().filter((voter) => this.#order.nodes.has(voter)).length
            resolve({ index, result, lineage: this.#order.lineage, durableOn, alone: false })
          })
        })
      },
    )
  }

  barrier(options: CallOptions = {}): Promise<LogIndex> {
    return this.#call<LogIndex>(
      options,
      null,
      () => false,
      (resolve) => {
        this.#order.inOrder(this, () => resolve(logIndex(this.#order.last())))
      },
    )
  }

  async continueAlone(): Promise<void> {
    throw new ClusterError(
      { code: 'LOG_ALONE_REFUSED', outcome: 'rejected', reason: 'notLastTwo' },
      'The model of a log never loses its quorum for good. Resume it.',
    )
  }

  appliedIndex(): LogIndex {
    return logIndex(this.#applied)
  }

  applied(index: LogIndex, options: CallOptions = {}): Promise<void> {
    if (this.running && this.#applied >= index) return Promise.resolve()
    return this.#call<void>(
      options,
      null,
      () => false,
      (resolve) => this.#whenApplied(index, resolve),
    )
  }

  group(): GroupView {
    const order = this.#order
    const standing = order.standing.get(this.self)
    const member = standing === 'voter' ? 'follower' : standing === 'learner' ? 'learner' : 'outsider'
    return {
      cluster: standing ? order.cluster : null,
      lineage: standing ? order.lineage : null,
      ancestry: [],
      term: order.term,
      role: order.leader === this.self ? 'leader' : member,
      leader: order.leader,
      voters: order.voters(),
      learners: order.members('learner'),
      witnesses: [],
      away: order.members('away'),
      commitIndex: logIndex(order.last()),
      appliedIndex: logIndex(this.#applied),
      provisional: order.provisional,
      alone: false,
      version: CLUSTER_VERSION,
    }
  }

  on<Type extends keyof OrderedLogEvents>(
    type: Type,
    listener: (event: OrderedLogEvents[Type]) => void,
  ): Cancel {
    return this.#events.on(type, listener)
  }

  async stop(reason: 'away' | 'left'): Promise<void> {
    if (this.running) this.end(reason, 'it was stopped')
  }

  /** Ends this process: with `null` without a word to the others. */
  end(standing: ModelStanding | 'left' | null, why: string): void {
    if (this.#ended !== null) return
    this.running = false
    this.#ended = why
    this.#order.part(this, standing)
    const error = this.#stopped('unknown')
    for (const reject of [...this.#rejects]) reject(error)
    this.#waiters = []
  }

  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#apply()
  }

  /** Something new is in the order: applies it, or does so when its time has come. */
  deliver(): void {
    const { clock, deliveryMs } = this.#order
    if (!clock) {
      this.#reachable = this.#order.last()
      this.#apply()
      return
    }
    for (let index = Math.max(this.#reachable, this.#scheduled) + 1; index <= this.#order.last(); index++) {
      this.#scheduled = index
      this.#dueAt = Math.max(this.#dueAt, clock.now() + deliveryMs(this.self, logIndex(index)))
      clock.after(this.#dueAt - clock.now(), () => {
        this.#reachable = Math.max(this.#reachable, index)
        this.#apply()
      })
    }
  }

  regrouped(): void {
    const { commitIndex: _c, appliedIndex: _a, ...rest } = this.group()
    const seen = JSON.stringify(rest)
    if (seen === this.#seen) return
    this.#seen = seen
    this.#events.emit('group', this.group())
  }

  removed(node: NodeId, reason: 'dead' | 'left'): void {
    this.#events.emit('removed', { node, reason })
  }

  takeSnapshot(): { readonly index: LogIndex; readonly parts: ReadonlyMap<string, Uint8Array> } {
    const parts = new Map([...this.#machines].map(([name, machine]) => [name, stateOf(machine)]))
    return { index: logIndex(this.#applied), parts }
  }

  #apply(): void {
    // A machine's listener may submit; what that orders is applied by the loop already running.
    if (this.#applying) return
    this.#applying = true
    try {
      while (this.running && !this.#held && this.#applied < this.#reachable) {
        if (this.#applied < this.#order.base()) {
          this.#install(true)
          continue
        }
        const entry = this.#order.entry(this.#applied + 1)
        const machine = (name: string): StateMachine => {
          const found = this.#machines.get(name)
          assert(found, `${this.self} has no machine named ${name} for entry ${entry.index}`)
          return found
        }
        const result = entry.bundle
          ? applyModelBundle(entry.bundle, entry, machine)
          : machine(entry.machine).apply(entry)
        this.#order.answered(entry.index, this.self, result)
        this.#applied = entry.index
        this.#settle()
      }
    } catch (error) {
      this.end(null, 'a machine threw')
      this.#events.emit('failed', { error })
    } finally {
      this.#applying = false
    }
  }

  #install(tell: boolean): void {
    const index = logIndex(this.#order.base())
    for (const [name, machine] of this.#machines) {
      const state = this.#order.snapshot.get(name)?.slice() ?? null
      if (machine.pieces && state !== null) {
        const loading = machine.pieces.load(index)
        loading.piece(state)
        loading.done()
      } else machine.restore(state, index)
    }
    this.#applied = index
    this.#reachable = Math.max(this.#reachable, index)
    this.#scheduled = Math.max(this.#scheduled, index)
    if (tell) this.#events.emit('snapshotInstalled', { index })
    this.#settle()
  }

  #whenApplied(index: number, resolve: () => void): void {
    if (this.#applied >= index) resolve()
    else this.#waiters.push({ index, resolve })
  }

  #settle(): void {
    const due = this.#waiters.filter((waiter) => waiter.index <= this.#applied)
    if (due.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => waiter.index > this.#applied)
    for (const waiter of due) waiter.resolve()
  }

  /** A call that ends with its result, its deadline, its signal or the end of this node, whichever comes first. */
  #call<T>(
    options: CallOptions,
    key: string | null,
    sent: () => boolean,
    run: (resolve: (value: T) => void, over: () => boolean) => void,
  ): Promise<T> {
    if (!this.running) return Promise.reject(this.#stopped('rejected'))
    return new Promise<T>((resolve, reject) => {
      let cancelDeadline: Cancel = () => {}
      let over = false
      const finish = (): void => {
        over = true
        cancelDeadline()
        this.#rejects.delete(fail)
        options.signal?.removeEventListener('abort', abort)
      }
      const fail = (error: unknown): void => {
        finish()
        reject(error)
      }
      const giveUp = (
        detail: { code: 'ABORTED' } | { code: 'DEADLINE'; afterMs: number },
        why: string,
      ): void => {
        if (sent()) {
          fail(
            new ClusterError(
              { code: 'OUTCOME_UNKNOWN', outcome: 'unknown', key },
              `${why} after the command was sent; it may still be applied. Retry with the same idempotency key.`,
            ),
          )
        } else if (detail.code === 'DEADLINE' && this.#order.paused) {
          fail(
            new ClusterError(
              { code: 'LOG_NO_QUORUM', outcome: 'rejected', waitingFor: this.#order.voters() },
              `${why} while the group had no quorum. Bring back the voters that are missing.`,
            ),
          )
        } else fail(new ClusterError({ ...detail, outcome: 'rejected' }, `${why} before it was sent.`))
      }
      const abort = (): void => giveUp({ code: 'ABORTED' }, 'The call was aborted')
      this.#rejects.add(fail)
      const { deadlineMs } = options
      if (this.#order.clock && deadlineMs !== undefined) {
        cancelDeadline = this.#order.clock.after(deadlineMs, () =>
          giveUp({ code: 'DEADLINE', afterMs: deadlineMs }, `The deadline of ${deadlineMs} ms passed`),
        )
      }
      options.signal?.addEventListener('abort', abort, { once: true })
      if (options.signal?.aborted) abort()
      run(
        (value) => {
          finish()
          resolve(value)
        },
        () => over,
      )
    })
  }

  #stopped(outcome: 'rejected' | 'unknown'): ClusterError {
    const why = this.#ended ?? 'it is not started'
    return new ClusterError({ code: 'STOPPED', outcome }, `The log of ${this.self} does not run: ${why}.`)
  }
}

/** The whole state of a machine. */
function stateOf(machine: StateMachine): Uint8Array {
  if (!machine.pieces) return machine.snapshot().slice()
  const pieces: Uint8Array[] = []
  const saving = machine.pieces.save()
  for (let next = saving.next(); !next.done; next = saving.next()) pieces.push(next.value)
  return joinBytes(pieces)
}
