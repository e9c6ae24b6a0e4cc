import { silentLogger } from '@cluster/core'
import { SimRandom, scramLogin, wire } from '@cluster/testkit'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type PgwireServer, pgwireServer, scramVerifier } from '../../src/index.ts'
import { realClock } from './support/real-clock.ts'
import { ToyBackend } from './support/toy-backend.ts'

const { query, startup, WireClient } = wire
const STARTUP = { user: 'tester', database: 'shop' }
const CROWD = 200
const BEYOND = 20
const LOGINS_AT_ONCE = 8

let backend: ToyBackend
let server: PgwireServer
let port: number
const clients: wire.WireClient[] = []

beforeEach(async () => {
  backend = new ToyBackend()
  const random = new SimRandom(3)
  server = pgwireServer({ connectionsMax: CROWD + 1, loginsMax: LOGINS_AT_ONCE })({
    backend,
    clock: realClock,
    random,
    logger: silentLogger,
  })
  port = await server.listen({ port: 0 })
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await server.close()
})

async function connected(count: number): Promise<wire.WireClient[]> {
  const made = await Promise.all(Array.from({ length: count }, () => WireClient.connect(port)))
  clients.push(...made)
  return made
}

test('a crowd is served up to the bound, and leaves nothing behind when it vanishes', async () => {
  const other = await WireClient.ready(port, STARTUP)
  clients.push(other)
  const crowd = await connected(CROWD)
  const lines = await Promise.all(
    crowd.map((client, i) => {
      client.send(startup(STARTUP), query(i % 10 === 0 ? 'begin;rows 1' : 'rows 1'))
      return client.untilReady().then(() => client.untilReady())
    }),
  )
  expect(new Set(lines.map((one) => one.at(-1)))).toEqual(new Set(['ready I', 'ready T']))
  expect(server.connections).toBe(CROWD + 1)

  const refused = await Promise.all(
    (await connected(BEYOND)).map((client) => {
      client.send(startup(STARTUP))
      return client.untilReady()
    }),
  )
  expect(new Set(refused.flat())).toEqual(
    new Set(['error FATAL 53300 sorry, too many clients already', 'closed by the server']),
  )
  other.send(query('insert'))
  expect(await other.untilReady()).toEqual(['complete INSERT 0 1', 'ready I'])

  for (const client of crowd) client.close()
  while (server.connections > 1) {
    other.send(query('rows 1'))
    expect((await other.untilReady()).at(-1)).toBe('ready I')
  }
  expect(backend.sessions.filter(({ closed }) => !closed)).toHaveLength(1)
  const again = await WireClient.ready(port, STARTUP)
  clients.push(again)
  again.send(query('rows 1'))
  expect((await again.untilReady()).at(-1)).toBe('ready I')
})

test('a pool of one address that logs in all at once is let in, one after another', async () => {
  backend.admission = { how: 'scram', verifier: await scramVerifier('secret', Uint8Array.of(1, 2)) }
  const pool = await connected(LOGINS_AT_ONCE * 4)
  const lines = await Promise.all(
    pool.map((client) => scramLogin(client, { ...STARTUP, password: 'secret' })),
  )
  expect(new Set(lines.map((one) => one.at(-1)))).toEqual(new Set(['ready I']))
})
