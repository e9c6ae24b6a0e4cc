import {
  type CallOptions,
  crc32c,
  type FrameStream,
  type Logger,
  type NodeId,
  type Peers,
} from '@cluster/core'
import type { SnapshotMeta } from '../../machine/raft/types.ts'
import { WireError } from './shape.ts'
import { decodeOpening, encodeOpening, SERVICE, type SnapshotOpening } from './wire.ts'

const CHUNK_BYTES = 256 * 1024
/** Larger snapshots are refused: they must fit in memory. */
const SNAPSHOT_BYTES_MAX = 1024 * 1024 * 1024
const RECEIVED = new Uint8Array([1])

export interface Snapshot {
  readonly meta: SnapshotMeta
  readonly bytes: Uint8Array
}

/** Streams a snapshot to a follower; true when it has all of it. Never rejects: what went wrong is logged. */
export async function sendSnapshot(
  peers: Peers,
  to: NodeId,
  term: number,
  { meta, bytes }: Snapshot,
  logger: Logger,
  options: CallOptions,
): Promise<boolean> {
  try {
    const opening = encodeOpening({ term, meta, bytes: bytes.length, checksum: crc32c(bytes) })
    const stream = await peers.openStream(to, SERVICE, opening, options)
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      await stream.send(bytes.subarray(at, at + CHUNK_BYTES))
    }
    await stream.close()
    for await (const frame of stream) return frame[0] === RECEIVED[0]
    return false
  } catch (error) {
    logger.log('info', 'snapshot not sent', { to, index: meta.index, why: String(error) })
    return false
  }
}

/** Takes a snapshot that a peer streams; calls `received` once it is here and whole. */
export async function receiveSnapshot(
  opening: Uint8Array,
  stream: FrameStream,
  logger: Logger,
  received: (opening: SnapshotOpening, bytes: Uint8Array) => void,
): Promise<void> {
  try {
    const head = decodeOpening(opening)
    if (head.bytes > SNAPSHOT_BYTES_MAX) throw new WireError(`a snapshot of ${head.bytes} bytes`)
    const bytes = new Uint8Array(head.bytes)
    let at = 0
    for await (const chunk of stream) {
      if (at + chunk.length > bytes.length) throw new WireError('more bytes than announced')
      bytes.set(chunk, at)
      at += chunk.length
    }
    if (at !== bytes.length || crc32c(bytes) !== head.checksum)
      throw new WireError('a snapshot that is not whole')
    received(head, bytes)
    await stream.send(RECEIVED)
    await stream.close()
  } catch (error) {
    logger.log('warn', 'snapshot not received', { from: stream.peer, why: String(error) })
    stream.abort('the snapshot cannot be taken')
  }
}
