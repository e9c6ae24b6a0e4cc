import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { join } from '@cluster/node'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

// Real sockets and disks on a machine that may be busy.
jest.setTimeout(60_000)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'cluster-lmdb-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const options = (data: string) => ({
  data: joinPath(folder, data),
  listen: ['127.0.0.1:0'],
  mdns: false,
  alone: true,
})

test('a node that keeps its rows in LMDB has them after a restart, and goes on', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ id: i, name: `item ${i}`, price: `${i}.50` }))
  {
    await using cluster = await join({ ...options('shop'), storage: 'lmdb' })
    const db = await cluster.database('shop', { redundancy: 1, partitions: 4 })
    await db.sql`create table items (id integer primary key, name text not null, price numeric(10, 2))`
    for (const { id, name, price } of rows) await db.sql`insert into items values (${id}, ${name}, ${price})`
    await db.sql`create index items_by_name on items (name)`
  }
  {
    // The folder knows its engine.
    await using cluster = await join(options('shop'))
    const db = await cluster.database('shop')
    expect(await db.sql`select * from items order by id`).toEqual(rows)
    expect(await db.sql`select id from items where name = 'item 7'`).toEqual([{ id: 7 }])
    await db.sql`update items set name = 'changed' where id < 10`
    await db.sql`delete from items where id >= 30`
  }
  await using cluster = await join({ ...options('shop'), storage: 'lmdb' })
  const db = await cluster.database('shop')
  expect(await db.sql`select count(*)::integer as all, sum(price)::text as sum from items`).toEqual([
    { all: 30, sum: '450.00' },
  ])
  expect(await db.sql`select count(*)::integer as changed from items where name = 'changed'`).toEqual([
    { changed: 10 },
  ])
})

test('a data folder keeps the engine it began with', async () => {
  await (await join({ ...options('kept'), storage: 'lmdb' })).stop()
  await expect(join({ ...options('kept'), storage: 'memory' })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    detail: { option: 'storage', given: 'memory' },
    message: expect.stringMatching(/has its rows in the storage engine "lmdb"/),
  })
  await (await join(options('plain'))).stop()
  await expect(join({ ...options('plain'), storage: 'lmdb' })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringMatching(/"memory"/),
  })
})
