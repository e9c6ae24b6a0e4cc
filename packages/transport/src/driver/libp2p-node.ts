import { setImmediate } from 'node:timers'
import { noise } from '@chainsafe/libp2p-noise'
import type { Logger } from '@cluster/core'
import type {
  Connection,
  Libp2p,
  Listener,
  MessageStream,
  MultiaddrConnection,
  PrivateKey,
  Upgrader,
} from '@libp2p/interface'
import { FaultTolerance } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { withoutPeer } from '../machine/addresses.ts'
import type { TransportLimits } from '../options.ts'
import { quietLogger } from './quiet-logger.ts'

/** A write of this many bytes does not wait for the end of the turn. */
const CORK_BYTES = 64 * 1024
/** What a yamux stream's reader may be behind, at most; below libp2p's read buffer of 4 MiB. */
const WINDOW_BYTES_MAX = 1024 * 1024

export interface NodeHooks {
  /** Called for each connection that comes in, before anything is read. @returns why it is not served, or `null` */
  deny(remote: string): string | null
  /** A connection that came in failed before it was authenticated and encrypted. */
  inboundFailed(remote: string, reason: string): void
  listenerFailed(address: string, reason: string): void
}

export interface ListenFailure {
  readonly address: string
  readonly error: NodeJS.ErrnoException
}

/** libp2p as far as the links use it. */
export interface Libp2pNode {
  readonly libp2p: Libp2p
  /** Opens a connection of its own, whatever others there are. @throws what the socket or the handshake threw */
  dial(address: string, signal: AbortSignal): Promise<Connection>
  /** Writes what the connection's layers have produced in this turn. */
  flush(connection: Connection): void
  listenFailures(): readonly ListenFailure[]
  /** From now on a listener that closes is no failure. */
  closing(): void
}

/**
 * Joins the many short writes of one turn (length prefixes, window updates, data) into one write to the socket:
 * each would be a system call and, without Nagle, a packet of its own.
 */
class Cork {
  readonly #stream: MessageStream
  readonly #write: MessageStream['send']
  #pending: Uint8Array[] = []
  #bytes = 0
  #full = false
  #scheduled = false

  constructor(stream: MessageStream) {
    this.#stream = stream
    this.#write = stream.send.bind(stream)
    const close = stream.close.bind(stream)
    stream.addEventListener('drain', () => {
      this.#full = false
    })
    stream.addEventListener('close', () => {
      this.#pending = []
      this.#bytes = 0
    })
    stream.send = (data) => this.#add(data)
    stream.close = (options) => {
      this.flush()
      return close(options)
    }
  }

