import type { ColumnBatch, FrameStream, NodeId, PartitionId } from '@cluster/core'
import type { Context } from '../context.ts'
import { countTraffic } from '../read/traffic.ts'
import { nextBytes, streamError } from '../replica/copy.ts'
import { SERVICE } from '../wire.ts'
import type { Computation } from './computation.ts'
import { decodeComputeFrame, encodeCompute } from './compute-wire.ts'
import { addRead } from './counted.ts'

/** What a holder computes from several partitions is kept here until all of it is there, up to so many bytes. */
const TOGETHER_BYTES_MAX = 8 * 1024 * 1024

/** The results of one holder were more than may be kept until it is done. */
export class TooMuchError extends Error {
  override readonly name = 'TooMuchError'
}

export interface RemotePart {
  readonly computation: Computation
  readonly holder: NodeId
  readonly partitions: readonly PartitionId[]
  /** So many results of the first partition are there already. */
  readonly skip: number
}

/** What one other node computes of a fragment. */
export class RemoteFragment {
  readonly holder: NodeId
  readonly #context: Context
  readonly #part: RemotePart
  #opening: Promise<FrameStream> | null = null
  #stream: FrameStream | null = null
  #closed = false
  #rest: readonly PartitionId[]
  #passed: number
  #progressed = false

  constructor(context: Context, part: RemotePart) {
    this.#context = context
    this.#part = part
    this.holder = part.holder
    this.#rest = part.partitions
    this.#passed = part.skip
  }

  /** The partitions of which results are missing. */
  get rest(): readonly PartitionId[] {
    return this.#rest
  }

  /** How many results of the first of them were handed on. */
  get passed(): number {
    return this.#passed
  }

  /** True when something has come of it. */
  get progressed(): boolean {
    return this.#progressed
  }

  /** Lets the holder begin. A failure comes out of `results`. */
  start(): void {
    const { holder, partitions, skip, computation } = this.#part
    const { inputs, program, together, version, database, options } = computation
    const fragment = { database: database.id, version, partitions, together, skip, inputs, program }
    const { signal } = options
    const opening = this.#context.ports.peers.openStream(holder, SERVICE, encodeCompute(fragment), {
      deadlineMs: this.#context.settings.attemptMs,
      ...(signal ? { signal } : {}),
    })
    this.#opening = opening
    opening.then(
      (stream) => {
        this.#stream = stream
        if (this.#closed) stream.abort('nobody wants the results any more')
      },
      () => {
        // `results` awaits the same promise, and reports it if anybody asks.
      },
    )
  }

  /** @throws TooMuchError, and whatever makes the holder useless */
  async *results(): AsyncGenerator<ColumnBatch> {
    if (this.#opening === null) this.start()
    const stream = (await this.#opening) as FrameStream
    const { computation } = this.#part
    const { together, options } = computation
    const frames = stream[Symbol.asyncIterator]()
    let kept: ColumnBatch[] = []
    let bytes = 0
    for (;;) {
      const bytesOfFrame = await nextBytes(this.#context, frames)
      const frame = decodeComputeFrame(bytesOfFrame)
      const rows = frame.type === 'result' ? frame.batch.length : 0
      countTraffic(this.#context, options, rows, bytesOfFrame.length)
      switch (frame.type) {
        case 'working':
          break
        case 'result':
          this.#progressed = true
          if (!together) {
            this.#passed += rows
            yield frame.batch
            break
          }
          bytes += bytesOfFrame.length
          if (bytes > TOGETHER_BYTES_MAX) throw new TooMuchError('a holder has computed too much at once')
          kept.push(frame.batch)
          break
        case 'done': {
          this.#progressed = true
          addRead(computation.read, frame.read)
          const batches = kept
          kept = []
          this.#rest = together ? [] : this.#rest.slice(1)
          this.#passed = 0
          yield* batches
          break
        }
        case 'end':
          if (this.#rest.length > 0) throw streamError(null)
          await this.#end(stream)
          return
        default:
          throw streamError(frame)
      }
    }
  }

  /** A half that stays open would keep the stream, and a link has only so many. */
  async #end(stream: FrameStream): Promise<void> {
    this.#stream = null
    try {
      await stream.close()
    } catch (error) {
      this.#context.ports.logger.log('debug', 'a stream was already down', { error: String(error) })
    }
  }

  /** Tells the holder to stop, unless it is done. */
  close(): void {
    this.#closed = true
    this.#stream?.abort('nobody wants the results any more')
    this.#stream = null
  }
}
