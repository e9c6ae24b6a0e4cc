import {
  type Address,
  type CallOptions,
  type Cancel,
  type ChannelHandlers,
  ClusterError,
  type CommonErrorDetail,
  EventHub,
  type FrameStream,
  isClusterError,
  type LinkDownCause,
  type LinkInfo,
  type NodeId,
  type ProbeResult,
  type Transport,
  type TransportErrorDetail,
  type TransportEvents,
} from '@cluster/core'
import type { SimNetwork } from './network.ts'
import type { Endpoint, Link, Timeline } from './parties.ts'
import type { Process } from './process.ts'
import { SimLink } from './sim-link.ts'
import { SimStream } from './sim-stream.ts'

const FRAME_BYTES_MAX = 4 * 1024 * 1024
const QUEUE_BYTES_MAX = 16 * 1024 * 1024
const DEADLINE_MS = 5_000
const DIAL_DEADLINE_MS = 3_000

const linkDown = (peer: NodeId, outcome: 'rejected' | 'unknown'): ClusterError<TransportErrorDetail> =>
  new ClusterError(
    { code: 'LINK_DOWN', outcome, peer },
    `There is no link to ${peer} any more. Try again once it is back.`,
  )

/** One call that waits for its answer. */
interface Waiting {
  readonly link: Link
  readonly resolve: (value: Uint8Array) => void
  readonly reject: (error: unknown) => void
  readonly settled: () => void
}

/** The transport of one process over the simulated network. */
export class SimTransport implements Transport, Endpoint {
  readonly self: NodeId
  readonly frameBytesMax = FRAME_BYTES_MAX
  readonly timeline: Timeline
  readonly startNumber: number
  readonly #network: SimNetwork
  readonly #process: Process
  readonly #events = new EventHub<TransportEvents>()
  readonly #handlers = new Map<string, ChannelHandlers>()
  readonly #links = new Map<NodeId, Link>()
  readonly #dials = new Map<NodeId, Promise<LinkInfo>>()
  readonly #waiting = new Map<number, Waiting>()
  readonly #serving = new Map<Link, Set<AbortController>>()
  readonly #streams = new Map<Link, Set<SimStream>>()
  #nextCall = 1
  #listening = false

  constructor(network: SimNetwork, process: Process, self: NodeId) {
    this.#network = network
    this.#process = process
    this.self = self
    this.timeline = process.timeline
    this.startNumber = process.start
  }

  get stalledMs(): number {
    return this.#process.stalledMs
  }

  get alive(): boolean {
    return this.#process.alive
  }

  get listening(): boolean {
    return this.#listening
  }

  get process(): Process {
    return this.#process
  }

