import assert from 'node:assert/strict'
import { check, done, parts, url } from './harness.ts'
import { output } from './tool.ts'

const CLIENTS = 4
const TRANSACTIONS = 25
const pgbench = (...args: string[]): Promise<string> =>
  output('pgbench', ['-h', parts.host, '-p', String(parts.port), '-U', parts.user, ...args, parts.database])
const ask = async (sql: string): Promise<string> => (await output('psql', ['-X', '-Atc', sql, url])).trim()

await check('-i, with rows made by the server', async () => {
  await pgbench('-i', '-q', '-I', 'dtGvp')
  assert.equal(await ask('SELECT count(*), sum(abalance) FROM pgbench_accounts'), '100000|0')
})

await check('-i, with rows by COPY', async () => {
  await pgbench('-i', '-q')
  assert.equal(await ask('SELECT count(*) FROM pgbench_accounts'), '100000')
})

await check('-i with foreign keys', async () => {
  await pgbench('-i', '-q', '-I', 'dtGvpf')
  assert.equal(await ask('SELECT count(*) FROM pgbench_tellers'), '10')
})

await check('rows in pieces, where a transaction has a bound', async () => {
  await pgbench('-i', '-q', '-I', 'dtp')
  const ranges = (of: string, rows: number, columns: string): string =>
    `INSERT INTO pgbench_${of} SELECT ${columns} FROM generate_series(1, ${rows}) g;`
  const accounts = Array.from(
    { length: 20 },
    (_, i) =>
      `INSERT INTO pgbench_accounts SELECT g, 1, 0, '' FROM generate_series(${i * 5000 + 1}, ${i * 5000 + 5000}) g;`,
  )
  const text = [ranges('branches', 1, "g, 0, ''"), ranges('tellers', 10, "g, 1, 0, ''"), ...accounts].join(
    '\n',
  )
  await output('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', url], text)
})

const scripts: readonly (readonly [string, readonly string[]])[] = [
  ['TPC-B', []],
  ['-N', ['-N']],
  ['-S', ['-S']],
]
for (const [name, flags] of scripts)
  for (const mode of ['simple', 'extended', 'prepared'])
    await check(`${name} in ${mode} mode`, async () => {
      const before = Number(await ask('SELECT count(*) FROM pgbench_history'))
      // Whoever loses a race is told 40001 and tries again; PostgreSQL's default isolation lets it wait instead.
      const tries = name === '-S' ? [] : ['--max-tries=1000']
      const out = await pgbench(
        '-n',
        '-M',
        mode,
        '-c',
        String(CLIENTS),
        '-t',
        String(TRANSACTIONS),
        ...tries,
        ...flags,
      )
      assert.match(out, /number of transactions actually processed: 100\/100/)
      const written = name === '-S' ? 0 : CLIENTS * TRANSACTIONS
      assert.equal(Number(await ask('SELECT count(*) FROM pgbench_history')) - before, written)
    })

await check('the books balance', async () => {
  assert.equal(
    await ask(
      `SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)`,
    ),
    't',
  )
  // Only TPC-B writes to branches and tellers.
  assert.equal(
    await ask(
      'SELECT (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(tbalance) FROM pgbench_tellers)',
    ),
    't',
  )
})

done()
