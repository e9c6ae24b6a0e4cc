import { type LogIndex, logIndex, type NodeId, type Random, type Term, unreachable } from '@cluster/core'
import {
  leaderIsFresh,
  learnCommit,
  ownVotePersisted,
  stepPreVote,
  stepPreVoteReply,
  stepTimeoutNow,
  stepVote,
  stepVoteReply,
  tickElection,
} from './election.ts'
import { refuseAppend, stepAppend, stepAppendReply } from './follower.ts'
import { advanceCommit, becomeFollower, stepPropose, stepTransfer, tickLeader } from './leadership.ts'
import { leaseAtStart, leaseBinds } from './lease.ts'
import {
  finishFounding,
  stepChange,
  stepForm,
  stepGoAlone,
  stepJoin,
  stepLineage,
  tellLineage,
} from './membership.ts'
import { isReady, stepRead } from './read-index.ts'
import { stepRecover } from './recovery.ts'
import { peersOf, sendAppends } from './replication.ts'
import { snapshotMetaAt, stepCompact, stepSnapshotReceived, stepSnapshotSent } from './snapshot.ts'
import { State, settingsOf } from './state.ts'
import type {
  Effect,
  Input,
  Message,
  RaftMachine,
  RaftOptions,
  RaftView,
  Recovered,
  SnapshotMeta,
} from './types.ts'

/**
 * One node's part in the agreement on the log. Pure and deterministic: the same options, disk content, chance and
 * inputs give the same effects.
 * @see Ongaro 2014, "Consensus: bridging theory and practice"
 */
export class Raft implements RaftMachine {
  readonly #state: State
  #told: { role: string; leader: NodeId | null; term: Term; configuration: LogIndex | null }

