import {
  type Applied,
  type AppliedBundle,
  assert,
  type Bundle,
  type CallOptions,
  type Cancel,
  type ClusterError,
  EventHub,
  type GroupView,
  type LogIndex,
  lineageId,
  type NodeId,
  type OrderedLog,
  type OrderedLogEvents,
  type StateMachine,
  type SubmitOptions,
} from '@cluster/core'
import { hasFailed, notStarted, wasStopped } from '../errors.ts'
import { encodeNote, type Note } from '../machine/commands/envelope.ts'
import { Raft } from '../machine/raft/raft.ts'
import type { RaftView, Recovered, SnapshotMeta } from '../machine/raft/types.ts'
import { type ResolvedOptions, raftOptions } from '../options.ts'
import { Applier } from './commands/applier.ts'
import { Barriers } from './commands/barriers.ts'
import { Calls } from './commands/calls.ts'
import { Commands } from './commands/commands.ts'
import { Intake } from './commands/intake.ts'
import { Readiness } from './commands/readiness.ts'
import { Submissions } from './commands/submissions.ts'
import { Versions } from './commands/versions.ts'
import { Waiting } from './commands/waiting.ts'
import { LogFolder } from './disk/log-folder.ts'
import type { OpenedLog, openLog } from './disk/open-log.ts'
import { Contact } from './group/contact.ts'
import { Forks } from './group/forks.ts'
import { GoingAlone } from './group/going-alone.ts'
import { GroupNews } from './group/group-news.ts'
import { durableVoters, groupDiffers, groupView } from './group/group-view.ts'
import { Members } from './group/members.ts'
import { Parting } from './group/parting.ts'
import { Recovery } from './group/recovery.ts'
import { Regrouping } from './group/regrouping.ts'
import { Incoming } from './network/incoming.ts'
import { PeerEvents } from './network/peer-events.ts'
import { Snapshots } from './network/snapshots.ts'
import { encodeFrame, type Frame, SERVICE } from './network/wire.ts'
import type { OrderedLogPorts } from './ports.ts'
import { raftNews } from './run/raft-news.ts'
import { Runner } from './run/runner.ts'
import { Ticking } from './run/ticking.ts'

type State = 'new' | 'starting' | 'running' | 'stopping' | 'stopped' | 'failed'

/** The ordered log of one node: the Raft machine, connected to peers, disk and clock. */
export class OrderedLogNode implements OrderedLog {
  readonly self: NodeId
  readonly #options: ResolvedOptions
  readonly #ports: OrderedLogPorts
  readonly #folder: LogFolder
  readonly #events = new EventHub<OrderedLogEvents>()
  readonly #calls: Calls
  readonly #applier: Applier
  readonly #submissions: Submissions
  readonly #commands: Commands
  readonly #versions: Versions
  readonly #intake: Intake
  readonly #snapshots: Snapshots
  readonly #barriers: Barriers
  readonly #members: Members
  readonly #contact: Contact
  readonly #waiting: Waiting
  readonly #readiness: Readiness
  readonly #peerEvents: PeerEvents
  readonly #ticking: Ticking
  readonly #goingAlone: GoingAlone
  readonly #recovery: Recovery
  readonly #forks: Forks
  readonly #news: GroupNews
  readonly #incoming: Incoming
  readonly #regrouping: Regrouping
  #state: State = 'new'
  #runner: Runner | null = null
  #view: RaftView | null = null
  #failure: unknown = null
  /** Where commands went last; another leader or term means to send them again. */
  #route = ''
  #hearing = false
  #batchDurableOn: number | null = null

