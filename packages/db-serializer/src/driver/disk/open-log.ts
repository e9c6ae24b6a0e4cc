import { ClusterError, type Disk, errorCode, type Logger, type NodeId, type Random } from '@cluster/core'
import type { SessionTableState } from '../../machine/commands/session-table.ts'
import { headOf } from '../commands/applier-state.ts'
import { DiskIdentity } from './disk-identity.ts'
import { GroupFile } from './group-file.ts'
import { HardFile, type HardRecord } from './hard-file.ts'
import { KEPT_WRITES, keepWrites } from './kept-writes.ts'
import { isLogFile, LogFiles, type LogFilesOptions } from './log-files.ts'
import type { LogStore } from './log-store.ts'

export interface OpenLogPorts {
  readonly self: NodeId
  readonly disk: Disk
  readonly random: Random
  readonly logger: Logger
  /** Milliseconds since 1970. */
  wall(): number
}

export interface OpenedLog {
  readonly store: LogStore
  readonly identity: DiskIdentity
  readonly groupFile: GroupFile
}

export interface OpenLogOptions extends LogFilesOptions {
  /** The node holds no data. */
  readonly witness?: boolean
  /** The operator's word: a damaged log is given up even if nobody else may have all that it held. */
  readonly giveUpDamaged?: boolean
  /**
   * A history is given up for the other one: that in which this node went on alone, by the operator's word, or `any` that
   * is here, because the nodes have come to that verdict.
   */
  readonly giveUpHistory?: boolean | 'any'
  /** The operator's word: the log of any other cluster than this is given up. */
  readonly adopt?: string
}

/**
 * Opens the log of a node. A damaged one is never used: the node renounces the vote that rests on it, keeps the files
 * aside and goes on with an empty log, as a stranger that the group has to let in.
 * @throws LOG_DAMAGED when only the operator may decide: term and vote cannot be read, or this node was the only voter;
 * LOG_ROLE_DIFFERS
 */
export async function openLog(ports: OpenLogPorts, options: OpenLogOptions = {}): Promise<OpenedLog> {
  const { disk, random } = ports
  const identity = await DiskIdentity.open(disk, random, options.witness === true)
  const groupFile = await openGroupFile(ports)
  // A crash came while the files were moved.
  if (identity.renounced.some(({ kept }) => kept === null)) await setAside(ports, identity, groupFile)
  const what = await whyToGo(disk, options)
  if (what !== null) {
    const kept = folderOf(identity.disk)
    ports.logger.log('warn', what, { kept, writes: `${kept}/${KEPT_WRITES}` })
    await copyWrites(ports, options, kept)
    await identity.renounce({ lineage: null, configuration: 0, what, wall: ports.wall() }, random)
    await setAside(ports, identity, groupFile)
  }
  try {
    return { store: await LogFiles.open(disk, options), identity, groupFile }
  } catch (error) {
    if (errorCode(error) !== 'LOG_DAMAGED') throw error
    await renounce(ports, identity, error, options.giveUpDamaged === true)
  }
  await setAside(ports, identity, groupFile)
  return { store: await LogFiles.open(disk, options), identity, groupFile }
}

/** Null when the log stays. */
async function whyToGo(disk: Disk, { giveUpHistory = false, adopt }: OpenLogOptions): Promise<string | null> {
  if (giveUpHistory === false && adopt === undefined) return null
  const state = (await HardFile.open(disk)).record?.state
  const history = state?.history ?? null
  if (history === null) return null
  if (adopt !== undefined && history.cluster !== adopt)
    return `the cluster ${history.cluster} was given up for ${adopt}`
  const goes = giveUpHistory === 'any' || (giveUpHistory && state?.alone === true)
  return goes ? 'this history was given up for another one' : null
}