  constructor(options: RaftOptions, recovered: Recovered, random: Random) {
    const state = new State(settingsOf(options), recovered, random)
    this.#state = state
    state.restElection()
    this.#told = {
      role: state.role,
      leader: null,
      term: state.term,
      configuration: state.configurations.newest?.index ?? null,
    }
  }

  step(input: Input): readonly Effect[] {
    const state = this.#state
    const before = state.now
    if (input.type === 'tick' || input.type === 'propose') {
      // A node that was away from its clock at start must not take that for silence of the leader.
      const first = state.now === 0
      state.now = Math.max(state.now, input.now)
      state.wall = input.wall
      if (first) {
        leaseAtStart(state)
        state.restElection()
      }
    }
    state.exactNow = 'now' in input && input.now !== undefined
    if ((input.type === 'message' || input.type === 'read') && input.now !== undefined)
      state.now = Math.max(state.now, input.now)
    finishFounding(state)
    // Who was held up for as long as an election takes may have a successor by now, whatever came in meanwhile.
    const { office } = state
    if (office !== null && state.now - before >= state.settings.electionTimeoutMs) tickLeader(state, office)
    this.#dispatch(input)
    this.#apply()
    this.#tell()
    return state.out.flush(state.hard, state.log.lastIndex, state.now)
  }

  view(): RaftView {
    const state = this.#state
    const { office, configurations, log } = state
    const newest = configurations.newest
    const voter = state.mayCampaign
    const transferAt = office?.transfer?.deadline ?? Number.POSITIVE_INFINITY
    return {
      self: state.self,
      role: state.role,
      term: state.term,
      leader: state.leader,
      history: state.history,
      alone: state.hard.alone,
      configuration: newest?.configuration ?? null,
      configurationIndex: configurations.newestIndex,
      configurationCommitted: newest !== null && newest.index <= state.commitIndex,
      ready: office !== null && isReady(state, office),
      firstIndex: logIndex(log.base.index + 1),
      lastIndex: log.lastIndex,
      durableIndex: state.durableIndex,
      commitIndex: state.commitIndex,
      appliedIndex: state.appliedIndex,
      snapshotIndex: state.snapshot?.index ?? logIndex(0),
      everywhere: state.everywhere,
      logBytes: log.bytes,
      progress:
        office === null
          ? []
          : peersOf(office).flatMap((node) => {
              const progress = office.progress.get(node)
              if (progress === undefined) return []
              return [{ node, match: progress.match, state: progress.state, heardAt: progress.heardAt }]
            }),
      wakeAt:
        office !== null
          ? Math.min(office.heartbeatAt, transferAt)
          : voter
            ? state.electionAt
            : Number.POSITIVE_INFINITY,
    }
  }

  snapshotMeta(index: LogIndex): SnapshotMeta {
    return snapshotMetaAt(this.#state, index)
  }

  #dispatch(input: Input): void {
    const state = this.#state
    switch (input.type) {
      case 'tick':
        if (state.office !== null) tickLeader(state, state.office)
        else tickElection(state)
        return
      case 'message':
        this.#receive(input.from, input.message)
        return
      case 'propose':
        stepPropose(state, input.ref, input.data, input.from)
        return
      case 'change':
        stepChange(state, input.ref, input.change)
        return
      case 'read':
        stepRead(state, input.ref)
        return
      case 'transfer':
        stepTransfer(state, input.to)
        return
      case 'persisted': {
        const durableTo = state.out.persisted(input.ticket)
        if (durableTo > state.durableIndex) state.durableIndex = durableTo
        ownVotePersisted(state, input.ticket)
        advanceCommit(state)
        return
      }
      case 'peerDead':
        if (state.lease?.to === input.peer) state.lease = null
        return
      case 'linkUp':
        state.links.up(input.peer)
        state.toldForks.delete(input.peer)
        // Two that went on alone have nothing else to say to each other, and must find out.
        tellLineage(state, input.peer)
        this.#linkChanged(input.peer)
        return
      case 'linkDown':
        state.links.down(input.peer)
        this.#linkChanged(input.peer)
        return
      case 'form':
        stepForm(state, input.history, input.provisional)
        return
      case 'join':
        stepJoin(state, input.history)
        return
      case 'snapshotReceived':
        stepSnapshotReceived(state, input)
        return
      case 'snapshotSent':
        stepSnapshotSent(state, input.to, input.index, input.ok)
        return
      case 'compact':
        stepCompact(state, input.snapshot, input.cutBefore)
        return
      case 'goAlone':
        stepGoAlone(state, input)
        return
      case 'recover':
        stepRecover(state, input)
        return
      default:
        unreachable(input)
    }
  }

  #receive(from: NodeId, message: Message): void {
    const state = this.#state
    if (state.history === null) return
    if (message.type === 'lineage') {
      stepLineage(state, from, message)
      return
    }
    if (message.lineage !== state.history.lineage) {
      tellLineage(state, from)
      return
    }
    if (message.type === 'preVoteReply') learnCommit(state, message)
    if (message.term > state.term) {
      // Whoever hears a leader protects it: a node that was cut off cannot unseat it by a higher term.
      const bound = leaderIsFresh(state) || leaseBinds(state, from)
      if (message.type === 'vote' && !message.transfer && bound) return
      const promise = message.type === 'preVote' || (message.type === 'preVoteReply' && message.granted)
      if (!promise) becomeFollower(state, message.term, message.type === 'append' ? from : null)
    } else if (message.term < state.term && message.type !== 'preVote') {
      if (message.type === 'append') refuseAppend(state, from, message)
      else if (message.type === 'vote')
        state.send(from, {
          type: 'voteReply',
          lineage: message.lineage,
          term: state.term,
          granted: false,
          ...state.onDisk,
        })
      return
    }
    switch (message.type) {
      case 'preVote':
        stepPreVote(state, from, message)
        return
      case 'preVoteReply':
        stepPreVoteReply(state, from, message)
        return
      case 'vote':
        stepVote(state, from, message)
        return
      case 'voteReply':
        stepVoteReply(state, from, message)
        return
      case 'append':
        stepAppend(state, from, message)
        return
      case 'appendReply':
        stepAppendReply(state, from, message)
        return
      case 'timeoutNow':
        stepTimeoutNow(state, from)
        return
      default:
        unreachable(message)
    }
  }

  /** A link came up or went down: what was on its way over an older one is lost. */
  #linkChanged(peer: NodeId): void {
    const state = this.#state
    const { office } = state
    if (office !== null) {
      const progress = office.progress.get(peer)
      if (progress === undefined) return
      if (progress.state !== 'snapshot') progress.probeFrom(progress.match + 1)
      if (state.links.isUp(peer)) sendAppends(state, office, peer, true)
      else if (office.transfer?.to === peer) {
        state.out.emit({ type: 'transferFailed', to: peer })
        office.transfer = null
      }
      return
    }
    if (state.leader !== peer || state.links.isUp(peer)) return
    // The leader's host closed the link or it broke: more than silence, so nobody waits for silence.
    state.leader = null
    state.suspicion = { of: peer, tries: 0 }
    state.restElection()
  }

  /** Hands out what is committed and durable here, and remembers that a configuration was committed. */
  #apply(): void {
    const state = this.#state
    const to = Math.min(state.commitIndex, state.durableIndex)
    if (to <= state.appliedIndex) return
    const entries = state.log.slice(state.appliedIndex + 1, to)
    state.appliedIndex = logIndex(to)
    state.out.emit({ type: 'apply', entries })
    const configuration = entries.findLast((entry) => entry.kind === 'configuration')
    if (configuration !== undefined && configuration.index > state.hard.committed)
      state.changeHard({ committed: configuration.index })
    if (state.hard.founding && to >= state.hard.committed) state.changeHard({ founding: false })
  }

  /** Tells what became different in this step. */
  #tell(): void {
    const state = this.#state
    const { role, leader, term } = state
    const told = this.#told
    const newest = state.configurations.newest
    if (newest !== null && newest.index !== told.configuration)
      state.out.emit({ type: 'configuration', configuration: newest.configuration, index: newest.index })
    if (role !== told.role || leader !== told.leader || term !== told.term)
      state.out.emit({ type: 'role', role, leader, term })
    this.#told = { role, leader, term, configuration: newest?.index ?? null }
  }
}
