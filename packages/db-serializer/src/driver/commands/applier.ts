import {
  assert,
  type Clock,
  ClusterError,
  type ClusterVersion,
  type LogEntry,
  type LogIndex,
  logIndex,
  type NodeId,
  type StateMachine,
} from '@cluster/core'
import { programTooOld, unknownMachine } from '../../errors.ts'
import {
  applyBundle,
  BUNDLE_MACHINE,
  BUNDLE_NAME,
  decodeBundle,
  encodeOutcome,
} from '../../machine/commands/bundle.ts'
import {
  type CommandBody,
  decodeBody,
  decodeEnvelope,
  type Note,
  type Numbered,
  type PartEnvelope,
} from '../../machine/commands/envelope.ts'
import { type Outcome, SessionTable } from '../../machine/commands/session-table.ts'
import type { Configuration, Entry } from '../../machine/raft/types.ts'
import { membersGone } from '../group/group-view.ts'
import { StateLoader, TakenState } from './applier-state.ts'

/** Entries applied before other work gets a turn. */
const SLICE_ENTRIES = 256
/** Bytes of commands applied before other work gets a turn. */
const SLICE_BYTES = 256 * 1024
export interface ApplierEvents {
  /** A command of a session was settled here: applied now, or found applied before. */
  settled(session: number, number: number, outcome: Outcome): void
  /** So many parts of a command of this node, without a gap from the first one on, are in the log. */
  gathered(session: number, number: number, parts: number): void
  /** A session was opened; `session` is its id. */
  opened(owner: NodeId, nonce: string, session: number): void
  /** The owner's session ended: none of its commands that are not settled by now will ever be. */
  closed(owner: NodeId): void
  /** A member is in the configuration no more. */
  removed(node: NodeId, reason: 'dead' | 'left'): void
  /** The group gave itself up into that cluster: no command is applied any more. */
  sealed(into: string): void
  /** A slice is done: `appliedIndex` moved. */
  progressed(): void
  /** Every member's program supports that version from here on. */
  versionRaised(version: ClusterVersion): void
  /** The node must stop: a machine threw, or an entry cannot be understood. */
  failed(error: unknown): void
}

export interface ApplierOptions {
  /** The newest cluster version that this program supports. */
  readonly supports: ClusterVersion
  /** Follows who the members are and what they support, and leaves commands alone. */
  readonly witness: boolean
}

interface Waiter {
  readonly index: number
  readonly resolve: () => void
}

/** Applies committed entries to the state machines, in slices, and answers who waits for them. */
export class Applier {
  readonly #self: NodeId
  readonly #clock: Clock
  readonly #events: ApplierEvents
  readonly #machines = new Map<string, StateMachine>()
  readonly sessions = new SessionTable()
  #queue: Entry[] = []
  #next = 0
  #running = false
  #stopped = false
  #applied = 0
  #configuration: Configuration | null = null
  #sealed: string | null = null
  /** Members that said that they leave for good and are not removed yet. */
  #leaving = new Set<string>()
  #commands = 0
  #version: ClusterVersion = 0
  readonly #supports: ClusterVersion
  readonly #witness: boolean
  #waiters: Waiter[] = []
  /** Restores and resets make slices that still wait for their turn void. */
  #epoch = 0

  constructor(self: NodeId, options: ApplierOptions, clock: Clock, events: ApplierEvents) {
    this.#self = self
    this.#supports = options.supports
    this.#witness = options.witness
    this.#clock = clock
    this.#events = events
  }