/** Writes down what only the history that goes has, in a form that does not need this program. */
async function copyWrites(
  { disk, logger }: OpenLogPorts,
  options: OpenLogOptions,
  folder: string,
): Promise<void> {
  let log: LogFiles
  try {
    log = await LogFiles.open(disk, options)
  } catch (error) {
    if (errorCode(error) !== 'LOG_DAMAGED') throw error
    // The files themselves are kept in any case.
    logger.log('warn', 'what was written cannot be listed, as the log is damaged', { why: String(error) })
    return
  }
  try {
    await keepWrites(disk.folder(folder), log.recovered, await sessionsIn(log))
  } finally {
    await log.close()
  }
}

async function sessionsIn(log: LogFiles): Promise<SessionTableState | null> {
  const snapshot = await log.readSnapshot()
  if (snapshot === null) return null
  try {
    return (await headOf(snapshot.reader.pieces(), snapshot.meta.index)).sessions
  } finally {
    await snapshot.reader.close()
  }
}

async function openGroupFile({ disk, logger }: OpenLogPorts): Promise<GroupFile> {
  try {
    return await GroupFile.open(disk)
  } catch (error) {
    const isInGroup = (await HardFile.open(disk)).record?.state?.history
    if (errorCode(error) !== 'LOG_DAMAGED' || !isInGroup) throw error
    logger.log('warn', 'the notes of first contact are damaged and begun anew', { why: String(error) })
    return GroupFile.renew(disk)
  }
}

/** The hard state; null when the operator gave it up and it is damaged. Other failures of the disk come out. */
async function readHard(disk: Disk, giveUp: boolean): Promise<HardRecord | null> {
  try {
    return (await HardFile.open(disk)).record
  } catch (error) {
    if (giveUp && errorCode(error) === 'LOG_DAMAGED') return null
    throw error
  }
}

async function renounce(
  { self, disk, random, logger, wall }: OpenLogPorts,
  identity: DiskIdentity,
  error: unknown,
  giveUp: boolean,
): Promise<void> {
  const hard = await readHard(disk, giveUp)
  const only = mayBeTheOnlyOne(self, hard)
  if (only && !giveUp) throw waitsForOperator(error)
  const what = error instanceof Error ? error.message : String(error)
  // By the operator's word it belongs nowhere any more, as there may be nobody left to wait for.
  const lineage = only ? null : (hard?.state?.history?.lineage ?? null)
  const configuration = hard?.group?.index ?? 0
  logger.log('error', 'the log is damaged: this node renounces its vote and asks for a fresh copy', {
    disk: identity.disk,
    kept: folderOf(identity.disk),
    why: what,
  })
  await identity.renounce({ lineage, configuration, what, wall: wall() }, random)
}

/** True unless it is certain that others have everything that was acknowledged. */
function mayBeTheOnlyOne(self: NodeId, hard: HardRecord | null): boolean {
  if (hard === null) return true
  const { state, group } = hard
  if (state === null || state.history === null) return false
  if (state.founding || group === undefined) return true
  return group.voters.length === 1 && group.voters[0] === self
}

function waitsForOperator(cause: unknown): ClusterError {
  const detail = (cause as ClusterError).detail
  return new ClusterError(
    detail,
    `${cause instanceof Error ? cause.message : String(cause)} This node may be the only one that holds what was ` +
      'acknowledged last, so it waits for the operator: put the file back from a copy, or start the node once with ' +
      '--give-up-damaged (giveUpDamaged in a program), which keeps the files aside and loses what only they hold.',
    { cause },
  )
}

const folderOf = (name: string): string => `damaged-${name}`

/** Moves the files of the log to a folder of their own. It can be done again after a crash. */
async function setAside(
  { disk, logger }: OpenLogPorts,
  identity: DiskIdentity,
  groupFile: GroupFile,
): Promise<void> {
  const last = identity.renounced.at(-1)
  if (last === undefined) return
  const folder = disk.folder(folderOf(last.disk))
  for (const path of (await disk.list()).filter(isLogFile)) {
    const bytes = await disk.read(path)
    if (bytes !== null) await folder.replace(path, bytes)
    await disk.remove(path)
  }
  // Promises belong to a node that is in no group yet, as this one is again.
  await groupFile.setPromise(null)
  await identity.moved(folderOf)
  logger.log('warn', 'the files of the log are kept aside', { folder: folderOf(last.disk) })
}
