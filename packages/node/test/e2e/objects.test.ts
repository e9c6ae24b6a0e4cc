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
  const both = cluster.transaction(async (tx) => {
    await tx.map<string, number>('carts').set('eve', 3)
    await tx.database(db).sql`CREATE TABLE t (id integer PRIMARY KEY)`
  })
  await expect(both).rejects.toMatchObject({ code: 'CONTAINER_OPTION_INVALID' })
  expect(await carts.has('eve')).toBe(false)
})
