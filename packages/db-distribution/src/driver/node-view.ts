import { dataMembers } from '@cluster/core'
import type { NodeView } from '../machine/placement.ts'
import type { Context } from './context.ts'

/** Who is there to hold partitions, as this node sees it. */
export function nodeView(context: Context): NodeView {
  const group = context.ports.log.group()
  const inOffice = dataMembers(group)
  return {
    living: inOffice.filter((node) => context.isLiving(node)).sort(),
    members: [...new Set([...inOffice, ...group.away])].sort(),
    away: group.away,
    traits: context.machine.traits,
  }
}
