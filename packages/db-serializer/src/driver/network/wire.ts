import type { ClusterVersion, LineageId, LogIndex, NodeId } from '@cluster/core'
import { Decoder, Encoder } from 'cbor-x'
import type { GroupCard, Hello, Renunciation } from '../../machine/group/forming.ts'
import type { Message, SnapshotMeta } from '../../machine/raft/types.ts'
import {
  packConfiguration,
  packLineage,
  packMessage,
  packSnapshotMeta,
  unpackConfiguration,
  unpackLineage,
  unpackMessage,
  unpackSnapshotMeta,
} from './raft-wire.ts'
import { bool, bytes, list, text, texts, WireError, whole } from './shape.ts'

/** The service of `Peers` that everything here travels on. */
export const SERVICE = 'raft'
/** Counted up whenever the layout of a frame changes; frames of another version are ignored. */
const WIRE_VERSION = 3

/** A wish of a node about itself, said to a member: `WishAnswer` comes back. */
export type WishRequest = JoinRequest | { readonly node: NodeId; readonly wish: 'away' | 'left' }

export interface JoinRequest {
  readonly node: NodeId
  readonly wish: 'join'
  /** The node's disk holds nothing of the group. */
  readonly fresh: boolean
  /** The name of the node's disk; null when it has none. */
  readonly disk: string | null
  /** The newest cluster version that the node's program supports. */
  readonly supports: ClusterVersion
  /** It is to vote, and to hold no data. */
  readonly witness: boolean
}

/** What became of a wish. */
export interface WishAnswer {
  readonly granted: boolean
  /** Whom to ask instead when it was not granted; null when nobody is known. */
  readonly leader: NodeId | null
  /** The cluster version that the node's program must support to be let in; null when it does. */
  readonly needs: ClusterVersion | null
}

/** The first frame of a stream that carries a snapshot; its bytes follow in chunks. */
export interface SnapshotOpening {
  readonly term: number
  readonly meta: SnapshotMeta
  readonly bytes: number
  /** CRC-32C of all bytes. */
  readonly checksum: number
}

/** What is notified on the service. */
export type Frame =
  | { readonly type: 'raft'; readonly message: Message }
  /** Commands for the leader to append, as envelopes. */
  | { readonly type: 'forward'; readonly envelopes: readonly Uint8Array[] }
  /** Asks the leader for an index that covers everything acknowledged before. */
  | { readonly type: 'ask'; readonly ask: number }
  /** Null when it does not lead (any more). */
  | { readonly type: 'answer'; readonly ask: number; readonly index: LogIndex | null }
  | { readonly type: 'hello'; readonly hello: Hello }

const TYPES = {
  raft: 1,
  forward: 2,
  ask: 3,
  answer: 4,
  hello: 5,
  wish: 6,
  wishAnswer: 7,
  snapshot: 8,
} as const

const encoder = new Encoder({ useRecords: false, tagUint8Array: false })
const decoder = new Decoder({ useRecords: false, tagUint8Array: false })

function pack(type: number, ...fields: unknown[]): Uint8Array {
  return encoder.encode([WIRE_VERSION, type, ...fields]) as Uint8Array
}

/** @throws WireError */
function unpack(frame: Uint8Array): readonly unknown[] {
  let value: unknown
  try {
    value = decoder.decode(frame)
  } catch (error) {
    throw new WireError(`no CBOR: ${String(error)}`)
  }
  const fields = list(value)
  if (fields[0] !== WIRE_VERSION)
    throw new WireError(`wire version ${String(fields[0])}, not ${WIRE_VERSION}`)
  return fields
}

export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.type) {
    case 'raft':
      return pack(TYPES.raft, packMessage(frame.message))
    case 'forward':
      return pack(TYPES.forward, frame.envelopes)
    case 'ask':
      return pack(TYPES.ask, frame.ask)
    case 'answer':
      return pack(TYPES.answer, frame.ask, frame.index)
    case 'hello':
      return pack(TYPES.hello, packHello(frame.hello))
  }
}

/** @throws WireError when the frame is none of this version */
export function decodeFrame(frame: Uint8Array): Frame {
  const fields = unpack(frame)
  switch (fields[1]) {
    case TYPES.raft:
      return { type: 'raft', message: unpackMessage(fields[2]) }
    case TYPES.forward:
      return { type: 'forward', envelopes: list(fields[2]).map(bytes) }
    case TYPES.ask:
      return { type: 'ask', ask: whole(fields[2]) }
    case TYPES.answer:
      return {
        type: 'answer',
        ask: whole(fields[2]),
        index: fields[3] === null ? null : (whole(fields[3]) as LogIndex),
      }
    case TYPES.hello:
      return { type: 'hello', hello: unpackHello(fields[2]) }
    default:
      throw new WireError(`unknown type of frame ${String(fields[1])}`)
  }
}

