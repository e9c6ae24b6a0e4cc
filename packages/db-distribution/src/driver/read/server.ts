import {
  type ChannelHandlers,
  ClusterError,
  errorCode,
  type FrameStream,
  type NodeId,
  type PartitionId,
  type PartitionStore,
  type Row,
  type Version,
} from '@cluster/core'
import { isVersionGone, versionGone } from '../../errors.ts'
import { serveFragment } from '../compute/compute-server.ts'
import { isCompute } from '../compute/compute-wire.ts'
import type { Context } from '../context.ts'
import { Pace } from '../pace.ts'
import type { Replicas } from '../replica/replicas.ts'
import { within } from '../waiting.ts'
import {
  decodeRequest,
  decodeStreamRequest,
  type ExportRequest,
  encodeBatch,
  encodeChunk,
  encodeCopy,
  encodeEnd,
  encodeFailed,
  encodeOutcomes,
  encodeRows,
  type GetRequest,
  type HolderScan,
  type Request,
} from '../wire.ts'
import { taggedBatches } from './holder-scan.ts'
import { type StoreAt, storeAt } from './serving.ts'

/** Answers other nodes from the partitions that this node holds completely. */
export class Server {
  readonly #context: Context
  readonly #replicas: Replicas
  readonly #copies: Pace

  constructor(context: Context, replicas: Replicas) {
    this.#context = context
    this.#replicas = replicas
    this.#copies = new Pace(context.ports.clock, context.settings.copyBytesPerSecond)
  }

  handlers(): ChannelHandlers {
    return {
      request: (_peer, frame, signal) => this.#answer(frame, signal),
      stream: (peer, opening, stream) => void this.#stream(peer, opening, stream),
    }
  }

  #storeAt(where: StoreAt, signal?: AbortSignal): Promise<PartitionStore> {
    return storeAt(this.#context, this.#replicas, where, signal)
  }

  #answer(frame: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const request = decodeRequest(frame)
    return request.type === 'get' ? this.#get(request, signal) : this.#outcomes(request, signal)
  }

  /** What came of programs; their replicas have run them once this node has applied their versions. */
  async #outcomes(
    { database, asked }: Extract<Request, { type: 'outcomes' }>,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const outcomes: (Uint8Array | null)[] = []
    for (const { partition, version } of asked) {
      await this.#storeAt({ database, partition, version }, signal)
      outcomes.push(this.#replicas.get(database, partition)?.outcome(version) ?? null)
    }
    return encodeOutcomes(outcomes)
  }

  async #get({ database, version, points }: GetRequest, signal: AbortSignal): Promise<Uint8Array> {
    const rows: (Row | null)[] = []
    try {
      for (const { partition, relation, key } of points) {
        const store = await this.#storeAt({ database, partition, version }, signal)
        rows.push(store.get(relation, key, version))
      }
    } catch (error) {
      throw isVersionGone(error) ? versionGone(String(database), version) : error
    }
    return encodeRows(rows)
  }

  async #stream(peer: NodeId, opening: Uint8Array, stream: FrameStream): Promise<void> {
    try {
      if (isCompute(opening)) {
        const send = (frame: Uint8Array): Promise<void> => this.#send(stream, frame)
        await serveFragment(this.#context, this.#replicas, opening, stream, send)
      } else {
        const request = decodeStreamRequest(opening)
        if (request.type === 'scan') await this.#scan(request, stream)
        else await this.#export(request, stream)
      }
      await stream.send(encodeEnd())
      await stream.close()
    } catch (error) {
      const { logger } = this.#context.ports
      logger.log('debug', 'a stream of rows ended early', { peer, error: String(error) })
      const code = isVersionGone(error) ? 'DB_VERSION_GONE' : (errorCode(error) ?? 'REMOTE_FAILED')
      try {
        await stream.send(encodeFailed(code, error instanceof Error ? error.message : String(error)))
        await stream.close()
      } catch {
        // The other side is gone, which may well be what ended the stream.
        stream.abort('the stream failed')
      }
    }
  }

  /** A reader that takes nothing any more would keep its version here for ever, so it is given up. */
  async #send(stream: FrameStream, frame: Uint8Array): Promise<void> {
    const { ports, settings } = this.#context
    await within(ports.clock, settings.pinMs, stream.send(frame), () => {
      stream.abort('the reader takes nothing')
      const detail = { code: 'DEADLINE', outcome: 'rejected', afterMs: settings.pinMs } as const
      return new ClusterError(detail, `A reader of rows took nothing for ${settings.pinMs} ms.`)
    })
  }

  async #scan(scan: HolderScan, stream: FrameStream): Promise<void> {
    const stores = new Map<PartitionId, PartitionStore>()
    for (const partition of scan.partitions)
      stores.set(partition, await this.#storeAt({ ...scan, partition }))
    const pins: { release(): void }[] = []
    try {
      // One of them may be gone already: those before it must not stay pinned.
      for (const store of stores.values()) pins.push(store.pin(scan.version))
      for await (const { partition, batch } of taggedBatches(stores, scan, this.#context.ports.clock))
        for (const frame of encodeBatch(partition, batch)) await this.#send(stream, frame)
    } finally {
      for (const pin of pins) pin.release()
    }
  }

  async #export(
    { database, partition, version: needed, exact = false }: ExportRequest,
    stream: FrameStream,
  ): Promise<void> {
    const store = await this.#storeAt({ database, partition, version: needed })
    // The newest command of the databases may be older than what was asked for, and nothing came in between.
    const version = exact ? needed : (Math.max(this.#context.machine.index, needed) as Version)
    if (!exact) this.#replicas.get(database, partition)?.sign(version)
    const pin = store.pin(version)
    try {
      await stream.send(encodeCopy(version))
      for await (const chunk of store.export(version)) {
        for (const frame of encodeChunk(chunk)) await this.#send(stream, frame)
        // Copies that nobody waits for leave room for those who do.
        if (!exact) await this.#copies.spend(chunk.length)
      }
    } finally {
      pin.release()
    }
  }
}
