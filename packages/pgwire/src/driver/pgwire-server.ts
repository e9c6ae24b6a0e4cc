import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { type Clock, ClusterError, type Logger, type Random, type TransportErrorDetail } from '@cluster/core'
import type { WireBackend, WireError } from '../backend.ts'
import { type PgwireOptions, type ResolvedOptions, resolveOptions } from '../options.ts'
import { CancelKeys } from './cancel-keys.ts'
import { Connection } from './connection.ts'
import { endPointOf } from './end-point.ts'
import { LoginGate } from './login-gate.ts'
import { nodeCrypto } from './node-crypto.ts'
import { type Encryption, socketStream } from './socket-stream.ts'

export interface PgwirePorts {
  readonly backend: WireBackend
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0 for any free one. */
  readonly port: number
  /** Certificate and key in PEM; without them connections are not encrypted. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** Clients of one node, by PostgreSQL's protocol. */
export interface PgwireServer {
  /** Resolves with the port it listens on. @throws PORT_IN_USE, ADDRESS_NOT_USABLE */
  listen(options: ListenOptions): Promise<number>
  /** Clients that are connected. */
  readonly connections: number
  /** Tells every client, and closes. */
  close(): Promise<void>
}

/** So many clients that there is no room for are heard at once; more are told so unheard. */
const REFUSED_MAX = 128
/** So long clients may take to hear that the node stops. */
const FAREWELL_MS = 1_000

/** Makes a server: options first, then the ports it stands on. */
export function pgwireServer(options: PgwireOptions = {}): (ports: PgwirePorts) => PgwireServer {
  return (ports) => new NodePgwireServer(ports, resolveOptions(options))
}

class NodePgwireServer implements PgwireServer {
  readonly #ports: PgwirePorts
  readonly #options: ResolvedOptions
  readonly #cancelKeys: CancelKeys
  readonly #gate: LoginGate
  readonly #servers = new Set<Server>()
  readonly #open = new Map<Connection, Socket>()
  #refused = 0
  #closed = false

  constructor(ports: PgwirePorts, options: ResolvedOptions) {
    this.#ports = ports
    this.#options = options
    this.#cancelKeys = new CancelKeys(ports.random)
    this.#gate = new LoginGate(options.loginsMax, ports.clock)
  }

  get connections(): number {
    return this.#open.size
  }

  async listen({ host = '127.0.0.1', port, tls }: ListenOptions): Promise<number> {
    const secure = tls === undefined ? null : encryption(tls)
    const server = createServer((socket) => void this.#accept(socket, secure))
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
      server.listen(port, host, () => resolve())
    })
    server.on('error', (error) =>
      this.#ports.logger.log('warn', 'a client could not be accepted', { why: String(error) }),
    )
    this.#servers.add(server)
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  async close(): Promise<void> {
    this.#closed = true
    const closing = [...this.#servers].map(
      (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
    )
    const stop = { sqlstate: '57P01', message: 'terminating connection: this node stops' }
    for (const connection of this.#open.keys()) void connection.turnAway(stop)
    const late = this.#ports.clock.after(FAREWELL_MS, () => {
      for (const socket of this.#open.values()) socket.destroy()
    })
    await Promise.all(closing)
    late()
  }

  async #accept(socket: Socket, secure: Encryption | null): Promise<void> {
    const { random, logger } = this.#ports
    const stream = socketStream(socket, secure, this.#ports.clock)
    const ports = {
      ...this.#ports,
      crypto: nodeCrypto,
      cancelKeys: this.#cancelKeys,
      gate: this.#gate,
      nonce: (bytes: number) => random.bytes(bytes),
    }
    const connection = new Connection(stream, ports, this.#options)
    if (this.#closed || this.#open.size >= this.#options.connectionsMax) {
      logger.log('warn', 'a client was turned away: too many connections', { remote: stream.remote })
      await this.#refuse(connection, { sqlstate: '53300', message: 'sorry, too many clients already' })
      return
    }
    this.#open.set(connection, socket)
    logger.log('debug', 'client connected', { remote: stream.remote })
    await connection.run()
    this.#open.delete(connection)
  }

  async #refuse(connection: Connection, error: WireError): Promise<void> {
    if (this.#closed || this.#refused >= REFUSED_MAX) return connection.turnAway(error)
    this.#refused++
    await connection.refuse(error)
    this.#refused--
  }
}

function encryption({ cert, key }: { readonly cert: string; readonly key: string }): Encryption {
  return { context: createSecureContext({ cert, key }), endPoint: endPointOf(cert) }
}

function listenError(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
): ClusterError<TransportErrorDetail> {
  const address = `${host}:${port}`
  if (error.code === 'EADDRINUSE')
    return new ClusterError<TransportErrorDetail>(
      { code: 'PORT_IN_USE', outcome: 'rejected', address },
      `another program listens on ${address} already; choose another port for PostgreSQL's protocol`,
      { cause: error },
    )
  return new ClusterError<TransportErrorDetail>(
    { code: 'ADDRESS_NOT_USABLE', outcome: 'rejected', address },
    `cannot listen on ${address}: ${error.message}; choose an address of this machine`,
    { cause: error },
  )
}
