import { dataMembers, type NodeId } from '@cluster/core'
import type { SimNode } from '@cluster/testkit'
import type { Stage } from './suite.ts'

/** Something that must hold does not. */
export class Problem extends Error {}

/** After a change of members or leader everybody has heard that it is committed. */
const SETTLED_MS = 1_000

/** So long a healthy cluster may take to form, to heal or to answer. */
export const PATIENCE_MS = 120_000

export function appsOf<App>(cluster: readonly SimNode<App>[]): Map<NodeId, App> {
  return new Map(cluster.flatMap((node) => (node.app === null ? [] : [[node.id, node.app] as const])))
}

export function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** True while every node is there, as many vote as can, and nothing is held by one alone: then one can be spared. */
export function isWhole<App>({ cluster, suite, context }: Stage<App>): boolean {
  const votes = cluster.every(({ app }) => {
    if (app === null) return false
    const group = suite.log(app).group()
    const voting = Math.min(context.profile.votersMax, cluster.length)
    const votes = group.voters.filter((voter) => !group.witnesses.includes(voter)).length
    return group.leader !== null && votes === voting && dataMembers(group).length === cluster.length
  })
  // A change that is in every log may still not be agreed on.
  const settled = context.world.now - context.safety.changedAt >= SETTLED_MS
  return votes && settled && (suite.isRedundant?.(appsOf(cluster), context) ?? true)
}
