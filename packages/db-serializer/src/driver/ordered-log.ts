import type { OrderedLog } from '@cluster/core'
import { type OrderedLogOptions, resolveOptions } from '../options.ts'
import { openLog } from './disk/open-log.ts'
import { OrderedLogNode } from './ordered-log-node.ts'
import type { OrderedLogPorts } from './ports.ts'

/**
 * Makes the ordered log of a node. `disk` is a folder of its own; `peers` may be started before or after the log,
 * but not before this call, which registers a service with them.
 */
export function orderedLog(options: OrderedLogOptions = {}): (ports: OrderedLogPorts) => OrderedLog {
  const resolved = resolveOptions(options)
  return (ports) => new OrderedLogNode(resolved, ports, openLog)
}
