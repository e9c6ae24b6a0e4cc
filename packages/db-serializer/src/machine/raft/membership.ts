import { assert, type LineageId, type LogIndex, logIndex, type NodeId, term } from '@cluster/core'
import {
  changedConfiguration,
  inEveryQuorum,
  onlyVoter,
  type PlacedConfiguration,
  partsOf,
} from './configuration.ts'
import { appendAsLeader, becomeFollower, becomeLeader } from './leadership.ts'
import { leaseBinds } from './lease.ts'
import { isReady } from './read-index.ts'
import { sendNews } from './replication.ts'
import type { State } from './state.ts'
import type {
  AloneRefusal,
  ChangeRefusal,
  Configuration,
  ConfigurationChange,
  Input,
  Lineage,
  LineageMessage,
} from './types.ts'

/** One change of membership, as an entry of its own. */
export function stepChange(state: State, ref: number, change: ConfigurationChange): void {
  const { office } = state
  if (office === null || office.transfer !== null) {
    const reason = office === null ? 'notLeader' : 'transferring'
    state.out.emit({ type: 'dropped', ref, reason, leader: state.leader })
    return
  }
  const answer = judgeChange(state, change)
  if (typeof answer === 'string') {
    state.out.emit({ type: 'changeRefused', ref, reason: answer })
    return
  }
  const index = logIndex(state.log.lastIndex + 1)
  appendAsLeader(state, office, [{ kind: 'configuration', configuration: answer }])
  state.out.emit({ type: 'accepted', ref, index, term: state.term })
  sendNews(state, office)
}

function judgeChange(state: State, change: ConfigurationChange): Configuration | ChangeRefusal {
  const { office } = state
  const newest = state.configurations.newest
  assert(office !== null && newest !== null, 'a leader has a configuration')
  if (newest.index > state.commitIndex || newest.configuration.outgoing !== undefined) return 'changePending'
  // Before that, an uncommitted configuration of an earlier leader could still be in force somewhere.
  if (!isReady(state, office)) return 'notReady'
  const changed = changedConfiguration(newest.configuration, change)
  if (changed === null) return 'noSuchChange'
  if (changed.voters.length === 0) return 'lastVoter'
  for (const { type, node } of partsOf(change)) {
    if (type !== 'promote') continue
    const progress = office.progress.get(node)
    const lag = state.commitIndex - (progress?.match ?? 0)
    const follows = progress?.state === 'replicate' && lag <= state.settings.promoteLagMax
    if (!follows) return 'notCaughtUp'
  }
  return changed
}

/** A fresh node founds a group. */
export function stepForm(state: State, history: Lineage, provisional: boolean): void {
  assert(state.history === null, 'a node with a history does not form a group')
  found(state, history, onlyVoter(state.self, null, provisional, state.settings.disk), false)
}

/** A fresh node was admitted to a group; its leader will send the log. */
export function stepJoin(state: State, history: Lineage): void {
  assert(state.history === null, 'a node with a history does not join another group')
  state.changeHard({ history })
  state.out.emit({ type: 'lineage', history, alone: false })
}

/**
 * Takes office as the only voter, in a new history. Hard state and configuration go into one write, and nothing leaves
 * this node or counts as committed before it is durable.
 */
function found(state: State, history: Lineage, configuration: Configuration, alone: boolean): void {
  becomeFollower(state, state.term, null)
  state.changeHard({
    history,
    term: term(state.term + 1),
    votedFor: state.self,
    alone,
    committed: logIndex(state.log.lastIndex + 1),
    founding: true,
  })
  state.out.emit({ type: 'lineage', history, alone })
  becomeLeader(state, { kind: 'configuration', configuration })
}

/** A crash came between the hard state of `found` and its entry: does the rest. Nothing was acknowledged yet. */
export function finishFounding(state: State): void {
  const { history, hard } = state
  if (history === null || !hard.founding || hard.committed <= state.log.lastIndex) return
  const before = state.configurations.newest?.configuration ?? null
  found(
    state,
    history,
    onlyVoter(state.self, before, before?.provisional ?? true, state.settings.disk),
    hard.alone,
  )
}

type GoAlone = Extract<Input, { type: 'goAlone' }>