  get applied(): LogIndex {
    return logIndex(this.#applied)
  }

  /** The configuration in force at `applied`. */
  get configuration(): Configuration | null {
    return this.#configuration
  }

  /** True once the group gave itself up. */
  get sealed(): boolean {
    return this.#sealed !== null
  }

  /** What every member's program supports; 0 before the first one has said so. */
  get version(): ClusterVersion {
    return this.#version
  }

  /** Other members whose program does not support that version, or has not said so yet. */
  behind(version: ClusterVersion): readonly NodeId[] {
    const { voters, learners, away } = this.#configuration ?? { voters: [], learners: [], away: [] }
    const members = [...voters, ...learners, ...away].sort()
    return members.filter((node) => node !== this.#self && this.sessions.supportOf(node) < version)
  }

  /** Names in the order of attachment. */
  get machines(): readonly string[] {
    return [...this.#machines.keys()]
  }

  /** Whether the machine takes part in bundles. */
  bundles(machine: string): boolean {
    return this.#machines.get(machine)?.bundles !== undefined
  }

  has(machine: string): boolean {
    return this.#machines.has(machine)
  }

  attach(machine: StateMachine): void {
    assert(!this.#machines.has(machine.name), `two state machines are named ${machine.name}`)
    assert(this.#machines.size < 255, 'at most 255 state machines can be attached')
    this.#machines.set(machine.name, machine)
  }

  /** The lowest index that every machine has made durable by itself. */
  durableIndex(): number {
    let lowest = Number.POSITIVE_INFINITY
    for (const machine of this.#machines.values()) lowest = Math.min(lowest, machine.durableIndex())
    return lowest
  }

  /** True while nothing would be missed if the group gave itself up. */
  isEmpty(): boolean {
    for (const machine of this.#machines.values()) {
      if (machine.empty ? !machine.empty() : this.#commands > 0) return false
    }
    return true
  }

  /** Takes committed entries; they follow one another without gaps. */
  push(entries: readonly Entry[]): void {
    for (const entry of entries) this.#queue.push(entry)
    if (!this.#running) this.#slice(this.#epoch)
  }

  /** Resolves once `index` is applied. */
  whenApplied(index: number, resolve: () => void): void {
    if (this.#applied >= index) resolve()
    else this.#waiters.push({ index, resolve })
  }

  /** Applies nothing any more. */
  stop(): void {
    this.#stopped = true
    this.#epoch++
    this.#queue = []
    this.#next = 0
    this.#running = false
  }

  /** The whole state after `applied`. */
  snapshot(): TakenState {
    const head = {
      commands: this.#commands,
      sealed: this.#sealed,
      leaving: [...this.#leaving],
      version: this.#version,
      sessions: this.sessions.save(),
      machines: this.machines,
    }
    return new TakenState(head, this.#machines.values())
  }

  /** A snapshot is about to replace the state: nothing is applied before `restore` is done. Entries that come wait for it. */
  hold(): void {
    this.#drop()
    this.#running = true
  }

  /**
   * Replaces the whole state by what `snapshot` gave at `index`, after `hold`.
   * @returns false when it was given up, for a newer one or because the node stops
   * @throws WireError, LOG_UNKNOWN_MACHINE when the snapshot holds a machine that is not attached here,
   * LOG_PROGRAM_TOO_OLD
   */
  async restore(
    pieces: AsyncIterable<Uint8Array>,
    index: LogIndex,
    configuration: Configuration,
  ): Promise<boolean> {
    const epoch = this.#epoch
    assert(this.#running, 'the applier is held while its state is replaced')
    try {
      const loader = new StateLoader(this.#machines, index)
      for await (const piece of pieces) {
        if (epoch !== this.#epoch) return false
        loader.add(piece)
      }
      if (epoch !== this.#epoch) return false
      this.#restored(loader, index, configuration)
    } catch (error) {
      // What nobody waits for any more may fail, as its file is gone.
      if (epoch !== this.#epoch) return false
      throw error
    }
    this.#running = false
    if (this.#queue.length > 0) this.#slice(epoch)
    return true
  }

  #restored(loader: StateLoader, index: LogIndex, configuration: Configuration): void {
    const head = loader.done()
    this.#commands = head.commands
    this.#sealed = head.sealed
    const leaving = this.#leaving
    this.#leaving = new Set(head.leaving)
    this.#setVersion(head.version)
    this.sessions.load(head.sessions)
    // The sessions are those of the snapshot already: only those here are told who is gone.
    for (const node of this.#replaceConfiguration(configuration))
      this.#events.removed(node, leaving.has(node) ? 'left' : 'dead')
    this.#applied = index
    this.#settleWaiters()
    if (this.#sealed !== null) this.#events.sealed(this.#sealed)
  }

  /** Back to nothing: the node gave up its group. */
  reset(): void {
    this.#drop()
    this.#applied = 0
    this.#commands = 0
    this.#version = 0
    this.#sealed = null
    this.#leaving.clear()
    this.#configuration = null
    this.sessions.clear()
    for (const machine of this.#machines.values()) machine.restore(null, logIndex(0))
  }

  #drop(): void {
    this.#epoch++
    this.#queue = []
    this.#next = 0
    this.#running = false
  }

  /** Applies one slice now; the rest in later turns, so that a long log never holds up heartbeats. */
  #slice(epoch: number): void {
    if (epoch !== this.#epoch || this.#stopped) return
    this.#running = true
    let budget = SLICE_BYTES
    const end = Math.min(this.#queue.length, this.#next + SLICE_ENTRIES)
    try {
      while (this.#next < end && budget > 0 && epoch === this.#epoch) {
        const entry = this.#queue[this.#next++]
        if (!entry) break
        assert(entry.index === this.#applied + 1, `entry ${entry.index} comes after ${this.#applied}`)
        if (entry.kind === 'command') {
          budget -= entry.data.length
          this.#command(entry, entry.data)
        } else if (entry.kind === 'configuration') this.#setConfiguration(entry.configuration)
        this.#applied = entry.index
      }
    } catch (error) {
      this.stop()
      this.#events.failed(error)
      return
    }
    if (epoch !== this.#epoch) return
    const done = this.#next >= this.#queue.length
    if (done) {
      this.#queue = []
      this.#next = 0
      this.#running = false
    }
    this.#settleWaiters()
    this.#events.progressed()
    if (!done) void this.#clock.turn().then(() => this.#slice(epoch))
  }

  #command(entry: Entry, data: Uint8Array): void {
    const envelope = decodeEnvelope(data)
    if (!envelope) {
      throw new ClusterError(
        { code: 'LOG_DAMAGED', outcome: 'rejected', path: 'log', offset: entry.index },
        `Entry ${entry.index} of the log is in a format that this program does not read. Use the version that the other nodes run.`,
      )
    }
    if (this.#sealed !== null) return
    if (envelope.kind === 'note') {
      this.#note(envelope.note, entry.index)
      return
    }
    // What it has no data for, it cannot judge; nobody asks it.
    if (this.#witness) return
    const { session, number } = envelope
    const verdict = this.sessions.begin(session, number, envelope.low)
    if (verdict.verdict === 'done') this.#events.settled(session, number, verdict.outcome)
    if (verdict.verdict !== 'new') return
    const origin = this.sessions.ownerOf(session)
    assert(origin !== null, `entry ${entry.index} is of no session`)
    const body = envelope.kind === 'command' ? envelope : this.#gather(entry, envelope)
    if (body !== null) this.#perform(entry, envelope, body, origin as NodeId)
    else if (origin === this.#self)
      this.#events.gathered(session, number, this.sessions.gatheredOf(session, number))
  }

  /** The command, once all of its parts are there. */
  #gather(entry: Entry, part: PartEnvelope): CommandBody | null {
    const whole = this.sessions.gather(part)
    if (whole === null) return null
    const body = decodeBody(whole)
    assert(body !== null, `the parts of a command that entry ${entry.index} completes cannot be read`)
    return body
  }

  #perform(entry: Entry, { session, number }: Numbered, body: CommandBody, origin: NodeId): void {
    const { key } = body
    const bundle = body.machine === BUNDLE_MACHINE
    const name = bundle ? BUNDLE_NAME : this.#nameAt(entry, session, body.machine)
    const known = key === null ? null : this.sessions.keyed(name, key)
    let outcome: Outcome
    if (known) outcome = known
    else {
      const { index, time, wall } = entry
      const stamp = { index, time, wall, origin }
      const result = bundle
        ? this.#bundle(entry, session, body.command, stamp)
        : this.#machine(name).apply({ ...stamp, command: body.command })
      outcome = { index, result }
      this.#commands++
      if (key !== null) this.sessions.remember(name, key, outcome)
    }
    this.sessions.finish(session, number, outcome)
    if (origin === this.#self) this.#events.settled(session, number, outcome)
  }

  #bundle(entry: Entry, session: number, command: Uint8Array, stamp: Omit<LogEntry, 'command'>): Uint8Array {
    const bundle = decodeBundle(command)
    assert(bundle !== null, `entry ${entry.index} holds a bundle that cannot be read`)
    const machineOf = (position: number): StateMachine =>
      this.#machine(this.#nameAt(entry, session, position))
    return encodeOutcome(applyBundle(bundle, machineOf, stamp))
  }

  #nameAt(entry: Entry, session: number, position: number): string {
    const name = this.sessions.machineOf(session, position)
    assert(name !== null, `entry ${entry.index} names a machine that its session does not have`)
    return name
  }

  #machine(name: string): StateMachine {
    const machine = this.#machines.get(name)
    if (!machine) throw unknownMachine(name)
    return machine
  }

  #note(note: Note, index: number): void {
    switch (note.note) {
      case 'open': {
        const owner = note.owner as NodeId
        const open = this.sessions.find(owner)
        if (open?.nonce === note.nonce) {
          // Asked for again because the answer was slow or came within a snapshot: there is one session, and it is told again.
          this.#events.opened(owner, note.nonce, open.id)
          return
        }
        this.sessions.open(index, note)
        this.#events.opened(owner, note.nonce, index)
        this.#raiseVersion()
        return
      }
      case 'seal':
        // Only those with data know whether the group was empty; a witness follows them by first contact.
        if (this.#witness || !this.isEmpty()) return
        this.#sealed = note.into
        this.#events.sealed(note.into)
        return
      case 'leaving':
        this.#leaving.add(note.node)
        return
    }
  }

  /** Returns the members that are gone. */
  #replaceConfiguration(configuration: Configuration): readonly NodeId[] {
    const before = this.#configuration
    this.#configuration = configuration
    return before ? membersGone(before, configuration) : []
  }

  #setConfiguration(configuration: Configuration): void {
    for (const node of this.#replaceConfiguration(configuration)) {
      this.sessions.closeOf(node)
      this.#events.closed(node)
      this.#events.removed(node, this.#leaving.delete(node) ? 'left' : 'dead')
    }
    this.#raiseVersion()
  }

  /** The lowest that a member supports; those that are away count too, as they come back with the program they have. */
  #raiseVersion(): void {
    if (this.#configuration === null) return
    const { voters, learners, away } = this.#configuration
    let lowest = Number.POSITIVE_INFINITY
    for (const node of [...voters, ...learners, ...away])
      lowest = Math.min(lowest, this.sessions.supportOf(node))
    if (lowest > this.#version) this.#setVersion(lowest)
  }

  /** @throws LOG_PROGRAM_TOO_OLD */
  #setVersion(version: ClusterVersion): void {
    if (version > this.#supports) throw programTooOld(this.#supports, version)
    if (version === this.#version) return
    this.#version = version
    this.#events.versionRaised(version)
  }

  #settleWaiters(): void {
    if (this.#waiters.length === 0) return
    const due = this.#waiters.filter(({ index }) => index <= this.#applied)
    if (due.length === 0) return
    this.#waiters = this.#waiters.filter(({ index }) => index > this.#applied)
    for (const { resolve } of due) resolve()
  }
}