function packHello(hello: Hello): unknown[] {
  if (hello.status === 'fresh') {
    const renounced = hello.renounced?.map((each) => [each.disk, each.lineage, each.configuration])
    return [0, hello.promise, hello.disk ?? null, renounced ?? null, hello.supports, hello.witness]
  }
  return [
    1,
    packLineage(hello.history),
    hello.configuration ? packConfiguration(hello.configuration) : null,
    hello.configurationIndex,
    hello.leader,
    hello.empty,
    hello.tombstones,
    hello.forked && [hello.forked.writes, hello.forked.keep],
  ]
}

function unpackHello(value: unknown): Hello {
  const fields = list(value)
  if (fields[0] === 0)
    return {
      status: 'fresh',
      promise: nodeOrNull(fields[1]),
      ...(fields[2] !== null && { disk: text(fields[2]) }),
      ...(fields[3] !== null && { renounced: list(fields[3]).map(unpackRenunciation) }),
      supports: whole(fields[4]),
      witness: bool(fields[5]),
    }
  if (fields[0] !== 1) throw new WireError('unknown hello')
  return {
    status: 'grouped',
    history: unpackLineage(fields[1]),
    configuration: fields[2] === null ? null : unpackConfiguration(fields[2]),
    configurationIndex: whole(fields[3]),
    leader: nodeOrNull(fields[4]),
    empty: bool(fields[5]),
    tombstones: texts(fields[6]),
    forked: fields[7] === null ? null : unpackFork(list(fields[7])),
  }
}

function unpackFork([writes, keep]: readonly unknown[]): GroupCard['forked'] {
  if (keep !== null && keep !== 'oldest-voter' && keep !== 'most-writes')
    throw new WireError(`unknown rule ${String(keep)}`)
  return { writes: whole(writes), keep }
}

function unpackRenunciation(value: unknown): Renunciation {
  const [disk, lineage, configuration] = list(value)
  return {
    disk: text(disk),
    lineage: lineage === null ? null : (text(lineage) as LineageId),
    configuration: whole(configuration),
  }
}

function nodeOrNull(value: unknown): NodeId | null {
  return value === null ? null : (text(value) as NodeId)
}

export function encodeWish(wish: WishRequest): Uint8Array {
  const head = [wish.node, wish.wish]
  if (wish.wish !== 'join') return pack(TYPES.wish, ...head)
  return pack(TYPES.wish, ...head, wish.fresh, wish.disk, wish.supports, wish.witness)
}

/** @throws WireError */
export function decodeWish(frame: Uint8Array): WishRequest {
  const fields = unpack(frame)
  if (fields[1] !== TYPES.wish) throw new WireError('no wish')
  const node = text(fields[2]) as NodeId
  const wish = text(fields[3])
  if (wish === 'away' || wish === 'left') return { node, wish }
  if (wish !== 'join') throw new WireError(`unknown wish ${wish}`)
  const disk = fields[5] === null ? null : text(fields[5])
  return { node, wish, fresh: bool(fields[4]), disk, supports: whole(fields[6]), witness: bool(fields[7]) }
}

export function encodeWishAnswer({ granted, leader, needs }: WishAnswer): Uint8Array {
  return pack(TYPES.wishAnswer, granted, leader, needs)
}

/** @throws WireError */
export function decodeWishAnswer(frame: Uint8Array): WishAnswer {
  const fields = unpack(frame)
  if (fields[1] !== TYPES.wishAnswer) throw new WireError('no answer to a wish')
  const needs = fields[4] === null ? null : whole(fields[4])
  return { granted: bool(fields[2]), leader: nodeOrNull(fields[3]), needs }
}

export function encodeOpening(opening: SnapshotOpening): Uint8Array {
  return pack(TYPES.snapshot, opening.term, packSnapshotMeta(opening.meta), opening.bytes, opening.checksum)
}

/** @throws WireError */
export function decodeOpening(frame: Uint8Array): SnapshotOpening {
  const fields = unpack(frame)
  if (fields[1] !== TYPES.snapshot) throw new WireError('no opening of a snapshot')
  return {
    term: whole(fields[2]),
    meta: unpackSnapshotMeta(fields[3]),
    bytes: whole(fields[4]),
    checksum: whole(fields[5]),
  }
}

/** Plain data to bytes and back, for snapshots. */
export function encodeValue(value: unknown): Uint8Array {
  return encoder.encode(value) as Uint8Array
}

/** @throws WireError */
export function decodeValue(frame: Uint8Array): unknown {
  try {
    return decoder.decode(frame)
  } catch (error) {
    throw new WireError(`no CBOR: ${String(error)}`)
  }
}
