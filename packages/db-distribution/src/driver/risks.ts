import type { NodeId, RiskReport } from '@cluster/core'
import { explainRisk } from '../machine/risk.ts'
import type { DatabaseRecord } from '../machine/state.ts'
import type { Context } from './context.ts'

/** @param nodes to go together; each member that answers alone when absent */
export function riskReports(
  context: Context,
  database: DatabaseRecord,
  nodes?: readonly NodeId[],
): readonly RiskReport[] {
  const { voters, learners } = context.ports.log.group()
  const members = [...new Set([...voters, ...learners])].filter((node) => context.isLiving(node)).sort()
  const view = { living: new Set(members), voters }
  const groups = nodes === undefined ? members.map((node) => [node]) : [nodes]
  return groups.map((group) => explainRisk(database, view, group))
}
