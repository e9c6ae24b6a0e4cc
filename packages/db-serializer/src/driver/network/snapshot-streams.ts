import {
  type CallOptions,
  crc32c,
  type FrameStream,
  type Logger,
  type NodeId,
  type Peers,
} from '@cluster/core'
import type { SnapshotMeta } from '../../machine/raft/types.ts'
import type { NewSnapshot } from '../disk/log-store.ts'
import { PIECE_BYTES_MAX, type SnapshotSummary, type SnapshotWriter } from '../disk/snapshot-file.ts'
import { WireError } from './shape.ts'
import { decodeOpening, encodeOpening, SERVICE, type SnapshotOpening } from './wire.ts'

/** Larger snapshots are refused: machines hold them in memory. */
const SNAPSHOT_BYTES_MAX = 64 * 1024 * 1024 * 1024
const RECEIVED = new Uint8Array([1])
/** Before each piece in its frame: its CRC-32C. */
const CHECKSUM_BYTES = 4
/** How many pieces are there already (u32): what the receiver says first. */
const PROGRESS_BYTES = 4

/** A snapshot that can be sent. */
export interface Sendable {
  readonly meta: SnapshotMeta
  readonly summary: Pick<SnapshotSummary, 'bytes' | 'checksum'>
  /** All but the first `from` pieces. */
  pieces(from: number): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/**
 * Streams a snapshot to a follower, from where an earlier stream of the same one broke off; true when it has all of it.
 * Never rejects: what went wrong is logged.
 */
export async function sendSnapshot(
  peers: Peers,
  to: NodeId,
  term: number,
  { meta, summary, pieces }: Sendable,
  logger: Logger,
  options: CallOptions,
): Promise<boolean> {
  let from = 0
  let sent = 0
  try {
    const opening = encodeOpening({ term, meta, bytes: summary.bytes, checksum: summary.checksum })
    const stream = await peers.openStream(to, SERVICE, opening, options)
    try {
      const answers = stream[Symbol.asyncIterator]()
      const progress = await answers.next()
      if (progress.done) throw new WireError('the follower does not want it')
      from = decodeProgress(progress.value)
      for await (const piece of pieces(from)) {
        await stream.send(encodePiece(piece))
        sent++
      }
      await stream.close()
      const last = await answers.next()
      const whole = !last.done && last.value[0] === RECEIVED[0]
      if (whole) logger.log('debug', 'snapshot sent', { to, index: meta.index, from, sent })
      return whole
    } catch (error) {
      stream.abort('the snapshot cannot be sent')
      throw error
    }
  } catch (error) {
    logger.log('info', 'snapshot not sent', { to, index: meta.index, from, sent, why: String(error) })
    return false
  }
}

function encodePiece(piece: Uint8Array): Uint8Array {
  const frame = new Uint8Array(CHECKSUM_BYTES + piece.length)
  new DataView(frame.buffer).setUint32(0, crc32c(piece), true)
  frame.set(piece, CHECKSUM_BYTES)
  return frame
}

/** @throws WireError */
function decodePiece(frame: Uint8Array): { readonly piece: Uint8Array; readonly checksum: number } {
  if (frame.length < CHECKSUM_BYTES || frame.length > CHECKSUM_BYTES + PIECE_BYTES_MAX)
    throw new WireError(`a piece of ${frame.length} bytes`)
  const piece = frame.subarray(CHECKSUM_BYTES)
  const checksum = new DataView(frame.buffer, frame.byteOffset).getUint32(0, true)
  if (crc32c(piece) !== checksum) throw new WireError('a piece whose checksum does not hold')
  return { piece, checksum }
}

function encodeProgress(pieces: number): Uint8Array {
  const frame = new Uint8Array(PROGRESS_BYTES)
  new DataView(frame.buffer).setUint32(0, pieces, true)
  return frame
}

function decodeProgress(frame: Uint8Array): number {
  if (frame.length !== PROGRESS_BYTES) throw new WireError('no progress')
  return new DataView(frame.buffer, frame.byteOffset).getUint32(0, true)
}

/** A snapshot of which a part is here. */
interface Partial {
  /** Two streams carry the same snapshot if they agree in this. */
  readonly key: string
  readonly writer: SnapshotWriter
  stream: FrameStream | null
}

export interface InboxPorts {
  readonly logger: Logger
  /** Begins to write a snapshot on the disk. */
  create(meta: SnapshotMeta): Promise<SnapshotWriter>
}

/** A snapshot that came over whole. */
export interface Received {
  readonly opening: SnapshotOpening
  readonly snapshot: NewSnapshot
  /** Removes it from the disk, when nobody wants it. */
  discard(): Promise<void>
}

/**
 * Takes snapshots that leaders stream, one at a time. What came of one stays on the disk when its stream breaks, and the next
 * stream of the same snapshot goes on from there; a stream of another one begins anew.
 */
export class SnapshotInbox {
  readonly #ports: InboxPorts
  #partial: Partial | null = null
  /** Streams are taken one after the other; a new one ends the one before. */
  #turn: Promise<void> = Promise.resolve()
  #closed = false

