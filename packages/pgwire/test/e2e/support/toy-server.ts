import { type Clock, type Random, silentLogger } from '@cluster/core'
import { SimRandom, wire } from '@cluster/testkit'
import {
  type ListenOptions,
  type PgwireOptions,
  type PgwireServer,
  pgwireServer,
} from '../../../src/index.ts'
import { realClock } from './real-clock.ts'
import { ToyBackend } from './toy-backend.ts'

export interface ToyServerOptions extends PgwireOptions {
  readonly tls?: ListenOptions['tls']
  readonly random?: Random
  readonly clock?: Clock
}

/** A server on a free port before a toy backend, with the clients that a test made of it. */
export class ToyServer {
  readonly backend: ToyBackend
  readonly server: PgwireServer
  readonly port: number
  readonly #clients: wire.WireClient[] = []

  private constructor(backend: ToyBackend, server: PgwireServer, port: number) {
    this.backend = backend
    this.server = server
    this.port = port
  }

  static async start({
    tls,
    random = new SimRandom(3),
    clock = realClock,
    ...options
  }: ToyServerOptions = {}): Promise<ToyServer> {
    const backend = new ToyBackend()
    const server = pgwireServer(options)({ backend, clock, random, logger: silentLogger })
    const port = await server.listen({ port: 0, ...(tls === undefined ? {} : { tls }) })
    return new ToyServer(backend, server, port)
  }

  /** A client that has said nothing yet. */
  connected(): Promise<wire.WireClient> {
    return this.#kept(wire.WireClient.connect(this.port))
  }

  /** A client that is logged in. */
  ready(parameters: Readonly<Record<string, string>> = {}): Promise<wire.WireClient> {
    return this.#kept(wire.WireClient.ready(this.port, parameters))
  }

  async #kept(made: Promise<wire.WireClient>): Promise<wire.WireClient> {
    const client = await made
    this.#clients.push(client)
    return client
  }

  /** Closes the clients, then the server. */
  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close()
    await this.server.close()
  }
}
