import { ClusterError } from '@cluster/core'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { isSqlError, type SqlEngine, sqlstateOf } from '../../src/index.ts'
import { failure, testEngine } from './support.ts'

describe('errors of statements', () => {
  let engine: SqlEngine
  beforeAll(async () => {
    engine = (await testEngine()).engine
    await engine.execute(`
      CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL UNIQUE, qty integer CHECK (qty >= 0), code varchar(3));
      CREATE TABLE other (id integer, qty integer);
      INSERT INTO items VALUES (1, 'one', 5, 'a'), (2, 'two', 6, 'b');
    `)
  })

  const cases: readonly (readonly [statement: string, error: Record<string, unknown>])[] = [
    ['SELECT pg_advisory_lock(1)', { sqlstate: '0A000' }],
    ["SET lock_timeout = 'soon'", { sqlstate: '22023' }],
    [
      "INSERT INTO items VALUES (1, 'x')",
      {
        sqlstate: '23505',
        message: 'duplicate key value violates unique constraint "items_pkey"',
        detail: 'Key (id)=(1) already exists.',
        constraint: 'items_pkey',
      },
    ],
    [
      "INSERT INTO items VALUES (3, 'two')",
      { sqlstate: '23505', detail: 'Key (name)=(two) already exists.', constraint: 'items_name_key' },
    ],
    [
      "INSERT INTO items VALUES (3, 'x'), (3, 'y')",
      { sqlstate: '23505', detail: 'Key (id)=(3) already exists.' },
    ],
    [
      "UPDATE items SET name = 'one' WHERE id = 2",
      { sqlstate: '23505', detail: 'Key (name)=(one) already exists.' },
    ],
    [
      'INSERT INTO items (id) VALUES (3)',
      {
        sqlstate: '23502',
        message: 'null value in column "name" of relation "items" violates not-null constraint',
        detail: 'Failing row contains (3, null, null, null).',
      },
    ],
    ['INSERT INTO items (name) VALUES (NULL)', { sqlstate: '23502' }],
    [
      "INSERT INTO items VALUES (3, 'x', -1)",
      {
        sqlstate: '23514',
        message: 'new row for relation "items" violates check constraint "items_qty_check"',
        constraint: 'items_qty_check',
      },
    ],
    [
      "INSERT INTO items VALUES (3, 'x', 1, 'abcd')",
      { sqlstate: '22001', message: 'value too long for type character varying(3)' },
    ],
    [
      'SELECT * FROM itmes',
      {
        sqlstate: '42P01',
        message: 'relation "itmes" does not exist',
        position: 15,
        hint: 'Perhaps you meant "items".',
      },
    ],
    ['DELETE FROM nothing', { sqlstate: '42P01', position: 13 }],
    [
      'SELECT nam FROM items',
      {
        sqlstate: '42703',
        message: 'column "nam" does not exist',
        position: 8,
        hint: 'Perhaps you meant to reference the column "items.name".',
      },
    ],
    ['SELECT i.nam FROM items i', { sqlstate: '42703', message: 'column i.nam does not exist' }],
    [
      'SELECT items.id FROM items i',
      {
        sqlstate: '42P01',
        message: 'invalid reference to FROM-clause entry for table "items"',
        hint: 'Perhaps you meant to reference the table alias "i".',
      },
    ],
    [
      'INSERT INTO items (nme) VALUES (1)',
      { sqlstate: '42703', hint: 'Perhaps you meant the column "name".' },
    ],
    ['UPDATE items SET nme = 1', { sqlstate: '42703' }],
    [
      'SELECT id FROM items, other',
      {
        sqlstate: '42702',
        message: 'column reference "id" is ambiguous',
        hint: "Write the table's name in front of it: items.id or other.id.",
      },
    ],
    ['SELECT 1 FROM items, items', { sqlstate: '42712' }],
    ['CREATE TABLE items (id integer)', { sqlstate: '42P07', message: 'relation "items" already exists' }],
    ['CREATE TABLE cluster_replicas (id integer)', { sqlstate: '42P07' }],
    ['CREATE TABLE x (id integer, id text)', { sqlstate: '42701' }],
    ['CREATE TABLE x (id intger)', { sqlstate: '42704', hint: 'Perhaps you meant integer.' }],
    ["CREATE TABLE x (id integer DEFAULT 'a')", { sqlstate: '22P02' }],
    ['CREATE TABLE x (id integer DEFAULT true)', { sqlstate: '42804' }],
    ['CREATE TABLE x (a integer PRIMARY KEY, b integer PRIMARY KEY)', { sqlstate: '42P16' }],
    ["CREATE TABLE x (a integer) WITH (redundancy = '3')", { sqlstate: '22023' }],
    ['CREATE TABLE x (a integer REFERENCES items (qty))', { sqlstate: '42830' }],
    ['CREATE TABLE x (a integer CHECK (a > (SELECT 1)))', { sqlstate: '0A000' }],
    ['CREATE TABLE x (a integer DEFAULT (SELECT 1))', { sqlstate: '0A000' }],
    ['DROP TABLE nothing', { sqlstate: '42P01' }],
    ['DROP INDEX nothing', { sqlstate: '42704' }],
    ['DROP INDEX items_name_key', { sqlstate: '2BP01' }],
    ['SELECT name, count(*) FROM items GROUP BY qty', { sqlstate: '42803', position: 8 }],
    ['SELECT name FROM items HAVING count(*) > 1', { sqlstate: '42803' }],
    [
      'SELECT id FROM items WHERE count(*) > 1',
      { sqlstate: '42803', message: 'aggregate functions are not allowed in WHERE' },
    ],
    ['SELECT sum(count(*)) FROM items', { sqlstate: '42803' }],
    [
      'SELECT * FROM items WHERE name',
      { sqlstate: '42804', message: 'argument of WHERE must be type boolean, not type text' },
    ],
    [
      'SELECT * FROM items WHERE name = 1',
      { sqlstate: '42883', message: 'operator does not exist: text = integer', position: 32 },
    ],
    ['SELECT uper(name) FROM items', { sqlstate: '42883', hint: 'Perhaps you meant upper.' }],
    ['SELECT CASE WHEN true THEN 1 ELSE true END', { sqlstate: '42804' }],
    ['SELECT 1 UNION SELECT true', { sqlstate: '42804' }],
    ['SELECT 1 UNION SELECT 1, 2', { sqlstate: '42601' }],
    [
      'UPDATE items SET qty = true',
      { sqlstate: '42804', message: 'column "qty" is of type integer but expression is of type boolean' },
    ],
    [
      "INSERT INTO items VALUES ('x', 'y')",
      { sqlstate: '22P02', message: 'invalid input syntax for type integer: "x"', position: 27 },
    ],
    ['INSERT INTO items (id, name) VALUES (1)', { sqlstate: '42601' }],
    ['INSERT INTO other VALUES (1, 2, 3)', { sqlstate: '42601' }],
    ['SELECT 1 / 0', { sqlstate: '22012', message: 'division by zero' }],
    ['SELECT 2147483647 + 1', { sqlstate: '22003', message: 'integer out of range' }],
    ['SELECT (SELECT id FROM items)', { sqlstate: '21000' }],
    ['SELECT id FROM items ORDER BY 3', { sqlstate: '42P10' }],
    ['SELECT DISTINCT id FROM items ORDER BY qty', { sqlstate: '42P10' }],
    ['SELECT id FROM items LIMIT -1', { sqlstate: '2201W' }],
    ['SELEC 1', { sqlstate: '42601', position: 1 }],
    [
      'SELECT 1; SELECT 2',
      { sqlstate: '42601', message: 'there is more than one statement; give them to execute()' },
    ],
    ['', { sqlstate: '42601' }],
    ['SET no_such_thing = 1', { sqlstate: '42704' }],
    ["SET timezone = 'Europe/Nowhere'", { sqlstate: '22023' }],
    ['WITH RECURSIVE r AS (SELECT 1 FROM r) SELECT * FROM r', { sqlstate: '42P19' }],
    ["SELECT cluster_partition_of('nothing', 1)", { sqlstate: '42P01' }],
    ["SELECT cluster_partition_of('items')", { sqlstate: '42883' }],
  ]
  for (const [statement, error] of cases)
    test(statement === '' ? 'an empty text' : statement, async () => {
      expect(await failure(engine.query(statement))).toMatchObject(error)
    })

  test('nothing is left of them', async () => {
    const { rows } = await engine.query('SELECT id FROM items ORDER BY id')
    expect(rows).toEqual([[1], [2]])
    const tables = await engine.query("SELECT count(*) FROM information_schema.tables WHERE table_name = 'x'")
    expect(tables.rows).toEqual([[0n]])
  })

  test('parameters that do not fit', async () => {
    const query = 'SELECT name FROM items WHERE id = $1'
    expect(await failure(engine.query(query))).toMatchObject({
      sqlstate: '08P01',
      message: 'the statement needs 1 parameter, but 0 were given',
    })
    expect(await failure(engine.query(query, [1, 2]))).toMatchObject({ sqlstate: '08P01' })
    expect(await failure(engine.query(query, ['x']))).toMatchObject({
      sqlstate: '22P02',
      detail: 'It was given for parameter $1.',
    })
    expect(await failure(engine.query(query, [1.5]))).toMatchObject({
      sqlstate: '42804',
      message: 'parameter $1 is of type integer, but a number with a fraction was given',
    })
    expect(await failure(engine.query(query, [2 ** 40]))).toMatchObject({ sqlstate: '22003' })
    expect(await failure(engine.query(query, [new Date(0)]))).toMatchObject({ sqlstate: '42804' })
  })

  test('an expression that grows beyond all bounds', async () => {
    const nested = Array.from({ length: 40 }).reduce<string>(
      (inner) => `(${inner} BETWEEN 0 AND 1)::integer`,
      'id',
    )
    expect(await failure(engine.query(`SELECT ${nested} FROM items`))).toMatchObject({ sqlstate: '54001' })
    const many = Array.from({ length: 50 }, (_, i) => `id + ${i}`).join(', ')
    expect(
      (await engine.query(`SELECT greatest(${many}), least(NULL, ${many}) FROM items WHERE id = 1`)).rows,
    ).toEqual([[50, 1]])
  })

  test('a statement that needs too much memory', async () => {
    const { engine: small } = await testEngine({ memoryBytesMax: 250_000 })
    const query = 'SELECT i FROM generate_series(1, 1000000) AS g(i) ORDER BY i DESC'
    expect(await failure(small.query(query))).toMatchObject({ sqlstate: '53200' })
    const top = await small.query(`${query} LIMIT 1`)
    expect(top.rows).toEqual([[1_000_000]])
  })
})