  constructor(options: ResolvedOptions, ports: OrderedLogPorts, openStore: typeof openLog) {
    const { peers, clock, random, logger } = ports
    this.self = peers.self
    this.#options = options
    this.#ports = ports
    this.#folder = new LogFolder(openStore, this.self, ports, options)
    this.#calls = new Calls(clock)
    this.#applier = new Applier(this.self, options, clock, {
      settled: (session, number, outcome) => this.#submissions.settled(session, number, outcome),
      gathered: (session, number, parts) => this.#submissions.gathered(session, number, parts),
      opened: (owner, nonce, session) => {
        if (owner === this.self) this.#submissions.opened(nonce, session)
      },
      closed: (owner) => {
        if (owner === this.self) this.#submissions.closed()
      },
      removed: (node, reason) => {
        logger.log('info', 'member removed', { node, reason })
        this.#events.emit('removed', { node, reason })
      },
      sealed: (into) => this.#regrouping.sealed(into),
      progressed: () => this.#snapshots.progressed(),
      versionRaised: (version) => {
        logger.log('info', 'the cluster is at a new version', { version })
        this.#versions.raised()
        if (this.#news.told && this.#isActive()) this.#news.tell()
      },
      failed: (error) => this.#fail(error),
    })
    this.#submissions = new Submissions(
      {
        clock,
        random,
        owner: this.self,
        supports: options.supports,
        entryBytesMax: () => this.#intake.entryBytesMax(),
        machines: () => this.#applier.machines,
        send: (envelopes) => this.#commands.send(envelopes),
        durableOn: () => (this.#batchDurableOn ??= durableVoters(this.#currentView())),
        lineage: () => this.#view?.history?.lineage ?? lineageId(''),
        alone: () => this.#view?.alone === true && this.#view.configuration?.voters.length === 1,
        unsent: (afterMs) => this.#waiting.late(afterMs),
      },
      options.deadlineMs,
    )
    const live = (): Runner | null => (this.#isActive() && !this.#regrouping.isUnderWay ? this.#runner : null)
    this.#commands = new Commands({
      ...ports,
      self: this.self,
      runner: live,
      leader: () => this.#live()?.leader ?? null,
      notify: (to, frame) => this.#notify(to, frame),
    })
    this.#versions = new Versions({
      applier: this.#applier,
      wait: (call, begin) => this.#calls.run<void>(call, options.deadlineMs, this.#waiting.late, begin),
    })
    this.#intake = new Intake(options, {
      applier: this.#applier,
      versions: this.#versions,
      submissions: this.#submissions,
      stopError: () => this.#stopError(),
      stir: () => this.#ticking.stir(),
    })
    this.#snapshots = new Snapshots(
      { ...ports, applier: this.#applier, runner: live, store: () => this.#opened().store },
      options,
    )
    this.#barriers = new Barriers({
      clock,
      self: this.self,
      leader: () => this.#live()?.leader ?? null,
      sole: () => this.#view?.configuration?.voters.length === 1,
      read: (ask) => this.#runner?.read((index) => this.#barriers.answer(ask, index)),
      ask: (leader, ask) => this.#notify(leader, { type: 'ask', ask }),
    })
    this.#members = new Members(
      {
        clock,
        self: this.self,
        view: () => this.#currentView(),
        version: () => this.#applier.version,
        change: (change, leaving, done) => {
          // Every node is to know that it was no funeral.
          for (const node of leaving) this.#note({ note: 'leaving', node })
          this.#runner?.change(change, done)
        },
      },
      {
        maxVoters: options.maxVoters,
        graceMs: options.graceMs,
        awayMs: options.awayMs,
        flapMs: 1_000,
        heardMs: options.electionMs,
      },
    )
    this.#contact = new Contact(
      { ...options, self: this.self, askMs: 200 },
      {
        clock,
        logger,
        peers,
        hello: (to, hello) => this.#notify(to, { type: 'hello', hello }),
        promise: async (to) => this.#opened().groupFile.setPromise(to),
        form: (promised) => this.#regrouping.form(promised),
        adopt: (history) => this.#runner?.input({ type: 'join', history }),
        dissolve: (into) => this.#regrouping.dissolve(into),
        giveUp: () => this.#regrouping.reset(),
        met: (cluster, peer) => this.#events.emit('met', { cluster, peer }),
        failed: (error) => this.#fail(error),
      },
    )
    this.#goingAlone = new GoingAlone(
      {
        ...ports,
        self: this.self,
        members: this.#members,
        view: () => (this.#state === 'running' ? this.#live() : null),
        ask: (input) => this.#runner?.input(input),
      },
      options,
    )
    this.#recovery = new Recovery(
      {
        ...ports,
        view: () => this.#live(),
        ask: (lineage) => this.#runner?.input({ type: 'recover', lineage }),
      },
      options.recoverFromSurvivors,
    )
    this.#regrouping = new Regrouping(
      {
        ...ports,
        self: this.self,
        contact: this.#contact,
        members: this.#members,
        gather: (count) => this.#readiness.gather(count),
        view: () => this.#view,
        input: (input) => this.#runner?.input(input),
        note: (note) => this.#note(note),
        isRunning: () => this.#state === 'running',
        startOver: (cluster) => this.#startOver(() => this.#folder.clear(cluster)),
        setAside: () => this.#startOver(() => this.#folder.setAside()),
        begunAnew: () => this.#begunAnew(),
        failed: (error) => this.#fail(error),
      },
      options,
    )
    this.#forks = new Forks(
      {
        self: this.self,
        logger,
        view: () => this.#view,
        emit: (event) => this.#events.emit('forked', event),
        changed: () => this.#news.introduce(),
        giveUp: () => this.#regrouping.giveUpHistory(),
      },
      options.keep,
    )
    this.#news = new GroupNews(
      {
        applier: this.#applier,
        folder: this.#folder,
        forks: this.#forks,
        contact: this.#contact,
        members: this.#members,
        view: () => this.#view,
        group: () => this.group(),
        emit: (group) => this.#events.emit('group', group),
      },
      options.alone,
    )
    this.#incoming = new Incoming({
      logger,
      commands: this.#commands,
      barriers: this.#barriers,
      members: this.#members,
      contact: this.#contact,
      forks: this.#forks,
      goingAlone: this.#goingAlone,
      runner: live,
      notify: (to, frame) => void this.#notify(to, frame),
    })
    this.#readiness = new Readiness(clock)
    this.#ticking = new Ticking({
      clock,
      maxVoters: options.maxVoters,
      view: () => this.#live(),
      isBusy: () => this.#state !== 'running' || this.#contact.waiting !== null || this.#hasWork(),
      tick: () => this.#tick(),
    })
    this.#waiting = new Waiting({
      view: () => this.#view,
      isLinked: (peer) => this.#members.isLinked(peer),
      contact: () => (this.#folder.isFull ? 'room on its disk' : this.#contact.waiting),
      say: (text) => this.#events.emit('waiting', { for: text }),
    })
    peers.serve(SERVICE, {
      notify: (peer, frame) => {
        if (this.#isActive()) this.#incoming.deliver(peer, frame)
      },
      request: (peer, frame) => this.#members.answer(peer, frame, this.#state === 'running'),
      stream: (peer, opening, stream) => this.#snapshots.receive(peer, opening, stream),
    })
    this.#peerEvents = new PeerEvents({
      peers,
      members: this.#members,
      contact: this.#contact,
      goingAlone: this.#goingAlone,
      isRunning: () => this.#isActive(),
      input: (input) => this.#runner?.input(input),
      reached: (peer) => {
        if (peer === this.#view?.leader) this.#sendAgain()
      },
      tick: () => this.#tick(),
      failed: (error) => this.#fail(error),
    })
  }

  attach(machine: StateMachine): void {
    assert(!this.#options.witness, `a witness holds no data, so ${machine.name} cannot be attached to it`)
    assert(this.#state === 'new', `the state machine ${machine.name} must be attached before the log starts`)
    this.#applier.attach(machine)
  }

  async start(): Promise<void> {
    assert(this.#state === 'new', 'an ordered log starts once')
    this.#state = 'starting'
    const { store } = await this.#folder.open()
    const { snapshot } = store.recovered
    if (snapshot) {
      await this.#snapshots.restore(snapshot)
    }
    // Nothing that the machines have of their own is of any history that this node belongs to.
    else if (store.recovered.hardState?.history == null) this.#applier.reset()
    this.#run(store.recovered)
    this.#state = 'running'
    this.#meet()
    this.#rested()
    this.#peerEvents.catchUp()
    this.#tick()
  }

  ready(options: CallOptions = {}): Promise<void> {
    return this.#calls.run<void>(options, null, this.#waiting.late, (resolve) => {
      this.#readiness.whenIn(this.#live(), () => {
        this.#barriers.add((index) => this.#applier.whenApplied(index, resolve))
      })
    })
  }

  submit(machine: string, command: Uint8Array, options: SubmitOptions = {}): Promise<Applied> {
    return this.#intake.submit(machine, command, options)
  }

  submitBundle(bundle: Bundle, options: SubmitOptions = {}): Promise<AppliedBundle> {
    return this.#intake.submitBundle(bundle, options)
  }

  barrier(options: CallOptions = {}): Promise<LogIndex> {
    return this.#calls.run(options, this.#options.deadlineMs, this.#waiting.late, (resolve) => {
      this.#barriers.add(resolve)
      this.#ticking.stir()
    })
  }

  async continueAlone(): Promise<void> {
    this.#goingAlone.continueAlone()
  }

  appliedIndex(): LogIndex {
    return this.#applier.applied
  }

  applied(index: LogIndex, options: CallOptions = {}): Promise<void> {
    if (this.#applier.applied >= index && this.#state === 'running') return Promise.resolve()
    return this.#calls.run<void>(options, null, this.#waiting.late, (resolve) =>
      this.#applier.whenApplied(index, resolve),
    )
  }

  group(): GroupView {
    return groupView(this.#runner ? this.#currentView() : null, this.#applier)
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
        ...this.#ports,
        view: () => this.#currentView(),
        onChange: (listener) => this.on('group', listener),
        isLinked: (peer) => this.#members.isLinked(peer),
        transfer: (to) => this.#runner?.input({ type: 'transfer', to }),
      })
      await parting.run(reason)
    }
    await this.#end(wasStopped())
    this.#state = 'stopped'
  }

  #run(recovered: Recovered): void {
    const { random, clock } = this.#ports
    const { store, identity } = this.#opened()
    const raft = new Raft(raftOptions(this.#options, this.self, identity.disk), recovered, random)
    this.#runner = new Runner(raft, store, {
      clock,
      send: (to, message) => void this.#notify(to, { type: 'raft', message }),
      apply: (entries) => {
        this.#batchDurableOn = null
        this.#snapshots.count(entries)
        this.#applier.push(entries)
      },
      restore: (meta) => void this.#restore(meta),
      sendSnapshot: (effect) => this.#snapshots.send(effect),
      ...raftNews(this.#ports.logger, this.#goingAlone, this.#forks, this.#recovery),
      rested: () => {
        this.#rested()
        this.#ticking.stir()
      },
      failed: (error) => this.#fail(error),
    })
    this.#view = this.#runner.view()
    this.#runner.input({ type: 'tick', now: clock.now(), wall: clock.wall() })
  }

  /** From the end of `start` to the end of `stop`. */
  #isActive(): boolean {
    return this.#state === 'running' || this.#state === 'stopping'
  }

  /** The newest view; null while there is none to act upon. */
  #live(): RaftView | null {
    return this.#regrouping.isUnderWay ? null : this.#view
  }

  #currentView(): RaftView {
    assert(this.#runner, 'the log runs')
    return this.#runner.view()
  }

  /** There is a (new) way to the leader. */
  #sendAgain(): void {
    this.#submissions.resend()
    this.#barriers.restart()
  }

  #tick(): void {
    this.#ticking.stop()
    if (!this.#isActive()) return
    const { clock } = this.#ports
    const now = clock.now()
    this.#runner?.input({ type: 'tick', now, wall: clock.wall() })
    this.#news.tick()
    if (this.#hears()) this.#contact.tick()
    // The session tells the others what this program supports, whether it ever submits anything or not.
    if (this.#readiness.isIn(this.#live())) this.#submissions.prepare()
    this.#submissions.tick()
    this.#barriers.tick()
    this.#goingAlone.tick()
    this.#recovery.tick()
    this.#members.act()
    this.#snapshots.save()
    this.#waiting.tick(now)
    this.#readiness.wake(this.#live())
    this.#ticking.arm()
  }

  #hasWork(): boolean {
    const { open, session } = this.#submissions
    return session === null || open + this.#barriers.open > 0 || this.#snapshots.waits
  }

  /** Listening for others begins when they can be heard: once the peers have started. */
  #hears(): boolean {
    this.#hearing ||= this.#ports.peers.member(this.self)?.addresses.length !== 0
    return this.#hearing
  }

  /** The machine came to rest: what changed is told and acted upon. */
  #rested(): void {
    if (this.#state === 'stopped' || this.#state === 'failed' || !this.#runner || this.#state === 'starting')
      return
    const view = this.#runner.view()
    const before = this.#view
    this.#view = view
    if (this.#regrouping.isUnderWay) return
    const changed = !this.#news.told || before === null || groupDiffers(before, view)
    const route = `${view.leader} ${view.term} ${view.ready}`
    if (route !== this.#route) {
      this.#route = route
      if (view.leader !== null) {
        this.#sendAgain()
        if (this.#readiness.isIn(view)) this.#submissions.prepare()
      }
    }
    if (!changed) {
      if (before.configurationCommitted !== view.configurationCommitted || before.ready !== view.ready)
        this.#members.act()
      this.#readiness.wake(view)
      return
    }
    if (before?.configuration !== view.configuration) this.#goingAlone.onProof()
    this.#news.tell()
    this.#readiness.wake(view)
  }

  #notify(to: NodeId, frame: Frame): boolean {
    return this.#ports.peers.notify(to, SERVICE, encodeFrame(frame))
  }

  async #restore(meta: SnapshotMeta): Promise<void> {
    const { index } = meta
    try {
      const bytes = await this.#snapshots.restore(meta)
      if (bytes === null) return
      this.#submissions.restored(this.#applier.sessions)
      this.#ports.logger.log('info', 'snapshot installed', { index, bytes })
      this.#events.emit('snapshotInstalled', { index })
    } catch (error) {
      this.#fail(error)
    }
  }

  #note(note: Note): void {
    this.#commands.propose([encodeNote(note)])
  }

  /** First contact begins, with what the folder says of this node. */
  #meet(): void {
    const { groupFile, identity } = this.#opened()
    this.#contact.start(groupFile.promise, { disk: identity.disk, renounced: identity.renounced })
  }

  #opened(): OpenedLog {
    assert(this.#folder.opened, 'the log runs')
    return this.#folder.opened
  }

  /** Begins as a node without a group: the folder was emptied, the machines are now. */
  async #startOver(empty: () => Promise<void>): Promise<void> {
    await this.#runner?.stop()
    await empty()
    if (this.#state !== 'running') return
    this.#applier.reset()
    this.#snapshots.begin(null)
    this.#readiness.reset()
    this.#run({ hardState: null, snapshot: null, entries: [] })
    this.#meet()
  }

  /** After `#startOver`: everything around the log finds its way again. */
  #begunAnew(): void {
    this.#forks.moved()
    this.#peerEvents.begunAnew()
    this.#submissions.closed()
    this.#barriers.restart()
    this.#rested()
    this.#contact.group(null)
  }

  #stopError(): ClusterError | null {
    if (this.#state === 'running') return this.#forks.error
    if (this.#state === 'new' || this.#state === 'starting') return notStarted()
    return this.#state === 'failed' ? hasFailed(this.#failure) : wasStopped()
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
    this.#ticking.stop()
    this.#peerEvents.stop()
    this.#submissions.stop(error)
    this.#barriers.stop()
    this.#calls.stop(error)
    this.#applier.stop()
    this.#snapshots.stop()
    this.#folder.giveUp()
    await this.#runner?.stop()
    await this.#folder.close()
  }
}
