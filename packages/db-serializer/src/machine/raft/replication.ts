import { type LogIndex, logIndex, type NodeId } from '@cluster/core'
import { isWitness } from './configuration.ts'
import { leaseAsked } from './lease.ts'
import { entryBytes } from './log-tail.ts'
import type { Progress } from './progress.ts'
import { rests } from './rest.ts'
import { NOWHERE, type Office, type State } from './state.ts'
import type { AppendMessage, Entry, LogPosition } from './types.ts'

/** The other nodes in sorted order, so that one input gives one trace. */
export function peersOf(office: Office): readonly NodeId[] {
  return [...office.progress.keys()].sort()
}

function appendMessage(
  state: State,
  office: Office,
  to: NodeId,
  previous: LogPosition,
  entries: readonly Entry[],
): AppendMessage {
  const configuration = state.configurations.newestIndex
  const witness = state.isWitnessNode(to)
  return {
    type: 'append',
    lineage: state.lineage,
    term: state.term,
    previous,
    entries,
    commit: state.commitIndex,
    round: office.round,
    configuration,
    acknowledged: state.links.hasHeard(to, { term: state.term, configuration }),
    ...(office.rests && { rest: true }),
    ...(witness && { everywhere: everywhere(state, office) }),
  }
}

/** Up to where every voter with data is known to have the log. */
function everywhere(state: State, office: Office): LogIndex {
  const configuration = state.configurations.newest?.configuration ?? null
  let least: number = state.commitIndex
  for (const voter of state.voters()) {
    if (isWitness(configuration, voter)) continue
    const match = voter === state.self ? state.durableIndex : (office.progress.get(voter)?.match ?? 0)
    least = Math.min(least, match)
  }
  return logIndex(least)
}

function recentlyHeard(state: State, progress: Progress): boolean {
  return progress.heardAt !== null && state.now - progress.heardAt <= state.settings.electionTimeoutMs
}

/**
 * Sends the peer what it lacks, as far as its window has room.
 * @param always sends a message without entries when there is nothing else: a sign of life, a new commit index
 */
export function sendAppends(state: State, office: Office, to: NodeId, always: boolean): void {
  const progress = office.progress.get(to)
  if (progress === undefined || state.links.isDown(to)) return
  const { log, settings } = state
  let sent = false
  const transmit = (previous: LogPosition, entries: readonly Entry[]): void => {
    state.send(to, appendMessage(state, office, to, previous, entries))
    progress.sentCommit = state.commitIndex
    sent = true
  }
  const previousOf = (): LogPosition | null => {
    if (progress.state === 'snapshot') return null
    const index = progress.next - 1
    const term = log.termAt(index)
    return term === null ? null : { index: index as LogPosition['index'], term }
  }

  let previous = previousOf()
  if (previous === null && progress.state !== 'snapshot' && recentlyHeard(state, progress)) {
    progress.awaitSnapshot(state.snapshot?.index ?? log.base.index)
    const witness = state.isWitnessNode(to)
    state.out.emit({ type: 'sendSnapshot', to, atLeast: log.base.index, term: state.term, witness })
  }
  while (previous !== null && progress.next <= log.lastIndex && progress.hasRoom(settings)) {
    const entries = log.slice(progress.next, log.lastIndex, settings.appendBytesMax)
    transmit(previous, entries)
    const last = entries.at(-1)
    if (last === undefined) break
    progress.sent(
      last.index,
      entries.reduce((sum, entry) => sum + entryBytes(entry), 0),
    )
    previous = previousOf()
  }
  // A follower whose place is not known gets its sign of life at the very beginning, where all logs agree.
  if (always && !sent) transmit(previous ?? NOWHERE, [])
}

/**
 * Sends new entries, or a new commit index: at once where somebody waits for it, else to those that will not answer
 * anything soon that it could follow. Entries go to voters first, as a quorum of them is what everybody waits for.
 */
export function sendNews(state: State, office: Office): void {
  const waits = ({ waitsUntil }: Progress): boolean => waitsUntil > state.now
  const first: NodeId[] = []
  const then: NodeId[] = []
  for (const to of peersOf(office)) {
    const progress = office.progress.get(to)
    if (progress === undefined) continue
    const urgent = progress.next <= state.log.lastIndex ? state.isVoter(to) : waits(progress)
    if (urgent) first.push(to)
    else then.push(to)
  }
  for (const to of [...first, ...then]) {
    const progress = office.progress.get(to)
    if (progress === undefined) continue
    const tell = progress.state === 'replicate' && (progress.inflight === 0 || waits(progress))
    sendAppends(state, office, to, tell && progress.sentCommit < state.commitIndex)
  }
}

/** A sign of life to everybody; also what carries a new round. */
export function sendHeartbeats(state: State, office: Office): void {
  leaseAsked(state, office)
  const { heartbeatMs, restFactor } = state.settings
  office.rests = rests(state, office)
  office.heartbeatAt = state.now + heartbeatMs * (office.rests ? restFactor : 1)
  for (const to of peersOf(office)) sendAppends(state, office, to, true)
}
