import { assert, type LogIndex, logIndex, type NodeId } from '@cluster/core'
import { appendReply, hearLeader } from './follower.ts'
import { becomeFollower } from './leadership.ts'
import { sendAppends } from './replication.ts'
import type { State } from './state.ts'
import type { Input, SnapshotMeta } from './types.ts'

type Received = Extract<Input, { type: 'snapshotReceived' }>

/** What a snapshot taken after `index` must say of itself. */
export function snapshotMetaAt(state: State, index: LogIndex): SnapshotMeta {
  const { snapshot, history, log, configurations } = state
  if (snapshot !== null && snapshot.index === index) return snapshot
  const placed = configurations.at(index)
  const term = log.termAt(index)
  assert(index <= state.appliedIndex, 'a snapshot holds applied entries only')
  assert(placed !== null && term !== null && history !== null, `nothing is known of index ${index}`)
  return {
    index,
    term,
    time: log.timeAt(index),
    configuration: placed.configuration,
    configurationIndex: placed.index,
    history,
  }
}

/** A leader's snapshot is here. It takes the place of the log unless the log has all of it. */
export function stepSnapshotReceived(state: State, { ref, from, term, meta }: Received): void {
  const foreign = meta.history.lineage !== state.history?.lineage
  if (foreign || term < state.term || state.post === 'leader') {
    state.out.emit({ type: 'snapshotRefused', ref })
    return
  }
  if (term > state.term) becomeFollower(state, term, from)
  else hearLeader(state, from)
  if (meta.index <= state.log.lastIndex && state.log.matches(meta)) {
    // Entries behind it may have been acknowledged, so they stay; they are what the snapshot would bring.
    if (meta.index > state.commitIndex) state.commitIndex = meta.index
    state.out.emit({ type: 'snapshotRefused', ref })
    const match = logIndex(Math.min(meta.index, state.durableIndex))
    state.send(from, appendReply(state, from, 0, match, null))
    return
  }
  assert(meta.index > state.commitIndex, 'a snapshot differs from what is committed')
  state.log.reset(meta, meta.time)
  state.configurations.reset({ index: meta.configurationIndex, configuration: meta.configuration })
  state.snapshot = meta
  state.commitIndex = meta.index
  state.appliedIndex = meta.index
  state.durableIndex = logIndex(0)
  state.out.replaceBySnapshot({ ref, meta })
  state.out.whenDurable({ type: 'restore', ref, meta })
  state.out.sendWhenDurable(from, appendReply(state, from, 0, meta.index, null))
}

/** The stream of a snapshot to a follower ended. */
export function stepSnapshotSent(state: State, to: NodeId, index: LogIndex, ok: boolean): void {
  const progress = state.office?.progress.get(to)
  if (state.office === null || progress === undefined || progress.state !== 'snapshot') return
  progress.probeFrom(ok ? index + 1 : progress.match + 1)
  if (ok) sendAppends(state, state.office, to, true)
}

/** The driver made a snapshot of its own: what lies before `cutBefore` may go. */
export function stepCompact(state: State, snapshot: SnapshotMeta, cutBefore: LogIndex): void {
  assert(snapshot.index <= state.appliedIndex, 'a snapshot holds applied entries only')
  assert(cutBefore <= snapshot.index + 1, 'entries after the snapshot must stay')
  if (state.snapshot !== null && state.snapshot.index > snapshot.index) return
  state.snapshot = snapshot
  state.log.cutBefore(cutBefore)
  state.configurations.cutBefore(snapshot.index)
}
