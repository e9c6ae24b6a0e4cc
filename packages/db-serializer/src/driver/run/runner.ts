import type { Cancel, Clock, LogIndex, NodeId } from '@cluster/core'
import type {
  AloneRefusal,
  ConfigurationChange,
  DropReason,
  Effect,
  Entry,
  Input,
  Lineage,
  LogPosition,
  Message,
  PersistEffect,
  RaftMachine,
  RaftView,
  RecoverRefusal,
  SnapshotMeta,
} from '../../machine/raft/types.ts'
import type { LogStore, ReceivedSnapshot } from '../disk/log-store.ts'
import type { SnapshotSummary } from '../disk/snapshot-file.ts'

export interface RunnerPorts {
  readonly clock: Clock
  send(to: NodeId, message: Message): void
  apply(entries: readonly Entry[]): void
  /** A snapshot of a leader is in the log now. */
  restore(meta: SnapshotMeta): void
  sendSnapshot(effect: Extract<Effect, { type: 'sendSnapshot' }>): void
  lineage(history: Lineage, alone: boolean): void
  forked(from: NodeId, mine: Lineage, theirs: Lineage): void
  aloneRefused(peer: NodeId, reason: AloneRefusal): void
  recovered(last: LogPosition): void
  recoverRefused(refusal: RecoverRefusal): void
  /** All effects of one or more steps are done. */
  rested(): void
  /** The node must stop: the disk failed or an invariant broke. */
  failed(error: unknown): void
}

/** An input that carries no time must not be taken in with an older one than this. */
const STALE_MS = 10
/** Writes of one sync at most; a queue this long would mean that the disk does not keep up at all. */
const WRITES_AT_ONCE = 4_096
/** Who had commands of its own in the log waits for what comes of them, for about so long. */
const WAITS_MS = 50
/** After so long without a write the store is told that it is quiet. */
const QUIET_MS = 1_000

/**
 * Runs the Raft machine: one queue of inputs, effects in order, and writes with group commit: while one write is
 * on its way to the disk, the next ones gather.
 */
export class Runner {
  readonly #raft: RaftMachine
  readonly #store: LogStore
  readonly #ports: RunnerPorts
  readonly #received = new Map<number, ReceivedSnapshot>()
  readonly #answers = new Map<number, (answer: Effect) => void>()
  #inputs: Input[] = []
  #stepping = false
  /** When the machine was told the time last. */
  #toldAt = Number.NEGATIVE_INFINITY
  #writes: PersistEffect[] = []
  #working = false
  #stopped = false
  #nextRef = 1
  #idle: (() => void)[] = []
  /** The term and round that each peer was told last. */
  readonly #rounds = new Map<NodeId, { readonly term: number; readonly round: number }>()
  /** Appends without entries that wait whether something better comes. */
  readonly #held = new Map<NodeId, Message>()
  /** Until when commands of these nodes are probably under way: they wait for every word. */
  readonly #waitsUntil = new Map<NodeId, number>()
  #releasing = false
  #saving: Promise<unknown> = Promise.resolve()
  #quiet: Cancel | null = null
  /** Something was written since `#quiet` was armed. */
  #wrote = false

  constructor(raft: RaftMachine, store: LogStore, ports: RunnerPorts) {
    this.#raft = raft
    this.#store = store
    this.#ports = ports
  }

  view(): RaftView {
    return this.#raft.view()
  }

  snapshotMeta(index: LogIndex): SnapshotMeta {
    return this.#raft.snapshotMeta(index)
  }

