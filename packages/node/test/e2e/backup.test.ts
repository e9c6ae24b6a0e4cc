import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { join } from '@cluster/node'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

// Real sockets and disks on a machine that may be busy.
jest.setTimeout(60_000)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'cluster-backup-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const alone = (data: string) =>
  join({ name: data, data: joinPath(folder, data), listen: ['127.0.0.1:0'], mdns: false, alone: true })

test('tables and rows of one cluster are restored into another, as they were and as they became', async () => {
  const backup = joinPath(folder, 'backup')
  {
    await using cluster = await alone('one')
    const db = await cluster.database('shop')
    await db.sql`CREATE TABLE orders (id integer PRIMARY KEY, item text UNIQUE, price numeric)`
    await db.sql`CREATE INDEX by_price ON orders (price)`
    for (let i = 0; i < 20; i++) await db.sql`INSERT INTO orders VALUES (${i}, ${`item ${i}`}, ${`${i}.50`})`
    await db.backup(backup, { keepChanges: true })
    const enough = new AbortController()
    let wanted = Number.POSITIVE_INFINITY
    const archive = db.archive(backup, {
      signal: enough.signal,
      flushMs: 20,
      onProgress: ({ version }) => {
        if (version >= wanted) enough.abort()
      },
    })
    await db.sql`DELETE FROM orders WHERE id < 10`
    await db.sql`CREATE TABLE later (id integer PRIMARY KEY)`
    await db.sql`INSERT INTO later VALUES (7)`
    wanted = db.storage.status().version
    // One more, so that there is something to tell of.
    await db.sql`INSERT INTO later VALUES (8)`
    await archive
  }
  await using cluster = await alone('other')
  const { rows } = await cluster.restore('then', backup)
  expect(rows).toBeGreaterThan(60)
  const then = await cluster.database('then')
  expect(await then.sql`SELECT count(*) AS n, sum(price) AS sum FROM orders`).toEqual([
    { n: 20n, sum: '200.00' },
  ])
  expect(await then.sql`SELECT id FROM orders WHERE item = ${'item 7'}`).toEqual([{ id: 7 }])
  await expect(then.sql`INSERT INTO orders VALUES (100, 'item 7', 1)`).rejects.toMatchObject({
    detail: { sqlstate: '23505' },
  })
  await expect(cluster.restore('then', backup)).rejects.toMatchObject({ code: 'DB_NOT_EMPTY' })
  await cluster.restore('now', backup, { version: 'newest' })
  const now = await cluster.database('now')
  expect(await now.sql`SELECT id FROM orders WHERE price > 15 ORDER BY price`).toEqual(
    [15, 16, 17, 18, 19].map((id) => ({ id })),
  )
  expect(await now.sql`SELECT count(*) AS n FROM orders`).toEqual([{ n: 10n }])
  expect(await now.sql`SELECT id FROM later WHERE id = 7`).toEqual([{ id: 7 }])
  await now.sql`INSERT INTO orders VALUES (1, 'item 1', 2)`
})
