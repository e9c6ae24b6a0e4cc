import { scramLogin, wire } from '@cluster/testkit'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { scramVerifier } from '../../src/index.ts'
import { ToyServer } from './support/toy-server.ts'

const { query, startup } = wire
const STARTUP = { user: 'tester', database: 'shop' }
const CROWD = 200
const BEYOND = 20
const LOGINS_AT_ONCE = 8

let toy: ToyServer

beforeEach(async () => {
  toy = await ToyServer.start({ connectionsMax: CROWD + 1, loginsMax: LOGINS_AT_ONCE })
})
afterEach(() => toy.close())

const connected = (count: number): Promise<wire.WireClient[]> =>
  Promise.all(Array.from({ length: count }, () => toy.connected()))

test('a crowd is served up to the bound, and leaves nothing behind when it vanishes', async () => {
  const other = await toy.ready(STARTUP)
  const crowd = await connected(CROWD)
  const lines = await Promise.all(
    crowd.map((client, i) => {
      client.send(startup(STARTUP), query(i % 10 === 0 ? 'begin;rows 1' : 'rows 1'))
      return client.untilReady().then(() => client.untilReady())
    }),
  )
  expect(new Set(lines.map((one) => one.at(-1)))).toEqual(new Set(['ready I', 'ready T']))
  expect(toy.server.connections).toBe(CROWD + 1)

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
  while (toy.server.connections > 1) {
    other.send(query('rows 1'))
    expect((await other.untilReady()).at(-1)).toBe('ready I')
  }
  expect(toy.backend.sessions.filter(({ closed }) => !closed)).toHaveLength(1)
  const again = await toy.ready(STARTUP)
  again.send(query('rows 1'))
  expect((await again.untilReady()).at(-1)).toBe('ready I')
})

test('a pool of one address that logs in all at once is let in, one after another', async () => {
  toy.backend.admission = { how: 'scram', verifier: await scramVerifier('secret', Uint8Array.of(1, 2)) }
  const pool = await connected(LOGINS_AT_ONCE * 4)
  const lines = await Promise.all(
    pool.map((client) => scramLogin(client, { ...STARTUP, password: 'secret' })),
  )
  expect(new Set(lines.map((one) => one.at(-1)))).toEqual(new Set(['ready I']))
})
