import { type LineageId, type Logger, lineageId, type NodeId, type Random, randomId } from '@cluster/core'
import type { Input, RaftView } from '../machine/types.ts'
import type { ResolvedOptions } from '../options.ts'
import type { Members } from './members.ts'

export interface GoingAlonePorts {
  readonly self: NodeId
  readonly members: Members
  readonly logger: Logger
  readonly random: Random
}

/** Asks the machine to go on alone when the other one of two voters is proved dead or gave its vote up; else null. */
export function goingAlone(
  { self, members, logger, random }: GoingAlonePorts,
  { deathProof, electionMs }: ResolvedOptions,
  view: RaftView | null,
): Extract<Input, { type: 'goAlone' }> | null {
  const voters = view?.configuration?.voters ?? []
  if (!deathProof || view === null || voters.length !== 2 || !voters.includes(self)) return null
  const peer = voters.find((voter) => voter !== self)
  if (peer === undefined) return null
  const renounced = members.renunciationOf(peer, view)
  if (renounced === null && !members.isProvedDead(peer, 2 * electionMs)) return null
  const what = renounced ? 'the other voter renounced its vote' : 'the other voter is proved dead'
  logger.log('warn', what, { peer })
  const lineage: LineageId = lineageId(randomId(random))
  return { type: 'goAlone', peer, lineage, ...(renounced && { renounced }) }
}
