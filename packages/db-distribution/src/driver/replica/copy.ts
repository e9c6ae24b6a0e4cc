import {
  ClusterError,
  type DatabaseErrorDetail,
  joinBytes,
  type NodeId,
  type PartitionId,
  type PartitionStore,
  shuffle,
  type Version,
} from '@cluster/core'
import type { Context } from '../context.ts'
import { within } from '../waiting.ts'
import { decodeFrame, type ExportRequest, encodeExport, SERVICE, type StreamFrame } from '../wire.ts'

/** A source that sends nothing for this long is given up. */
const SILENCE_MS = 10_000

export interface Copy {
  readonly store: PartitionStore
  readonly source: NodeId
}

/**
 * Copies a partition, at `version` or later, from one of its complete living holders into a store of this node.
 * Null when none could give it; the caller tries again later.
 */
export async function fetchCopy(
  context: Context,
  database: number,
  partition: PartitionId,
  version: Version,
  name: string,
): Promise<Copy | null> {
  const { ports, self } = context
  const record = context.partition(database, partition)
  if (record === null) return null
  const sources = shuffle(
    ports.random,
    context.livingHolders(record).filter((node) => node !== self),
  )
  for (const source of sources) {
    if (context.stopped) return null
    try {
      const store = await readCopy(context, source, { database, partition, version }, (at, chunks) =>
        ports.storage.import(name, at, chunks),
      )
      return { store, source }
    } catch (error) {
      ports.logger.log('warn', 'a copy was not finished', { store: name, source, error: String(error) })
    }
  }
  return null
}

/** Hands the chunks of a partition, as another node has it, to `take`, with the version that they are of. */
export async function readCopy<Result>(
  context: Context,
  source: NodeId,
  request: ExportRequest,
  take: (version: Version, chunks: AsyncIterable<Uint8Array>) => Promise<Result>,
): Promise<Result> {
  const { peers } = context.ports
  const stream = await peers.openStream(source, SERVICE, encodeExport(request), {
    deadlineMs: context.settings.attemptMs,
    signal: context.stopping.signal,
  })
  const abort = (): void => stream.abort('the node stops')
  context.stopping.signal.addEventListener('abort', abort, { once: true })
  const frames = stream[Symbol.asyncIterator]()
  try {
    const head = await nextFrame(context, frames)
    if (head.type !== 'copy') throw streamError(head)
    return await take(head.version, chunks(context, frames))
  } catch (error) {
    stream.abort('the copy is of no use')
    throw error
  } finally {
    context.stopping.signal.removeEventListener('abort', abort)
    await stream.close().catch((error: unknown) => {
      context.ports.logger.log('debug', 'a stream was already down', { error: String(error) })
    })
  }
}

async function* chunks(context: Context, frames: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  let pieces: Uint8Array[] = []
  for (;;) {
    const frame = await nextFrame(context, frames)
    if (frame.type === 'end') return
    if (frame.type !== 'chunk') throw streamError(frame)
    pieces.push(frame.bytes)
    if (frame.more) continue
    yield pieces.length === 1 ? frame.bytes : joinBytes(pieces)
    pieces = []
  }
}

async function nextFrame(
  context: Context,
  frames: AsyncIterator<Uint8Array>,
  ms = SILENCE_MS,
): Promise<StreamFrame> {
  return decodeFrame(await nextBytes(context, frames, ms))
}

/** The next frame as it came. @throws DEADLINE when the other side is silent, DB_FRAME_DAMAGED at the end */
export async function nextBytes(
  context: Context,
  frames: AsyncIterator<Uint8Array>,
  ms = SILENCE_MS,
): Promise<Uint8Array> {
  const next = await within(
    context.ports.clock,
    ms,
    frames.next(),
    () =>
      new ClusterError(
        { code: 'DEADLINE', outcome: 'rejected', afterMs: ms },
        `A holder of a partition sent nothing for ${ms} ms. Another one is asked.`,
      ),
  )
  if (next.done === true) throw streamError(null)
  return next.value
}

export function streamError(frame: StreamFrame | null): ClusterError {
  if (frame?.type === 'failed') {
    const detail = { code: frame.code, outcome: 'rejected' } as DatabaseErrorDetail
    return new ClusterError(detail, frame.message)
  }
  return new ClusterError(
    { code: 'DB_FRAME_DAMAGED', outcome: 'rejected' },
    `A stream of the databases ${frame === null ? 'ended too early' : `has a ${frame.type} where none belongs`}. It is read again from another holder.`,
  )
}
