import assert from 'node:assert/strict'
import pg from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { check, done, parts, refusal, url, urls } from './harness.ts'

const pool = new pg.Pool({ connectionString: url, max: 8 })

await check('connects by URL, by parts, and through every node', async () => {
  for (const connectionString of urls) {
    const client = new pg.Client({ connectionString, application_name: 'clients' })
    await client.connect()
    const { rows } = await client.query('SELECT current_database() AS db, current_user AS me, version() AS v')
    assert.equal(rows[0].db, parts.database)
    assert.equal(rows[0].me, 'cluster')
    assert.match(rows[0].v, /^PostgreSQL 15/)
    assert.equal((await client.query('SHOW application_name')).rows[0].application_name, 'clients')
    await client.end()
  }
  const client = new pg.Client({ ...parts })
  await client.connect()
  await client.end()
})

await check('migrations: several statements at once, in a transaction', async () => {
  await pool.query(`
    CREATE TABLE schema_version (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE author (
      id serial PRIMARY KEY,
      name text NOT NULL UNIQUE,
      born date,
      CONSTRAINT author_name_not_empty CHECK (name <> '')
    );
    CREATE TABLE book (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      author_id integer NOT NULL REFERENCES author (id) ON DELETE CASCADE,
      title varchar(200) NOT NULL,
      price numeric(10,2) NOT NULL DEFAULT 0,
      tags text[] NOT NULL DEFAULT '{}',
      details jsonb,
      cover bytea,
      added timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX book_author ON book (author_id);
    INSERT INTO schema_version (version) VALUES (1);
  `)
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('SELECT version FROM schema_version ORDER BY version DESC LIMIT 1 FOR UPDATE')
    await client.query('ALTER TABLE book ADD COLUMN pages integer')
    await client.query('INSERT INTO schema_version (version) VALUES (2)')
    await client.query('COMMIT')
  } finally {
    client.release()
  }
  const { rows } = await pool.query('SELECT version FROM schema_version ORDER BY 1')
  assert.deepEqual(rows, [{ version: 1 }, { version: 2 }])
})

await check('CRUD with parameters of every common type', async () => {
  const author = await pool.query('INSERT INTO author (name, born) VALUES ($1, $2) RETURNING id', [
    'Ursula',
    '1929-10-21',
  ])
  const added = new Date('2024-05-06T07:08:09.123Z')
  const { rows, rowCount } = await pool.query(
    `INSERT INTO book (author_id, title, price, tags, details, cover, added) VALUES ($1, $2, $3, $4, $5, $6, $7)
     RETURNING *`,
    [
      author.rows[0].id,
      'The Dispossessed',
      12.5,
      ['a', 'b "c"'],
      { pages: [1, 2] },
      Buffer.from([0, 1, 255]),
      added,
    ],
  )
  assert.equal(rowCount, 1)
  const [book] = rows
  assert.equal(book.id, '1')
  assert.equal(book.price, '12.50')
  assert.deepEqual(book.tags, ['a', 'b "c"'])
  assert.deepEqual(book.details, { pages: [1, 2] })
  assert.deepEqual([...book.cover], [0, 1, 255])
  assert.equal(book.added.toISOString(), added.toISOString())
  assert.equal(book.pages, null)
  const changed = await pool.query('UPDATE book SET price = price * $1::numeric WHERE id = $2', [
    '2',
    book.id,
  ])
  assert.equal(changed.rowCount, 1)
  const found = await pool.query('SELECT price FROM book WHERE author_id = ANY($1::int[])', [
    [author.rows[0].id, 99],
  ])
  assert.deepEqual(found.rows, [{ price: '25.00' }])
  assert.equal((await pool.query('DELETE FROM author WHERE name = $1', ['Ursula'])).rowCount, 1)
  assert.equal((await pool.query('SELECT count(*)::int AS n FROM book')).rows[0].n, 0)
})

await check('named statements, rows as arrays, and results of several statements', async () => {
  for (let i = 0; i < 3; i++) {
    const { rows } = await pool.query({ name: 'plus', text: 'SELECT $1::int + 1 AS next', values: [i] })
    assert.deepEqual(rows, [{ next: i + 1 }])
  }
  const { rows, fields } = await pool.query({ text: 'SELECT 1 AS a, 2 AS a', rowMode: 'array' })
  assert.deepEqual(rows, [[1, 2]])
  assert.deepEqual(
    fields.map(({ name, dataTypeID }) => [name, dataTypeID]),
    [
      ['a', 23],
      ['a', 23],
    ],
  )
  const several = (await pool.query('SELECT 1 AS one; SELECT 2 AS two')) as unknown as pg.QueryResult[]
  assert.deepEqual(
    several.map((result) => result.rows),
    [[{ one: 1 }], [{ two: 2 }]],
  )
})

await check('transactions: commit, rollback, savepoints, isolation between connections', async () => {
  const [one, other] = [await pool.connect(), await pool.connect()]
  try {
    await one.query('BEGIN ISOLATION LEVEL SERIALIZABLE')
    await one.query("INSERT INTO author (name) VALUES ('kept')")
    await one.query('SAVEPOINT s')
    await one.query("INSERT INTO author (name) VALUES ('dropped')")
    await one.query('ROLLBACK TO SAVEPOINT s')
    await one.query('RELEASE SAVEPOINT s')
    const before = await other.query("SELECT 1 FROM author WHERE name = 'kept'")
    assert.equal(before.rowCount, 0)
    await one.query('COMMIT')
    const after = await other.query("SELECT name FROM author WHERE name IN ('kept', 'dropped')")
    assert.deepEqual(after.rows, [{ name: 'kept' }])
    await one.query('BEGIN')
    await one.query('DELETE FROM author')
    await one.query('ROLLBACK')
    assert.equal((await other.query('SELECT 1 FROM author')).rowCount, 1)
  } finally {
    one.release()
    other.release()
  }
})

