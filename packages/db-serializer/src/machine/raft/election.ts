import { assert, type NodeId } from '@cluster/core'
import { becomeFollower, becomeLeader } from './leadership.ts'
import { leaseBinds } from './lease.ts'
import { upToDate } from './log-tail.ts'
import { electionsOutcome } from './quorum.ts'
import type { State } from './state.ts'
import type { PreVoteMessage, PreVoteReplyMessage, VoteMessage, VoteReplyMessage } from './types.ts'

/** True while this node hears a leader (or is one): it protects it from elections then. */
export function leaderIsFresh(state: State): boolean {
  if (state.post === 'leader') return true
  return state.leader !== null && state.now - state.leaderHeardAt < state.silenceMs
}

/** Silence went on for too long: asks whether an election could be won. */
export function tickElection(state: State): void {
  if (state.now < state.electionAt) return
  // Its vote for itself could not be written either.
  if (state.diskStalls) {
    state.restElection(false)
    return
  }
  if (leaseBinds(state, state.self)) {
    state.restElection()
    return
  }
  if (!state.mayCampaign) {
    state.leader = leaderIsFresh(state) ? state.leader : null
    state.restElection()
    return
  }
  state.post = 'preCandidate'
  state.leader = null
  state.ownVoteTicket = null
  state.votes.clear()
  state.votes.set(state.self, true)
  const { suspicion } = state
  if (suspicion !== null) state.suspicion = { ...suspicion, tries: suspicion.tries + 1 }
  state.restElection()
  const message: PreVoteMessage = {
    type: 'preVote',
    lineage: state.lineage,
    term: (state.term + 1) as PreVoteMessage['term'],
    last: lastOf(state),
  }
  for (const voter of state.voters()) if (voter !== state.self) state.send(voter, message)
  countVotes(state)
}

const lastOf = (state: State): PreVoteMessage['last'] => ({
  index: state.log.last.index,
  term: state.log.last.term,
})

/** Campaigns in a new term. The requests leave, and the own vote counts, when term and vote are durable. */
function campaign(state: State, transfer: boolean): void {
  const term = (state.term + 1) as VoteMessage['term']
  state.changeHard({ term, votedFor: state.self })
  state.post = 'candidate'
  state.leader = null
  state.votes.clear()
  state.ownVoteTicket = state.out.nextTicket
  state.restElection(false)
  const message: VoteMessage = {
    type: 'vote',
    lineage: state.lineage,
    term,
    last: lastOf(state),
    transfer,
  }
  for (const voter of state.voters()) if (voter !== state.self) state.send(voter, message)
}

/** A write is done; when it was the own vote, it counts from now on. */
export function ownVotePersisted(state: State, ticket: number): void {
  if (state.post !== 'candidate' || state.ownVoteTicket === null || ticket < state.ownVoteTicket) return
  state.ownVoteTicket = null
  state.votes.set(state.self, true)
  countVotes(state)
}

function countVotes(state: State): void {
  const votes = new Map(state.votes)
  // Nothing is to be expected from a node whose link is down: an election that needs it is lost already.
  for (const voter of state.voters())
    if (!votes.has(voter) && state.links.isDown(voter)) votes.set(voter, false)
  const outcome = electionsOutcome(state.quorums(), votes)
  if (outcome === 'lost') becomeFollower(state, state.term, null)
  else if (outcome === 'won' && state.post === 'preCandidate') campaign(state, false)
  else if (outcome === 'won') becomeLeader(state, { kind: 'noop' })
}

/** Promises nothing: says whether this node would vote, and changes nothing. */
export function stepPreVote(state: State, from: NodeId, message: PreVoteMessage): void {
  state.campaigned.set(from, message.last)
  const free =
    message.term > state.term ||
    (message.term === state.term && (state.hard.votedFor === null || state.hard.votedFor === from))
  const granted =
    free && !leaderIsFresh(state) && !leaseBinds(state, from) && upToDate(message.last, state.log.last)
  const committedTerm = state.log.termAt(state.commitIndex)
  assert(committedTerm !== null, 'what is committed is in the log or its base')
  state.send(from, {
    type: 'preVoteReply',
    lineage: state.lineage,
    term: granted ? message.term : state.term,
    granted,
    commit: { index: state.commitIndex, term: committedTerm },
    ...state.onDisk,
  })
}

/**
 * Whoever answers tells what is committed. When this log has the same entry there, it is committed here too,
 * whatever the terms: so the last voter finds out that the one it asks has left.
 */
export function learnCommit(state: State, { commit }: PreVoteReplyMessage): void {
  if (
    state.office === null &&
    commit.index > state.commitIndex &&
    state.log.termAt(commit.index) === commit.term
  )
    state.commitIndex = commit.index
}

export function stepPreVoteReply(state: State, from: NodeId, message: PreVoteReplyMessage): void {
  if (state.post !== 'preCandidate') return
  if (message.granted && message.term !== state.term + 1) return
  if (!state.counts(from, message.disk)) return
  state.votes.set(from, message.granted)
  countVotes(state)
}

/**
 * Votes, once a term. The message's term is this node's by now. A node that does not know yet that it was made a
 * voter votes too: only voters are asked, and without its vote a group could be stuck.
 */
export function stepVote(state: State, from: NodeId, message: VoteMessage): void {
  const { votedFor } = state.hard
  const granted =
    (votedFor === null || votedFor === from) &&
    state.leader === null &&
    (message.transfer || !leaseBinds(state, from)) &&
    upToDate(message.last, state.log.last)
  if (granted) {
    if (votedFor === null) state.changeHard({ votedFor: from })
    state.restElection(false)
  }
  state.send(from, {
    type: 'voteReply',
    lineage: state.lineage,
    term: state.term,
    granted,
    ...state.onDisk,
  })
}

export function stepVoteReply(state: State, from: NodeId, message: VoteReplyMessage): void {
  if (state.post !== 'candidate' || !state.counts(from, message.disk)) return
  state.votes.set(from, message.granted)
  countVotes(state)
}

/** The leader hands over: no silence needs to be waited for, and nobody needs to be asked before. */
export function stepTimeoutNow(state: State, from: NodeId): void {
  if (state.post !== 'follower' || state.leader !== from || !state.voters().includes(state.self)) return
  campaign(state, true)
}
