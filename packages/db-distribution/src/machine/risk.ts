import type { NodeId, PartitionRisk, RiskReport } from '@cluster/core'
import { isEverywhere } from './placement.ts'
import type { DatabaseRecord, PartitionRecord } from './state.ts'

/** Who is there. */
export interface RiskView {
  /** Members that answer. */
  readonly living: ReadonlySet<NodeId>
  readonly voters: readonly NodeId[]
}

/** What would become of a database if these nodes went now. Pure: a function of the record and of who is there. */
export function explainRisk(
  database: DatabaseRecord,
  { living, voters }: RiskView,
  nodes: readonly NodeId[],
): RiskReport {
  const going = new Set(nodes)
  const stays = (node: NodeId): boolean => living.has(node) && !going.has(node)
  const lost: PartitionRisk[] = []
  const paused: PartitionRisk[] = []
  const reduced: PartitionRisk[] = []
  const { redundancy } = database.options
  const staying = [...living].filter(stays).length
  for (const partition of database.partitions) {
    const risk = riskOf(partition, stays)
    if (risk.copies > 0) {
      const wanted =
        isEverywhere(database.options, partition.id) || redundancy === 'all' ? staying : redundancy
      if (risk.copies < wanted) reduced.push(risk)
    } else if (risk.waitingFor.some((node) => !going.has(node))) paused.push(risk)
    else lost.push(risk)
  }
  const majority = Math.floor(voters.length / 2) + 1
  return {
    database: database.name,
    nodes: [...going].sort(),
    lost,
    paused,
    reduced,
    writesPause: voters.filter(stays).length < majority,
  }
}

function riskOf(
  { id, replicas, relations }: PartitionRecord,
  stays: (node: NodeId) => boolean,
): PartitionRisk {
  const holders = replicas.filter(({ complete }) => complete).map(({ node }) => node)
  return {
    partition: id,
    relations: [...relations].sort((a, b) => a - b),
    copies: holders.filter(stays).length,
    waitingFor: holders.filter((node) => !stays(node)),
  }
}