  #add(data: Parameters<MessageStream['send']>[0]): boolean {
    // Once it is closing, the stream itself says so.
    if (this.#stream.status !== 'open') return this.#write(data)
    if (data instanceof Uint8Array) this.#pending.push(data)
    else this.#pending.push(...data)
    this.#bytes += data.byteLength
    if (this.#bytes >= CORK_BYTES) this.flush()
    else if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        this.flush()
      })
    }
    return !this.#full
  }

  flush(): void {
    if (this.#bytes === 0 || this.#stream.status !== 'open') return
    const [first] = this.#pending
    const whole = this.#pending.length === 1 && first ? first : Buffer.concat(this.#pending, this.#bytes)
    this.#pending = []
    this.#bytes = 0
    if (!this.#write(whole)) this.#full = true
  }
}

/** Builds the libp2p node: TCP, Noise and yamux and nothing that acts on its own. It is not started. */
export async function buildNode(
  options: { readonly identity: PrivateKey; readonly listen: readonly string[] } & Pick<
    TransportLimits,
    'handshakeMs' | 'pendingMax' | 'streamsMax' | 'closeMs'
  >,
  hooks: NodeHooks,
  logger: Logger,
): Promise<Libp2pNode> {
  const corks = new WeakMap<object, Cork>()
  const failures: ListenFailure[] = []
  let isClosing = false
  let dial: ((address: Multiaddr, signal: AbortSignal) => Promise<Connection>) | null = null

  const watchListener = (listener: Listener): Listener => {
    const listen = listener.listen.bind(listener)
    let at = ''
    listener.listen = async (wanted) => {
      try {
        await listen(wanted)
        at = wanted.toString()
      } catch (error) {
        failures.push({ address: wanted.toString(), error: error as NodeJS.ErrnoException })
        throw error
      }
    }
    listener.addEventListener('error', (event) => {
      if (at !== '' && !isClosing) hooks.listenerFailed(at, event.detail.message)
    })
    listener.addEventListener('close', () => {
      if (at !== '' && !isClosing) hooks.listenerFailed(at, 'the listening socket was closed')
    })
    // libp2p answers both events with a timer of one second, for an address record that nobody reads here; the
    // process of a node that stopped would wait for it.
    const add = listener.addEventListener.bind(listener)
    listener.addEventListener = (...args: Parameters<typeof add>) => {
      if (args[0] !== 'listening' && args[0] !== 'close') add(...args)
    }
    return listener
  }

  /** Judges who knocks before the first byte is read, and tells of those who fail to introduce themselves. */
  const watchArrivals = (upgrader: Upgrader): Upgrader => {
    const upgradeInbound = async (
      connection: MultiaddrConnection,
      init: Parameters<Upgrader['upgradeInbound']>[1],
    ): Promise<void> => {
      const remote = withoutPeer(connection.remoteAddr.toString())
      const denied = hooks.deny(remote)
      if (denied !== null) throw new Error(denied)
      try {
        await upgrader.upgradeInbound(connection, init)
      } catch (error) {
        if (!isClosing) hooks.inboundFailed(remote, error instanceof Error ? error.message : String(error))
        throw error
      }
    }
    return new Proxy(upgrader, {
      get: (target, key) => (key === 'upgradeInbound' ? upgradeInbound : Reflect.get(target, key, target)),
    })
  }

  const libp2p = await createLibp2p({
    start: false,
    privateKey: options.identity,
    addresses: { listen: [...options.listen] },
    logger: quietLogger(logger),
    transports: [
      (components) => {
        const transport = tcp({
          // Links are long-lived and may be silent; keep-alive is decided by the link itself.
          inboundSocketInactivityTimeout: 0,
          outboundSocketInactivityTimeout: 0,
          dialOpts: { noDelay: true, keepAlive: true },
          listenOpts: { noDelay: true, keepAlive: true },
        })(components)
        const createListener = transport.createListener.bind(transport)
        transport.createListener = (init) =>
          watchListener(createListener({ ...init, upgrader: watchArrivals(init.upgrader) }))
        dial = (address, signal) => transport.dial(address, { signal, upgrader: components.upgrader })
        return transport
      },
    ],
    connectionProtector: () => ({
      // Not for secrecy, which is Noise's: the one place where libp2p lets us see the bytes before the socket.
      protect: async (stream) => {
        corks.set(stream.timeline, new Cork(stream))
        return stream
      },
    }),
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        // The first ping measures the round trip, without which windows do not grow.
        enableKeepAlive: true,
        keepAliveInterval: 60_000,
        maxInboundStreams: options.streamsMax + 8,
        maxOutboundStreams: options.streamsMax + 8,
        streamOptions: { maxStreamWindowSize: WINDOW_BYTES_MAX },
      }),
    ],
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: 10_000,
      inboundConnectionThreshold: 1_000,
      maxIncomingPendingConnections: options.pendingMax,
      inboundUpgradeTimeout: options.handshakeMs,
      connectionCloseTimeout: options.closeMs,
      reconnectRetries: 0,
    },
    // Which failure is fatal is decided by whoever starts the node, from `listenFailures`.
    transportManager: { faultTolerance: FaultTolerance.NO_FATAL },
  })

  return {
    libp2p,
    dial: async (address, signal) => {
      if (!dial) throw new Error('libp2p has no transport')
      return await dial(multiaddr(address), signal)
    },
    flush: (connection) => corks.get(connection.timeline)?.flush(),
    listenFailures: () => failures,
    closing: () => {
      isClosing = true
    },
  }
}
