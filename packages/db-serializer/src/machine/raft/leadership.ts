import { assert, type NodeId, type Term } from '@cluster/core'
import { isWitness, withoutOutgoing } from './configuration.ts'
import { entryBytes } from './log-tail.ts'
import { Progress } from './progress.ts'
import { haveQuorums, quorumsValue } from './quorum.ts'
import { answerReads, failReads, isReady } from './read-index.ts'
import { peersOf, sendAppends, sendHeartbeats, sendNews } from './replication.ts'
import { patienceMs, stir } from './rest.ts'
import type { Office, State } from './state.ts'
import type { Configuration, Entry } from './types.ts'

/** What an entry is besides its place and time. */
export type EntryContent =
  | { readonly kind: 'command'; readonly data: Uint8Array }
  | { readonly kind: 'noop' }
  | { readonly kind: 'configuration'; readonly configuration: Configuration }

/** Leaves whatever post it had; the term may be a newer one. */
export function becomeFollower(state: State, term: Term, leader: NodeId | null): void {
  if (term > state.term) state.changeHard({ term, votedFor: null })
  const { office } = state
  state.post = 'follower'
  state.leader = leader
  state.votes.clear()
  state.ownVoteTicket = null
  state.campaignByTransfer = false
  state.leaderRests = false
  state.office = null
  if (leader !== null) {
    state.leaderHeardAt = state.now
    state.suspicion = null
  }
  state.restElection()
  if (office !== null) failReads(state, office)
}

/** Takes office. The first entry is what makes everything before it committed. */
export function becomeLeader(state: State, first: EntryContent): void {
  const office: Office = {
    progress: new Map(),
    firstIndex: (state.log.lastIndex + 1) as Office['firstIndex'],
    startNow: state.now,
    startTime: state.log.lastTime,
    heartbeatAt: state.now,
    rests: false,
    stirredAt: state.now,
    wokenAt: state.now,
    round: 0,
    asked: [],
    leaseOver: false,
    waitingReads: [],
    openReads: null,
    transfer: null,
    uncommittedBytes: 0,
  }
  for (const entry of state.log.slice(state.commitIndex + 1, state.log.lastIndex))
    office.uncommittedBytes += entryBytes(entry)
  state.post = 'leader'
  state.leader = state.self
  state.leaderHeardAt = state.now
  state.suspicion = null
  state.votes.clear()
  state.ownVoteTicket = null
  state.campaignByTransfer = false
  state.office = office
  updateProgress(state, office)
  appendAsLeader(state, office, [first])
  sendHeartbeats(state, office)
}

/** Appends entries of this term, stamped; they are durable here only after the step's write. */
export function appendAsLeader(state: State, office: Office, contents: readonly EntryContent[]): void {
  stir(state, office)
  // Log time is a clock of its own: it goes on from the last entry by the time this leader is in office.
  const elapsed = Math.floor(state.now - office.startNow)
  const time = Math.max(state.log.lastTime, office.startTime + elapsed)
  let index: number = state.log.lastIndex
  const entries = contents.map((content): Entry => {
    index++
    const head = { index: index as Entry['index'], term: state.term, time, wall: state.wall }
    return { ...head, ...content }
  })
  for (const entry of entries) office.uncommittedBytes += entryBytes(entry)
  state.appendEntries(entries)
  if (contents.some((content) => content.kind === 'configuration')) updateProgress(state, office)
}

/** All that get entries under the configuration. */
function listened({ voters, learners, outgoing = [] }: Configuration): readonly NodeId[] {
  return [...voters, ...learners, ...outgoing]
}

/** Follows the configuration: new nodes get a progress; leaving ones keep theirs until their leave is committed. */
function updateProgress(state: State, office: Office): void {
  const { newest, previous } = state.configurations
  if (newest === null) return
  const wanted = new Set(listened(newest.configuration))
  if (newest.index > state.commitIndex && previous !== null) {
    for (const node of listened(previous.configuration)) wanted.add(node)
  }
  wanted.delete(state.self)
  for (const node of office.progress.keys()) if (!wanted.has(node)) office.progress.delete(node)
  for (const node of [...wanted].sort()) {
    if (!office.progress.has(node))
      office.progress.set(node, new Progress((state.log.lastIndex + 1) as Office['firstIndex']))
  }
}

/** Commits what a quorum has durably, and does what follows from it. */
export function advanceCommit(state: State): void {
  const { office } = state
  if (office === null) return
  for (;;) {
    const before = state.commitIndex
    const reached = quorumsValue(state.quorums(), (voter) =>
      voter === state.self ? state.durableIndex : (office.progress.get(voter)?.match ?? 0),
    )
    // Entries of earlier terms are never counted by themselves: another leader could still replace them.
    if (reached <= before || state.log.termAt(reached) !== state.term) break
    for (const entry of state.log.slice(before + 1, reached)) office.uncommittedBytes -= entryBytes(entry)
    state.commitIndex = reached as Office['firstIndex']
    configurationCommitted(state, office, before)
    retire(state, office)
    if (state.office === null) return
  }
  letGo(state, office)
  sendNews(state, office)
  answerReads(state, office)
}

/** Once both sets of voters have agreed to go from the one to the other, the first has done its part. */
function letGo(state: State, office: Office): void {
  const { newest } = state.configurations
  if (newest?.configuration.outgoing === undefined) return
  if (newest.index > state.commitIndex || !isReady(state, office)) return
  const configuration = withoutOutgoing(newest.configuration)
  appendAsLeader(state, office, [{ kind: 'configuration', configuration }])
}

