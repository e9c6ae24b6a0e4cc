import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { type Cluster, type ClusterDatabase, join } from '@cluster/node'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

jest.setTimeout(60_000)

let folder = ''
let cluster: Cluster
let db: ClusterDatabase
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'cluster-wrong-'))
  cluster = await join({ data: folder, listen: ['127.0.0.1:0'], mdns: false, alone: true })
  db = await cluster.database('shop', { redundancy: 1 })
  await db.execute(
    'create table orders (id integer primary key, item varchar(5) not null, price numeric(6, 2), email text unique)',
  )
  await db.execute("insert into orders values (1, 'tea', 2.50, 'a@x')")
})
afterAll(async () => {
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
})

test.each([
  ['selct 1', '42601', /syntax error at or near "selct"/, {}],
  ['select * from order_s', '42P01', /relation "order_s" does not exist/, { hint: /"orders"/, position: 15 }],
  ['drop table ordres', '42P01', /table "ordres" does not exist/, { hint: /"orders"/ }],
  ['select itm from orders', '42703', /column "itm" does not exist/, { hint: /"orders.item"/, position: 8 }],
  ['insert into orders (id, itm) values (2, 1)', '42703', /column "itm" of relation/, { hint: /"item"/ }],
  [
    "insert into orders values (1, 'milk')",
    '23505',
    /duplicate key.*"orders_pkey"/,
    { detail: /Key \(id\)=\(1\)/ },
  ],
  ["insert into orders values (2, 'milk', 1, 'a@x')", '23505', /"orders_email_key"/, { detail: /a@x/ }],
  ["insert into orders values ('two', 'milk')", '22P02', /invalid input syntax for type integer: "two"/, {}],
  ['insert into orders values (true, 1)', '42804', /column "id" is of type integer/, {}],
  [
    "insert into orders values (2, 'too long')",
    '22001',
    /value too long for type character varying\(5\)/,
    {},
  ],
  ["update orders set item = 'too long'", '22001', /value too long/, {}],
  ['insert into orders values (2, null)', '23502', /null value in column "item"/, { detail: /Failing row/ }],
  ["insert into orders values (2, 'milk', 123456)", '22003', /numeric field overflow/, {}],
  ["insert into orders values (99999999999, 'milk')", '22003', /integer out of range/, {}],
  ['select id / 0 from orders', '22012', /division by zero/, {}],
  ['select id from orders where item = 1', '42883', /operator does not exist/, {}],
  ['create table orders (id integer)', '42P07', /relation "orders" already exists/, {}],
  [
    "insert into orders values (5, 'a', 1, 'e'), (1, 'b', 1, 'f'), (6, 'c', 1, 'g')",
    '23505',
    /duplicate key/,
    { detail: /Key \(id\)=\(1\)/ },
  ],
  ["insert into orders values (5, 'a', 1, 'e'), (6, 'b', 1, 'e')", '23505', /"orders_email_key"/, {}],
  ['update orders set id = id / (id - 1)', '22012', /division by zero/, {}],
])(
  '%s',
  async (statement, sqlstate, message, facts: { hint?: RegExp; detail?: RegExp; position?: number }) => {
    const { position, ...texts } = facts
    await expect(db.execute(statement)).rejects.toMatchObject({
      name: 'ClusterError',
      outcome: 'rejected',
      message: expect.stringMatching(message),
      detail: {
        sqlstate,
        ...(position !== undefined && { position }),
        ...Object.fromEntries(
          Object.entries(texts).map(([name, text]) => [name, expect.stringMatching(text)]),
        ),
      },
    })
    // Nothing of it is left, and the database serves on.
    expect((await db.query('select id, item, email from orders')).rows).toEqual([[1, 'tea', 'a@x']])
  },
)
