import assert from 'node:assert/strict'
import pg from 'pg'
import { check, done, url } from './harness.ts'

// What Grafana's data source for PostgreSQL asks: about the server, for its query builder, and for panels.

const pool = new pg.Pool({ connectionString: url, max: 4 })
const rows = async (text: string): Promise<Record<string, unknown>[]> => (await pool.query(text)).rows

/** The names of the search path, one after another, as the query builder takes them apart. */
const PATH = `SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
  FROM generate_series(
    array_lower(string_to_array(current_setting('search_path'), ','), 1),
    array_upper(string_to_array(current_setting('search_path'), ','), 1)
  ) AS i, string_to_array(current_setting('search_path'), ',') s`

await check('a table of measurements, an hour of them', async () => {
  await pool.query(`CREATE TABLE load (at timestamptz NOT NULL, host text NOT NULL, value double precision, hits bigint,
    PRIMARY KEY (host, at))`)
  await pool.query(`INSERT INTO load SELECT timestamptz '2024-05-01 10:00Z' + g * interval '20 seconds', h, g % 7, g
    FROM generate_series(0, 179) g, unnest(ARRAY['a', 'b']) h`)
})

await check('the test of the connection, version, extensions', async () => {
  assert.deepEqual(await rows("SELECT current_setting('server_version_num')::int / 100 AS version"), [
    { version: 1500 },
  ])
  assert.deepEqual(await rows("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"), [])
})

await check('the query builder: tables and columns', async () => {
  const tables = await rows(`SELECT
      CASE WHEN quote_ident(table_schema) = ANY (${PATH}) THEN quote_ident(table_name)
      ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table"
    FROM information_schema.tables
    WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_catalog')
    ORDER BY CASE WHEN quote_ident(table_schema) = ANY (${PATH}) THEN 0 ELSE 1 END, 1`)
  assert.ok(tables.some(({ table }) => table === 'load'))
  const columns = await rows(`SELECT quote_ident(column_name) AS "column", data_type AS "type"
    FROM information_schema.columns
    WHERE CASE WHEN array_length(parse_ident('load'), 1) = 2
      THEN quote_ident(table_schema) = (parse_ident('load'))[1] AND quote_ident(table_name) = (parse_ident('load'))[2]
      ELSE quote_ident(table_name) = 'load' END
    ORDER BY ordinal_position`)
  assert.deepEqual(
    columns.map(({ column, type }) => `${column} ${type}`),
    ['at timestamp with time zone', 'host text', 'value double precision', 'hits bigint'],
  )
})

await check('a panel: values in groups of five minutes, one line a host', async () => {
  const found =
    await rows(`SELECT floor(extract(epoch from at)/300)*300 AS "time", host AS metric, avg(value) AS "value"
    FROM load WHERE at BETWEEN '2024-05-01T10:00:00Z' AND '2024-05-01T10:30:00Z'
    GROUP BY 1, 2 ORDER BY 1, 2`)
  assert.equal(found.length, 14)
  assert.deepEqual(found[0], { time: '1714557600', metric: 'a', value: 2.8 })
})

await check('a panel with gaps filled, a growth since the row before, and a table', async () => {
  const filled = await rows(`SELECT slot AS "time", coalesce(sum(hits), 0)::int AS hits
    FROM generate_series(timestamptz '2024-05-01 10:50Z', timestamptz '2024-05-01 11:05Z', interval '5 minutes') slot
    LEFT JOIN load ON at >= slot AND at < slot + interval '5 minutes' AND host = 'a'
    GROUP BY slot ORDER BY slot`)
  assert.deepEqual(
    filled.map(({ hits }) => hits),
    [2_355, 2_580, 0, 0],
  )
  const grown =
    await rows(`SELECT at AS "time", hits - lag(hits) OVER (PARTITION BY host ORDER BY at) AS growth
    FROM load WHERE host = 'b' AND extract(epoch from at) >= 1714557600 ORDER BY at LIMIT 2`)
  assert.deepEqual(
    grown.map(({ growth }) => growth),
    [null, '1'],
  )
  const table = await rows(
    'SELECT host, max(value), percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS p50 FROM load GROUP BY host ORDER BY host LIMIT 50',
  )
  assert.deepEqual(table[0], { host: 'a', max: 6, p50: 3 })
})

await check('panels side by side, variables and annotations', async () => {
  const [hosts, notes] = await Promise.all([
    rows('SELECT DISTINCT host AS __text, host AS __value FROM load ORDER BY 1'),
    rows(
      "SELECT extract(epoch from at) AS time, 'many' AS text, host AS tags FROM load WHERE value = 6 AND host = 'a' ORDER BY at LIMIT 1",
    ),
    ...Array.from({ length: 6 }, () =>
      rows("SELECT count(*) FROM load WHERE at > now() - interval '6 hours'"),
    ),
  ])
  assert.deepEqual(
    hosts?.map(({ __value: value }) => value),
    ['a', 'b'],
  )
  assert.deepEqual(notes, [{ time: '1714557720.000000', text: 'many', tags: 'a' }])
})

await pool.end()
done()
