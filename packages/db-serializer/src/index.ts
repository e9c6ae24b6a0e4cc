export { orderedLog } from './driver/ordered-log.ts'
export type { OrderedLogPorts } from './driver/ports.ts'
export {
  type SingleNodeLogOptions,
  type SingleNodeLogPorts,
  singleNodeLog,
} from './driver/single-node-log.ts'
export type { KeepRule } from './machine/group/history-choice.ts'
export type { OrderedLogOptions } from './options.ts'
