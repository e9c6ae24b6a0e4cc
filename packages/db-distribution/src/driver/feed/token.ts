import {
  ClusterError,
  type DatabaseErrorDetail,
  type LineageId,
  lineageId,
  type PartitionId,
  type Version,
} from '@cluster/core'
import type { ChangePlace } from '../../machine/change-keys.ts'

/** Where a feed stands: behind a change, or behind a whole version. */
export interface FeedPosition {
  readonly version: Version
  /** The last change taken of `version`; null when all of it were. */
  readonly place: ChangePlace | null
  /** The history that `version` belongs to; null for a version that the caller gave, which is of the one here. */
  readonly lineage: LineageId | null
}

const FORMAT = 'c1'

/** Text that holds a position, for one database. */
export function encodeToken(uid: string, { version, place, lineage }: FeedPosition): string {
  const within = place === null ? '' : `${place.partition.toString(36)}-${place.ordinal.toString(36)}`
  return [FORMAT, uid, lineage ?? '', version.toString(36), within].join('.')
}

/** @throws DB_OPTION_INVALID when it is no token, or one of another database */
export function decodeToken(uid: string, token: string): FeedPosition {
  const [format, of, lineage = '', version = '', within = '', ...rest] = token.split('.')
  const place = /^([0-9a-z]+)-([0-9a-z]+)$/.exec(within)
  const right = format === FORMAT && rest.length === 0 && /^[0-9a-z]+$/.test(version)
  if (!right || (within !== '' && place === null)) throw wrongToken(token, 'it is no token of this version')
  if (of !== uid) throw wrongToken(token, 'it comes from another database')
  const at = Number.parseInt(version, 36) as Version
  return {
    version: at,
    lineage: lineage === '' ? null : lineageId(lineage),
    place:
      place === null
        ? null
        : {
            version: at,
            partition: Number.parseInt(place[1] ?? '', 36) as PartitionId,
            ordinal: Number.parseInt(place[2] ?? '', 36),
          },
  }
}

const wrongToken = (given: string, why: string): ClusterError<DatabaseErrorDetail> =>
  new ClusterError(
    { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: 'from', given },
    `Changes cannot be followed from ${JSON.stringify(given)}: ${why}. Give a token as it came with a change, or a version.`,
  )
