import type { PartitionId, RelationId } from '@cluster/core'
import { ByteReader, ByteWriter } from './bytes.ts'

/** What `apply` answers to the submitter of a command. */
export type CommandResult =
  /** Done. `copies`: the fewest complete replicas, by the record, of a partition written; 0 for other commands. */
  | { readonly type: 'done'; readonly copies: number }
  /** The database exists already, or was made by this command. */
  | { readonly type: 'database'; readonly id: number; readonly created: boolean }
  /** Something read has changed since. */
  | { readonly type: 'conflict'; readonly relation: RelationId }
  /** What it writes is reserved for another transaction for a moment: it had no effect, and may be submitted again. */
  | { readonly type: 'reserved'; readonly relation: RelationId }
  /** The version read is older than what can be judged. */
  | { readonly type: 'versionGone'; readonly oldest: number }
  | { readonly type: 'tooFewCopies'; readonly copies: number }
  /** No replica of the partition is complete. */
  | { readonly type: 'unavailable'; readonly partition: PartitionId }
  | { readonly type: 'unknownDatabase' }
  /** The record had moved on, or the change would have dropped the last complete copy. */
  | { readonly type: 'stale' }
  | { readonly type: 'malformed' }

const DONE = 0
const DATABASE = 1
const CONFLICT = 2
const VERSION_GONE = 3
const TOO_FEW_COPIES = 4
const UNAVAILABLE = 5
const UNKNOWN_DATABASE = 6
const STALE = 7
const MALFORMED = 8
const RESERVED = 9

/** The answers that nearly all commits get, made once; nobody changes them. */
const DONE_BYTES = Array.from({ length: 16 }, (_, copies) => Uint8Array.of(DONE, copies))

export function encodeResult(result: CommandResult): Uint8Array {
  if (result.type === 'done') {
    const bytes = DONE_BYTES[result.copies]
    if (bytes !== undefined) return bytes
  }
  const writer = new ByteWriter()
  switch (result.type) {
    case 'done':
      return writer.byte(DONE).varint(result.copies).finish()
    case 'database':
      return writer
        .byte(DATABASE)
        .varint(result.id)
        .byte(result.created ? 1 : 0)
        .finish()
    case 'conflict':
      return writer.byte(CONFLICT).varint(result.relation).finish()
    case 'reserved':
      return writer.byte(RESERVED).varint(result.relation).finish()
    case 'versionGone':
      return writer.byte(VERSION_GONE).varint(result.oldest).finish()
    case 'tooFewCopies':
      return writer.byte(TOO_FEW_COPIES).varint(result.copies).finish()
    case 'unavailable':
      return writer.byte(UNAVAILABLE).varint(result.partition).finish()
    case 'unknownDatabase':
      return writer.byte(UNKNOWN_DATABASE).finish()
    case 'stale':
      return writer.byte(STALE).finish()
    case 'malformed':
      return writer.byte(MALFORMED).finish()
  }
}

/** @throws DB_FRAME_DAMAGED */
export function decodeResult(bytes: Uint8Array): CommandResult {
  const reader = new ByteReader(bytes)
  switch (reader.byte()) {
    case DONE:
      return { type: 'done', copies: reader.varint() }
    case DATABASE: {
      const id = reader.varint()
      return { type: 'database', id, created: reader.byte() === 1 }
    }
    case CONFLICT:
      return { type: 'conflict', relation: reader.varint() as RelationId }
    case RESERVED:
      return { type: 'reserved', relation: reader.varint() as RelationId }
    case VERSION_GONE:
      return { type: 'versionGone', oldest: reader.varint() }
    case TOO_FEW_COPIES:
      return { type: 'tooFewCopies', copies: reader.varint() }
    case UNAVAILABLE:
      return { type: 'unavailable', partition: reader.varint() as PartitionId }
    case UNKNOWN_DATABASE:
      return { type: 'unknownDatabase' }
    case STALE:
      return { type: 'stale' }
    default:
      return { type: 'malformed' }
  }
}
