import { scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import {
  type Address,
  address,
  assert,
  type CallOptions,
  type Cancel,
  type ChannelHandlers,
  EventHub,
  type FrameStream,
  type LinkDownCause,
  type LinkInfo,
  type NodeId,
  nodeId,
  type ProbeResult,
  type Transport,
  type TransportEvents,
} from '@cluster/core'
import type { Connection, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  addressNotUsable,
  admissionRefused,
  dialFailed,
  frameTooLarge,
  linkDown,
  noHandler,
  portInUse,
  stopped,
} from '../errors.ts'
import {
  hostFirst,
  orderAddresses,
  parseTcpAddress,
  servedWithoutSecret,
  withoutPeer,
} from '../machine/addresses.ts'
import type { HandshakeMessage, RefusalReason } from '../machine/admission.ts'
import { type PairEffect, Pairing } from '../machine/pairing.ts'
import { RefusalGate } from '../machine/refusals.ts'
import {
  LISTEN_DEFAULT,
  type Libp2pOptions,
  PROTOCOLS,
  type TransportLimits,
  type TransportPorts,
  withDefaults,
} from '../options.ts'
import { isAccepted } from './accepting.ts'
import { BulkStream } from './bulk-stream.ts'
import { Attempt, dialOneOf, resolveTargets, type Target } from './dialling.ts'
import { readIdentity } from './identity.ts'
import { buildNode, type Libp2pNode } from './libp2p-node.ts'
import { Link } from './link.ts'
import { answerProbe, askProbe } from './probe.ts'
import { Session } from './session.ts'

const stretch = promisify<string, string, number, Buffer>(scrypt)

interface Waiter {
  readonly session: Session
  readonly resolve: (info: LinkInfo) => void
  readonly reject: (error: Error) => void
}

/** Links over libp2p: TCP, Noise, yamux. Options first, then ports; nothing happens before `start`. */
export const libp2pTransport =
  (options: Libp2pOptions) =>
  (ports: TransportPorts): Transport =>
    new Libp2pTransport(options, ports)

class Libp2pTransport implements Transport {
  readonly self: NodeId
  readonly frameBytesMax: number
  readonly #options: Libp2pOptions
  readonly #limits: TransportLimits
  readonly #ports: TransportPorts
  readonly #events = new EventHub<TransportEvents>()
  readonly #handlers = new Map<string, ChannelHandlers>()
  readonly #gate = new RefusalGate()
  readonly #pairings = new Map<NodeId, Pairing>()
  /** Sessions whose id is known. */
  readonly #sessions = new Map<string, Session>()
  readonly #byConnection = new WeakMap<Connection, Session>()
  /** The session that carries the link with a peer. */
  readonly #up = new Map<NodeId, Session>()
  readonly #waiters = new Set<Waiter>()
  /** Connections that came in and have not said what they want. */
  readonly #visitors = new Map<Connection, Cancel>()
  #key: Uint8Array | null = null
  #node: Libp2pNode | null = null
  #addresses: readonly Address[] = []
  #state: 'new' | 'running' | 'stopped' = 'new'

  constructor(options: Libp2pOptions, ports: TransportPorts) {
    this.self = nodeId(peerIdFromPrivateKey(readIdentity(options.identity)).toString())
    this.#options = options
    this.#limits = withDefaults(options)
    this.#ports = ports
    this.frameBytesMax = this.#limits.frameBytesMax
  }

  async start(): Promise<void> {
    assert(this.#state === 'new', 'a transport starts once')
    this.#state = 'running'
    const { secret, name } = this.#options
    // Stretched, so that who listens in as a false node cannot try many secrets a second against one proof.
    this.#key = secret === undefined ? null : await stretch(secret, `cluster ${name}`, 32)
    const listen = this.#options.listen ?? LISTEN_DEFAULT
    for (const wanted of listen)
      if (!parseTcpAddress(wanted)) throw addressNotUsable(wanted, 'it is no multiaddr of a TCP port')
    const node = await buildNode(
      { ...this.#limits, identity: readIdentity(this.#options.identity), listen },
      {
        deny: (remote) => this.#deny(remote),
        inboundFailed: (remote, reason) => this.#refused(remote, 'protocol', reason),
        listenerFailed: (where, reason) => {
          this.#ports.logger.log('error', 'listener failed', { address: where, reason })
          this.#events.emit('listenerFailed', { address: where, reason })
        },
      },
      this.#ports.logger,
    )
    this.#node = node
    const { libp2p } = node
    libp2p.addEventListener('connection:open', (event) => this.#onConnection(event.detail))
    libp2p.addEventListener('connection:close', (event) => this.#forgetVisitor(event.detail))
    const { streamsMax } = this.#limits
    await libp2p.handle(PROTOCOLS.link, (stream, from) => this.#onLinkStream(stream, from), {
      maxInboundStreams: 1,
      maxOutboundStreams: 1,
    })
    await libp2p.handle(PROTOCOLS.stream, (stream, from) => this.#onBulkStream(stream, from), {
      maxInboundStreams: streamsMax,
      maxOutboundStreams: streamsMax,
    })
    await libp2p.handle(PROTOCOLS.probe, (stream) => answerProbe(stream, this.#options.start), {
      maxInboundStreams: 1,
      maxOutboundStreams: 1,
    })
    try {
      await libp2p.start()
      this.#checkListening(node, listen)
    } catch (error) {
      this.#state = 'stopped'
      node.closing()
      await libp2p.stop()
      throw error
    }
    const found = libp2p.getMultiaddrs().map((found) => withoutPeer(found.toString()))
    this.#addresses = orderAddresses(found).map(address)
  }

  async stop(): Promise<void> {
    if (this.#state !== 'running') return
    this.#state = 'stopped'
    const node = this.#node
    node?.closing()
    const sessions = [...this.#sessions.values()]
    await Promise.all(sessions.map((session) => this.#closeSession(session)))
    for (const cancel of this.#visitors.values()) cancel()
    this.#visitors.clear()
    await node?.libp2p.stop()
  }

  addresses(): readonly Address[] {
    return this.#addresses
  }

  on<Type extends keyof TransportEvents>(
    type: Type,
    listener: (event: TransportEvents[Type]) => void,
  ): () => void {
    return this.#events.on(type, listener)
  }

  handle(channel: string, handlers: ChannelHandlers): void {
    assert(!this.#handlers.has(channel), `channel '${channel}' has its handlers already`)
    this.#handlers.set(channel, handlers)
  }

  async connect(to: Address, options: CallOptions = {}): Promise<LinkInfo> {
    const node = this.#running()
    for (const session of this.#up.values()) if (session.dialled === to && session.info) return session.info
    const attempt = new Attempt(to, options, this.#limits.deadlineMs, this.#ports.clock)
    try {
      const targets = await attempt.race(resolveTargets(to, this.#key !== null))
      const { connection, target } = await this.#dial(node, targets, attempt)
      let stream: Stream
      try {
        stream = await connection.newStream(PROTOCOLS.link, { signal: attempt.signal })
      } catch (error) {
        connection.abort(error instanceof Error ? error : new Error(String(error)))
        throw attempt.error() ?? admissionRefused(to, 'protocol')
      }
      const session = this.#newSession(connection, stream, 'dial', target)
      const outcome = this.#waitForLink(session)
      session.begin()
      try {
        return await attempt.race(outcome)
      } catch (error) {
        if (!session.link) session.wire.abort('closed-here', 'dialling was given up')
        throw error
      }
    } finally {
      attempt.done()
    }
  }

  async disconnect(peer: NodeId): Promise<void> {
    const session = this.#up.get(peer)
    if (session) await this.#closeSession(session)
  }

  links(): readonly LinkInfo[] {
    const infos = [...this.#up.values()].flatMap(({ info }) => (info ? [info] : []))
    return infos.sort((a, b) => (a.peer < b.peer ? -1 : 1))
  }

  notify(peer: NodeId, channel: string, frame: Uint8Array): boolean {
    return this.#up.get(peer)?.link?.notify(channel, frame) ?? false
  }

  request(peer: NodeId, channel: string, frame: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const link = this.#up.get(peer)?.link
    return link ? link.request(channel, frame, options) : Promise.reject(linkDown(peer, 'rejected'))
  }

  async openStream(
    peer: NodeId,
    channel: string,
    opening: Uint8Array,
    options: CallOptions = {},
  ): Promise<FrameStream> {
    const session = this.#up.get(peer)
    if (!session) throw linkDown(peer, 'rejected')
    if (opening.length > this.frameBytesMax) throw frameTooLarge(opening.length, this.frameBytesMax)
    const attempt = new Attempt(address(peer), options, this.#limits.deadlineMs, this.#ports.clock)
    try {
      const opened = await session.connection.newStream(PROTOCOLS.stream, { signal: attempt.signal })
      const stream = this.#bulk(session, opened)
      await attempt.race(stream.open(channel, opening))
      return stream
    } catch (error) {
      if (session.wire.isClosed) throw linkDown(peer, 'unknown')
      throw attempt.failure(error)
    } finally {
      attempt.done()
    }
  }

  async probe(to: Address, options: CallOptions = {}): Promise<ProbeResult> {
    const node = this.#running()
    const attempt = new Attempt(to, options, this.#limits.deadlineMs, this.#ports.clock)
    try {
      const targets = await attempt.race(resolveTargets(to, this.#key !== null))
      const dial = (target: Target): Promise<Connection> => node.dial(target.text, attempt.signal)
      const own = { self: this.self, start: this.#options.start }
      const dialAny = async (): Promise<Connection> => (await dialOneOf(targets, dial, attempt)).connection
      return await askProbe(dialAny, attempt, own, this.#ports.clock)
    } finally {
      attempt.done()
    }
  }

  async accepts(to: Address, options: CallOptions = {}): Promise<boolean> {
    this.#running()
    const address = parseTcpAddress(to)
    if (address === null) return false
    const attempt = new Attempt(to, options, this.#limits.deadlineMs, this.#ports.clock)
    try {
      return await isAccepted(address.host, address.port, attempt.signal)
    } finally {
      attempt.done()
    }
  }

  #running(): Libp2pNode {
    if (this.#state !== 'running' || !this.#node) throw stopped()
    return this.#node
  }

  async #dial(
    node: Libp2pNode,
    targets: readonly Target[],
    attempt: Attempt,
  ): Promise<{ readonly connection: Connection; readonly target: Target }> {
    try {
      return await dialOneOf(targets, (target) => node.dial(target.text, attempt.signal), attempt)
    } catch (error) {
      throw attempt.failure(error)
    }
  }

  #checkListening(node: Libp2pNode, listen: readonly string[]): void {
    const failures = node.listenFailures()
    for (const { address: failed, error } of failures) {
      if (error.code === 'EADDRINUSE') throw portInUse(failed, error)
      // A host without IPv6 still runs; whoever named that address alone is told.
      const isSpare = failed.startsWith('/ip6/') && failures.length < listen.length
      if (!isSpare) throw addressNotUsable(failed, error.message, error)
      this.#ports.logger.log('info', 'not listening on IPv6', { address: failed, reason: error.message })
    }
  }

  #deny(remote: string): string | null {
    if (this.#state !== 'running') return 'this node is stopping'
    if (this.#key !== null) return null
    const host = parseTcpAddress(remote)?.host ?? ''
    if (servedWithoutSecret(host)) return null
    this.#refused(remote, 'public-address', 'without a secret only private addresses are served')
    return 'a public address'
  }

  #refused(from: string, reason: RefusalReason, detail: string): void {
    const dropped = this.#gate.pass(this.#ports.clock.now())
    if (dropped === null) return
    this.#ports.logger.log('warn', 'turned away', { from, reason, detail, unreported: dropped })
    this.#events.emit('refused', { from, reason: `${reason}: ${detail}` })
  }

  /** Whoever comes in says what he wants soon, or goes. */
  #onConnection(connection: Connection): void {
    if (connection.direction !== 'inbound') return
    const cancel = this.#ports.clock.after(this.#limits.handshakeMs, () => {
      this.#visitors.delete(connection)
      this.#refused(withoutPeer(connection.remoteAddr.toString()), 'protocol', 'it said nothing in time')
      connection.abort(new Error('nothing was said in time'))
    })
    this.#visitors.set(connection, cancel)
  }

  #forgetVisitor(connection: Connection): void {
    this.#visitors.get(connection)?.()
    this.#visitors.delete(connection)
  }

  #onLinkStream(stream: Stream, connection: Connection): void {
    this.#forgetVisitor(connection)
    if (this.#byConnection.has(connection)) stream.abort(new Error('a second link stream'))
    else this.#newSession(connection, stream, 'accept', null).begin()
  }

  #newSession(
    connection: Connection,
    stream: Stream,
    role: 'dial' | 'accept',
    target: Target | null,
  ): Session {
    const node = this.#running()
    const { name, start } = this.#options
    const session = new Session(
      connection,
      stream,
      {
        role,
        self: this.self,
        name,
        start,
        listening: this.#addresses,
        key: this.#key,
        nonce: Buffer.from(this.#ports.random.bytes(32)).toString('hex'),
        dialled: target?.address ?? null,
        closeMs: this.#limits.closeMs,
      },
      { clock: this.#ports.clock, flush: node.flush },
      {
        named: (named) => this.#onNamed(named),
        admitted: (admitted, peerStart) =>
          this.#pair(admitted.peer, (pair) =>
            admitted.id === null ? [] : pair.admitted(admitted.id, peerStart),
          ),
        pairMessage: (from, message) => this.#onPairMessage(from, message),
        refused: (...args) => this.#onRefused(...args),
        closed: (closed, cause, why) => this.#onClosed(closed, cause, why),
      },
    )
    this.#byConnection.set(connection, session)
    session.cancelDeadline = this.#ports.clock.after(this.#limits.handshakeMs, () => {
      if (!session.link) session.refuse('protocol', 'its handshake took too long')
    })
    return session
  }

  #onNamed(session: Session): void {
    const { id } = session
    assert(id !== null, 'a named session has an id')
    if (this.#sessions.has(id)) {
      session.refuse('protocol', 'its nonce is not fresh')
      return
    }
    this.#sessions.set(id, session)
    this.#pair(session.peer, (pair) => pair.opened(id))
  }

  #onPairMessage(session: Session, message: HandshakeMessage): boolean {
    const { id } = session
    if (id === null) return false
    if (message.t === 'hello' || message.t === 'prove' || message.t === 'refuse') return false
    let isAllowed = true
    this.#pair(session.peer, (pair) => {
      const effects = pair.message(id, message)
      isAllowed = effects !== null
      return effects ?? []
    })
    return isAllowed
  }

  #onRefused(session: Session, reason: RefusalReason, byPeer: boolean, detail: string): void {
    const remote = withoutPeer(session.connection.remoteAddr.toString())
    if (session.role === 'accept') this.#refused(remote, reason, byPeer ? 'it refused this node' : detail)
    this.#fail(session, admissionRefused(session.dialled ?? remote, reason))
    void session.close(`refused: ${detail}`)
  }

  #onClosed(session: Session, cause: LinkDownCause, why: string): void {
    const { id, peer } = session
    if (id !== null && this.#sessions.get(id) === session) {
      this.#sessions.delete(id)
      this.#pair(peer, (pair) => pair.closed(id, cause))
    }
    if (session.link) this.#ports.logger.log('info', 'link closed', { peer, cause, why })
    this.#settle(peer, `the connection was closed (${why})`)
  }

  #pair(peer: NodeId, step: (pair: Pairing) => readonly PairEffect[]): void {
    let pair = this.#pairings.get(peer)
    if (!pair) {
      pair = new Pairing(this.self, peer)
      this.#pairings.set(peer, pair)
    }
    for (const effect of step(pair)) {
      const session = this.#sessions.get(effect.link)
      if (effect.type === 'down') this.#linkDown(peer, effect.cause)
      else if (session && effect.type === 'send') session.send(effect.message)
      else if (session && effect.type === 'up') this.#linkUp(session)
      else if (session && effect.type === 'close') void session.close(effect.why)
    }
    if (pair.empty) this.#pairings.delete(peer)
  }

  #linkUp(session: Session): void {
    session.cancelDeadline()
    const { peer, start, connection, dialled } = session
    const host = parseTcpAddress(withoutPeer(connection.remoteAddr.toString()))?.host ?? ''
    const dialledText = dialled === null ? [] : [withoutPeer(connection.remoteAddr.toString())]
    const listening = [...new Set([...dialledText, ...hostFirst(session.listening, host)])]
    const info: LinkInfo = {
      peer,
      start,
      listening: listening.map(address),
      inbound: session.role === 'accept',
    }
    session.link = new Link(info, session.wire, this.self, this.#limits, {
      clock: this.#ports.clock,
      logger: this.#ports.logger,
      handlersOf: (channel) => this.#handlers.get(channel),
    })
    this.#up.set(peer, session)
    this.#ports.logger.log('info', 'link up', { peer, start, inbound: info.inbound })
    this.#events.emit('linkUp', info)
    this.#settle(peer, '')
  }

  #linkDown(peer: NodeId, cause: LinkDownCause): void {
    const session = this.#up.get(peer)
    if (!session?.link) return
    this.#up.delete(peer)
    session.link.down(cause)
    this.#events.emit('linkDown', { ...session.link.info, cause })
  }

  async #closeSession(session: Session): Promise<void> {
    for (const stream of session.streams) stream.abort('the link is being closed')
    await session.close('closed by this node')
  }

  #waitForLink(session: Session): Promise<LinkInfo> {
    const outcome = new Promise<LinkInfo>((resolve, reject) => {
      this.#waiters.add({ session, resolve, reject })
    })
    // The dial may have been given up by the time it fails.
    outcome.catch(() => {})
    return outcome
  }

  #fail(session: Session, error: Error): void {
    for (const waiter of this.#waiters) {
      if (waiter.session !== session) continue
      this.#waiters.delete(waiter)
      waiter.reject(error)
    }
  }

  /** Dials to `peer` end when there is a link, or when no connection is left that could become one. */
  #settle(peer: NodeId, why: string): void {
    const info = this.#up.get(peer)?.info
    for (const waiter of this.#waiters) {
      if (waiter.session.peer !== peer) continue
      if (info) waiter.resolve(info)
      else if (!waiter.session.wire.isClosed || this.#pairings.has(peer)) continue
      else waiter.reject(dialFailed(waiter.session.dialled ?? peer, why))
      this.#waiters.delete(waiter)
    }
  }

  #bulk(session: Session, stream: Stream): BulkStream {
    const bulk = new BulkStream(session.connection, stream, session.peer, this.#limits, (done) =>
      session.streams.delete(done),
    )
    session.streams.add(bulk)
    return bulk
  }

  #onBulkStream(stream: Stream, connection: Connection): void {
    const session = this.#byConnection.get(connection)
    if (!session?.link) {
      this.#refused(
        withoutPeer(connection.remoteAddr.toString()),
        'protocol',
        'a stream before its admission',
      )
      connection.abort(new Error('a stream before admission'))
      return
    }
    const bulk = this.#bulk(session, stream)
    bulk.onOpening = (channel, opening) => {
      const handle = this.#handlers.get(channel)?.stream
      if (handle) handle(session.peer, opening, bulk)
      else bulk.refuse(noHandler(channel))
    }
  }
}