/** The other of two voters is proved dead by the transport; the rest of the proof is judged here. */
export function stepGoAlone(state: State, input: GoAlone): void {
  const { peer, lineage } = input
  const reason = judgeAlone(state, input)
  if (reason !== null) {
    state.out.emit({ type: 'aloneRefused', peer, reason })
    return
  }
  // What only this leader proposed was agreed on by nobody. In the log of the new history it would be in force for
  // everybody who has that log just so far: an earlier voter that catches up could elect itself there.
  const own = state.configurations.since(state.commitIndex).find((placed) => isOwnProposal(state, placed))
  if (own !== undefined) state.truncateLogFrom(own.index)
  goOnAlone(state, lineage)
}

/** Founds a new lineage of this one voter, from the end of its log. */
export function goOnAlone(state: State, lineage: LineageId): void {
  const { history } = state
  const newest = state.configurations.newest
  assert(history !== null && newest !== null, 'there is a history and a configuration to go on from')
  const { index, term: lastTerm } = state.log.last
  const senior = newest.configuration.seniors?.[0] ?? null
  const branch = { lineage: history.lineage, index, term: lastTerm, by: state.self, senior }
  found(
    state,
    { cluster: history.cluster, lineage, ancestry: [...history.ancestry, branch] },
    onlyVoter(state.self, newest.configuration, newest.configuration.provisional, state.settings.disk),
    true,
  )
}

function judgeAlone(state: State, { peer, renounced, word }: GoAlone): AloneRefusal | null {
  const newest = state.configurations.newest
  if (state.history === null || newest === null) return 'noGroup'
  if (state.isWitness) return 'witness'
  const open = state.configurations.since(state.commitIndex)
  const lastTwo = open.every(
    (placed) => isOwnProposal(state, placed) || inEveryQuorum(state.self, placed.configuration),
  )
  const voters = state.voters()
  if (!lastTwo || !voters.includes(state.self) || !voters.includes(peer) || peer === state.self)
    return 'notLastTwo'
  if (renounced !== undefined) {
    // Its vote is gone for good, and without it nothing was decided behind this node's newest configuration.
    const listed = newest.configuration.disks?.[peer]
    return listed === renounced.disk && renounced.configuration <= newest.index ? null : 'notRenounced'
  }
  if (state.links.isUp(peer)) return 'linkUp'
  // By then it leads no more: on proof of its death the driver has voided its lease before.
  if (leaseBinds(state, state.self)) return 'leaseHeld'
  if (word === true) return null
  const agreement = state.links.agreement(peer)
  const holds =
    agreement !== null &&
    agreement.term === state.term &&
    open.some(({ index }: { readonly index: LogIndex }) => index === agreement.configuration)
  return holds ? null : 'notAcknowledged'
}

/**
 * True for a configuration of this very office that is not committed. Nobody but this leader can have counted it, and
 * no other can be elected without a quorum of the configuration before.
 */
function isOwnProposal(state: State, { index }: PlacedConfiguration): boolean {
  return state.post === 'leader' && index > state.commitIndex && state.log.termAt(index) === state.term
}

/** Tells a peer where this node belongs, so that one of them can judge: after a foreign message, on a new link. */
export function tellLineage(state: State, from: NodeId): void {
  const { history } = state
  if (history === null) return
  state.send(from, { type: 'lineage', lineage: history.lineage, term: state.term, history })
}

/**
 * Another node tells its history. When it goes on from a point of this node's own history behind which nothing was
 * committed here, this node adopts it. When it is the other way round, the other is told. Else they have parted.
 */
export function stepLineage(state: State, from: NodeId, { history: theirs }: LineageMessage): void {
  const mine = state.history
  if (mine === null || theirs.cluster !== mine.cluster || theirs.lineage === mine.lineage) return
  const branch = theirs.ancestry.find(({ lineage }) => lineage === mine.lineage)
  if (branch !== undefined && certainUpTo(state) <= branch.index) {
    becomeFollower(state, state.term, null)
    // What lies behind the branch is of the other history, and its terms say nothing in this one.
    if (state.log.lastIndex > branch.index) state.truncateLogFrom(logIndex(branch.index + 1))
    state.changeHard({ history: theirs, alone: false })
    state.out.emit({ type: 'lineage', history: theirs, alone: false })
    return
  }
  if (mine.ancestry.some(({ lineage }) => lineage === theirs.lineage)) {
    tellLineage(state, from)
    return
  }
  if (state.toldForks.get(from) === theirs.lineage) return
  state.toldForks.set(from, theirs.lineage)
  state.out.emit({ type: 'forked', from, mine, theirs })
}

/** Up to where entries may have been acknowledged: a single voter commits all that it has. */
function certainUpTo(state: State): number {
  const voters = state.voters()
  const single = voters.length === 1 && voters[0] === state.self
  return single ? state.log.lastIndex : state.commitIndex
}
