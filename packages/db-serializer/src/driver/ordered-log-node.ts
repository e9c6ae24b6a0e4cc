import {
  type Applied,
  assert,
  type CallOptions,
  type Cancel,
  type Clock,
  ClusterError,
  clusterId,
  type Disk,
  EventHub,
  type FrameStream,
  type GroupView,
  type LineageId,
  type Logger,
  type LogIndex,
  lineageId,
  logIndex,
  type NodeId,
  type OrderedLog,
  type OrderedLogEvents,
  type Peers,
  type Random,
  randomId,
  type StateMachine,
  type SubmitOptions,
  term,
} from '@cluster/core'
import { encodeNote, isEnvelope, ownerOfOpen } from '../machine/envelope.ts'
import type { Hello } from '../machine/forming.ts'
import { Raft } from '../machine/raft.ts'
import type { Configuration, Lineage, RaftView } from '../machine/types.ts'
import type { ResolvedOptions } from '../options.ts'
import { Applier, unknownMachine } from './applier.ts'
import { Barriers } from './barriers.ts'
import { Calls } from './calls.ts'
import { Contact } from './contact.ts'
import { GroupFile } from './group-file.ts'
import type { LogStore } from './log-store.ts'
import { Members } from './members.ts'
import { Parting } from './parting.ts'
import { Runner } from './runner.ts'
import { receiveSnapshot, type Snapshot, sendSnapshot } from './snapshot-streams.ts'
import { Submissions } from './submissions.ts'
import { decodeFrame, decodeWish, encodeFrame, encodeWishAnswer, type Frame, SERVICE } from './wire.ts'

export interface OrderedLogPorts {
  readonly peers: Peers
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

type State = 'new' | 'starting' | 'running' | 'stopping' | 'stopped' | 'failed'

const TICK_MS = 10
/** Bytes of commands in one frame to the leader; a single larger one travels alone. */
const FORWARD_BYTES = 256 * 1024
/** A group is called leaderless for people only after this long without one. */
const LEADERLESS_MS = 1_000
/** How long a former of a group holds its own `ready` back until those that promised themselves vote. */
const GATHERING_MS = 3_000
/** Followers of a group that gave itself up get this long to hear of it from the leader. */
const SEALED_MS = 200

/** The ordered log of one node: the Raft machine, connected to peers, disk and clock. */
export class OrderedLogNode implements OrderedLog {
  readonly self: NodeId
  readonly #options: ResolvedOptions
  readonly #ports: OrderedLogPorts
  readonly #openStore: (disk: Disk) => Promise<LogStore>
  readonly #events = new EventHub<OrderedLogEvents>()
  readonly #calls: Calls
  readonly #applier: Applier
  readonly #submissions: Submissions
  readonly #barriers: Barriers
  readonly #members: Members
  readonly #contact: Contact
  readonly #cancels: Cancel[] = []
  #state: State = 'new'
  #store: LogStore | null = null
  #runner: Runner | null = null
  #view: RaftView | null = null
  #groupFile: GroupFile | null = null
  #failure: unknown = null
  #tickCancel: Cancel | null = null
  /** Where commands went last; another leader or term means to send them again. */
  #route = ''
  #told: GroupView | null = null
  #toldEmpty = true
  #leaderlessSince: number | null = null
  #waiting: string | null = null
  #readyWaiters: (() => void)[] = []
  #gathering: { readonly voters: number; readonly until: number } | null = null
  #batchDurableOn: number | null = null
  /** The newest snapshot made or saved here. */
  #snapshot: Snapshot | null = null
  /** Made, but not every machine has made its part durable yet. */
  #unsaved: Snapshot | null = null
  #saving = false
  #snapshotIndex = 0
  #bytesSinceSnapshot = 0
  #resetting = false

