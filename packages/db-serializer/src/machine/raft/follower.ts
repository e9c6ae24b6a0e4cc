import { type LogIndex, logIndex, type NodeId } from '@cluster/core'
import { advanceCommit, becomeFollower, driveTransfer } from './leadership.ts'
import { grantedLease, grantLease } from './lease.ts'
import { answerReads } from './read-index.ts'
import { sendAppends } from './replication.ts'
import type { State } from './state.ts'
import type { AppendMessage, AppendReplyMessage, LogPosition } from './types.ts'

/** The leader of this term spoke. */
export function hearLeader(state: State, from: NodeId, rests = false): void {
  if (state.post !== 'follower' || state.leader !== from) {
    becomeFollower(state, state.term, from)
    return
  }
  state.leaderHeardAt = state.now
  state.leaderRests = rests
  state.suspicion = null
  state.restElection()
}

/** What a follower answers, as its log and configuration are now. */
export function appendReply(
  state: State,
  to: NodeId,
  round: number,
  match: LogIndex,
  rejected: AppendReplyMessage['rejected'],
): AppendReplyMessage {
  const configuration = state.configurations.newestIndex
  return {
    type: 'appendReply',
    lineage: state.lineage,
    term: state.term,
    round,
    match,
    rejected,
    configuration,
    acknowledged: state.links.hasAgreed(to, { term: state.term, configuration }),
    ...state.onDisk,
    ...grantedLease(state, to),
  }
}

/** An append of an older term: its sender learns from the answer that its office is over. */
export function refuseAppend(state: State, from: NodeId, message: AppendMessage): void {
  const hint: LogPosition = { index: state.log.last.index, term: state.log.last.term }
  const rejected = { previous: message.previous.index, hint }
  state.send(from, appendReply(state, from, message.round, logIndex(0), rejected))
}

/** Entries or a sign of life from the leader of this node's term. */
export function stepAppend(state: State, from: NodeId, message: AppendMessage): void {
  hearLeader(state, from, message.rest)
  grantLease(state, from)
  const { log } = state
  const { previous, entries, round } = message
  if (!log.matches(previous)) {
    const hint = log.agreeAtMost(previous.index, previous.term)
    const rejected = { previous: previous.index, hint: { index: hint.index, term: hint.term } }
    state.send(from, appendReply(state, from, round, logIndex(0), rejected))
    return
  }
  // What is there already is not written again, and only a real difference cuts the log: a message that
  // comes late must not remove what a later one brought.
  const news = entries.findIndex(
    (entry) => entry.index > log.base.index && log.termAt(entry.index) !== entry.term,
  )
  if (news >= 0) {
    const fresh = news === 0 ? entries : entries.slice(news)
    const first = fresh[0]
    if (first !== undefined && first.index <= log.lastIndex) state.truncateLogFrom(first.index)
    state.appendEntries(fresh)
  }
  if (message.everywhere !== undefined && message.everywhere > state.everywhere)
    state.everywhere = message.everywhere
  const end = logIndex(Math.max(previous.index + entries.length, log.base.index))
  // Only up to here is the log known to be the leader's.
  const commit = Math.min(message.commit, end)
  if (commit > state.commitIndex) state.commitIndex = logIndex(commit)

  const configuration = state.configurations.newestIndex
  if (message.acknowledged && message.configuration === configuration && state.isVoter(state.self))
    state.links.agreed(from, { term: state.term, configuration })

  if (news >= 0) {
    state.out.sendWhenDurable(from, appendReply(state, from, round, end, null))
  } else {
    const match = logIndex(Math.min(end, state.durableIndex))
    state.send(from, appendReply(state, from, round, match, null))
  }
}

/** A follower's answer, at the leader. */
export function stepAppendReply(state: State, from: NodeId, message: AppendReplyMessage): void {
  const { office } = state
  const progress = office?.progress.get(from)
  if (office === null || progress === undefined || !state.counts(from, message.disk)) return
  progress.heardAt = state.now
  progress.round = Math.max(progress.round, message.round)
  if ((message.lease ?? 0) >= state.settings.leaseMs)
    progress.leaseRound = Math.max(progress.leaseRound, message.round)
  if (message.rejected !== null) {
    const { previous, hint } = message.rejected
    const stale =
      progress.state === 'snapshot' ||
      previous <= progress.match ||
      (progress.state === 'probe' && previous !== progress.next - 1)
    if (!stale) {
      const agree = state.log.agreeAtMost(hint.index, hint.term)
      // A position before the base cannot be compared; what lies there comes as a snapshot.
      const comparable = hint.index >= state.log.base.index && agree.term <= hint.term
      progress.probeFrom(comparable ? Math.min(agree.index + 1, previous) : agree.index)
    }
    sendAppends(state, office, from, false)
    answerReads(state, office)
    return
  }
  const mutual = noteAcknowledgement(state, from, message)
  const news = progress.acknowledged(message.match)
  if (news) {
    advanceCommit(state)
    if (state.office !== office) return
    driveTransfer(state, office)
  }
  const behind =
    progress.state === 'replicate' && progress.inflight === 0 && progress.sentCommit < state.commitIndex
  sendAppends(state, office, from, mutual || behind)
  answerReads(state, office)
}

/** Remembers over which link the two acknowledged each other; true when the follower should hear of it soon. */
function noteAcknowledgement(state: State, from: NodeId, message: AppendReplyMessage): boolean {
  const configuration = state.configurations.newestIndex
  if (message.configuration !== configuration || message.match < state.commitIndex || !state.isVoter(from))
    return false
  const acknowledgement = { term: state.term, configuration }
  const first = state.links.heard(from, acknowledgement)
  if (message.acknowledged) state.links.agreed(from, acknowledgement)
  return first && state.voters().length === 2
}
