import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { join } from '@cluster/node'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

// Real sockets and disks on a machine that may be busy.
jest.setTimeout(60_000)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'cluster-objects-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('shared objects of a node are there after it stopped and started again', async () => {
  const options = { data: joinPath(folder, 'one'), listen: ['127.0.0.1:0'], mdns: false, alone: true }
  {
    await using cluster = await join(options)
    await cluster.map<string, { readonly since: Date }>('sessions').set('ada', { since: new Date(5) })
    await cluster.queue<string>('jobs').push('first')
    await cluster.transaction(async (tx) => {
      tx.add('visits', 2)
      await tx.push('jobs', 'second')
    })
    cluster.fastCounter('visits').add(40)
  }
  await using cluster = await join(options)
  expect(await cluster.map('sessions').get('ada')).toEqual({ since: new Date(5) })
  expect(await cluster.counter('visits').value()).toBe(42)
  const message = await cluster.queue<string>('jobs').take()
  expect(message?.value).toBe('first')
  expect(cluster.containers().map(({ name, kind, size }) => `${kind} ${name} ${size}`)).toEqual([
    'queue jobs 2',
    'map sessions 1',
    'counter visits 1',
  ])
  expect(JSON.stringify(cluster.structure())).toContain('sessions')
})

test('a distributed map is there after a restart, and its database is nobody else’s', async () => {
  const options = { data: joinPath(folder, 'spread'), listen: ['127.0.0.1:0'], mdns: false, alone: true }
  const distributed = { redundancy: 2 }
  {
    await using cluster = await join(options)
    const carts = cluster.map<string, number>('carts', { distributed })
    await carts.set('ada', 1)
    await cluster.transaction(async (tx) => {
      const map = tx.map<string, number>('carts')
      await map.set('bob', ((await map.get('ada')) ?? 0) + 1)
      await tx.push('mail', 'bob')
    })
  }
  await using cluster = await join(options)
  const carts = cluster.map<string, number>('carts', { distributed })
  expect(await carts.get('bob')).toBe(2)
  expect(await carts.size()).toBe(2)
  expect((await cluster.queue<string>('mail').take())?.value).toBe('bob')
  expect(cluster.containers()).toMatchObject([
    { name: 'carts', kind: 'distributedMap', size: 2 },
    { name: 'mail' },
  ])
  const reserved = { code: 'OPTION_INVALID', outcome: 'rejected' }
  await expect(cluster.database('$maps-2')).rejects.toMatchObject(reserved)
  await expect(cluster.dropDatabase('$maps-2')).rejects.toMatchObject(reserved)
  const db = await cluster.database('shop')
  await expect(db.query('DROP DATABASE "$maps-2"')).rejects.toThrow('does not exist')
  expect(await carts.has('eve')).toBe(false)
  await db.sql`CREATE TABLE orders (id integer PRIMARY KEY, item text)`
  const order = (id: number, item: string): Promise<void> =>
    cluster.transaction(async (tx) => {
      const map = tx.map<string, number>('carts')
      await map.set('eve', ((await map.get('eve')) ?? 0) + 1)
      await tx.map<string, string>('names').set('eve', item)
      await tx.database(db).sql`INSERT INTO orders VALUES (${id}, ${item})`
      await tx.push('mail', 'eve')
      tx.add('orders')
    })
  await order(1, 'tea')
  await expect(order(1, 'coffee')).rejects.toThrow('duplicate key')
  expect(await carts.get('eve')).toBe(1)
  expect(await cluster.map('names').get('eve')).toBe('tea')
  expect(await db.sql`SELECT * FROM orders`).toEqual([{ id: 1, item: 'tea' }])
  await Promise.all(Array.from({ length: 8 }, (_, i) => order(i + 2, 'more')))
  expect(await carts.get('eve')).toBe(9)
  expect(await cluster.counter('orders').value()).toBe(9)
  expect(await db.sql`SELECT count(*) AS n FROM orders`).toEqual([{ n: 9n }])
  await using held = await cluster.mutex('till').acquire()
  await held.release()
  const late = cluster.transaction(async (tx) => {
    tx.fence(held)
    await tx.map<string, number>('carts').set('eve', 100)
    await tx.database(db).sql`DELETE FROM orders`
  })
  await expect(late).rejects.toMatchObject({ code: 'CONTAINER_FENCED' })
  expect(await carts.get('eve')).toBe(9)
  expect(await db.sql`SELECT count(*) AS n FROM orders`).toEqual([{ n: 9n }])
})