await check(
  'errors carry SQLSTATE, constraint, position, detail; a failed transaction refuses until ROLLBACK',
  async () => {
    await pool.query("INSERT INTO author (name) VALUES ('twice')")
    const twice = await refusal(() => pool.query("INSERT INTO author (name) VALUES ('twice')"))
    assert.equal(twice.code, '23505')
    assert.equal(twice.constraint, 'author_name_key')
    assert.equal(twice.table, 'author')
    assert.match(String(twice.detail), /\(name\)=\(twice\)/)
    const child = await refusal(() => pool.query("INSERT INTO book (author_id, title) VALUES (12345, 'x')"))
    assert.equal(child.code, '23503')
    assert.equal(child.constraint, 'book_author_id_fkey')
    assert.equal((await refusal(() => pool.query("INSERT INTO author (name) VALUES ('')"))).code, '23514')
    const none = await refusal(() => pool.query('INSERT INTO author (name) VALUES (NULL)'))
    assert.equal(none.code, '23502')
    assert.equal(none.column, 'name')
    const syntax = await refusal(() => pool.query('SELECT * FORM author'))
    assert.equal(syntax.code, '42601')
    assert.ok(Number(syntax.position) > 0)
    assert.equal((await refusal(() => pool.query('SELECT 1/0'))).code, '22012')
    assert.equal((await refusal(() => pool.query('SELECT * FROM nowhere'))).code, '42P01')
    assert.equal((await refusal(() => pool.query('SELECT nothing FROM author'))).code, '42703')
    assert.equal((await refusal(() => pool.query('SELECT $1::int', ['x']))).code, '22P02')
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      await refusal(() => client.query('SELECT 1/0'))
      assert.equal((await refusal(() => client.query('SELECT 1'))).code, '25P02')
      await client.query('ROLLBACK')
      assert.equal((await client.query('SELECT 1 AS one')).rows[0].one, 1)
    } finally {
      client.release()
    }
  },
)

await check('streams: a cursor in parts, and a stream of 50,000 rows', async () => {
  const client = await pool.connect()
  try {
    const cursor = client.query(new Cursor('SELECT g FROM generate_series(1, $1) g', [25]))
    const sizes: number[] = []
    for (;;) {
      const rows = await cursor.read(10)
      if (rows.length === 0) break
      sizes.push(rows.length)
    }
    await cursor.close()
    assert.deepEqual(sizes, [10, 10, 5])
    const stream = client.query(
      new QueryStream('SELECT g::int AS g FROM generate_series(1, 50000) g', [], { batchSize: 500 }),
    )
    let sum = 0
    for await (const { g } of stream) sum += g
    assert.equal(sum, (50_000 * 50_001) / 2)
    const early = client.query(
      new QueryStream('SELECT g FROM generate_series(1, 1000000) g', [], { batchSize: 10 }),
    )
    for await (const { g } of early) if (Number(g) >= 15) break
    assert.equal((await client.query('SELECT 1 AS one')).rows[0].one, 1)
  } finally {
    client.release()
  }
})

await check('a pool under load: 200 statements at once, and a counter that loses nothing', async () => {
  await pool.query('CREATE TABLE counter (id integer PRIMARY KEY, n integer NOT NULL)')
  await pool.query('INSERT INTO counter VALUES (1, 0)')
  await Promise.all(
    Array.from({ length: 200 }, () => pool.query('UPDATE counter SET n = n + 1 WHERE id = 1')),
  )
  assert.equal((await pool.query('SELECT n FROM counter')).rows[0].n, 200)
})

await check('a statement is cancelled by statement_timeout', async () => {
  const client = new pg.Client({ connectionString: url, statement_timeout: 200 })
  await client.connect()
  const late = await refusal(() =>
    client.query('SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b'),
  )
  assert.equal(late.code, '57014')
  assert.equal((await client.query('SELECT 1 AS one')).rows[0].one, 1)
  await client.end()
})

await check('types come back as PostgreSQL’s', async () => {
  const { rows, fields } = await pool.query(`SELECT
    true AS b, 1::smallint AS i2, 2 AS i4, 3::bigint AS i8, 1.5::real AS f4, 2.5::float8 AS f8, 1.10::numeric AS n,
    'x'::text AS t, 'y'::varchar(3) AS v, 'z'::char(3) AS c, '2024-02-29'::date AS d, '01:02:03.4'::time AS ti,
    '2024-02-29 01:02:03'::timestamp AS ts, '2024-02-29 01:02:03+00'::timestamptz AS tz, '1 day 02:00'::interval AS iv,
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u, '{"a":1}'::json AS j, '{"a": 1}'::jsonb AS jb,
    '\\x00ff'::bytea AS by, ARRAY[1,2,NULL] AS ia, ARRAY['a','b'] AS ta`)
  assert.deepEqual(
    fields.map(({ dataTypeID }) => dataTypeID),
    [
      16, 21, 23, 20, 700, 701, 1700, 25, 1043, 1042, 1082, 1083, 1114, 1184, 1186, 2950, 114, 3802, 17, 1007,
      1009,
    ],
  )
  const [row] = rows
  assert.equal(row.i8, '3')
  assert.equal(row.n, '1.10')
  assert.equal(row.c, 'z  ')
  assert.deepEqual({ ...row.iv }, { days: 1, hours: 2 })
  assert.deepEqual(row.ia, [1, 2, null])
})

await pool.end()
done()
