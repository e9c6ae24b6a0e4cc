import {
  ClusterError,
  type ClusterVersion,
  type CommonErrorDetail,
  type ContainerErrorDetail,
  type LogErrorDetail,
} from '@cluster/core'

export type ContainerError = ClusterError<ContainerErrorDetail>

const rejected = { outcome: 'rejected' } as const

export const kindDiffers = (container: string): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_KIND_DIFFERS', ...rejected, container },
    `The name ${container} is that of a container of another kind. Use another name.`,
  )

export const optionsDiffer = (container: string): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_OPTIONS_DIFFER', ...rejected, container },
    `The container ${container} was made with other options than those given. Name none, or those that it has.`,
  )

export const tooFull = (container: string, bytesMax: number): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_FULL', ...rejected, container, bytesMax },
    `The container ${container} has no room for it within its ${bytesMax} bytes. Remove something, or make it with a larger bytesMax.`,
  )

export const tooMany = (limit: string, max: number): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_LIMIT', ...rejected, limit, max },
    `The limit of containers named ${limit} is ${max}. Use less of it.`,
  )

export const optionInvalid = (option: string, given: unknown, rule: string): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_OPTION_INVALID', ...rejected, option, given: String(given) },
    `The option ${option} is ${String(given)}; it must be ${rule}.`,
  )

export const valueInvalid = (container: string, issues: readonly string[]): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_VALUE_INVALID', ...rejected, container, issues },
    `The schema of ${container} refuses the value: ${issues.join('; ')}.`,
  )

export const contended = (attempts: number): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_CONTENDED', ...rejected, attempts },
    `Others were faster at each of ${attempts} attempts. Try again later, or let fewer write to it.`,
  )

export const leaseLost = (container: string): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_LEASE_LOST', ...rejected, container },
    `The message of ${container} is not this taker's any more: its lease was over, or it was acknowledged or cleared. Leave it to the one who has it.`,
  )

export const fenced = (lock: string): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_FENCED', ...rejected, lock },
    `The lock ${lock} that fences the transaction is not held any more, so nothing of it happened. Acquire it again.`,
  )

export const overflow = (container: string): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_OVERFLOW', ...rejected, container },
    `The count ${container} would leave the whole numbers within 2^53. Nothing was added.`,
  )

export const historyGone = (container: string): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_HISTORY_GONE', ...rejected, container },
    `What came next in ${container} is not kept any more. Read all of it and follow it from now on, or make it with a larger history.`,
  )

export const tokenForeign = (container: string): ContainerError =>
  new ClusterError(
    { code: 'CONTAINER_TOKEN_FOREIGN', ...rejected, container },
    `The token is none of ${container}, or of a history that this cluster has left. Read all of it and follow it from now on.`,
  )

export const stopped = (): ClusterError<CommonErrorDetail> =>
  new ClusterError({ code: 'STOPPED', outcome: 'rejected' }, 'The containers of this node were stopped.')

export const aborted = (cause: unknown): ClusterError<CommonErrorDetail> =>
  new ClusterError({ code: 'ABORTED', outcome: 'rejected' }, 'The call was aborted.', { cause })

export const answerLost = (container: string): ClusterError<CommonErrorDetail> =>
  new ClusterError(
    { code: 'OUTCOME_UNKNOWN', outcome: 'unknown', key: null },
    `The log has the write to ${container}, but its answer is gone, as this node got a snapshot meanwhile. Read what became of it.`,
  )

export const notYetCounted = (
  container: string,
  key: string,
  cause: unknown,
): ClusterError<CommonErrorDetail> =>
  new ClusterError(
    { code: 'OUTCOME_UNKNOWN', outcome: 'unknown', key },
    `What was added to ${container} may not be in the log yet. It is kept, and sent again, once, until it is; nothing is to be added again.`,
    { cause },
  )

export const versionTooLow = (version: ClusterVersion, needs: ClusterVersion): ClusterError<LogErrorDetail> =>
  new ClusterError(
    { code: 'LOG_VERSION_TOO_LOW', outcome: 'rejected', version, needs, behind: [] },
    `This kind of container needs version ${needs} of the cluster, which has version ${version}: a member runs an older release. Nothing was submitted; upgrade all members.`,
  )
