import {
  type ClusterVersion,
  type GroupView,
  type LogIndex,
  logIndex,
  type NodeId,
  term,
} from '@cluster/core'
import type { GroupCard } from '../../machine/group/forming.ts'
import { wantsWitness } from '../../machine/group/group-policy.ts'
import { isWitness } from '../../machine/raft/configuration.ts'
import type { Configuration, RaftView } from '../../machine/raft/types.ts'

/** What the machine shows, as core's view of a group. Null before the log runs. */
export function groupView(
  view: RaftView | null,
  { applied, version }: { readonly applied: LogIndex; readonly version: ClusterVersion },
): GroupView {
  const configuration = view?.configuration
  return {
    cluster: view?.history?.cluster ?? null,
    lineage: view?.history?.lineage ?? null,
    ancestry: view?.history?.ancestry ?? [],
    term: view?.term ?? term(0),
    role: view?.role ?? 'outsider',
    leader: view?.leader ?? null,
    voters: configuration?.voters ?? [],
    learners: configuration?.learners ?? [],
    witnesses: configuration?.witnesses ?? [],
    away: configuration?.away ?? [],
    commitIndex: view?.commitIndex ?? logIndex(0),
    appliedIndex: applied,
    provisional: configuration?.provisional ?? false,
    alone: view?.alone ?? false,
    version,
  }
}

/** True when anything but the indexes is another one. */
export function groupDiffers(a: RaftView, b: RaftView): boolean {
  return (
    a.role !== b.role ||
    a.leader !== b.leader ||
    a.term !== b.term ||
    a.configuration !== b.configuration ||
    a.history !== b.history ||
    a.alone !== b.alone
  )
}

/** Voters known to hold durably what is handed out to apply; at least the majority that committed it. */
export function durableVoters({
  self,
  role,
  configuration,
  progress,
  appliedIndex,
  durableIndex,
}: RaftView): number {
  const witnesses = configuration?.witnesses ?? []
  const voters = (configuration?.voters ?? []).filter((voter) => !witnesses.includes(voter))
  let known = 0
  if (role === 'leader') {
    for (const { node, match } of progress) if (match >= appliedIndex && voters.includes(node)) known++
    if (voters.includes(self) && durableIndex >= appliedIndex) known++
  }
  // The word of a witness makes a quorum, not a copy.
  const all = configuration?.voters.length ?? 0
  const majority = Math.floor(all / 2) + 1 - (all - voters.length)
  return Math.max(known, Math.min(majority, voters.length))
}

/** What this node says of its group on first contact; null when it has none. */
export function groupCard(
  view: RaftView | null,
  empty: () => boolean,
  tombstones: readonly string[],
  forked: GroupCard['forked'],
): GroupCard | null {
  if (!view?.history) return null
  const { history, configuration, configurationIndex, leader } = view
  return { history, configuration, configurationIndex, leader, empty: empty(), tombstones, forked }
}

/** Members of the one that are not in the other, sorted. */
export function membersGone(before: Configuration, after: Configuration): NodeId[] {
  const stays = new Set([...after.voters, ...after.learners, ...after.away])
  return [...before.voters, ...before.learners, ...before.away].filter((node) => !stays.has(node)).sort()
}

/** True when the leader has nothing to look after: no change is under way, and nobody is to become a voter. */
export function isSettled(
  { role, leader, ready, configuration, configurationCommitted }: RaftView,
  maxVoters: number,
): boolean {
  if (configuration === null || leader === null || !configurationCommitted) return false
  const { voters, learners } = configuration
  if (role !== 'leader' || !ready) return role !== 'leader'
  const wanted = wantsWitness(configuration, maxVoters)
  const votes = voters.some((node) => isWitness(configuration, node))
  if (votes && !wanted) return false
  // Learners that are not going to vote can rest.
  const idle = learners.every((node) => isWitness(configuration, node) && (votes || !wanted))
  return idle || voters.length >= maxVoters
}
