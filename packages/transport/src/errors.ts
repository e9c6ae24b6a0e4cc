import {
  ClusterError,
  type CommonErrorDetail,
  type ErrorDetail,
  type NodeId,
  type Outcome,
  type TransportErrorDetail,
} from '@cluster/core'

const error = (
  detail: TransportErrorDetail | CommonErrorDetail,
  message: string,
  cause?: unknown,
): ClusterError => new ClusterError(detail, message, cause === undefined ? undefined : { cause })

export const linkDown = (peer: NodeId, outcome: Outcome): ClusterError =>
  error(
    { code: 'LINK_DOWN', outcome, peer },
    outcome === 'rejected'
      ? `There is no link to ${peer}; connect first, or wait until the peer is back.`
      : `The link to ${peer} went down before the answer came; the peer may or may not have acted.`,
  )

export const linkBusy = (peer: NodeId): ClusterError =>
  error(
    { code: 'LINK_BUSY', outcome: 'rejected', peer },
    `Too much is waiting to be sent to ${peer}, or too many of its answers are outstanding; send less at once, or later.`,
  )

export const deadlinePassed = (peer: string, afterMs: number, outcome: Outcome): ClusterError =>
  error({ code: 'DEADLINE', outcome, afterMs }, `No answer from ${peer} within ${Math.round(afterMs)} ms.`)

export const aborted = (what: string, outcome: Outcome): ClusterError =>
  error({ code: 'ABORTED', outcome }, `${what}.`)

export const stopped = (): ClusterError =>
  error({ code: 'STOPPED', outcome: 'rejected' }, 'The transport is not running.')

export const frameTooLarge = (bytes: number, bytesMax: number): ClusterError =>
  error(
    { code: 'FRAME_TOO_LARGE', outcome: 'rejected', bytes, bytesMax },
    `A frame of ${bytes} bytes is larger than the limit of ${bytesMax}; use a stream for it.`,
  )

export const noHandler = (channel: string): ClusterError =>
  error(
    { code: 'NO_HANDLER', outcome: 'rejected', channel },
    `The peer does not serve '${channel}'; it may run another version.`,
  )

const remoteFailed = (peer: NodeId, reason: string): ClusterError =>
  error({ code: 'REMOTE_FAILED', outcome: 'unknown', peer }, `The handler at ${peer} failed: ${reason}`)

export const dialFailed = (address: string, reason: string, cause?: unknown): ClusterError =>
  error(
    { code: 'DIAL_FAILED', outcome: 'rejected', address },
    `Could not reach ${address}: ${reason}.`,
    cause,
  )

export const dialRefused = (address: string, cause?: unknown): ClusterError =>
  error(
    { code: 'DIAL_REFUSED', outcome: 'rejected', address },
    `${address} refuses connections: its host lives, and nobody listens there.`,
    cause,
  )

export const portInUse = (address: string, cause?: unknown): ClusterError =>
  error(
    { code: 'PORT_IN_USE', outcome: 'rejected', address },
    `The port of ${address} is in use by another process; stop that, or choose another port (0 takes a free one).`,
    cause,
  )

export const addressNotUsable = (address: string, reason: string, cause?: unknown): ClusterError =>
  error(
    { code: 'ADDRESS_NOT_USABLE', outcome: 'rejected', address },
    `Cannot listen on ${address}: ${reason}. Listen on an address of this host, such as /ip4/0.0.0.0/tcp/0.`,
    cause,
  )

type AdmissionReason = Extract<TransportErrorDetail, { readonly code: 'ADMISSION_REFUSED' }>['reason']

const ADMISSION_ADVICE: Readonly<Record<AdmissionReason, string>> = {
  secret: 'start both nodes with the same secret',
  name: 'it belongs to a cluster of another name; start both with the same name',
  'public-address':
    'without a secret only private and loopback addresses are served; start every node with the same secret',
  protocol: 'it is no node of this version, or it did not answer in time',
}

export const admissionRefused = (address: string, reason: AdmissionReason): ClusterError =>
  error(
    { code: 'ADMISSION_REFUSED', outcome: 'rejected', reason },
    `No link to ${address}: ${ADMISSION_ADVICE[reason]}.`,
  )

/** What travels of an error; anything but a project error becomes `REMOTE_FAILED` on arrival. */
export interface CarriedError {
  readonly message: string
  readonly detail: ErrorDetail | null
}

export function carriedError(value: unknown, peer: NodeId): ClusterError {
  if (typeof value === 'object' && value !== null) {
    const { message, detail } = value as { readonly message?: unknown; readonly detail?: unknown }
    if (typeof message === 'string' && isDetail(detail)) return ClusterError.fromObject({ message, detail })
    if (typeof message === 'string') return remoteFailed(peer, message)
  }
  return remoteFailed(peer, 'it sent an error that cannot be read')
}

function isDetail(value: unknown): value is ErrorDetail {
  if (typeof value !== 'object' || value === null) return false
  const { code, outcome } = value as { readonly code?: unknown; readonly outcome?: unknown }
  return typeof code === 'string' && (outcome === 'rejected' || outcome === 'unknown')
}