  constructor(ports: InboxPorts) {
    this.#ports = ports
  }

  /** Never rejects: what went wrong is logged. */
  receive(opening: Uint8Array, stream: FrameStream, received: (received: Received) => void): void {
    // Its link may be gone without this side having noticed yet.
    this.#partial?.stream?.abort('another stream took its place')
    this.#turn = this.#turn.then(() => this.#receive(opening, stream, received))
  }

  /** Takes nothing any more. What lies on the disk is removed when the folder is opened again. */
  close(): void {
    this.#closed = true
    this.#partial?.stream?.abort('the ordered log stops')
  }

  /** What is partly here is of no use any more, as the log has gone on behind it by itself. */
  forget(): void {
    this.#turn = this.#turn.then(() => this.#drop())
  }

  async #receive(
    opening: Uint8Array,
    stream: FrameStream,
    received: (received: Received) => void,
  ): Promise<void> {
    try {
      if (this.#closed) throw new WireError('the ordered log stops')
      const head = decodeOpening(opening)
      if (head.bytes > SNAPSHOT_BYTES_MAX) throw new WireError(`a snapshot of ${head.bytes} bytes`)
      const partial = await this.#partialOf(head)
      partial.stream = stream
      try {
        await this.#take(head, partial, stream)
      } finally {
        partial.stream = null
      }
      this.#partial = null
      const { writer } = partial
      const summary = await writer.finish()
      const snapshot = { path: writer.path, summary }
      if (summary.checksum !== head.checksum) {
        await writer.discard()
        throw new WireError('a snapshot that is not what its opening said')
      }
      received({ opening: head, snapshot, discard: () => writer.discard() })
      await stream.send(RECEIVED)
      await stream.close()
    } catch (error) {
      const { bytes = 0 } = this.#partial?.writer.summary ?? {}
      this.#ports.logger.log('info', 'snapshot not received', {
        from: stream.peer,
        bytes,
        why: String(error),
      })
      stream.abort('the snapshot cannot be taken')
    }
  }

  /** What is there of this snapshot; nothing yet, if it is another one. */
  async #partialOf({ meta, bytes, checksum }: SnapshotOpening): Promise<Partial> {
    const key = [meta.index, meta.term, meta.history.lineage, bytes, checksum].join(' ')
    if (this.#partial?.key === key) return this.#partial
    await this.#drop()
    this.#partial = { key, writer: await this.#ports.create(meta), stream: null }
    return this.#partial
  }

  async #take({ bytes }: SnapshotOpening, { writer }: Partial, stream: FrameStream): Promise<void> {
    await stream.send(encodeProgress(writer.summary.pieces))
    for await (const frame of stream) {
      if (this.#closed) throw new WireError('the ordered log stops')
      const { piece, checksum } = decodePiece(frame)
      if (writer.summary.bytes + piece.length > bytes) {
        await this.#drop()
        throw new WireError('more bytes than announced')
      }
      await writer.add(piece, checksum)
    }
    if (writer.summary.bytes < bytes) throw new WireError(`${bytes - writer.summary.bytes} bytes are missing`)
  }

  async #drop(): Promise<void> {
    const partial = this.#partial
    this.#partial = null
    await partial?.writer.discard()
  }
}
