import type { Disk, OrderedLog } from '@cluster/core'
import { type OrderedLogOptions, resolveOptions } from '../options.ts'
import type { LogStore } from './log-store.ts'
import { OrderedLogNode, type OrderedLogPorts } from './ordered-log-node.ts'

export type { OrderedLogPorts } from './ordered-log-node.ts'

/** Makes the ordered log over another way to keep it; for tests. */
export function orderedLogOn(
  openStore: (disk: Disk) => Promise<LogStore>,
  options: OrderedLogOptions = {},
): (ports: OrderedLogPorts) => OrderedLog {
  const resolved = resolveOptions(options)
  return (ports) => new OrderedLogNode(resolved, ports, openStore)
}