  async start(): Promise<void> {
    await this.#process.soon(0.2, () => {
      this.#listening = true
      this.#network.listen(this.self, this)
    })
  }

  async stop(): Promise<void> {
    if (!this.#listening) return
    this.#listening = false
    this.#network.listen(this.self, null)
    for (const link of this.#sortedLinks()) link.close(this.self, 'closed-here')
    await this.#process.soon(0.2, () => undefined)
  }

  /** The process died. With power its host closes what was open; without, nobody hears of it. */
  died({ silently }: { readonly silently: boolean }): void {
    this.#listening = false
    this.#network.listen(this.self, null)
    for (const link of this.#sortedLinks()) link.close(this.self, 'closed-here', { silently })
  }

  addresses(): readonly Address[] {
    return this.#listening ? [this.#network.addressOf(this.self)] : []
  }

  on<Type extends keyof TransportEvents>(
    type: Type,
    listener: (event: TransportEvents[Type]) => void,
  ): Cancel {
    return this.#events.on(type, listener)
  }

  handle(channel: string, handlers: ChannelHandlers): void {
    this.#handlers.set(channel, handlers)
  }

  links(): readonly LinkInfo[] {
    return this.#sortedLinks().map((link) => link.here(this.self).info)
  }

  connect(at: Address, { deadlineMs = DIAL_DEADLINE_MS, signal }: CallOptions = {}): Promise<LinkInfo> {
    const host = this.#network.host(at)
    if (host?.node === this.self) return Promise.reject(this.#dialFailed(at, 'it is this very node'))
    const existing = host === null ? undefined : this.#links.get(host.node)
    if (existing) return Promise.resolve(existing.here(this.self).info)
    if (host === null) return this.#process.soon(1, () => this.#failDial(at, 'no host has it'))
    const running = this.#dials.get(host.node)
    if (running) return running
    const dial = this.#dial(at, host.node, deadlineMs, signal)
    this.#dials.set(host.node, dial)
    const done = (): void => {
      this.#dials.delete(host.node)
    }
    dial.then(done, done)
    return dial
  }

  #dial(at: Address, peer: NodeId, deadlineMs: number, signal?: AbortSignal): Promise<LinkInfo> {
    return new Promise((resolve, reject) => {
      let over = false
      const finish = (run: () => void): void => {
        if (over) return
        over = true
        cancelDeadline()
        cancelUp()
        run()
      }
      const cancelDeadline = this.#process.later(deadlineMs, () =>
        finish(() => reject(this.#dialFailed(at, `nothing answered in ${deadlineMs} ms`))),
      )
      // The other end may have dialled too; whichever link comes up first is the one.
      const cancelUp = this.#events.on('linkUp', (info) => {
        if (info.peer === peer) finish(() => resolve(info))
      })
      signal?.addEventListener('abort', () => finish(() => reject(aborted())), { once: true })
      const knock = (): void => {
        if (over || this.#network.isBlocked(this.self, peer)) return
        const target = this.#network.host(at)?.transport ?? null
        if (target !== null && target.stalledMs > 0) {
          this.#network.schedule(target.stalledMs, knock)
          return
        }
        const answer = (run: () => void): void =>
          this.#network.schedule(this.#network.latencyMs(60), () => {
            if (!this.#network.isBlocked(peer, this.self) && this.alive) run()
          })
        if (target === null)
          answer(() =>
            finish(() =>
              reject(
                new ClusterError<TransportErrorDetail>(
                  { code: 'DIAL_REFUSED', outcome: 'rejected', address: at },
                  `${at} refused the connection: its host lives and no node listens there.`,
                ),
              ),
            ),
          )
        else target.accept(this)
      }
      this.#network.schedule(this.#network.latencyMs(60), knock)
    })
  }

  /** A dial of `from` arrived here. */
  accept(from: Endpoint): void {
    // Of two nodes that dial each other at once the smaller id's dial is kept.
    if (this.#dials.has(from.self) && this.self < from.self) return
    const old = this.#links.get(from.self)
    if (old) {
      // The dialler has no link, so the old one is dead at its end.
      old.close(this.self, 'closed-by-host', { silently: true })
    }
    const info = (of: Endpoint, inbound: boolean): LinkInfo => ({
      peer: of.self,
      start: of.startNumber,
      listening: [this.#network.addressOf(of.self)],
      inbound,
    })
    const link = new SimLink(this.#network, from, this, [info(this, false), info(from, true)])
    this.#network.addLink(link)
    // Sent before anything that listeners of this end send: the other end knows of the link before its first frame.
    link.pass(link.here(this.self), { bytes: 200, exposed: false, mayRepeat: false }, () => {
      if (from.listening && link.here(this.self).up) from.linkMade(link)
    })
    this.linkMade(link)
  }

  linkMade(link: Link): void {
    const side = link.here(this.self)
    const old = this.#links.get(side.info.peer)
    if (old && old !== link) old.close(this.self, 'closed-by-host', { silently: true })
    side.up = true
    this.#links.set(side.info.peer, link)
    this.timeline.trace.note(this.self, 'link up', { peer: side.info.peer })
    this.#events.emit('linkUp', side.info)
  }

  /** Called by the link when this end is over. */
  linkLost(link: Link, cause: LinkDownCause): void {
    const { info } = link.here(this.self)
    if (this.#links.get(info.peer) === link) this.#links.delete(info.peer)
    if (!this.alive) return
    this.timeline.trace.note(this.self, 'link down', { peer: info.peer, cause })
    for (const [id, waiting] of [...this.#waiting])
      if (waiting.link === link) {
        this.#waiting.delete(id)
        waiting.settled()
        waiting.reject(linkDown(info.peer, 'unknown'))
      }
    for (const controller of this.#serving.get(link) ?? []) controller.abort(linkDown(info.peer, 'unknown'))
    this.#serving.delete(link)
    for (const stream of this.#streams.get(link) ?? []) stream.fail(linkDown(info.peer, 'unknown'))
    this.#streams.delete(link)
    this.#events.emit('linkDown', { ...info, cause })
  }

  disconnect(peer: NodeId): Promise<void> {
    this.#links.get(peer)?.close(this.self, 'closed-here')
    return Promise.resolve()
  }

  notify(peer: NodeId, channel: string, frame: Uint8Array): boolean {
    const link = this.#usable(peer, frame)
    if (link === null) return false
    const bytes = frame.slice()
    const side = link.here(this.self)
    if (side.queuedBytes + bytes.length > QUEUE_BYTES_MAX) return false
    this.#note('notify', peer, channel, bytes)
    link.pass(side, { bytes: bytes.length, exposed: true, mayRepeat: true }, () => {
      receiver(link, this.self)?.deliver(this.self, channel, bytes.slice())
    })
    return true
  }

  /** A notification arrived here. */
  deliver(from: NodeId, channel: string, frame: Uint8Array): void {
    this.#handlers.get(channel)?.notify?.(from, frame)
  }

  request(
    peer: NodeId,
    channel: string,
    frame: Uint8Array,
    { deadlineMs = DEADLINE_MS, signal }: CallOptions = {},
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return
      if (signal?.aborted) return reject(aborted('rejected'))
      if (frame.length > FRAME_BYTES_MAX) return reject(tooLarge(frame.length))
      const link = this.#links.get(peer)
      if (!link) return reject(linkDown(peer, 'rejected'))
      const id = this.#nextCall++
      const far: { abort: (() => void) | null } = { abort: null }
      const giveUp = (error: unknown): void => {
        if (!this.#waiting.delete(id)) return
        settled()
        // The other side hears that nobody waits any more.
        link.pass(link.here(this.self), { bytes: 20, exposed: false, mayRepeat: false }, () => far.abort?.())
        reject(error)
      }
      const onAbort = (): void => giveUp(aborted())
      const cancelDeadline = this.#process.later(deadlineMs, () => giveUp(deadline(peer, deadlineMs)))
      const settled = (): void => {
        cancelDeadline()
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.set(id, { link, resolve, reject, settled })
      this.#note('request', peer, channel, frame)
      const bytes = frame.slice()
      link.pass(link.here(this.self), { bytes: bytes.length, exposed: true, mayRepeat: false }, () =>
        receiver(link, this.self)?.serve(link, this, id, channel, bytes, far),
      )
    })
  }

  /** A request arrived here. */
  serve(
    link: Link,
    caller: SimTransport,
    id: number,
    channel: string,
    bytes: Uint8Array,
    far: { abort: (() => void) | null },
  ): void {
    const answer = (size: number, run: (waiting: Waiting) => void): void => {
      const side = link.here(this.self)
      if (!side.up || !this.alive) return
      this.#note('answer', caller.self, channel, null)
      link.pass(side, { bytes: size, exposed: true, mayRepeat: false }, () => {
        const waiting = caller.#waiting.get(id)
        if (!waiting) return
        caller.#waiting.delete(id)
        waiting.settled()
        run(waiting)
      })
    }
    const handler = this.#handlers.get(channel)?.request
    if (!handler) {
      answer(40, ({ reject }) => reject(noHandler(channel)))
      return
    }
    const controller = new AbortController()
    const serving = this.#serving.get(link) ?? new Set()
    this.#serving.set(link, serving)
    serving.add(controller)
    far.abort = () => controller.abort(aborted())
    const handled = async (): Promise<Uint8Array> => handler(caller.self, bytes, controller.signal)
    handled().then(
      (result) => {
        serving.delete(controller)
        if (result.length > FRAME_BYTES_MAX) answer(40, ({ reject }) => reject(tooLarge(result.length)))
        const copy = result.slice()
        answer(copy.length, ({ resolve }) => resolve(copy))
      },
      (error: unknown) => {
        serving.delete(controller)
        const travelling = isClusterError(error)
          ? ClusterError.fromObject(structuredClone(error.toObject()))
          : this.#remoteFailed(error)
        answer(200, ({ reject }) => reject(travelling))
      },
    )
  }

  openStream(
    peer: NodeId,
    channel: string,
    opening: Uint8Array,
    { deadlineMs = DEADLINE_MS, signal }: CallOptions = {},
  ): Promise<FrameStream> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return
      if (signal?.aborted) return reject(aborted('rejected'))
      const link = this.#usable(peer, opening)
      if (link === null)
        return reject(
          opening.length > FRAME_BYTES_MAX ? tooLarge(opening.length) : linkDown(peer, 'rejected'),
        )
      const near = new SimStream(this.#process, link, this.self)
      const bytes = opening.slice()
      this.#note('stream', peer, channel, bytes)
      this.#addStream(link, near)
      let open = false
      const refuse = (error: unknown): void => {
        if (open) return
        open = true
        cancel()
        near.onFail = null
        near.abort('The opener gave the stream up.')
        reject(error)
      }
      const cancel = this.#process.later(deadlineMs, () => refuse(deadline(peer, deadlineMs)))
      near.onFail = refuse
      signal?.addEventListener('abort', () => refuse(aborted()), { once: true })
      link.pass(link.here(this.self), { bytes: bytes.length, exposed: false, mayRepeat: false }, () => {
        const target = receiver(link, this.self)
        if (!target) return
        const handler = target.#handlers.get(channel)?.stream
        const back = (run: () => void): void =>
          link.pass(link.there(this.self), { bytes: 40, exposed: false, mayRepeat: false }, run)
        if (!handler) return back(() => refuse(noHandler(channel)))
        const far = new SimStream(target.#process, link, target.self)
        near.join(far)
        target.#addStream(link, far)
        back(() => {
          if (open) return
          open = true
          cancel()
          near.onFail = null
          resolve(near)
        })
        handler(this.self, bytes, far)
      })
    })
  }

  probe(at: Address, { deadlineMs = DIAL_DEADLINE_MS }: CallOptions = {}): Promise<ProbeResult> {
    return new Promise((resolve) => {
      const host = this.#network.host(at)
      const cancel = this.#process.later(deadlineMs, () => resolve({ answer: 'silent' }))
      if (host === null) return
      const knock = (): void => {
        if (this.#network.isBlocked(this.self, host.node)) return
        const target = host.transport
        if (target !== null && target.stalledMs > 0) {
          this.#network.schedule(target.stalledMs, knock)
          return
        }
        const result: ProbeResult =
          target === null
            ? { answer: 'refused' }
            : { answer: 'node', peer: target.self, start: target.startNumber }
        this.#network.schedule(this.#network.latencyMs(60), () => {
          if (this.#network.isBlocked(host.node, this.self) || !this.alive) return
          cancel()
          resolve(result)
        })
      }
      this.#network.schedule(this.#network.latencyMs(60), knock)
    })
  }

  /** The kernel of the other host answers, also for a process that stands still. */
  accepts(at: Address, { deadlineMs = DIAL_DEADLINE_MS }: CallOptions = {}): Promise<boolean> {
    return new Promise((resolve) => {
      const host = this.#network.host(at)
      const cancel = this.#process.later(deadlineMs, () => resolve(false))
      if (host === null) return
      this.#network.schedule(this.#network.latencyMs(60), () => {
        if (this.#network.isBlocked(this.self, host.node)) return
        const accepted = host.transport !== null
        this.#network.schedule(this.#network.latencyMs(60), () => {
          if (this.#network.isBlocked(host.node, this.self) || !this.alive) return
          cancel()
          resolve(accepted)
        })
      })
    })
  }

  #addStream(link: Link, stream: SimStream): void {
    const streams = this.#streams.get(link) ?? new Set()
    this.#streams.set(link, streams)
    streams.add(stream)
    stream.onEnd = () => streams.delete(stream)
  }

  #usable(peer: NodeId, frame: Uint8Array): Link | null {
    if (!this.alive || frame.length > FRAME_BYTES_MAX) return null
    return this.#links.get(peer) ?? null
  }

  #sortedLinks(): Link[] {
    return [...this.#links.keys()].sort().flatMap((peer) => this.#links.get(peer) ?? [])
  }

  #note(what: string, to: NodeId, channel: string, frame: Uint8Array | null): void {
    this.timeline.trace.frame(this.self, what, { to, channel, bytes: frame?.length ?? 0 })
  }

  #remoteFailed(error: unknown): ClusterError<TransportErrorDetail> {
    return new ClusterError<TransportErrorDetail>(
      { code: 'REMOTE_FAILED', outcome: 'unknown', peer: this.self },
      `The handler on ${this.self} failed: ${error instanceof Error ? error.message : String(error)}`,
    )
  }

  #dialFailed(at: Address, why: string): ClusterError<TransportErrorDetail> {
    return new ClusterError<TransportErrorDetail>(
      { code: 'DIAL_FAILED', outcome: 'rejected', address: at },
      `Could not reach ${at}: ${why}.`,
    )
  }

  #failDial(at: Address, why: string): never {
    throw this.#dialFailed(at, why)
  }
}

