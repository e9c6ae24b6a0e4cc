export type { OrderedLogPorts } from './driver/ordered-log.ts'
export type { OrderedLogOptions } from './options.ts'
