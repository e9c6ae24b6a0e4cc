import { leaseHolds } from './lease.ts'
import { haveQuorums } from './quorum.ts'
import { sendHeartbeats } from './replication.ts'
import { stir } from './rest.ts'
import type { Office, State } from './state.ts'
import type { Ref } from './types.ts'

/** A leader knows what is committed once an entry of its own term is. */
export function isReady(state: State, office: Office): boolean {
  return state.commitIndex >= office.firstIndex
}

export function stepRead(state: State, ref: Ref): void {
  const { office } = state
  if (office === null) {
    state.out.emit({ type: 'readFailed', ref, reason: 'notLeader', leader: state.leader })
    return
  }
  if (isReady(state, office) && leaseHolds(state, office)) {
    state.out.emit({ type: 'readReady', ref, index: state.commitIndex })
    return
  }
  const open = office.waitingReads.length + (office.openReads?.refs.length ?? 0)
  if (open >= state.settings.readsMax) {
    state.out.emit({ type: 'readFailed', ref, reason: 'busy', leader: state.self })
    return
  }
  office.waitingReads.push(ref)
  stir(state, office)
  answerReads(state, office)
}

/**
 * Answers the reads whose round a quorum has replied to, and begins the next round for those that wait. All that came
 * in meanwhile share one round.
 */
export function answerReads(state: State, office: Office): void {
  for (;;) {
    const open = office.openReads
    if (open !== null) {
      const confirmed = haveQuorums(
        state.quorums(),
        (voter) => voter === state.self || (office.progress.get(voter)?.round ?? 0) >= open.round,
      )
      if (!confirmed) return
      for (const ref of open.refs) state.out.emit({ type: 'readReady', ref, index: open.index })
      office.openReads = null
    }
    if (office.waitingReads.length === 0 || !isReady(state, office)) return
    office.round++
    office.openReads = { round: office.round, index: state.commitIndex, refs: office.waitingReads }
    office.waitingReads = []
    sendHeartbeats(state, office)
  }
}

/** The office ends: nobody knows any more whether the reads would be right here. */
export function failReads(state: State, office: Office): void {
  const refs = [...(office.openReads?.refs ?? []), ...office.waitingReads]
  for (const ref of refs)
    state.out.emit({ type: 'readFailed', ref, reason: 'notLeader', leader: state.leader })
  office.openReads = null
  office.waitingReads = []
}
