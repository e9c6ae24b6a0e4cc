import {
  type AppliedBundle,
  ClusterError,
  type ClusterVersion,
  type DatabaseErrorDetail,
  errorCode,
  type LogErrorDetail,
  type NodeId,
  type PartitionId,
  type RelationId,
  type Version,
} from '@cluster/core'

type DatabaseError = ClusterError<DatabaseErrorDetail>

const list = (nodes: readonly NodeId[]): string => (nodes.length === 0 ? 'no node' : nodes.join(', '))

export function unavailable(
  database: string,
  partitions: readonly PartitionId[],
  waitingFor: readonly NodeId[],
  cause?: unknown,
): DatabaseError {
  return new ClusterError(
    { code: 'DB_UNAVAILABLE', outcome: 'rejected', partitions, waitingFor },
    `No complete copy of partition ${partitions.join(', ')} of the database ${database} answers. It is held by ${list(waitingFor)}: start that node again or restore its network.`,
    cause === undefined ? undefined : { cause },
  )
}

export function databaseGone(database: string): DatabaseError {
  return new ClusterError(
    { code: 'DB_UNAVAILABLE', outcome: 'rejected', partitions: [], waitingFor: [] },
    `The database ${database} is not there any more: this node has joined another cluster that has none of that name. Open it again, which makes it.`,
  )
}

export function databaseDropped(database: string): DatabaseError {
  return new ClusterError(
    { code: 'DB_DROPPED', outcome: 'rejected' },
    `The database ${database} was dropped, and its rows with it. Open it again to make an empty one of that name.`,
  )
}

export function conflict(database: string, relation: RelationId): DatabaseError {
  return new ClusterError(
    { code: 'DB_CONFLICT', outcome: 'rejected', relation },
    `Another transaction changed what this one read in relation ${relation} of the database ${database}. Nothing was written; run it again.`,
  )
}

export function fenced(machine: string, position: number): DatabaseError {
  return new ClusterError(
    { code: 'DB_FENCED', outcome: 'rejected', machine, position },
    'The commit depends on something that did not hold any more where it came in the log, such as a lock that was lost. Nothing was written; acquire the lock again and begin anew.',
  )
}

/** @param verdict positions in the bundle that was to happen along with the commit */
export function alongRefused(verdict: Pick<AppliedBundle, 'unmet' | 'refused' | 'results'>): DatabaseError {
  const { unmet, refused, results } = verdict
  return new ClusterError(
    { code: 'DB_ALONG_REFUSED', outcome: 'rejected', unmet, refused, results },
    'What was to happen along with the commit could not happen where it came in the log. Nothing was written; look at it again and begin anew.',
  )
}

export function versionGone(database: string, version: Version): DatabaseError {
  return new ClusterError(
    { code: 'DB_VERSION_GONE', outcome: 'rejected', version },
    `Version ${version} of the database ${database} is no longer kept: the transaction took too long. Nothing was written; run it again.`,
  )
}

export function tooFewCopies(database: string, copies: number, minCopies: number): DatabaseError {
  return new ClusterError(
    { code: 'DB_TOO_FEW_COPIES', outcome: 'rejected', copies, minCopies },
    `A write to the database ${database} would have ${copies} ${copies === 1 ? 'copy' : 'copies'}, but minCopies asks for ${minCopies}. Start more nodes, or wait until the copies are made.`,
  )
}

export function transactionTooLarge(bytes: number, bytesMax: number, cause?: unknown): DatabaseError {
  return new ClusterError(
    { code: 'DB_TRANSACTION_TOO_LARGE', outcome: 'rejected', bytes, bytesMax },
    `The transaction has ${bytes} bytes, more than the ${bytesMax} that one may have. Nothing was written; split it into several transactions of fewer rows.`,
    cause === undefined ? undefined : { cause },
  )
}

export function transactionEnded(): DatabaseError {
  return new ClusterError(
    { code: 'DB_TRANSACTION_ENDED', outcome: 'rejected' },
    'The transaction has ended, by commit or rollback. Begin a new one.',
  )
}

