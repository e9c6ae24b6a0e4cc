import type { Clock, Disk, Logger, Peers, Random } from '@cluster/core'

/** What an ordered log stands on. */
export interface OrderedLogPorts {
  readonly peers: Peers
  /** A folder of the log's own. */
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}
