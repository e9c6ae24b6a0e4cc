import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { join } from '@cluster/node'
import { scramLogin, wire } from '@cluster/testkit'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

const { query, startup, WireClient } = wire

// Real sockets and disks on a machine that may be busy.
jest.setTimeout(60_000)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'cluster-postgres-roles-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('roles come in by their passwords, and may do what was granted', async () => {
  await using cluster = await join({
    data: joinPath(folder, 'one'),
    listen: ['127.0.0.1:0'],
    mdns: false,
    alone: true,
  })
  const shop = await cluster.database('shop')
  await shop.execute(
    "CREATE TABLE t (id int PRIMARY KEY); CREATE USER alice PASSWORD 'secret' CONNECTION LIMIT 1; CREATE ROLE staff; CREATE USER bob PASSWORD 'old' VALID UNTIL '2000-01-01'",
  )
  const trusting = await cluster.servePostgres({ port: 0 })
  const refusal = async (user: string): Promise<string | undefined> => {
    const client = await WireClient.connect(trusting.port)
    client.send(startup({ user, database: 'shop' }))
    return (await client.untilReady()).find((line) => line.startsWith('error'))
  }
  expect(await refusal('nobody')).toBe('error FATAL 28000 role "nobody" does not exist')
  expect(await refusal('staff')).toBe('error FATAL 28000 role "staff" is not permitted to log in')

  const alice = await WireClient.ready(trusting.port, { user: 'alice' })
  alice.send(query('SELECT current_user'))
  expect(await alice.untilReady()).toContain('row alice')
  expect(await refusal('alice')).toBe('error FATAL 53300 too many connections for role "alice"')
  alice.send(query('SELECT * FROM t'))
  expect(await alice.untilReady()).toEqual(['error ERROR 42501 permission denied for table t', 'ready I'])
  await shop.query('GRANT SELECT ON t TO alice')
  alice.send(query('SELECT * FROM t'))
  expect(await alice.untilReady()).toContain('complete SELECT 0')
  alice.close()

  const strict = await cluster.servePostgres({ port: 0, localPasswords: true })
  const login = async (user: string, password: string, database = 'shop'): Promise<readonly string[]> =>
    scramLogin(await WireClient.connect(strict.port), { user, password, database })
  const wrong = (user: string): string =>
    `error FATAL 28P01 password authentication failed for user "${user}"`
  expect((await login('bob', 'old'))[0]).toBe(wrong('bob'))
  expect((await login('nobody', 'secret'))[0]).toBe(wrong('nobody'))
  expect((await login('cluster', ''))[0]).toBe(wrong('cluster'))
  expect((await login('alice', 'secret', 'nowhere'))[0]).toBe(wrong('alice'))
  expect((await login('alice', 'secret')).at(-1)).toBe('ready I')
  await shop.query("ALTER ROLE cluster PASSWORD 'mighty'")
  expect(await login('cluster', 'mighty')).toContain('status is_superuser=on')
  await shop.query('REVOKE CONNECT ON DATABASE shop FROM PUBLIC')
  await shop.query('ALTER ROLE alice CONNECTION LIMIT -1')
  expect(await login('alice', 'secret')).toContain('error FATAL 42501 permission denied for database "shop"')
})

test('sessions begin with what was said of their role and of the database', async () => {
  await using cluster = await join({
    data: joinPath(folder, 'settings'),
    listen: ['127.0.0.1:0'],
    mdns: false,
    alone: true,
  })
  const shop = await cluster.database('shop')
  await shop.execute(
    `CREATE USER alice; ALTER ROLE alice SET application_name = 'of alice'; ALTER ROLE ALL SET application_name = 'of all';
     ALTER ROLE alice SET search_path = extra, public; ALTER DATABASE shop SET timezone = 'Europe/Berlin'`,
  )
  const { port } = await cluster.servePostgres({ port: 0, connectionsMax: 7 })
  const asked = async (parameters: Record<string, string>, text: string): Promise<readonly string[]> => {
    const client = await WireClient.connect(port)
    client.send(startup({ database: 'shop', ...parameters }))
    const greeting = await client.untilReady()
    client.send(query(text))
    const answers = await client.untilReady()
    client.close()
    return [...greeting, ...answers]
  }
  const alices = await asked({ user: 'alice' }, 'SHOW search_path')
  expect(alices).toEqual(expect.arrayContaining(['status application_name=of alice', 'row extra, public']))
  expect(alices).toContain('status TimeZone=Europe/Berlin')
  const others = await asked({ user: 'cluster' }, 'SHOW max_connections')
  expect(others).toEqual(expect.arrayContaining(['status application_name=of all', 'row 7']))
  // What the client asks for goes before, and is what RESET goes back to.
  const own = await asked(
    { user: 'alice', application_name: 'mine' },
    "SET application_name = 'x'; RESET application_name; SHOW application_name",
  )
  expect(own).toEqual(expect.arrayContaining(['status application_name=mine', 'row mine']))
})

test('clients of two nodes hear each other', async () => {
  const options = { name: 'pair', mdns: false, listen: ['127.0.0.1:0'] }
  await using one = await join({ ...options, data: joinPath(folder, 'first'), alone: true })
  const seed = /tcp\/(\d+)/.exec(one.addresses()[0] ?? '')?.[1] ?? ''
  await using two = await join({ ...options, data: joinPath(folder, 'second'), seeds: [`127.0.0.1:${seed}`] })
  await one.database('shop')
  await two.database('shop')
  const [here, there] = await Promise.all(
    [one, two].map(async (cluster) => {
      const service = await cluster.servePostgres({ port: 0 })
      return WireClient.ready(service.port)
    }),
  )
  if (here === undefined || there === undefined) throw new Error('no clients')
  here.send(query('LISTEN news'))
  expect(await here.untilReady()).toEqual(['complete LISTEN', 'ready I'])
  there.send(query("BEGIN; NOTIFY news, 'hello'; NOTIFY news, 'hello'; COMMIT"))
  await there.untilReady()
  expect(await here.lines(1)).toEqual(['notification from a process: news hello'])
  here.send(query('SELECT pg_notify($$news$$, $$own$$)'))
  const lines = await here.untilReady()
  if (!lines.includes('notification from a process: news own'))
    expect(await here.lines(1)).toEqual(['notification from a process: news own'])
  here.close()
  there.close()
})
