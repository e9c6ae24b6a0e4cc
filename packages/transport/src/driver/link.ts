import {
  type CallOptions,
  type Cancel,
  type ChannelHandlers,
  type Clock,
  type ClusterError,
  InvariantError,
  isClusterError,
  type LinkDownCause,
  type LinkInfo,
  type Logger,
  type NodeId,
} from '@cluster/core'
import { decode, encode } from 'cbor-x'
import {
  aborted,
  type CarriedError,
  carriedError,
  deadlinePassed,
  frameTooLarge,
  linkBusy,
  linkDown,
  noHandler,
} from '../errors.ts'
import { Waiting } from '../machine/deadlines.ts'
import {
  FRAME,
  HEAD_BYTES_MAX,
  PieceReader,
  ProtocolViolation,
  readU16,
  readU32,
  WIRE_FRAME_BYTES_MAX,
  writeU16,
  writeU32,
} from '../machine/wire.ts'
import type { TransportLimits } from '../options.ts'
import type { Wire } from './wire.ts'

const NOTHING = new Uint8Array(0)
const CHANNELS_MAX = 4096
const CHANNEL_NAME_BYTES_MAX = 256
const DEADLINE_MS_MAX = 0x7fff_ffff
const text = { encoder: new TextEncoder(), decoder: new TextDecoder('utf-8', { fatal: true }) }

interface Call {
  readonly deadlineAt: number
  readonly afterMs: number
  readonly resolve: (answer: Uint8Array) => void
  readonly reject: (error: Error) => void
  readonly release: (() => void) | null
}

interface Served {
  readonly deadlineAt: number
  readonly controller: AbortController
}

export interface LinkPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly handlersOf: (channel: string) => ChannelHandlers | undefined
}

/** The channels of one admitted connection: notifications, requests with their answers, and signs of life. */
export class Link {
  readonly info: LinkInfo
  readonly #wire: Wire
  readonly #self: NodeId
  readonly #limits: TransportLimits
  readonly #ports: LinkPorts
  readonly #head = new Uint8Array(HEAD_BYTES_MAX)
  readonly #channelIds = new Map<string, number>()
  readonly #channelNames: string[] = []
  readonly #calls = new Waiting<Call>()
  readonly #served = new Waiting<Served>()
  readonly #pieces: PieceReader
  #nextCall = 1
  #timer: { readonly at: number; readonly cancel: Cancel } | null = null
  #cancelKeepAlive: Cancel = () => {}
  #misses = 0
  #isDown = false

  constructor(info: LinkInfo, wire: Wire, self: NodeId, limits: TransportLimits, ports: LinkPorts) {
    this.info = info
    this.#wire = wire
    this.#self = self
    this.#limits = limits
    this.#ports = ports
    this.#pieces = new PieceReader(limits.frameBytesMax + HEAD_BYTES_MAX)
    wire.allow(WIRE_FRAME_BYTES_MAX)
    this.#keepAlive()
  }