  constructor(
    options: ResolvedOptions,
    ports: OrderedLogPorts,
    openStore: (disk: Disk) => Promise<LogStore>,
  ) {
    const { peers, clock, random, logger } = ports
    this.self = peers.self
    this.#options = options
    this.#ports = ports
    this.#openStore = openStore
    this.#calls = new Calls(clock)
    this.#applier = new Applier(this.self, clock, {
      settled: (session, number, outcome) => this.#submissions.settled(session, number, outcome),
      opened: (owner, nonce, session) => {
        if (owner === this.self) this.#submissions.opened(nonce, session)
      },
      closed: (owner) => {
        if (owner === this.self) this.#submissions.closed()
      },
      configuration: (configuration, before) => this.#configured(configuration, before),
      sealed: (into) => this.#sealed(into),
      progressed: () => this.#progressed(),
      failed: (error) => this.#fail(error),
    })
    this.#submissions = new Submissions(
      {
        clock,
        random,
        owner: this.self,
        machines: () => this.#applier.machines,
        send: (envelopes) => this.#sendCommands(envelopes),
        durableOn: () => this.#durableOn(),
        lineage: () => this.#view?.history?.lineage ?? lineageId(''),
        unsent: (afterMs) => this.#late(afterMs),
      },
      options.deadlineMs,
    )
    this.#barriers = new Barriers({
      clock,
      self: this.self,
      leader: () => (this.#resetting ? null : (this.#view?.leader ?? null)),
      read: (ask) => this.#runner?.read((index) => this.#barriers.answer(ask, index)),
      ask: (leader, ask) => this.#notify(leader, { type: 'ask', ask }),
    })
    this.#members = new Members(
      {
        clock,
        self: this.self,
        view: () => this.#currentView(),
        change: (change, done) => this.#runner?.change(change, done),
      },
      { maxVoters: options.maxVoters, graceMs: options.graceMs, awayMs: options.awayMs, flapMs: 1_000 },
    )
    this.#contact = new Contact(
      { self: this.self, formMs: options.formMs, expect: options.expect, askMs: 200 },
      {
        clock,
        logger,
        peers,
        hello: (to, hello) => this.#notify(to, { type: 'hello', hello }),
        promise: async (to) => this.#groupFile?.setPromise(to),
        form: (promised) => this.#form(promised),
        adopt: (history) => this.#runner?.input({ type: 'join', history }),
        dissolve: (into) => this.#dissolve(into),
        giveUp: () => this.#reset(),
        failed: (error) => this.#fail(error),
      },
    )
    peers.serve(SERVICE, {
      notify: (peer, frame) => this.#receive(peer, frame),
      request: async (peer, frame) => {
        const wish = decodeWish(frame)
        assert(wish.node === peer, 'a node may only wish for itself')
        if (this.#state !== 'running') return encodeWishAnswer({ granted: false, leader: null })
        return encodeWishAnswer(await this.#members.wish(wish))
      },
      stream: (peer, opening, stream) => this.#receiveSnapshot(peer, opening, stream),
    })
    this.#listen(peers)
  }

  attach(machine: StateMachine): void {
    assert(this.#state === 'new', `the state machine ${machine.name} must be attached before the log starts`)
    this.#applier.attach(machine)
  }

  async start(): Promise<void> {
    assert(this.#state === 'new', 'an ordered log starts once')
    this.#state = 'starting'
    const { disk, peers } = this.#ports
    this.#groupFile = await GroupFile.open(disk)
    const store = await this.#openStore(disk)
    this.#store = store
    const { snapshot } = store.recovered
    if (snapshot) {
      const bytes = await store.readSnapshot()
      assert(bytes, 'the log names a snapshot that is not there')
      this.#applier.restore(bytes, snapshot.index, snapshot.configuration)
      this.#snapshotIndex = snapshot.index
    }
    this.#run(store)
    this.#state = 'running'
    for (const member of peers.members()) if (!member.self) this.#members.member(member)
    this.#contact.start(this.#groupFile.promise)
    this.#rested()
    for (const peer of [...this.#linked].sort()) this.#linkUp(peer)
    this.#tick()
  }

  ready(options: CallOptions = {}): Promise<void> {
    const late = (afterMs: number): ClusterError => this.#late(afterMs)
    return this.#calls.run<void>(options, null, late, (resolve) => {
      const asked = (): void => {
        this.#barriers.add((index) => this.#applier.whenApplied(index, resolve))
      }
      if (this.#isIn()) asked()
      else this.#readyWaiters.push(asked)
    })
  }

  submit(machine: string, command: Uint8Array, options: SubmitOptions = {}): Promise<Applied> {
    const stopped = this.#stopError()
    if (stopped) return Promise.reject(stopped)
    if (!this.#applier.has(machine)) return Promise.reject(unknownMachine(machine))
    const { commandBytesMax } = this.#options
    if (command.length > commandBytesMax) {
      return Promise.reject(
        new ClusterError(
          {
            code: 'LOG_COMMAND_TOO_LARGE',
            outcome: 'rejected',
            bytes: command.length,
            bytesMax: commandBytesMax,
          },
          `A command of ${command.length} bytes is larger than the ordered log takes (${commandBytesMax}). Split it into several.`,
        ),
      )
    }
    return this.#submissions.submit(this.#applier.machines.indexOf(machine), command, options)
  }

  barrier(options: CallOptions = {}): Promise<LogIndex> {
    const late = (afterMs: number): ClusterError => this.#late(afterMs)
    return this.#calls.run(options, this.#options.deadlineMs, late, (resolve) => this.#barriers.add(resolve))
  }

  appliedIndex(): LogIndex {
    return this.#applier.applied
  }

  applied(index: LogIndex, options: CallOptions = {}): Promise<void> {
    if (this.#applier.applied >= index && this.#state === 'running') return Promise.resolve()
    const late = (afterMs: number): ClusterError => this.#late(afterMs)
    return this.#calls.run<void>(options, null, late, (resolve) => this.#applier.whenApplied(index, resolve))
  }

  group(): GroupView {
    const view = this.#runner ? this.#currentView() : null
    const configuration = view?.configuration
    return {
      cluster: view?.history?.cluster ?? null,
      lineage: view?.history?.lineage ?? null,
      term: view?.term ?? term(0),
      role: view?.role ?? 'outsider',
      leader: view?.leader ?? null,
      voters: configuration?.voters ?? [],
      learners: configuration?.learners ?? [],
      away: configuration?.away ?? [],
      commitIndex: view?.commitIndex ?? logIndex(0),
      appliedIndex: this.#applier.applied,
      provisional: configuration?.provisional ?? false,
      alone: view?.alone ?? false,
    }
  }

  on<Type extends keyof OrderedLogEvents>(
    type: Type,
    listener: (event: OrderedLogEvents[Type]) => void,
  ): Cancel {
    return this.#events.on(type, listener)
  }

  async stop(reason: 'away' | 'left'): Promise<void> {
    if (this.#state === 'stopped' || this.#state === 'stopping') return
    const running = this.#state === 'running'
    this.#state = running ? 'stopping' : 'stopped'
    this.#contact.retire()
    if (running && this.#runner) {
      const parting = new Parting({
        clock: this.#ports.clock,
        peers: this.#ports.peers,
        logger: this.#ports.logger,
        view: () => this.#currentView(),
        isLinked: (peer) => this.#members.isLinked(peer),
        transfer: (to) => this.#runner?.input({ type: 'transfer', to }),
      })
      await parting.run(reason)
    }
    await this.#end(
      new ClusterError({ code: 'STOPPED', outcome: 'rejected' }, 'The ordered log of this node was stopped.'),
    )
    this.#state = 'stopped'
  }

  // ---- the machine and its surroundings

  #run(store: LogStore): void {
    const { random, clock } = this.#ports
    const { heartbeatMs, electionMs } = this.#options
    const raft = new Raft(
      { self: this.self, heartbeatMs, electionTimeoutMs: electionMs },
      store.recovered,
      random,
    )
    this.#runner = new Runner(raft, store, {
      send: (to, message) => void this.#notify(to, { type: 'raft', message }),
      apply: (entries) => {
        this.#batchDurableOn = null
        for (const entry of entries)
          if (entry.kind === 'command') this.#bytesSinceSnapshot += entry.data.length
        this.#applier.push(entries)
      },
      restore: (snapshot) => this.#restore(snapshot),
      sendSnapshot: (to, atLeast, term) => this.#sendSnapshot(to, atLeast, term),
      lineage: (history, alone) => {
        this.#ports.logger.log(alone ? 'warn' : 'info', alone ? 'going on alone' : 'group history', {
          cluster: history.cluster,
          lineage: history.lineage,
        })
      },
      forked: (from, mine, theirs) => {
        this.#ports.logger.log('error', 'histories have parted', {
          peer: from,
          mine: mine.lineage,
          theirs: theirs.lineage,
        })
      },
      aloneRefused: (peer, reason) => this.#ports.logger.log('info', 'not going on alone', { peer, reason }),
      rested: () => this.#rested(),
      failed: (error) => this.#fail(error),
    })
    this.#view = this.#runner.view()
    this.#runner.input({ type: 'tick', now: clock.now(), wall: clock.wall() })
  }

  #currentView(): RaftView {
    assert(this.#runner, 'the log runs')
    return this.#runner.view()
  }

  readonly #linked = new Set<NodeId>()

  #listen(peers: Peers): void {
    const running = (): boolean => this.#state === 'running' || this.#state === 'stopping'
    this.#cancels.push(
      peers.on('linkUp', ({ peer }) => {
        this.#linked.add(peer)
        if (running()) this.#linkUp(peer)
      }),
      peers.on('linkDown', ({ peer }) => {
        this.#linked.delete(peer)
        if (running()) this.#linkDown(peer)
      }),
      peers.on('member', ({ member }) => {
        if (member.self || !running()) return
        this.#members.member(member)
        this.#contact.member(member)
        this.#members.act()
      }),
      peers.on('deathProved', (proof) => {
        if (!running()) return
        this.#members.deathProved(proof)
        this.#goAlone()
        this.#members.act()
      }),
    )
  }

  #linkUp(peer: NodeId): void {
    this.#members.linkUp(peer)
    this.#runner?.input({ type: 'linkUp', peer })
    this.#contact.linkUp(peer)
    if (peer === this.#view?.leader) {
      this.#submissions.resend()
      this.#barriers.restart()
    }
  }

  #linkDown(peer: NodeId): void {
    this.#members.linkDown(peer)
    this.#runner?.input({ type: 'linkDown', peer })
    const state = this.#ports.peers.member(peer)?.state
    this.#contact.linkDown(peer, state === 'dead' || state === 'away' || state === 'left')
    this.#tick()
  }

  #tick(): void {
    this.#tickCancel?.()
    this.#tickCancel = null
    if (this.#state !== 'running' && this.#state !== 'stopping') return
    const { clock } = this.#ports
    const now = clock.now()
    this.#runner?.input({ type: 'tick', now, wall: clock.wall() })
    // The first command makes a group with data of an empty one, and others must know.
    if (this.#told !== null && this.#applier.isEmpty() !== this.#toldEmpty) this.#contact.group(this.#card())
    this.#contact.tick()
    this.#submissions.tick()
    this.#barriers.tick()
    this.#members.act()
    this.#saveSnapshot()
    this.#sayWaiting(now)
    const wakeAt = this.#view?.wakeAt ?? Number.POSITIVE_INFINITY
    const restMs = Math.min(TICK_MS, Math.max(0, wakeAt - clock.now()))
    this.#tickCancel = clock.after(Math.max(1, restMs), () => this.#tick())
  }

  /** The machine came to rest: what changed is told and acted upon. */
  #rested(): void {
    if (this.#state === 'stopped' || this.#state === 'failed' || !this.#runner || this.#state === 'starting')
      return
    const view = this.#runner.view()
    const before = this.#view
    this.#view = view
    if (this.#resetting) return
    const changed =
      this.#told === null ||
      before?.role !== view.role ||
      before.leader !== view.leader ||
      before.term !== view.term ||
      before.configuration !== view.configuration ||
      before.history !== view.history ||
      before.alone !== view.alone
    const route = `${view.leader} ${view.term} ${view.ready}`
    if (route !== this.#route) {
      this.#route = route
      if (view.leader !== null) {
        this.#submissions.resend()
        this.#barriers.restart()
        if (this.#isIn()) this.#submissions.prepare()
      }
    }
    if (!changed) {
      if (before.configurationCommitted !== view.configurationCommitted || before.ready !== view.ready)
        this.#members.act()
      this.#wakeReady()
      return
    }
    if (before?.configuration !== view.configuration) this.#goAlone()
    this.#told = this.group()
    this.#contact.group(this.#card())
    this.#members.act()
    this.#events.emit('group', this.#told)
    this.#wakeReady()
  }

  #isIn(): boolean {
    const view = this.#view
    const configuration = view?.configuration
    if (!configuration || view.leader === null || this.#resetting) return false
    if (!configuration.voters.includes(this.self) && !configuration.learners.includes(this.self)) return false
    if (!this.#gathering) return true
    const enough = configuration.voters.length >= this.#gathering.voters
    return enough || this.#ports.clock.now() >= this.#gathering.until
  }

  #wakeReady(): void {
    if (this.#readyWaiters.length === 0 || !this.#isIn()) return
    const waiters = this.#readyWaiters
    this.#readyWaiters = []
    for (const wake of waiters) wake()
  }

  // ---- frames

  #notify(to: NodeId, frame: Frame): boolean {
    return this.#ports.peers.notify(to, SERVICE, encodeFrame(frame))
  }

  #receive(from: NodeId, bytes: Uint8Array): void {
    if (this.#state !== 'running' && this.#state !== 'stopping') return
    let frame: Frame
    try {
      frame = decodeFrame(bytes)
    } catch (error) {
      this.#ports.logger.log('warn', 'frame ignored', { from, why: String(error) })
      return
    }
    switch (frame.type) {
      case 'raft':
        if (!this.#resetting) this.#runner?.input({ type: 'message', from, message: frame.message })
        return
      case 'forward':
        this.#takeForwarded(from, frame.envelopes)
        return
      case 'ask':
        this.#runner?.read((index) => void this.#notify(from, { type: 'answer', ask: frame.ask, index }))
        return
      case 'answer':
        this.#barriers.answer(frame.ask, frame.index)
        return
      case 'hello':
        this.#contact.hello(from, frame.hello)
        return
    }
  }

  /** Brings this node's commands to the leader, which may be itself. */
  #sendCommands(envelopes: readonly Uint8Array[]): boolean {
    const leader = this.#view?.leader ?? null
    if (leader === null || this.#resetting) return false
    if (leader === this.self) return this.#propose(envelopes)
    let sent = false
    for (let at = 0; at < envelopes.length; ) {
      let end = at
      for (let bytes = 0; end < envelopes.length; end++) {
        bytes += envelopes[end]?.length ?? 0
        if (bytes > FORWARD_BYTES && end > at) break
      }
      const frame: Frame = { type: 'forward', envelopes: envelopes.slice(at, end) }
      // A part that stays behind counts as sent: it is sent again when no answer comes.
      if (!this.#notify(leader, frame)) return sent
      sent = true
      at = end
    }
    return sent
  }

  #takeForwarded(from: NodeId, envelopes: readonly Uint8Array[]): void {
    const sound = envelopes.every((envelope) => {
      const owner = isEnvelope(envelope) ? ownerOfOpen(envelope) : false
      return owner === null || owner === from
    })
    if (!sound) {
      this.#ports.logger.log('warn', 'commands ignored', { from, why: 'not in the format of this version' })
      return
    }
    // When this node does not lead (any more), they are lost here; the sender sends them to the next leader.
    this.#propose(envelopes)
  }

  #propose(envelopes: readonly Uint8Array[]): boolean {
    const { clock } = this.#ports
    return this.#runner?.propose(clock.now(), clock.wall(), envelopes) ?? false
  }

  // ---- applying and snapshots

  #configured(configuration: Configuration, before: Configuration | null): void {
    if (!before) return
    const stays = new Set([...configuration.voters, ...configuration.learners, ...configuration.away])
    for (const node of [...before.voters, ...before.learners, ...before.away].sort()) {
      if (stays.has(node)) continue
      const left = this.#ports.peers.member(node)?.state === 'left'
      this.#ports.logger.log('info', 'member removed', { node, left })
      this.#events.emit('removed', { node, reason: left ? 'left' : 'dead' })
    }
  }

  /** Voters known to hold what is applied now. */
  #durableOn(): number {
    if (this.#batchDurableOn !== null) return this.#batchDurableOn
    const view = this.#currentView()
    const voters = view.configuration?.voters ?? []
    const majority = Math.floor(voters.length / 2) + 1
    let known = 0
    if (view.role === 'leader') {
      for (const { node, match } of view.progress) {
        if (match >= view.appliedIndex && voters.includes(node)) known++
      }
      if (voters.includes(this.self) && view.durableIndex >= view.appliedIndex) known++
    }
    this.#batchDurableOn = Math.max(known, Math.min(majority, voters.length))
    return this.#batchDurableOn
  }

  #progressed(): void {
    const { snapshotBytes, snapshotEntries } = this.#options
    const entries = this.#applier.applied - this.#snapshotIndex
    if (this.#unsaved || this.#saving || this.#resetting) return
    if (entries < snapshotEntries && (this.#bytesSinceSnapshot < snapshotBytes || entries === 0)) return
    this.#unsaved = this.#takeSnapshot()
    this.#saveSnapshot()
  }

  #takeSnapshot(): Snapshot {
    const index = this.#applier.applied
    assert(this.#runner, 'the log runs')
    const snapshot = { meta: this.#runner.snapshotMeta(index), bytes: this.#applier.snapshot() }
    this.#snapshot = snapshot
    this.#snapshotIndex = index
    this.#bytesSinceSnapshot = 0
    return snapshot
  }

  /** Saves the snapshot once every machine has made durable by itself what lies before it: only then may the log go. */
  #saveSnapshot(): void {
    const snapshot = this.#unsaved
    if (!snapshot || this.#saving || this.#resetting || !this.#runner) return
    if (this.#applier.durableIndex() < snapshot.meta.index) return
    this.#unsaved = null
    this.#saving = true
    const cutBefore = logIndex(Math.max(1, snapshot.meta.index + 1 - this.#options.tailEntries))
    this.#runner.compact(snapshot, cutBefore, () => {
      this.#saving = false
      this.#ports.logger.log('debug', 'snapshot saved', {
        index: snapshot.meta.index,
        bytes: snapshot.bytes.length,
      })
    })
  }

  #restore({ meta, bytes }: Snapshot): void {
    try {
      this.#applier.restore(bytes, meta.index, meta.configuration)
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#snapshot = { meta, bytes }
    this.#unsaved = null
    this.#snapshotIndex = meta.index
    this.#bytesSinceSnapshot = 0
    this.#submissions.restored(this.#applier.sessions)
    this.#ports.logger.log('info', 'snapshot installed', { index: meta.index, bytes: bytes.length })
    this.#events.emit('snapshotInstalled', { index: meta.index })
  }

  #sendSnapshot(to: NodeId, atLeast: LogIndex, term: number): void {
    const runner = this.#runner
    this.#applier.whenApplied(atLeast, () => {
      if (this.#runner !== runner || this.#state !== 'running' || !runner) return
      const usable =
        this.#snapshot && this.#snapshot.meta.index >= Math.max(atLeast, runner.view().firstIndex - 1)
      const snapshot = usable && this.#snapshot ? this.#snapshot : this.#takeSnapshot()
      const { peers, logger } = this.#ports
      void sendSnapshot(peers, to, term, snapshot, logger, { deadlineMs: 60_000 }).then((ok) => {
        runner.input({ type: 'snapshotSent', to, index: snapshot.meta.index, ok })
      })
    })
  }

  #receiveSnapshot(from: NodeId, opening: Uint8Array, stream: FrameStream): void {
    const runner = this.#runner
    if (!runner || this.#state !== 'running') {
      stream.abort('the ordered log does not run')
      return
    }
    void receiveSnapshot(opening, stream, this.#ports.logger, (head, bytes) => {
      if (this.#runner === runner) runner.received(from, head.term, { meta: head.meta, bytes })
    })
  }

  // ---- forming, giving up, going on alone

  #card(): Extract<Hello, { status: 'grouped' }> | null {
    const view = this.#view
    if (!view?.history) return null
    this.#toldEmpty = this.#applier.isEmpty()
    return {
      status: 'grouped',
      history: view.history,
      configuration: view.configuration,
      configurationIndex: view.configurationIndex,
      leader: view.leader,
      empty: this.#toldEmpty,
      tombstones: this.#groupFile?.tombstones ?? [],
    }
  }

  #form(promised: readonly NodeId[]): void {
    const { random, clock, logger } = this.#ports
    const history: Lineage = {
      cluster: clusterId(randomId(random)),
      lineage: lineageId(randomId(random)),
      ancestry: [],
    }
    logger.log('info', 'forming a group', { cluster: history.cluster, with: promised.join(' ') || null })
    if (promised.length > 0) {
      const voters = Math.min(promised.length + 1, this.#options.maxVoters)
      this.#gathering = { voters, until: clock.now() + GATHERING_MS }
    }
    this.#runner?.input({ type: 'form', history, provisional: true })
    for (const node of promised) void this.#members.wish({ node, wish: 'join', fresh: true })
  }

  #goAlone(): void {
    const view = this.#view
    const voters = view?.configuration?.voters ?? []
    if (!this.#options.deathProof || voters.length !== 2 || !voters.includes(this.self)) return
    const other = voters.find((voter) => voter !== this.self)
    if (other === undefined || !this.#members.isProvedDead(other)) return
    this.#ports.logger.log('warn', 'the other voter is proved dead', { peer: other })
    const lineage: LineageId = lineageId(randomId(this.#ports.random))
    this.#runner?.input({ type: 'goAlone', peer: other, lineage })
  }

  #dissolve(into: string): void {
    this.#ports.logger.log('info', 'giving the empty group up into another', { into })
    this.#propose([encodeNote({ note: 'seal', into })])
  }

  /** Every member sees this at the same entry; the leader stays a moment so that the others hear of it. */
  #sealed(into: string): void {
    this.#ports.logger.log('info', 'this group was given up into another', { into })
    const leads = this.#view?.role === 'leader' && (this.#view.configuration?.voters.length ?? 0) > 1
    this.#ports.clock.after(leads ? SEALED_MS : 0, () => this.#reset())
  }

  /** Becomes a fresh node again, with an empty log and empty machines, that remembers the cluster it was in. */
  #reset(): void {
    const cluster = this.#view?.history?.cluster
    if (this.#resetting || cluster === undefined || this.#state !== 'running') return
    this.#resetting = true
    void this.#startOver(cluster).catch((error: unknown) => this.#fail(error))
  }

  async #startOver(cluster: string): Promise<void> {
    const old = this.#runner
    const store = this.#store
    assert(old && store && this.#groupFile, 'the log runs')
    await old.stop()
    await this.#groupFile.bury(cluster)
    await store.clear()
    if (this.#state !== 'running') return
    this.#applier.reset()
    this.#snapshot = null
    this.#unsaved = null
    this.#saving = false
    this.#snapshotIndex = 0
    this.#bytesSinceSnapshot = 0
    this.#gathering = null
    this.#run(store)
    this.#resetting = false
    for (const peer of [...this.#linked].sort()) this.#runner?.input({ type: 'linkUp', peer })
    this.#submissions.closed()
    this.#barriers.restart()
    this.#rested()
    this.#contact.group(null)
  }

  // ---- waiting, failing, ending

  #missing(): NodeId[] {
    const voters = this.#view?.configuration?.voters ?? []
    return voters.filter((voter) => voter !== this.self && !this.#members.isLinked(voter))
  }

  #sayWaiting(now: number): void {
    const view = this.#view
    if (view?.configuration && view.leader === null) this.#leaderlessSince ??= now
    else this.#leaderlessSince = null
    let text = this.#contact.waiting
    if (this.#leaderlessSince !== null && now - this.#leaderlessSince >= LEADERLESS_MS && text === null) {
      const missing = this.#missing()
      text =
        missing.length > 0
          ? `a quorum of the voters: node ${missing.join(' and ')}`
          : 'the election of a leader'
    }
    if (text === this.#waiting) return
    this.#waiting = text
    this.#events.emit('waiting', { for: text })
  }

  /** A call waited too long and nothing of it is in any log. */
  #late(afterMs: number): ClusterError {
    const view = this.#view
    if (!view?.history) {
      return new ClusterError(
        { code: 'LOG_NO_GROUP', outcome: 'rejected' },
        `This node is in no group yet, after ${afterMs} ms; it waits for ${this.#contact.waiting ?? 'first contact'}. Start the other nodes, or wait longer.`,
      )
    }
    if (view.leader === null) {
      const waitingFor = this.#missing()
      return new ClusterError(
        { code: 'LOG_NO_QUORUM', outcome: 'rejected', waitingFor },
        `No quorum of the voters was in reach for ${afterMs} ms; out of reach: ${waitingFor.join(', ') || 'none'}. Nothing was written. Start the nodes that are missing, or mend the network.`,
      )
    }
    return new ClusterError(
      { code: 'DEADLINE', outcome: 'rejected', afterMs },
      `The call was not done within ${afterMs} ms; it had no effect. Try again, or allow it more time.`,
    )
  }

  #stopError(): ClusterError | null {
    if (this.#state === 'running') return null
    if (this.#state === 'new' || this.#state === 'starting') {
      return new ClusterError(
        { code: 'STOPPED', outcome: 'rejected' },
        'The ordered log is not started yet. Await `start` first.',
      )
    }
    return new ClusterError(
      { code: 'STOPPED', outcome: 'rejected' },
      this.#state === 'failed'
        ? `The ordered log of this node failed: ${String(this.#failure)}. See its log, then start it again.`
        : 'The ordered log of this node was stopped.',
      { cause: this.#failure },
    )
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed' || this.#state === 'stopped') return
    this.#failure = error
    this.#state = 'failed'
    this.#ports.logger.log('error', 'the ordered log cannot go on', { why: String(error) })
    const stopped = this.#stopError()
    if (stopped) void this.#end(stopped)
    this.#events.emit('failed', { error })
  }

  async #end(error: ClusterError): Promise<void> {
    this.#tickCancel?.()
    this.#tickCancel = null
    for (const cancel of this.#cancels) cancel()
    this.#submissions.stop(error)
    this.#barriers.stop()
    this.#calls.stop(error)
    this.#applier.stop()
    await this.#runner?.stop()
    try {
      await this.#store?.close()
    } catch (closing) {
      this.#ports.logger.log('warn', 'the log file did not close', { why: String(closing) })
    }
  }
}
