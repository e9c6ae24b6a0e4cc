import type { GroupView, Member, NodeId } from '@cluster/core'
import type { Cluster } from '@cluster/node'
import { drawTable } from './shell/table.ts'

/** The end of a node's id: enough to tell the nodes of one cluster apart by eye. */
export function shortId(id: NodeId): string {
  return id.length <= 8 ? id : id.slice(-8)
}

/** The nodes of the cluster as a table. */
export function membersText(cluster: Cluster): string {
  const group = cluster.group()
  const columns = ['node', 'state', 'role', 'address'].map((name) => ({ name, right: false }))
  const rows = cluster
    .members()
    .map((member) => [
      `${shortId(member.id)}${member.self ? ' (this)' : ''}`,
      member.state,
      roleOf(member, group),
      member.addresses[0] ?? '',
    ])
  return drawTable(columns, rows)
}

function roleOf({ id }: Member, group: GroupView): string {
  if (group.leader === id) return 'leader'
  if (group.witnesses.includes(id)) return group.voters.includes(id) ? 'witness' : 'witness, resting'
  if (group.voters.includes(id)) return 'voter'
  if (group.learners.includes(id)) return 'learner'
  return group.away.includes(id) ? 'away' : 'not a member'
}

/** The group in a few lines. */
export function groupText(group: GroupView): string {
  const ids = (nodes: readonly NodeId[]): string =>
    nodes.length === 0 ? 'none' : nodes.map(shortId).join(', ')
  return [
    `cluster    ${group.cluster ?? 'not formed yet'}`,
    `this node  ${group.role}`,
    `leader     ${group.leader === null ? 'none known' : shortId(group.leader)} in term ${group.term}`,
    `voters     ${ids(group.voters)}`,
    `learners   ${ids(group.learners)}`,
    ...(group.witnesses.length > 0 ? [`witnesses  ${ids(group.witnesses)}`] : []),
    `away       ${ids(group.away)}`,
    `log        applied ${group.appliedIndex} of ${group.commitIndex} committed`,
  ].join('\n')
}
