import { type GroupView, type LogIndex, logIndex, type NodeId, term } from '@cluster/core'
import type { GroupCard } from '../../machine/group/forming.ts'
import type { Configuration, RaftView } from '../../machine/raft/types.ts'

/** What the machine shows, as core's view of a group. Null before the log runs. */
export function groupView(view: RaftView | null, appliedIndex: LogIndex): GroupView {
  const configuration = view?.configuration
  return {
    cluster: view?.history?.cluster ?? null,
    lineage: view?.history?.lineage ?? null,
    term: view?.term ?? term(0),
    role: view?.role ?? 'outsider',
    leader: view?.leader ?? null,
    voters: configuration?.voters ?? [],
    learners: configuration?.learners ?? [],
    away: configuration?.away ?? [],
    commitIndex: view?.commitIndex ?? logIndex(0),
    appliedIndex,
    provisional: configuration?.provisional ?? false,
    alone: view?.alone ?? false,
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
  const voters = configuration?.voters ?? []
  let known = 0
  if (role === 'leader') {
    for (const { node, match } of progress) if (match >= appliedIndex && voters.includes(node)) known++
    if (voters.includes(self) && durableIndex >= appliedIndex) known++
  }
  const majority = Math.min(Math.floor(voters.length / 2) + 1, voters.length)
  return Math.max(known, majority)
}

/** What this node says of its group on first contact; null when it has none. */
export function groupCard(
  view: RaftView | null,
  empty: () => boolean,
  tombstones: readonly string[],
): GroupCard | null {
  if (!view?.history) return null
  const { history, configuration, configurationIndex, leader } = view
  return { history, configuration, configurationIndex, leader, empty: empty(), tombstones }
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
  return role !== 'leader' || (ready && (learners.length === 0 || voters.length >= maxVoters))
}