  /** @throws FRAME_TOO_LARGE */
  notify(channel: string, frame: Uint8Array): boolean {
    this.#checkSize(frame)
    if (this.#isDown || !this.#hasRoom(frame.length)) return false
    const id = this.#channelId(channel)
    this.#head[0] = FRAME.notify
    writeU16(this.#head, 1, id)
    this.#wire.outbox.add(this.#head, 3, frame, id)
    this.#wire.schedule()
    return true
  }

  request(channel: string, frame: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const { peer } = this.info
      this.#checkSize(frame)
      if (this.#isDown) throw linkDown(peer, 'rejected')
      if (options.signal?.aborted) throw aborted('The request was cancelled before it was sent', 'rejected')
      if (this.#calls.size >= this.#limits.requestsMax || !this.#hasRoom(frame.length)) throw linkBusy(peer)
      const afterMs = Math.min(options.deadlineMs ?? this.#limits.deadlineMs, DEADLINE_MS_MAX)
      const deadlineAt = this.#ports.clock.now() + afterMs
      const call = this.#newCallId()
      let release: (() => void) | null = null
      const { signal } = options
      if (signal) {
        const onAbort = (): void => {
          if (!this.#calls.take(call)) return
          this.#sendCall(FRAME.cancel, call, NOTHING)
          reject(aborted('The request was cancelled', 'unknown'))
        }
        signal.addEventListener('abort', onAbort, { once: true })
        release = () => signal.removeEventListener('abort', onAbort)
      }
      this.#calls.add(call, { deadlineAt, afterMs, resolve, reject, release })
      this.#arm(deadlineAt)
      const id = this.#channelId(channel)
      this.#head[0] = FRAME.request
      writeU16(this.#head, 1, id)
      writeU32(this.#head, 3, call)
      writeU32(this.#head, 7, Math.max(0, Math.round(afterMs)))
      this.#wire.outbox.add(this.#head, 11, frame, -1)
      this.#wire.schedule()
    })
  }

  /** One frame of the wire. @throws ProtocolViolation */
  receive(bytes: Uint8Array, start: number, end: number): void {
    switch (bytes[start]) {
      case FRAME.notify:
        this.#onNotify(bytes, start, end)
        return
      case FRAME.request:
        this.#onRequest(bytes, start, end)
        return
      case FRAME.reply:
      case FRAME.failure:
        this.#onAnswer(bytes, start, end)
        return
      case FRAME.cancel:
        need(start, end, 5)
        this.#served
          .take(readU32(bytes, start + 1))
          ?.controller.abort(aborted('The caller cancelled', 'unknown'))
        return
      case FRAME.channel:
        this.#onChannel(bytes, start, end)
        return
      case FRAME.ping:
        this.#sendPlain(FRAME.pong)
        return
      case FRAME.pong:
        return
      case FRAME.first:
      case FRAME.next: {
        const whole =
          bytes[start] === FRAME.first
            ? this.#pieces.first(bytes, start + 1, end)
            : this.#pieces.next(bytes, start + 1, end)
        if (!whole) return
        const type = whole[0] ?? 0
        if (type < FRAME.notify || type > FRAME.failure)
          throw new ProtocolViolation(`a large frame of type ${type}`)
        this.receive(whole, 0, whole.length)
        return
      }
      default:
        throw new ProtocolViolation(`a frame of type ${bytes[start]}`)
    }
  }

  /** Ends everything that waits on this link. */
  down(_cause: LinkDownCause): void {
    if (this.#isDown) return
    this.#isDown = true
    this.#timer?.cancel()
    this.#cancelKeepAlive()
    const error = linkDown(this.info.peer, 'unknown')
    for (const call of this.#calls.clear()) {
      call.release?.()
      call.reject(error)
    }
    for (const served of this.#served.clear()) served.controller.abort(error)
  }

  #onNotify(bytes: Uint8Array, start: number, end: number): void {
    need(start, end, 3)
    const handlers = this.#ports.handlersOf(this.#channelName(readU16(bytes, start + 1)))
    handlers?.notify?.(this.info.peer, bytes.subarray(start + 3, end))
  }

  #onRequest(bytes: Uint8Array, start: number, end: number): void {
    need(start, end, 11)
    const channel = this.#channelName(readU16(bytes, start + 1))
    const call = readU32(bytes, start + 3)
    const deadlineMs = readU32(bytes, start + 7)
    if (this.#served.has(call)) throw new ProtocolViolation(`request ${call} twice`)
    const handle = this.#ports.handlersOf(channel)?.request
    if (!handle) {
      this.#fail(call, noHandler(channel))
      return
    }
    if (this.#served.size >= this.#limits.requestsMax) {
      this.#fail(call, linkBusy(this.#self))
      return
    }
    const controller = new AbortController()
    const deadlineAt = this.#ports.clock.now() + deadlineMs
    this.#served.add(call, { deadlineAt, controller })
    this.#arm(deadlineAt)
    let answer: Promise<Uint8Array>
    try {
      answer = handle(this.info.peer, bytes.subarray(start + 11, end), controller.signal)
    } catch (error) {
      answer = Promise.reject(error)
    }
    answer.then(
      (reply) => {
        if (this.#isDown || !this.#served.take(call)) return
        if (reply.length > this.#limits.frameBytesMax)
          this.#fail(call, frameTooLarge(reply.length, this.#limits.frameBytesMax))
        else if (this.#hasRoom(reply.length)) this.#sendCall(FRAME.reply, call, reply)
        else this.#fail(call, linkBusy(this.#self))
      },
      (error) => {
        if (!this.#isDown && this.#served.take(call)) this.#fail(call, error)
        if (error instanceof InvariantError)
          queueMicrotask(() => {
            // A broken invariant must stop the node, not just fail one request.
            throw error
          })
      },
    )
  }

  #onAnswer(bytes: Uint8Array, start: number, end: number): void {
    need(start, end, 5)
    const call = this.#calls.take(readU32(bytes, start + 1))
    // The caller gave up before the answer came.
    if (!call) return
    call.release?.()
    const payload = bytes.subarray(start + 5, end)
    if (bytes[start] === FRAME.reply) call.resolve(payload)
    else call.reject(this.#readFailure(payload))
  }

  #readFailure(payload: Uint8Array): ClusterError {
    let value: unknown = null
    try {
      value = decode(payload)
    } catch (error) {
      this.#ports.logger.log('warn', 'a peer sent an error that cannot be read', {
        peer: this.info.peer,
        error: String(error),
      })
    }
    return carriedError(value, this.info.peer)
  }

  #onChannel(bytes: Uint8Array, start: number, end: number): void {
    need(start, end, 3)
    const id = readU16(bytes, start + 1)
    if (id !== this.#channelNames.length || id >= CHANNELS_MAX || end - start > CHANNEL_NAME_BYTES_MAX + 3)
      throw new ProtocolViolation(`channel number ${id}`)
    this.#channelNames.push(text.decoder.decode(bytes.subarray(start + 3, end)))
  }

  #channelName(id: number): string {
    const name = this.#channelNames[id]
    if (name === undefined) throw new ProtocolViolation(`unknown channel number ${id}`)
    return name
  }

  #channelId(channel: string): number {
    const known = this.#channelIds.get(channel)
    if (known !== undefined) return known
    const id = this.#channelIds.size
    const name = text.encoder.encode(channel)
    if (id >= CHANNELS_MAX || name.length > CHANNEL_NAME_BYTES_MAX)
      throw new InvariantError(`channel '${channel}' is one too many, or its name is too long`)
    this.#channelIds.set(channel, id)
    const head = new Uint8Array(3)
    head[0] = FRAME.channel
    writeU16(head, 1, id)
    this.#wire.outbox.add(head, 3, name, -1)
    return id
  }

  #newCallId(): number {
    let id = this.#nextCall
    while (this.#calls.has(id)) id = (id + 1) >>> 0
    this.#nextCall = (id + 1) >>> 0
    return id
  }

  #checkSize(frame: Uint8Array): void {
    const { frameBytesMax } = this.#limits
    if (frame.length > frameBytesMax) throw frameTooLarge(frame.length, frameBytesMax)
  }

  #hasRoom(bytes: number): boolean {
    return this.#wire.outbox.bytes + bytes <= this.#limits.queueBytesMax
  }

  #sendPlain(type: number): void {
    this.#head[0] = type
    this.#wire.outbox.add(this.#head, 1, NOTHING, -1)
    this.#wire.schedule()
  }

  #sendCall(type: number, call: number, payload: Uint8Array): void {
    this.#head[0] = type
    writeU32(this.#head, 1, call)
    this.#wire.outbox.add(this.#head, 5, payload, -1)
    this.#wire.schedule()
  }

  #fail(call: number, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const carried: CarriedError = { message, detail: isClusterError(error) ? error.detail : null }
    this.#sendCall(FRAME.failure, call, encode(carried))
  }

  /** Makes sure that a timer runs out no later than `at`. */
  #arm(at: number): void {
    if (this.#timer && this.#timer.at <= at) return
    this.#timer?.cancel()
    const { clock } = this.#ports
    const delayMs = Math.min(Math.max(0, at - clock.now()), DEADLINE_MS_MAX)
    this.#timer = { at, cancel: clock.after(delayMs, () => this.#onTimer()) }
  }

  #onTimer(): void {
    this.#timer = null
    if (this.#isDown) return
    const now = this.#ports.clock.now()
    for (const [id, call] of this.#calls.expired(now)) {
      call.release?.()
      this.#sendCall(FRAME.cancel, id, NOTHING)
      call.reject(deadlinePassed(this.info.peer, call.afterMs, 'unknown'))
    }
    for (const [, { controller }] of this.#served.expired(now))
      controller.abort(deadlinePassed(this.info.peer, 0, 'unknown'))
    const next = Math.min(this.#calls.earliest(), this.#served.earliest())
    if (next < Number.POSITIVE_INFINITY) this.#arm(next)
  }

  /** Counts silent periods rather than comparing times, so that a stall of this process is not taken for silence. */
  #keepAlive(): void {
    this.#cancelKeepAlive = this.#ports.clock.after(this.#limits.keepAliveMs, () => {
      if (this.#isDown) return
      if (this.#wire.heard) {
        this.#wire.heard = false
        this.#misses = 0
      } else {
        this.#misses++
        if (this.#misses > this.#limits.keepAliveMisses) {
          this.#wire.abort('timed-out', 'nothing was heard of the peer')
          return
        }
        this.#sendPlain(FRAME.ping)
      }
      this.#keepAlive()
    })
  }
}

function need(start: number, end: number, bytes: number): void {
  if (end - start < bytes) throw new ProtocolViolation('a frame that is too short')
}
