import assert from 'node:assert/strict'
import { check, done, url } from './harness.ts'
import { output } from './tool.ts'

const run = (sql: string): Promise<string> =>
  output('psql', ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', url], sql)
/** A dump without the lines that tell when and by what it was made. */
const dump = async (...args: string[]): Promise<string> =>
  (await output('pg_dump', [...args, url])).replace(/^\\(?:un)?restrict .*$/gm, '')

const FILL = `
  CREATE TYPE colour AS ENUM ('red', 'green');
  CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
  CREATE TABLE shop (
    id serial PRIMARY KEY,
    name varchar(40) NOT NULL UNIQUE,
    opened date DEFAULT CURRENT_DATE,
    colour colour DEFAULT 'red' NOT NULL
  );
  CREATE TABLE sale (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id integer NOT NULL REFERENCES shop (id) ON UPDATE CASCADE ON DELETE RESTRICT,
    at timestamptz NOT NULL,
    amount numeric(10,2) NOT NULL CHECK (amount >= 0),
    pieces positive,
    doubled numeric GENERATED ALWAYS AS (amount * 2) STORED,
    tags text[],
    data jsonb,
    raw bytea
  );
  CREATE INDEX sale_at ON sale (at DESC, shop_id) WHERE amount > 10;
  CREATE UNIQUE INDEX shop_lower ON shop (lower(name));
  CREATE VIEW takings AS SELECT shop_id, sum(amount) AS total FROM sale GROUP BY shop_id;
  CREATE SEQUENCE tickets START WITH 7 INCREMENT BY 3;
  CREATE SCHEMA archive;
  CREATE TABLE archive.old (a text, b double precision, c boolean, d uuid, e interval, PRIMARY KEY (a));
  COMMENT ON TABLE sale IS 'every one';
  COMMENT ON COLUMN sale.amount IS 'in euro';
  INSERT INTO shop (name, opened, colour) VALUES ('North', '2020-01-02', 'green'), ('O''Hara "x"', NULL, 'red');
  INSERT INTO sale (shop_id, at, amount, pieces, tags, data, raw)
    SELECT 1 + g % 2, '2024-01-01 00:00:00+00'::timestamptz + g * interval '1 hour', g, g, ARRAY['t' || g, 'x y'], jsonb_build_object('g', g), '\\x00ff'
    FROM generate_series(1, 50) g;
  INSERT INTO archive.old VALUES (E'tab\\tnew\\nline\\\\', 1.5, true, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '1 day 02:00'), ('', NULL, NULL, NULL, NULL);
  SELECT nextval('tickets');
`
const EMPTY = `
  DROP SCHEMA archive CASCADE;
  DROP VIEW takings;
  DROP TABLE sale, shop;
  DROP SEQUENCE tickets;
  DROP TYPE colour;
  DROP DOMAIN positive;
`
const COUNTS =
  'SELECT (SELECT count(*) FROM sale), (SELECT sum(doubled) FROM sale), (SELECT count(*) FROM archive.old)'

await run(FILL)

await check('--schema-only has every definition', async () => {
  const schema = await dump('--schema-only')
  // PostgreSQL writes the casts out that it has added; both mean the same.
  for (const text of [
    /CREATE TYPE public\.colour AS ENUM \(\n {4}'red',\n {4}'green'\n\);/,
    /CREATE DOMAIN public\.positive AS integer/,
    /colour public\.colour DEFAULT 'red'(::public\.colour)? NOT NULL/,
    /doubled numeric GENERATED ALWAYS AS \(\(?amount \* (2|\(2\)::numeric)\)?\) STORED/,
    /ADD CONSTRAINT shop_pkey PRIMARY KEY \(id\);/,
    /CREATE INDEX sale_at ON public\.sale USING btree \(at DESC, shop_id\) WHERE \(amount > (10|\(10\)::numeric)\);/,
    /CREATE UNIQUE INDEX shop_lower ON public\.shop USING btree \(lower\((name|\(name\)::text)\)\);/,
    /REFERENCES public\.shop\(id\) ON UPDATE CASCADE ON DELETE RESTRICT;/,
    /ALTER COLUMN id SET DEFAULT nextval\('public\.shop_id_seq'::regclass\);/,
    /ALTER SEQUENCE public\.shop_id_seq OWNED BY public\.shop\.id;/,
    /CREATE VIEW public\.takings AS[^;]*FROM public\.sale/,
    /COMMENT ON COLUMN public\.sale\.amount IS 'in euro';/,
    /CREATE TABLE archive\.old \(/,
  ])
    assert.match(schema, text)
})

for (const [name, flags] of [
  ['INSERTs', ['--inserts']],
  ['INSERTs with column names, many rows each', ['--column-inserts', '--rows-per-insert=20']],
  ['COPY', []],
] as const)
  await check(`data as ${name}: dump, empty, restore by psql, dump again`, async () => {
    const before = await run(COUNTS)
    const first = await dump(...flags)
    await run(EMPTY)
    await run(first)
    assert.equal(await run(COUNTS), before)
    assert.equal(await dump(...flags), first)
    assert.equal((await run("SELECT nextval('tickets') > 7, nextval('shop_id_seq') > 2")).trim(), 't|t')
    await run("SELECT setval('tickets', 7), setval('shop_id_seq', 2)")
  })

await check('single tables, and --clean --if-exists', async () => {
  assert.match(await dump('-t', 'shop', '--schema-only'), /CREATE TABLE public\.shop/)
  assert.doesNotMatch(await dump('-t', 'shop', '--schema-only'), /CREATE TABLE public\.sale/)
  const clean = await dump('--clean', '--if-exists', '--inserts')
  await run(clean)
  assert.equal((await run('SELECT count(*) FROM sale')).trim(), '50')
})

done()
