import type { NodeId } from '../ids.ts'
import type { GroupView } from './ordered-log.ts'

/** The voters and learners that hold data: all but the witnesses. Voters first, each list sorted. */
export function dataMembers({
  voters,
  learners,
  witnesses,
}: Pick<GroupView, 'voters' | 'learners' | 'witnesses'>): NodeId[] {
  return [...voters, ...learners].filter((node) => !witnesses.includes(node))
}
