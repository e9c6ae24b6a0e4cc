import { errorCode } from '@cluster/core'
import { type PgwireServer, pgwireServer } from '@cluster/pgwire'
import type { PostgresService, ServePostgresOptions } from './cluster.ts'
import { type PgwireBackendPorts, pgwireBackend } from './pgwire-backend.ts'

/** Where clients look first. */
const USUAL_PORT = 5432
/** The role that owns each database. */
const USER = 'cluster'
const CONNECTIONS_MAX = 500

/** @throws PORT_IN_USE when a port was asked for and is taken, ADDRESS_NOT_USABLE */
export async function servePostgres(
  {
    host = '127.0.0.1',
    port,
    tls,
    localPasswords = false,
    connectionsMax = CONNECTIONS_MAX,
  }: ServePostgresOptions,
  ports: Omit<PgwireBackendPorts, 'localPasswords' | 'connectionsMax'>,
): Promise<PostgresService> {
  const backend = pgwireBackend({ ...ports, localPasswords, connectionsMax })
  const server = pgwireServer({ connectionsMax })({ ...ports, backend })
  const secure = tls === undefined ? {} : { tls }
  const bound = await listen(server, { host, ...secure }, port)
  return {
    host,
    port: bound,
    url: (database) => `postgresql://${USER}@${host.includes(':') ? `[${host}]` : host}:${bound}/${database}`,
    close: () => server.close(),
  }
}

/** The port that was asked for; without one the usual port, and any other when that is taken. */
async function listen(
  server: PgwireServer,
  where: { readonly host: string; readonly tls?: { readonly cert: string; readonly key: string } },
  port: number | undefined,
): Promise<number> {
  if (port !== undefined) return server.listen({ ...where, port })
  try {
    return await server.listen({ ...where, port: USUAL_PORT })
  } catch (error) {
    if (errorCode(error) !== 'PORT_IN_USE') throw error
    return server.listen({ ...where, port: 0 })
  }
}
