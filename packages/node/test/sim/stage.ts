import { dataMembers, type NodeId } from '@cluster/core'
import type { SimNode } from '@cluster/testkit'
import type { Stage } from './suite.ts'

/** Something that must hold does not. */
export class Problem extends Error {}

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
  return votes && (suite.isRedundant?.(appsOf(cluster)) ?? true)
}
