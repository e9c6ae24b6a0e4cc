import type { Logger } from '@cluster/core'
import type { RunnerPorts } from './runner.ts'

/** What the machine tells of histories, for people. */
export function raftNews(logger: Logger): Pick<RunnerPorts, 'lineage' | 'forked' | 'aloneRefused'> {
  return {
    lineage: ({ cluster, lineage }, alone) =>
      logger.log(alone ? 'warn' : 'info', alone ? 'going on alone' : 'group history', { cluster, lineage }),
    forked: (peer, mine, theirs) =>
      logger.log('error', 'histories have parted', { peer, mine: mine.lineage, theirs: theirs.lineage }),
    aloneRefused: (peer, reason) => logger.log('info', 'not going on alone', { peer, reason }),
  }
}
