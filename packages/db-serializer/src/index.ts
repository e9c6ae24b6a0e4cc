export { orderedLog } from './driver/ordered-log.ts'
export type { OrderedLogPorts } from './driver/ordered-log-node.ts'
export type { OrderedLogOptions } from './options.ts'
