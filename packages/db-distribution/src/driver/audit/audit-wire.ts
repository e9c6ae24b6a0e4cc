import { ClusterError, type Key, type PartitionId, type RelationId, type Version } from '@cluster/core'
import { ByteReader, ByteWriter, type MalformedDetail } from '../../machine/bytes.ts'
import type { Digest } from '../../machine/digest.ts'

/** The name of the service in `Peers`. */
export const AUDIT_SERVICE = 'db-audit'
/** Version of the messages' layout; their first byte. */
const WIRE_FORMAT = 1

/** What of a partition, as it was at a version, somebody wants to compare. */
export interface AuditRequest {
  readonly database: number
  readonly partition: PartitionId
  readonly version: Version
  readonly rowsPerSecond: number
  /** Digests of whole relations; of the buckets of one; or of each row in some of its buckets. */
  readonly what:
    | { readonly type: 'relations' }
    | { readonly type: 'buckets'; readonly relation: RelationId }
    | { readonly type: 'rows'; readonly relation: RelationId; readonly buckets: readonly number[] }
}

/** One digest and what it is of: relation or bucket number, or key of a row. */
export interface Named<Name> {
  readonly name: Name
  readonly digest: Digest
}

/** Asks a holder to make its copy anew: others have agreed that it is wrong. */
export interface MendRequest {
  readonly database: number
  readonly partition: PartitionId
  /** The assignment that the copy was made for. */
  readonly since: number
}

const RELATIONS = 1
const BUCKETS = 2
const ROWS = 3
const MEND = 4

const damaged = (what: string): ClusterError<MalformedDetail> =>
  new ClusterError(
    { code: 'DB_FRAME_DAMAGED', outcome: 'rejected' },
    `A message that compares copies cannot be read: ${what}. Run the same version on all nodes.`,
  )

export function encodeAudit({ database, partition, version, rowsPerSecond, what }: AuditRequest): Uint8Array {
  const type = { relations: RELATIONS, buckets: BUCKETS, rows: ROWS }[what.type]
  const writer = new ByteWriter().byte(WIRE_FORMAT).byte(type)
  writer.varint(database).varint(partition).varint(version).varint(rowsPerSecond)
  if (what.type !== 'relations') writer.varint(what.relation)
  if (what.type === 'rows') {
    writer.varint(what.buckets.length)
    for (const bucket of what.buckets) writer.varint(bucket)
  }
  return writer.finish()
}

export const encodeMend = ({ database, partition, since }: MendRequest): Uint8Array =>
  new ByteWriter().byte(WIRE_FORMAT).byte(MEND).varint(database).varint(partition).varint(since).finish()

/** @throws DB_FRAME_DAMAGED */
export function decodeRequest(
  bytes: Uint8Array,
):
  | { readonly type: 'audit'; readonly audit: AuditRequest }
  | { readonly type: 'mend'; readonly mend: MendRequest } {
  const reader = new ByteReader(bytes)
  const format = reader.byte()
  if (format !== WIRE_FORMAT) throw damaged(`it has format ${format}, this version reads ${WIRE_FORMAT}`)
  const type = reader.byte()
  const database = reader.varint()
  const partition = reader.varint() as PartitionId
  if (type === MEND) return { type: 'mend', mend: { database, partition, since: reader.varint() } }
  const version = reader.varint() as Version
  const rowsPerSecond = reader.varint()
  return {
    type: 'audit',
    audit: { database, partition, version, rowsPerSecond, what: readWhat(reader, type) },
  }
}

function readWhat(reader: ByteReader, type: number): AuditRequest['what'] {
  switch (type) {
    case RELATIONS:
      return { type: 'relations' }
    case BUCKETS:
      return { type: 'buckets', relation: reader.varint() as RelationId }
    case ROWS: {
      const relation = reader.varint() as RelationId
      const buckets: number[] = []
      for (let left = reader.count(); left > 0; left--) buckets.push(reader.varint())
      return { type: 'rows', relation, buckets }
    }
    default:
      throw damaged(`it has the unknown type ${type}`)
  }
}

export function encodeDigests(digests: readonly Named<number | Key>[]): Uint8Array {
  const writer = new ByteWriter().varint(digests.length)
  for (const { name, digest } of digests) {
    if (typeof name === 'number') writer.byte(0).varint(name)
    else writer.byte(1).key(name)
    writer.varint(digest.rows).varint(digest.high).varint(digest.low)
  }
  return writer.finish()
}

/** @throws DB_FRAME_DAMAGED */
export function decodeDigests(bytes: Uint8Array): Named<number | Key>[] {
  const reader = new ByteReader(bytes)
  const digests: Named<number | Key>[] = []
  for (let left = reader.count(5); left > 0; left--) {
    const name = reader.byte() === 0 ? reader.varint() : reader.key()
    digests.push({ name, digest: { rows: reader.varint(), high: reader.varint(), low: reader.varint() } })
  }
  return digests
}