function configurationCommitted(state: State, office: Office, before: number): void {
  const { newest } = state.configurations
  if (newest === null || newest.index <= before || newest.index > state.commitIndex) return
  if (newest.configuration.outgoing !== undefined) return
  // Those that left learn of it from this last message; then nothing more is sent to them.
  const { voters, learners } = newest.configuration
  for (const node of peersOf(office)) {
    if (!voters.includes(node) && !learners.includes(node)) sendAppends(state, office, node, true)
  }
  updateProgress(state, office)
}

/**
 * A leader that is no voter any more has done its last duty; the voter that is furthest takes over. It may have taken
 * office as such: only its log was good enough, and the entry that let it go was not known to be committed.
 */
function retire(state: State, office: Office): void {
  const { newest } = state.configurations
  if (newest === null || newest.index > state.commitIndex) return
  const { voters, outgoing } = newest.configuration
  if (outgoing !== undefined || voters.includes(state.self)) return
  sendNews(state, office)
  const heir = furthest(state, office, voters)
  if (heir !== undefined) sendTimeoutNow(state, heir)
  becomeFollower(state, state.term, null)
}

/** Whose log is the longest, those with data first. */
function furthest(state: State, office: Office, nodes: readonly NodeId[]): NodeId | undefined {
  const configuration = state.configurations.newest?.configuration ?? null
  const rank = (node: NodeId): number => (isWitness(configuration, node) ? 0 : 1)
  const match = (node: NodeId): number => office.progress.get(node)?.match ?? 0
  return [...nodes].sort((a, b) => rank(b) - rank(a) || match(b) - match(a))[0]
}

/**
 * A witness leads only because no voter with data had all that may be committed. It gives them what they lack, and
 * hands over as soon as one of them follows.
 */
function driveHandOver(state: State, office: Office): void {
  if (!state.isWitness || office.transfer !== null || !isReady(state, office)) return
  const able = state.voters().filter((voter) => {
    const progress = office.progress.get(voter)
    const lag = state.log.lastIndex - (progress?.match ?? 0)
    return progress?.state === 'replicate' && lag <= state.settings.promoteLagMax
  })
  const heir = furthest(state, office, able)
  if (heir !== undefined) stepTransfer(state, heir)
}

function sendTimeoutNow(state: State, to: NodeId): void {
  if (state.office !== null) state.office.leaseOver = true
  state.send(to, { type: 'timeoutNow', lineage: state.lineage, term: state.term })
}

/** Hands over as soon as the chosen voter has everything. */
export function driveTransfer(state: State, office: Office): void {
  const { transfer } = office
  if (transfer === null || transfer.sent) return
  if ((office.progress.get(transfer.to)?.match ?? 0) < state.log.lastIndex) return
  transfer.sent = true
  sendTimeoutNow(state, transfer.to)
}

export function stepTransfer(state: State, to: NodeId): void {
  const { office } = state
  const possible =
    office !== null &&
    office.transfer === null &&
    to !== state.self &&
    state.isVoter(to) &&
    !isWitness(state.configurations.newest?.configuration ?? null, to) &&
    !state.links.isDown(to)
  if (!possible) {
    state.out.emit({ type: 'transferFailed', to })
    return
  }
  office.transfer = { to, deadline: state.now + state.settings.electionTimeoutMs, sent: false }
  sendAppends(state, office, to, true)
  driveTransfer(state, office)
}

/** The leader's part of a tick: signs of life, the end of a transfer, and whether a quorum still hears it. */
export function tickLeader(state: State, office: Office): void {
  const limitMs = patienceMs(state, office)
  const heard = haveQuorums(state.quorums(), (voter) => {
    if (voter === state.self) return true
    const heardAt = office.progress.get(voter)?.heardAt ?? office.startNow
    return state.now - Math.max(heardAt, office.wokenAt) < limitMs
  })
  // One whose disk stalls holds everybody up; with others there, one of them can do better.
  const stalls = state.diskStalls && state.voters().length > 1
  if (!heard || stalls) {
    becomeFollower(state, state.term, null)
    return
  }
  if (office.transfer !== null && state.now >= office.transfer.deadline) {
    state.out.emit({ type: 'transferFailed', to: office.transfer.to })
    office.transfer = null
  }
  if (state.now >= office.heartbeatAt) sendHeartbeats(state, office)
  driveHandOver(state, office)
}

/** Who had commands of its own in the log is told for so long, before anything else, what is committed. */
const WAITS_MS = 50

export function stepPropose(state: State, ref: number, data: readonly Uint8Array[], from?: NodeId): void {
  assert(data.length > 0, 'a proposal holds at least one command')
  const { office } = state
  if (office === null) {
    state.out.emit({ type: 'dropped', ref, reason: 'notLeader', leader: state.leader })
    return
  }
  const reason =
    office.transfer !== null
      ? 'transferring'
      : office.uncommittedBytes >= state.settings.uncommittedBytesMax
        ? 'busy'
        : null
  if (reason !== null) {
    state.out.emit({ type: 'dropped', ref, reason, leader: state.self })
    return
  }
  const waiting = from === undefined ? undefined : office.progress.get(from)
  if (waiting !== undefined) waiting.waitsUntil = state.now + WAITS_MS
  const index = (state.log.lastIndex + 1) as Office['firstIndex']
  appendAsLeader(
    state,
    office,
    data.map((bytes) => ({ kind: 'command', data: bytes })),
  )
  state.out.emit({ type: 'accepted', ref, index, term: state.term })
  sendNews(state, office)
}
