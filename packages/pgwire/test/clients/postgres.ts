import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import { check, done, refusal, url } from './harness.ts'

const sql = postgres(url, { max: 6, onnotice: () => {} })

await check('migrations: simple queries with several statements', async () => {
  await sql`CREATE TABLE IF NOT EXISTS item (id serial PRIMARY KEY, name text NOT NULL UNIQUE, qty integer NOT NULL DEFAULT 0)`
  await sql`CREATE TABLE IF NOT EXISTS item (id serial PRIMARY KEY)`
  await sql.unsafe('ALTER TABLE item ADD COLUMN note text; CREATE INDEX item_qty ON item (qty)').simple()
  await sql`CREATE TABLE event (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz DEFAULT now(), data jsonb, tags text[])`
})

await check('CRUD with helpers: inserts of many rows, updates of columns, lists', async () => {
  const items = Array.from({ length: 100 }, (_, i) => ({ name: `item ${i}`, qty: i }))
  const inserted = await sql`INSERT INTO item ${sql(items, 'name', 'qty')} RETURNING id`
  assert.equal(inserted.count, 100)
  const [changed] =
    await sql`UPDATE item SET ${sql({ qty: 7, note: 'x' }, 'qty', 'note')} WHERE name = ${'item 3'} RETURNING *`
  assert.equal(changed?.qty, 7)
  const some =
    await sql`SELECT name FROM item WHERE name IN ${sql(['item 1', 'item 2'])} ORDER BY ${sql('name')}`
  assert.deepEqual([...some], [{ name: 'item 1' }, { name: 'item 2' }])
  const gone = await sql`DELETE FROM item WHERE qty >= ${90}`
  assert.equal(gone.count, 10)
  const upsert =
    await sql`INSERT INTO item (name, qty) VALUES ('item 1', 5) ON CONFLICT (name) DO UPDATE SET qty = item.qty + EXCLUDED.qty RETURNING qty`
  assert.equal(upsert[0]?.qty, 6)
})

await check('types: json, arrays, dates, bigint, bytea', async () => {
  const at = new Date('2024-03-04T05:06:07.089Z')
  const [event] =
    await sql`INSERT INTO event (at, data, tags) VALUES (${at}, ${sql.json({ a: [1, { b: null }] })}, ${['x', 'y,z']}) RETURNING *`
  assert.equal(event?.at.toISOString(), at.toISOString())
  assert.deepEqual(event?.data, { a: [1, { b: null }] })
  assert.deepEqual(event?.tags, ['x', 'y,z'])
  assert.match(event?.id, /^[0-9a-f-]{36}$/)
  const [row] =
    await sql`SELECT ${'9007199254740993'}::bigint AS big, ${Buffer.from([1, 2])}::bytea AS bytes, ${null}::int AS nothing, ${true}::bool AS yes`
  assert.equal(row?.big, '9007199254740993')
  assert.deepEqual([...(row?.bytes ?? [])], [1, 2])
  assert.equal(row?.nothing, null)
  assert.equal(row?.yes, true)
})

await check('transactions: begin, savepoint, rollback by throwing, pipelined statements', async () => {
  await sql.begin(async (tx) => {
    await tx`INSERT INTO item (name) VALUES ('outer')`
    await refusal(() =>
      tx.savepoint(async (inner) => {
        await inner`INSERT INTO item (name) VALUES ('inner')`
        throw new Error('given up')
      }),
    )
  })
  await refusal(() =>
    sql.begin(async (tx) => {
      await tx`INSERT INTO item (name) VALUES ('never')`
      throw new Error('given up')
    }),
  )
  const names = await sql`SELECT name FROM item WHERE name IN ('outer', 'inner', 'never')`
  assert.deepEqual([...names], [{ name: 'outer' }])
  const [a, b] = await sql.begin('ISOLATION LEVEL SERIALIZABLE', (tx) => [
    tx`SELECT 1 AS n`,
    tx`SELECT 2 AS n`,
  ])
  assert.deepEqual([a[0]?.n, b[0]?.n], [1, 2])
})

await check('errors', async () => {
  const twice = await refusal(() => sql`INSERT INTO item (name) VALUES ('item 1')`)
  assert.equal(twice.code, '23505')
  assert.equal(twice.constraint_name, 'item_name_key')
  assert.equal((await refusal(() => sql`SELECT 1 +`)).code, '42601')
  assert.equal((await refusal(() => sql`SELECT nothing()`)).code, '42883')
  assert.equal((await sql`SELECT 1 AS one`)[0]?.one, 1)
})

await check('streaming: cursors, forEach, describe, and a query that is cancelled', async () => {
  let rows = 0
  for await (const batch of sql`SELECT g FROM generate_series(1, 10500) g`.cursor(1000)) rows += batch.length
  assert.equal(rows, 10_500)
  await sql`SELECT g FROM generate_series(1, 100000) g`.cursor(100, () => sql.CLOSE)
  let sum = 0
  await sql`SELECT g FROM generate_series(1, 1000) g`.forEach(({ g }) => {
    sum += g
  })
  assert.equal(sum, 500_500)
  const { types, columns } = await sql`SELECT id, name FROM item WHERE qty = ${1}`.describe()
  assert.deepEqual(types, [23])
  assert.deepEqual(
    columns.map(({ name, type }) => [name, type]),
    [
      ['id', 23],
      ['name', 25],
    ],
  )
  const endless =
    sql`SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b`.execute()
  const cancelled = refusal(() => endless)
  // A request that comes before the statement has begun finds nothing to cancel.
  await pause(300)
  endless.cancel()
  assert.equal((await cancelled).code, '57014')
})

await check('a hundred connections’ worth of work over six', async () => {
  const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => sql`SELECT ${i}::int AS i`))
  assert.deepEqual(
    answers.map(([row]) => row?.i),
    Array.from({ length: 300 }, (_, i) => i),
  )
})

await sql.end()
done()
