import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { CliPlace, TEST_MS_MAX } from './cli-process.ts'

jest.setTimeout(TEST_MS_MAX)

let place: CliPlace
beforeAll(async () => {
  place = await CliPlace.open()
})
afterAll(() => place.stop())

describe('piped input', () => {
  test('is run: results on standard output, notices on the other, exit code 0', async () => {
    const cli = place.node(['--data', 'ok', '--redundancy', '1'], {
      input:
        "create table tea (id integer primary key, name text);\ninsert into tea values (1, 'assam'), (2, 'sencha');\n" +
        '\\dt\nselect * from tea\n  order by id desc;\nselect count(*) from tea',
    })
    expect(await cli.exited).toEqual({ code: 0, signal: null })
    expect(cli.stdout).toBe(
      [
        'CREATE TABLE',
        'INSERT 0 2',
        ' table | schema',
        '-------+--------',
        ' tea   | public',
        '(1 row)',
        ' id |  name',
        '----+--------',
        '  2 | sencha',
        '  1 | assam',
        '(2 rows)',
        ' count',
        '-------',
        '     2',
        '(1 row)',
        '',
      ].join('\n'),
    )
    expect(cli.stderr).toContain('listening on /ip4/127.0.0.1/')
    expect(cli.stderr).toContain('no --secret')
    expect(cli.stderr).not.toContain('ERROR')
  })

  test('ends at the first error with exit code 1, and nothing behind it runs', async () => {
    const folder = ['--data', 'first-error', '--redundancy', '1']
    const cli = place.node(folder, {
      input:
        'create table t (a integer);\ninsert into t\n  valeus (1);\ninsert into t values (2);\nselect 7;\n',
    })
    expect((await cli.exited).code).toBe(1)
    expect(cli.stdout).toBe('CREATE TABLE\n')
    expect(cli.stderr).toMatch(
      /ERROR: {2}42601: syntax error at or near "valeus".*\nLINE 2: {3}valeus \(1\)\n {10}\^\n/,
    )
    const after = place.node(folder, { input: 'select count(*) from t;' })
    expect((await after.exited).code).toBe(0)
    expect(after.stdout).toContain('\n     0\n')
  })

  test('of an unknown command is an error as well', async () => {
    const cli = place.node(['--data', 'command'], { input: '\\tables\nselect 1;\n' })
    expect((await cli.exited).code).toBe(1)
    expect(cli.stderr).toContain('there is no command \\tables; \\? lists the commands')
    expect(cli.stdout).toBe('')
  })

  test('that is open serves until a signal, and what a signal cuts short is no error', async () => {
    const cli = place.node(['--data', 'open'], { input: 'open' })
    expect(await cli.run('select 1 + 1 as two;')).toContain('two')
    expect(await cli.stop('SIGTERM')).toBeLessThan(5000)
    expect((await cli.exited).code).toBe(0)
    expect(cli.stderr).not.toContain('ERROR')
  })
})

test('whose results nobody reads any more ends, and the node stops cleanly', async () => {
  const cli = place.node(['--data', 'unread'], {
    input: `create table t (id integer);\n${'insert into t values (1);\n'.repeat(500)}`,
  })
  await cli.said('INSERT 0 1')
  cli.stopReading()
  expect((await cli.exited).code).toBe(1)
  expect(cli.stderr).not.toMatch(/EPIPE|^\s+at /m)
  // A clean stop gives the lock back.
  expect(await readFile(join(place.folder, 'unread', 'lock.1'), 'utf8')).toBe('released')
})

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'with no terminal and no input it serves until %s and stops in time',
  async (signal) => {
    const cli = await place.node(['--data', signal]).serving()
    // Two seconds are promised; a machine that is busy with other tests gets more.
    expect(await cli.stop(signal)).toBeLessThan(5000)
    expect((await cli.exited).code).toBe(0)
    expect(cli.stderr).toContain('stopping')
    expect(cli.stdout).toBe('')
  },
)
