import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { CliPlace, TEST_MS_MAX } from './cli-process.ts'

jest.setTimeout(TEST_MS_MAX)

let place: CliPlace
beforeAll(async () => {
  place = await CliPlace.open()
})
afterAll(() => place.stop())

const DEFINITIONS = `
create schema "a b"; create type mood as enum ('sad', 'o''k');
create domain positive as integer default 1 check (value > 0);
create sequence free start 5 increment 2; select nextval('free');
create table "a b"."T x" (id serial primary key, m mood default 'sad', p positive, v varchar(5) not null,
  double integer generated always as (id * 2) stored, tags text[], constraint small check (id < 1000));
create table r (a integer, b text, i integer generated always as identity, t integer references "a b"."T x" on delete cascade,
  u integer unique, primary key (a, b)) with (redundancy = 'all');
create index ri on r (lower(b), a desc) where a > 0;
create view v as select a, b from r where a > 1; comment on table r is 'it''s';
insert into "a b"."T x" (m, v, tags) values ('o''k', E'a\\tb', '{x,"y z"}'), (default, '', null);
insert into r (a, b, t) values (1, E'line\\nbreak \\\\. ;', 1), (2, '', 2);
`

test('what was exported as SQL is imported elsewhere, and exported alike', async () => {
  const first = place.node(['--data', 'one', '--redundancy', '1'], {
    input: `${DEFINITIONS}\\export ${join(place.folder, 'one.sql')}\n`,
  })
  expect([await first.exited, first.stderr]).toEqual([
    { code: 0, signal: null },
    expect.not.stringContaining('ERROR'),
  ])
  const loaded = place.transfer([
    'import',
    join(place.folder, 'one.sql'),
    '--data',
    'two',
    '--redundancy',
    '1',
  ])
  expect([(await loaded.exited).code, loaded.stderr]).toEqual([0, expect.stringContaining('imported')])
  const again = place.transfer(['export', '--data', 'two'])
  expect((await again.exited).code).toBe(0)
  const text = await readFile(join(place.folder, 'one.sql'), 'utf8')
  expect(again.stdout).toBe(text)
  expect(text).toContain("/*cluster WITH (redundancy = 'all') */")
  expect(text).toContain('1\tline\\nbreak \\\\. ;\t1\t1\t\\N\n')
  const check = place.node(['--data', 'two'], {
    input:
      'select * from v; insert into "a b"."T x" (v) values (\'new\') returning id; select nextval(\'free\') > 5 as on;',
  })
  expect((await check.exited).code).toBe(0)
  expect(check.stdout).toContain(' t\n')
})

test('a table goes out as CSV and comes in again, and an error names the line', async () => {
  const made = place.node(['--data', 'csv', '--redundancy', '1'], {
    input: `create table t (a integer primary key, b text);\ncopy t from stdin;\n1\tone\n2\t\\N\n\\.\n\\copy t to '${join(place.folder, 'shell.csv')}' csv\n`,
  })
  expect([(await made.exited).code, made.stderr]).toEqual([0, expect.not.stringContaining('ERROR')])
  expect(await readFile(join(place.folder, 'shell.csv'), 'utf8')).toBe('1,one\n2,\n')
  const out = place.transfer(['export', '--data', 'csv', '--format', 'csv', '--table', 't'])
  expect((await out.exited).code).toBe(0)
  expect(out.stdout).toBe('a,b\n1,one\n2,\n')
  await writeFile(join(place.folder, 'more.csv'), 'a,b\n3,three\nx,four\n')
  const wrong = place.transfer([
    'import',
    join(place.folder, 'more.csv'),
    '--data',
    'csv',
    '--format',
    'csv',
    '--table',
    't',
  ])
  expect((await wrong.exited).code).toBe(1)
  expect(wrong.stderr).toContain('CONTEXT:  COPY t, line 3, column a: "x"')
})

test('slips of the finger are told before a node is run', async () => {
  for (const [args, said] of [
    [['export', '--format', 'csv'], '--format csv wants one --table to export'],
    [['--name', 'x', 'export'], 'put --name behind export'],
  ] as const) {
    const cli = place.cli(args)
    expect((await cli.exited).code).toBe(1)
    expect(cli.stderr).toContain(said)
  }
})
