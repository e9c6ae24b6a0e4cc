import {
  ClusterError,
  type ClusterVersion,
  type LockWait,
  type LogErrorDetail,
  type MutexErrorDetail,
  VERSION_OF,
} from '@cluster/core'

export type MutexError = ClusterError<MutexErrorDetail>

export const timedOut = (lock: string, afterMs: number): MutexError =>
  new ClusterError(
    { code: 'MUTEX_TIMEOUT', outcome: 'rejected', lock, afterMs },
    `The lock ${lock} was not free within ${afterMs} ms. Look who has it with describe(), or wait longer.`,
  )

export const deadlock = (lock: string, cycle: readonly LockWait[]): MutexError =>
  new ClusterError(
    { code: 'MUTEX_DEADLOCK', outcome: 'rejected', lock, cycle },
    `Waiting for the lock ${lock} would never end: ${cycle.map((each) => `one of ${each.node} waits for ${each.lock}`).join(', whose owner, ')}, which the first one has or is in line for. Release what is held and begin anew; take locks in one order everywhere.`,
  )

export const lost = (lock: string): MutexError =>
  new ClusterError(
    { code: 'MUTEX_LOST', outcome: 'rejected', lock },
    `The lock ${lock} is not held by this handle any more. Acquire it again.`,
  )

export const broken = (lock: string, reason: string): MutexError =>
  new ClusterError(
    { code: 'MUTEX_BROKEN', outcome: 'rejected', lock, reason },
    `An operator broke the lock ${lock}: ${reason}. Stop what it protected, and acquire it again.`,
  )

export const sessionLost = (why: string): MutexError =>
  new ClusterError(
    { code: 'MUTEX_SESSION_LOST', outcome: 'rejected' },
    `The session that keeps this node's locks is over: ${why}. Acquire the locks again.`,
  )

export const tooMany = (limit: string, max: number): MutexError =>
  new ClusterError(
    { code: 'MUTEX_LIMIT', outcome: 'rejected', limit, max },
    `The limit of locks named ${limit} is ${max}, and it is reached. Release locks that are not needed, or use fewer.`,
  )

export const modeDiffers = (lock: string): MutexError =>
  new ClusterError(
    { code: 'MUTEX_MODE_DIFFERS', outcome: 'rejected', lock },
    `The name ${lock} is in use as another kind of lock, or as a semaphore with another limit. Use one kind for one name.`,
  )

export const optionInvalid = (option: string, given: unknown, rule: string): MutexError =>
  new ClusterError(
    { code: 'MUTEX_OPTION_INVALID', outcome: 'rejected', option, given: String(given) },
    `The option ${option} is ${String(given)}; it must be ${rule}.`,
  )

export const versionTooLow = (version: ClusterVersion): ClusterError<LogErrorDetail> =>
  new ClusterError(
    { code: 'LOG_VERSION_TOO_LOW', outcome: 'rejected', version, needs: VERSION_OF.locks, behind: [] },
    `Locks need every member to run a program that knows them. The cluster is at version ${version} and they came with ${VERSION_OF.locks}: update the programs of all nodes.`,
  )

export const stopped = (): ClusterError =>
  new ClusterError({ code: 'STOPPED', outcome: 'rejected' }, 'The locks of this node were stopped.')

export const aborted = (cause: unknown): ClusterError =>
  new ClusterError({ code: 'ABORTED', outcome: 'rejected' }, 'The call was aborted; the lock is not held.', {
    cause,
  })

export function answerGone(latch: string): never {
  throw new ClusterError(
    { code: 'OUTCOME_UNKNOWN', outcome: 'unknown', key: null },
    `The word that sets the latch ${latch} was applied while this node fetched a newer state, so nobody knows whether it was open then. Look at its count.`,
  )
}