/** The process at the other end of a link, if that end is still up. */
function receiver(link: Link, from: NodeId): SimTransport | null {
  const { up, transport } = link.there(from)
  return up && transport.alive && transport instanceof SimTransport ? transport : null
}

function aborted(outcome: 'rejected' | 'unknown' = 'unknown'): ClusterError<CommonErrorDetail> {
  return new ClusterError<CommonErrorDetail>({ code: 'ABORTED', outcome }, 'The caller gave the call up.')
}

function deadline(peer: NodeId, afterMs: number): ClusterError<CommonErrorDetail> {
  return new ClusterError<CommonErrorDetail>(
    { code: 'DEADLINE', outcome: 'unknown', afterMs },
    `${peer} did not answer in ${afterMs} ms.`,
  )
}

function noHandler(channel: string): ClusterError<TransportErrorDetail> {
  return new ClusterError<TransportErrorDetail>(
    { code: 'NO_HANDLER', outcome: 'rejected', channel },
    `The other node serves no channel ${channel}.`,
  )
}

function tooLarge(bytes: number): ClusterError<TransportErrorDetail> {
  return new ClusterError<TransportErrorDetail>(
    { code: 'FRAME_TOO_LARGE', outcome: 'rejected', bytes, bytesMax: FRAME_BYTES_MAX },
    `The frame has ${bytes} bytes, ${FRAME_BYTES_MAX} are the limit; send it as a stream.`,
  )
}
