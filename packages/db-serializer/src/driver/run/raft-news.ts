import type { Logger } from '@cluster/core'
import type { Forks } from '../group/forks.ts'
import type { GoingAlone } from '../group/going-alone.ts'
import type { Recovery } from '../group/recovery.ts'
import type { RunnerPorts } from './runner.ts'

/** What the machine tells of histories, for people and for those here who act upon it. */
export function raftNews(
  logger: Logger,
  goingAlone: GoingAlone,
  forks: Forks,
  recovery: Recovery,
): Pick<RunnerPorts, 'lineage' | 'forked' | 'aloneRefused' | 'recovered' | 'recoverRefused'> {
  return {
    lineage: ({ cluster, lineage }, alone) => {
      logger.log(alone ? 'warn' : 'info', alone ? 'going on alone' : 'group history', { cluster, lineage })
      forks.moved()
    },
    forked: (peer, mine, theirs) => {
      logger.log('error', 'histories have parted', { peer, mine: mine.lineage, theirs: theirs.lineage })
      forks.forked(peer, mine, theirs)
    },
    aloneRefused: (peer, reason) => {
      logger.log('info', 'not going on alone', { peer, reason })
      goingAlone.refused(reason)
    },
    recovered: (last) => recovery.recovered(last),
    recoverRefused: (refusal) => recovery.refused(refusal),
  }
}