  input(input: Input): void {
    if (this.#stopped) return
    this.#tellTime(input)
    this.#inputs.push(input)
    if (this.#stepping) return
    this.#stepping = true
    try {
      // The list grows while it is worked off: effects bring new inputs.
      for (let i = 0; i < this.#inputs.length && !this.#stopped; i++) {
        const next = this.#inputs[i]
        if (next) for (const effect of this.#raft.step(next)) this.#do(effect)
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#inputs = []
      this.#stepping = false
    }
    if (!this.#stopped) this.#ports.rested()
  }

  /** Ticks are rare while nothing happens: what happens then must not be judged by the time of the last one. */
  #tellTime(input: Input): void {
    const now = this.#ports.clock.now()
    const stale = now - this.#toldAt >= STALE_MS
    if (stale || 'now' in input) this.#toldAt = now
    if (stale && !('now' in input)) this.#inputs.push({ type: 'tick', now, wall: this.#ports.clock.wall() })
  }

  message(from: NodeId, message: Message): void {
    this.input({ type: 'message', from, message, now: this.#ports.clock.now() })
  }

  /** Appends commands if this node leads. False: they are in no log. Not to be called from within an effect. */
  propose(now: number, wall: number, data: readonly Uint8Array[], from?: NodeId): boolean {
    if (this.#stepping || this.#stopped) return false
    let accepted = false
    const ref = this.#ref((answer) => {
      accepted = answer.type === 'accepted'
    })
    if (from !== undefined) this.#waitsUntil.set(from, now + WAITS_MS)
    this.input({ type: 'propose', ref, now, wall, data, ...(from !== undefined && { from }) })
    return accepted
  }

  change(change: ConfigurationChange, done: (taken: boolean) => void): void {
    if (this.#stopped) {
      done(false)
      return
    }
    const ref = this.#ref((answer) => done(answer.type === 'accepted'))
    this.input({ type: 'change', ref, change })
  }

  read(done: (index: LogIndex | null, why: DropReason | null) => void): void {
    const ref = this.#ref((answer) => {
      if (answer.type === 'readReady') done(answer.index, null)
      else if (answer.type === 'readFailed') done(null, answer.reason)
    })
    this.input({ type: 'read', ref, now: this.#ports.clock.now() })
  }

  /** A snapshot of the leader of `term` came in. */
  received(from: NodeId, term: number, snapshot: ReceivedSnapshot): void {
    const ref = this.#nextRef++
    this.#received.set(ref, snapshot)
    this.input({ type: 'snapshotReceived', ref, from, term: term as RaftView['term'], meta: snapshot.meta })
  }

  /** Saves an own snapshot while the log goes on, then tells the machine. */
  compact(
    meta: SnapshotMeta,
    pieces: AsyncIterable<Uint8Array>,
    cutBefore: LogIndex,
    done: (summary: SnapshotSummary) => void,
  ): void {
    const saving = this.#store.saveSnapshot(meta, pieces, cutBefore).then(
      (summary) => {
        done(summary)
        // A leader's snapshot may have come in meanwhile.
        if (meta.index > this.view().snapshotIndex) this.input({ type: 'compact', snapshot: meta, cutBefore })
      },
      (error: unknown) => this.#fail(error),
    )
    this.#saving = Promise.all([this.#saving, saving])
  }

  /** Resolves once nothing is left to write. */
  async flushed(): Promise<void> {
    if (this.#working) await new Promise<void>((resolve) => this.#idle.push(resolve))
    await this.#saving
  }

  /** Takes no input any more; writes that were begun are finished. */
  async stop(): Promise<void> {
    this.#release()
    this.#stopped = true
    this.#writes = []
    this.#quiet?.()
    await this.flushed()
  }

  #ref(answer: (answer: Effect) => void): number {
    const ref = this.#nextRef++
    this.#answers.set(ref, answer)
    return ref
  }

  #answer(ref: number, effect: Effect): void {
    const answer = this.#answers.get(ref)
    this.#answers.delete(ref)
    answer?.(effect)
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect.to, effect.message)
        return
      case 'persist':
        this.#writes.push(effect)
        this.#work()
        return
      case 'apply':
        this.#ports.apply(effect.entries)
        return
      case 'accepted':
      case 'dropped':
      case 'changeRefused':
      case 'readReady':
      case 'readFailed':
        this.#answer(effect.ref, effect)
        return
      case 'role':
      case 'configuration':
      case 'transferFailed':
        // The view shows them; `rested` follows.
        return
      case 'sendSnapshot':
        this.#ports.sendSnapshot(effect)
        return
      case 'snapshotRefused':
        this.#discard(effect.ref)
        return
      case 'lineage':
        this.#ports.lineage(effect.history, effect.alone)
        return
      case 'forked':
        this.#ports.forked(effect.from, effect.mine, effect.theirs)
        return
      case 'aloneRefused':
        this.#ports.aloneRefused(effect.peer, effect.reason)
        return
      case 'recovered':
        this.#ports.recovered(effect.last)
        return
      case 'recoverRefused':
        this.#ports.recoverRefused(effect)
        return
    }
  }

  /**
   * Sends, but holds back for a moment an append that only tells how far is committed: callers who hear of it
   * mostly have something new to say, and the append with their commands tells the same. A later append stands for
   * the held one, as it does for one that was lost.
   */
  #send(to: NodeId, message: Message): void {
    if (message.type === 'append') {
      const told = this.#rounds.get(to)
      const { term, round, entries } = message
      const nothingNew = entries.length === 0 && told?.term === term && told.round >= round
      const waits = (this.#waitsUntil.get(to) ?? 0) > this.#toldAt
      if (nothingNew && !message.rest && !waits) {
        this.#held.set(to, message)
        this.#scheduleRelease()
        return
      }
      this.#held.delete(to)
      if (told?.term !== term || told.round !== round) this.#rounds.set(to, { term, round })
    }
    this.#ports.send(to, message)
  }

  #scheduleRelease(): void {
    if (this.#releasing) return
    this.#releasing = true
    // Callers are answered in this turn and submit in the next one.
    const { clock } = this.#ports
    void clock
      .turn()
      .then(() => clock.turn())
      .then(() => {
        this.#releasing = false
        if (!this.#stopped) this.#release()
      })
  }

  #release(): void {
    for (const [to, message] of this.#held) this.#ports.send(to, message)
    this.#held.clear()
  }

  #work(): void {
    if (this.#working) return
    this.#working = true
    void this.#workOff()
  }

  async #workOff(): Promise<void> {
    try {
      while (this.#writes.length > 0) await this.#write()
    } catch (error) {
      this.#fail(error)
    }
    this.#working = false
    this.#awaitQuiet()
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
  }

  /** One timer a second at most, however much is written. */
  #awaitQuiet(): void {
    this.#wrote = true
    if (this.#quiet !== null || this.#stopped) return
    this.#wrote = false
    this.#quiet = this.#ports.clock.after(QUIET_MS, () => {
      this.#quiet = null
      if (this.#stopped) return
      if (this.#wrote || this.#working) this.#awaitQuiet()
      else this.#saving = Promise.all([this.#saving, this.#settle()])
    })
  }

  async #settle(): Promise<void> {
    try {
      await this.#store.settle()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** One round of group commit: everything that gathered goes to the disk together. */
  async #write(): Promise<void> {
    const writes = this.#writes.splice(0, WRITES_AT_ONCE)
    await this.#store.write(writes, (ref) => this.#snapshot(ref))
    if (this.#stopped) return
    for (const { then } of writes) {
      for (const after of then) {
        if (after.type === 'send') this.#send(after.to, after.message)
        else {
          this.#ports.restore(this.#snapshot(after.ref).meta)
          this.#received.delete(after.ref)
        }
      }
    }
    const last = writes.at(-1)
    if (last) this.input({ type: 'persisted', ticket: last.ticket })
  }

  #discard(ref: number): void {
    const snapshot = this.#received.get(ref)
    this.#received.delete(ref)
    if (snapshot) void snapshot.discard().catch((error: unknown) => this.#fail(error))
  }

  #snapshot(ref: number): ReceivedSnapshot {
    const snapshot = this.#received.get(ref)
    if (!snapshot) throw new Error(`no snapshot was received under ${ref}`)
    return snapshot
  }

  #fail(error: unknown): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#writes = []
    this.#quiet?.()
    this.#ports.failed(error)
  }
}