describe('errors of the layers below', () => {
  const unavailable = () =>
    new ClusterError(
      { code: 'DB_UNAVAILABLE', outcome: 'rejected', partitions: [], waitingFor: [] },
      'No copy of the partition answers.',
    )

  test('keep their code, with a SQLSTATE', async () => {
    const { engine, databases } = await testEngine()
    databases.failNext('begin', unavailable)
    const error = await engine.query('SELECT 1').catch((cause: unknown) => cause)
    expect(sqlstateOf(error)).toBe('57P03')
    expect(error).toMatchObject({
      code: 'DB_UNAVAILABLE',
      outcome: 'rejected',
      cause: { code: 'DB_UNAVAILABLE' },
    })
    expect(isSqlError(error)).toBe(false)
  })

  test('an unknown outcome stays unknown and is not tried again', async () => {
    const { engine, databases } = await testEngine()
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY)')
    databases.failNext(
      'commit',
      () => new ClusterError({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown', key: null }, 'Nobody knows.'),
      { applied: true },
    )
    const error = await engine.query('INSERT INTO t VALUES (1)').catch((cause: unknown) => cause)
    expect(sqlstateOf(error)).toBe('08007')
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' })
    expect((await engine.query('SELECT * FROM t')).rows).toEqual([[1]])
  })

  test('a lost race is run again, and becomes 40001 when it never wins', async () => {
    const conflict = () =>
      new ClusterError({ code: 'DB_CONFLICT', outcome: 'rejected', relation: null }, 'Another was faster.')
    const { engine, databases, clock } = await testEngine({ retriesMax: 3 })
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY)')
    for (let i = 0; i < 3; i++) databases.failNext('commit', conflict)
    await engine.query('INSERT INTO t VALUES (1)')
    expect(clock.now()).toBeGreaterThan(0)
    for (let i = 0; i < 4; i++) databases.failNext('commit', conflict)
    expect(await failure(engine.query('INSERT INTO t VALUES (2)'))).toMatchObject({ sqlstate: '40001' })
    expect((await engine.query('SELECT * FROM t')).rows).toEqual([[1]])
  })
})
