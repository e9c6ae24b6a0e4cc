export type { MutexPorts } from './driver/context.ts'
export { type Election, election, type Leadership } from './driver/election.ts'
export { mutex } from './driver/locks.ts'
export {
  type Barrier,
  barrier,
  type Latch,
  latch,
  type NamedLock,
  namedLock,
  type Patience,
  type ReadWriteLock,
  readWriteLock,
  type Semaphore,
  semaphore,
} from './driver/named.ts'
export { MUTEX_MACHINE } from './machine/machine.ts'
export { MUTEX_LIMITS, type MutexLimits } from './machine/state.ts'
export type { MutexOptions } from './options.ts'
