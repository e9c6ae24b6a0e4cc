import { leaderIsFresh } from './election.ts'
import { upToDate } from './log-tail.ts'
import { goOnAlone } from './membership.ts'
import { haveQuorums } from './quorum.ts'
import type { State } from './state.ts'
import type { Input, LogPosition, RecoverRefusal } from './types.ts'

/**
 * The operator says that most of the voters are lost for good. This node goes on from what it has, as the only voter of a
 * new lineage; survivors that have no more than it follow. What only the lost ones had is gone.
 */
export function stepRecover(state: State, { lineage }: Extract<Input, { type: 'recover' }>): void {
  const refused = judge(state)
  if (refused !== null) {
    state.out.emit({ type: 'recoverRefused', ...refused })
    return
  }
  const { index, term } = state.log.last
  goOnAlone(state, lineage)
  state.out.emit({ type: 'recovered', last: { index, term } satisfies LogPosition })
}

function judge(state: State): RecoverRefusal | null {
  const newest = state.configurations.newest
  if (state.history === null || newest === null) return { reason: 'noGroup', peer: null }
  if (state.isWitness) return { reason: 'witness', peer: null }
  const present = haveQuorums(state.quorums(), (voter) => voter === state.self || state.links.isUp(voter))
  if (present || leaderIsFresh(state)) return { reason: 'quorumThere', peer: state.leader }
  for (const [peer, last] of state.campaigned) {
    const survives = state.links.isUp(peer) && state.voters().includes(peer)
    if (survives && !upToDate(state.log.last, last)) return { reason: 'notNewest', peer }
  }
  return null
}