export function resultGone(database: string, version: Version, cause: unknown): DatabaseError {
  return new ClusterError(
    { code: 'DB_RESULT_GONE', outcome: 'unknown', version },
    `A statement was applied at version ${version} of the database ${database}, but nobody who ran it answers with what came of it. Read the rows to see, or submit it again with the idempotency key it had.`,
    { cause },
  )
}

const CHANGES_GONE = {
  retention: 'there were more than the holders keep',
  history: 'it belongs to a history that was given up',
  notKept: 'nobody had asked for them to be kept',
} as const

export function changesGone(
  database: string,
  from: Version,
  reason: keyof typeof CHANGES_GONE,
  oldest: Version | null,
): DatabaseError {
  return new ClusterError(
    { code: 'DB_CHANGES_GONE', outcome: 'rejected', reason, oldest },
    `The changes of the database ${database} behind version ${from} are not there: ${CHANGES_GONE[reason]}. Read the rows anew, and follow the changes from the version that you read.`,
  )
}

export function versionTooLow(version: ClusterVersion, needs: ClusterVersion): ClusterError<LogErrorDetail> {
  return new ClusterError(
    { code: 'LOG_VERSION_TOO_LOW', outcome: 'rejected', version, needs, behind: [] },
    `Programs need version ${needs} of the cluster, which has version ${version}: a member runs an older release. Nothing was submitted; use an ordinary transaction, or upgrade all members.`,
  )
}

const UNUSABLE = {
  missing: 'there is none, or it was never finished. Make one, or let the call that makes it end',
  damaged: 'a checksum does not hold, or something is missing. Use another backup',
  format: 'another version of the program wrote it. Use that version',
  version:
    'it does not hold the state that is asked for. Ask for one between its own version and the newest archived',
} as const

export function backupUnusable(path: string, reason: keyof typeof UNUSABLE): DatabaseError {
  return new ClusterError(
    { code: 'DB_BACKUP_UNUSABLE', outcome: 'rejected', path, reason },
    `The backup cannot be used, because of ${path}: ${UNUSABLE[reason]}.`,
  )
}

export function notEmpty(database: string): DatabaseError {
  return new ClusterError(
    { code: 'DB_NOT_EMPTY', outcome: 'rejected' },
    `The database ${database} has rows of its own. Restore the backup under another name.`,
  )
}

export function tookTooLong(lifetimeMs: number): ClusterError {
  return new ClusterError(
    { code: 'DEADLINE', outcome: 'rejected', afterMs: lifetimeMs },
    `The transaction was to end within ${lifetimeMs} ms and has not. Nothing was written; begin it with a longer lifetimeMs, or make it shorter.`,
  )
}

export function stopped(): ClusterError {
  return new ClusterError(
    { code: 'STOPPED', outcome: 'rejected' },
    'The databases of this node do not run: it is stopping, or was not started. Start the node and try again.',
  )
}

export function aborted(): ClusterError {
  return new ClusterError({ code: 'ABORTED', outcome: 'rejected' }, 'The caller gave up.')
}

export function notHolder(
  database: number,
  partition: PartitionId,
  self: NodeId,
): ClusterError<DatabaseErrorDetail> {
  return new ClusterError(
    { code: 'DB_UNAVAILABLE', outcome: 'rejected', partitions: [partition], waitingFor: [self] },
    `This node has no complete copy of partition ${partition} of database ${database}. Ask another holder.`,
  )
}

export function fragmentRefused(why: string, cause?: unknown): DatabaseError {
  return new ClusterError(
    { code: 'DB_FRAGMENT_REFUSED', outcome: 'rejected' },
    `A part of a query is not computed by this holder: ${why}. Whoever asked reads the rows and computes it.`,
    cause === undefined ? undefined : { cause },
  )
}

/** True for errors that say that the data of that version are trimmed. */
export function isVersionGone(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'STORAGE_VERSION_GONE' || code === 'DB_VERSION_GONE'
}
