import {
  ClusterError,
  type ClusterVersion,
  type CommonErrorDetail,
  type LineageId,
  type LogErrorDetail,
  type NodeId,
} from '@cluster/core'
import type { AloneRefusal } from './machine/raft/types.ts'

export type LogError = ClusterError<LogErrorDetail | CommonErrorDetail>

export function noGroup(afterMs: number, waitsFor: string | null): LogError {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_NO_GROUP', outcome: 'rejected' },
    `This node is in no group yet, after ${afterMs} ms; it waits for ${waitsFor ?? 'first contact'}. Start the other nodes, or wait longer.`,
  )
}

export function noQuorum(afterMs: number, waitingFor: readonly NodeId[]): LogError {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_NO_QUORUM', outcome: 'rejected', waitingFor },
    `No quorum of the voters was in reach for ${afterMs} ms; out of reach: ${waitingFor.join(', ') || 'none'}. Nothing was written. Start the nodes that are missing, or mend the network.`,
  )
}

export function deadline(afterMs: number): LogError {
  return new ClusterError<CommonErrorDetail>(
    { code: 'DEADLINE', outcome: 'rejected', afterMs },
    `The call was not done within ${afterMs} ms; it had no effect. Try again, or allow it more time.`,
  )
}

export function tooLarge(bytes: number, bytesMax: number): LogError {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_COMMAND_TOO_LARGE', outcome: 'rejected', bytes, bytesMax },
    `A command of ${bytes} bytes is larger than the ordered log takes (${bytesMax}). Split it into several.`,
  )
}

export function unknownMachine(machine: string): LogError {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_UNKNOWN_MACHINE', outcome: 'rejected', machine },
    `No state machine named ${machine} is attached to the ordered log of this node. Attach it before the log starts; every node needs the same machines.`,
  )
}

const REFUSALS: Readonly<Record<AloneRefusal, string>> = {
  noGroup: 'it is in no group',
  notLastTwo: 'it is not one of the last two voters; only from two to one may a node go on by itself',
  notAcknowledged: 'it is not certain to have all that was acknowledged',
  notRenounced: 'the vote that was given up is not the one that counts',
  linkUp: 'the other voter is linked',
  leaseHeld: 'the leader may still hold a lease',
  witness: 'it is a witness and holds no data',
}

export function aloneRefused(reason: AloneRefusal): LogError {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_ALONE_REFUSED', outcome: 'rejected', reason },
    `This node does not go on alone: ${REFUSALS[reason]}. Start the nodes that are missing.`,
  )
}

export function forkedHistory(mine: LineageId, theirs: LineageId, peer: NodeId): LogError {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_FORKED_HISTORY', outcome: 'rejected', mine, theirs },
    `This node and node ${peer} both went on alone, so there are two histories (${mine} here, ${theirs} there) and nothing is written. Stop the nodes whose history is to go and start each once with --give-up-history (giveUpHistory in a program): their files are kept aside.`,
  )
}

export function noBundles(machine: string): LogError {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_NO_BUNDLES', outcome: 'rejected', machine },
    `The state machine ${machine} takes no part in bundles. Submit its command by itself.`,
  )
}

export function versionTooLow(
  what: string,
  version: ClusterVersion,
  needs: ClusterVersion,
  behind: readonly NodeId[],
): LogError {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_VERSION_TOO_LOW', outcome: 'rejected', version, needs, behind },
    `${what} need version ${needs} of the cluster, and it is at ${version}: not every member's program supports more. Upgrade ${behind.map((node) => `node ${node}`).join(' and ') || 'the members that run an older program'}, or remove them.`,
  )
}

export function programTooOld(supports: ClusterVersion, needs: ClusterVersion): LogError {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_PROGRAM_TOO_OLD', outcome: 'rejected', supports, needs },
    `The cluster is at version ${needs}, and this program supports ${supports} at most. Nothing was lost; upgrade the program of this node and start it again.`,
  )
}

export function roleDiffers(wasWitness: boolean): LogError {
  const [was, is] = wasWitness
    ? ['a witness', 'one that holds data']
    : ['a node that holds data', 'a witness']
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_ROLE_DIFFERS', outcome: 'rejected', witness: wasWitness },
    `This folder is the log of ${was}, and the node was started as ${is}. Start it as it was, or give it another folder.`,
  )
}

export function resultsTooLarge(bytesMax: number): LogError {
  return new ClusterError<LogErrorDetail>(
    { code: 'LOG_COMMAND_TOO_LARGE', outcome: 'rejected', bytes: bytesMax + 1, bytesMax },
    `The results of the bundle are larger than ${bytesMax} bytes together, so it was not adopted. Split it into several.`,
  )
}

export function notStarted(): LogError {
  return stopped('The ordered log is not started yet. Await `start` first.', null)
}

export function wasStopped(): LogError {
  return stopped('The ordered log of this node was stopped.', null)
}

export function hasFailed(cause: unknown): LogError {
  return stopped(
    `The ordered log of this node failed: ${String(cause)}. See its log, then start it again.`,
    cause,
  )
}

function stopped(message: string, cause: unknown): LogError {
  return new ClusterError<CommonErrorDetail>({ code: 'STOPPED', outcome: 'rejected' }, message, { cause })
}
