import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { join } from '@cluster/node'
import { wire } from '@cluster/testkit'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

const { bind, describeMessage, execute, parse, query, startup, sync, WireClient } = wire

// Real sockets and disks on a machine that may be busy.
jest.setTimeout(60_000)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'cluster-postgres-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a client of the PostgreSQL protocol uses the database of a node', async () => {
  await using cluster = await join({
    data: joinPath(folder, 'one'),
    listen: ['127.0.0.1:0'],
    mdns: false,
    alone: true,
  })
  await cluster.database('shop')
  const service = await cluster.servePostgres({ port: 0 })
  expect(service.url('shop')).toBe(`postgresql://cluster@127.0.0.1:${service.port}/shop`)

  const stranger = await WireClient.connect(service.port)
  stranger.send(startup({ user: 'me', database: 'nowhere' }))
  expect(await stranger.untilReady()).toContain('error FATAL 3D000 database "nowhere" does not exist')

  const client = await WireClient.ready(service.port, { application_name: 'test' })
  client.send(query('CREATE TABLE items (id integer PRIMARY KEY, name text, price numeric(8,2))'))
  expect(await client.untilReady()).toEqual(['complete CREATE TABLE', 'ready I'])
  client.send(
    parse('put', 'INSERT INTO items VALUES ($1, $2, $3)'),
    describeMessage('S', 'put'),
    bind('', 'put', [Uint8Array.of(0, 0, 0, 1), 'tea', '2.5'], { formats: [1, 0, 0] }),
    execute(''),
    bind('', 'put', ['2', null, '10']),
    execute(''),
    sync(),
  )
  expect(await client.untilReady()).toEqual([
    'parsed',
    'parameters 23 25 1700',
    'no rows',
    'bound',
    'complete INSERT 0 1',
    'bound',
    'complete INSERT 0 1',
    'ready I',
  ])
  client.send(query('SELECT * FROM items ORDER BY id'))
  expect(await client.untilReady()).toEqual([
    'columns id:23 name:25 price:1700',
    'row 1 tea 2.50',
    'row 2 NULL 10.00',
    'complete SELECT 2',
    'ready I',
  ])
  client.send(query('BEGIN; DELETE FROM items; SELECT nope'))
  expect(await client.untilReady()).toEqual(['error ERROR 42703 column "nope" does not exist', 'ready E'])
  client.send(query('ROLLBACK'), query("SET timezone = 'Europe/Berlin'"))
  expect(await client.untilReady()).toEqual(['complete ROLLBACK', 'ready I'])
  expect(await client.untilReady()).toContain('status TimeZone=Europe/Berlin')
  client.send(query('INSERT INTO items VALUES (1)'))
  expect((await client.untilReady())[0]).toMatch(
    /^error ERROR 23505 duplicate key value violates unique constraint/,
  )

  await cluster.stop()
  expect(await client.untilReady()).toContain('error FATAL 57P01 terminating connection: this node stops')
})

test('clients lock each other out, and what a connection held is free when it is gone', async () => {
  await using cluster = await join({
    data: joinPath(folder, 'locks'),
    listen: ['127.0.0.1:0'],
    mdns: false,
    alone: true,
  })
  const db = await cluster.database('shop')
  await db.sql`CREATE TABLE t (id integer PRIMARY KEY)`
  const { port } = await cluster.servePostgres({ port: 0 })
  const [one, two] = [await WireClient.ready(port), await WireClient.ready(port)]
  const ask = async (client: typeof one, text: string): Promise<readonly string[]> => {
    client.send(query(text))
    return client.untilReady()
  }
  expect(await ask(one, 'SELECT pg_advisory_lock(7)')).toContain('row ')
  expect(await ask(two, 'SELECT pg_try_advisory_lock(7)')).toContain('row f')
  expect(await cluster.mutex('advisory:shop:7').describe()).toMatchObject({ holders: [{ node: cluster.id }] })
  two.send(query('SELECT pg_advisory_lock(7)'))
  one.close()
  expect(await two.untilReady()).toContain('complete SELECT 1')

  // A lock of the program fences what a client writes no more than the client wants; its own does.
  expect(await ask(two, "SELECT cluster_lock('till') > 0; SET cluster.fence = 'till'")).toContain('row t')
  expect(await ask(two, 'INSERT INTO t VALUES (1)')).toContain('complete INSERT 0 1')
  expect(await cluster.mutex('till').break('a test')).toBe(1)
  expect((await ask(two, 'INSERT INTO t VALUES (2)'))[0]).toMatch(/^error ERROR 55L01 /)
  two.close()
  await using held = await cluster.mutex('till').acquire()
  await db.fenced(held).copyFrom('COPY t FROM STDIN', ['3\n4\n'])
  expect(await db.sql`SELECT count(*)::integer AS n FROM t`).toEqual([{ n: 3 }])
})

test('databases are made and ended by statements', async () => {
  await using cluster = await join({
    data: joinPath(folder, 'databases'),
    listen: ['127.0.0.1:0'],
    mdns: false,
    alone: true,
  })
  const service = await cluster.servePostgres({ port: 0 })
  // What tools connect to is there when it is asked for.
  const tool = await WireClient.connect(service.port)
  tool.send(startup({ user: 'cluster', database: 'postgres' }))
  await tool.untilReady()
  tool.send(query('CREATE DATABASE shop'))
  expect(await tool.untilReady()).toEqual(['complete CREATE DATABASE', 'ready I'])
  const shop = await cluster.database('shop')
  await shop.sql`CREATE TABLE items (id integer PRIMARY KEY)`
  tool.send(query('DROP DATABASE shop'))
  expect(await tool.untilReady()).toEqual(['complete DROP DATABASE', 'ready I'])
  await expect(shop.sql`SELECT * FROM items`).rejects.toMatchObject({ code: 'DB_DROPPED' })
  tool.send(query('SELECT datname FROM pg_database'))
  expect(await tool.untilReady()).toContain('row postgres')
  const another = await cluster.database('shop')
  await expect(another.sql`SELECT * FROM items`).rejects.toMatchObject({ detail: { sqlstate: '42P01' } })
  expect(await cluster.dropDatabase('shop')).toBe(true)
  await tool.close()
})
