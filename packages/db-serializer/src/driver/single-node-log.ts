import type { NodeId, OrderedLog } from '@cluster/core'
import { type OrderedLogOptions, resolveOptions } from '../options.ts'
import { openLog } from './disk/open-log.ts'
import { LonelyPeers } from './network/lonely-peers.ts'
import { OrderedLogNode } from './ordered-log-node.ts'
import type { OrderedLogPorts } from './ports.ts'

/** What can be chosen where there is nobody to agree with. */
export type SingleNodeLogOptions = Pick<
  OrderedLogOptions,
  | 'deadlineMs'
  | 'snapshotBytes'
  | 'snapshotEntries'
  | 'tailEntries'
  | 'commandBytesMax'
  | 'entryBytesMax'
  | 'giveUpDamaged'
>

export interface SingleNodeLogPorts extends Omit<OrderedLogPorts, 'peers'> {
  readonly self: NodeId
}

/**
 * The ordered log of one process, for tests and for programs that stay on one machine: the same promises and the same
 * files as `orderedLog`, which can open its folder later and take others in.
 */
export function singleNodeLog(options: SingleNodeLogOptions = {}): (ports: SingleNodeLogPorts) => OrderedLog {
  const resolved = resolveOptions({ ...options, alone: true })
  return ({ self, ...ports }) =>
    new OrderedLogNode(resolved, { ...ports, peers: new LonelyPeers(self) }, openLog)
}
