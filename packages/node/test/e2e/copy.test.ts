import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { type Cluster, type ClusterDatabase, join } from '@cluster/node'
import { wire } from '@cluster/testkit'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

const { copyData, copyDone, query, WireClient } = wire

// Real sockets and disks on a machine that may be busy.
jest.setTimeout(60_000)

let folder = ''
let cluster: Cluster
let shop: ClusterDatabase
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'cluster-copy-'))
  cluster = await join({ data: joinPath(folder, 'one'), listen: ['127.0.0.1:0'], mdns: false, alone: true })
  shop = await cluster.database('shop', { redundancy: 1 })
})
afterAll(async () => {
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
})

const words = 'some words about the row '.repeat(40)
function* lines(count: number): Generator<string> {
  for (let i = 0; i < count; i++) yield `${i}\t${words}${i}\n`
}

test('many rows are one transaction, and more than one holds are refused as a whole, with advice, or copied by several', async () => {
  await shop.query('CREATE TABLE much (id integer PRIMARY KEY, about text)')
  // More than one entry of the log takes.
  expect(await shop.copyFrom('COPY much FROM STDIN', lines(4_000))).toMatchObject({ rowCount: 4_000 })
  await shop.query('DELETE FROM much')
  // Far too many are refused long before all of them are read.
  let read = 0
  function* endless(): Generator<string> {
    for (;;) yield `${read++}\t${words}${read}\n`
  }
  await expect(shop.copyFrom('COPY much FROM STDIN', endless())).rejects.toMatchObject({
    code: 'DB_TRANSACTION_TOO_LARGE',
    detail: { sqlstate: '54000', hint: expect.stringContaining('rowsPerTransaction') },
  })
  expect((await shop.query('SELECT count(*) FROM much')).rows).toEqual([[0n]])
  const copied = await shop.copyFrom('COPY much FROM STDIN', lines(4_000), { rowsPerTransaction: 1_500 })
  expect(copied.rowCount).toBe(4_000)
  let bytes = 0
  for await (const piece of shop.copyTo('COPY much TO STDOUT')) bytes += piece.length
  expect(bytes).toBe([...lines(4_000)].reduce((sum, line) => sum + line.length, 0))
})

test('ranges go out and come back in the binary format', async () => {
  const db = await cluster.database('ranges')
  await db.query('CREATE TABLE r (id integer, a int4range[], d datemultirange, t tstzrange, n numrange)')
  await db.query(
    `INSERT INTO r VALUES (1, '{"[1,5]",empty,NULL}', '{[2024-01-01,2024-01-31],[2024-03-01,infinity)}',
       '(,2024-01-01 10:00:00.5+02]', '[1.50,2.5)'), (2, '{}', '{}', 'empty', NULL)`,
  )
  const parts: Uint8Array[] = []
  for await (const part of db.copyTo('COPY r TO STDOUT (FORMAT binary)')) parts.push(part)
  await db.query('CREATE TABLE back (LIKE r)')
  await db.copyFrom('COPY back FROM STDIN (FORMAT binary)', parts)
  const { rows } = await db.query('SELECT a, d, t, n FROM back ORDER BY id')
  expect(rows).toEqual([
    [
      '{"[1,6)",empty,NULL}',
      '{[2024-01-01,2024-02-01),[2024-03-01,infinity)}',
      '(,"2024-01-01 08:00:00.5+00"]',
      '[1.50,2.5)',
    ],
    ['{}', '{}', 'empty', null],
  ])
})

test('the binary format by the protocol', async () => {
  const service = await cluster.servePostgres({ port: 0 })
  const client = await WireClient.ready(service.port)
  client.send(query('CREATE TABLE b (i integer, n numeric, y bytea)'))
  await client.untilReady()
  const row = '\0\x03\0\0\0\x04\0\0\0\x07\0\0\0\x0a\0\x01\0\0\0\0\0\x01\0\x05\0\0\0\x02\0\xff'
  const data = Uint8Array.from(`PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0${row}\xff\xff`, (char) =>
    char.charCodeAt(0),
  )
  client.send(
    query('COPY b FROM STDIN (FORMAT binary); SELECT * FROM b; COPY b TO STDOUT'),
    copyData(data),
    copyDone(),
  )
  expect(await client.untilReady()).toEqual([
    'copy in 1 1,1,1',
    'complete COPY 1',
    'columns i:23 n:1700 y:17',
    'row 7 5.0 \\x00ff',
    'complete SELECT 1',
    'copy out 0 0,0,0',
    `data ${JSON.stringify('7\t5.0\t\\\\x00ff\n')}`,
    'copied',
    'complete COPY 1',
    'ready I',
  ])
  client.send(query('COPY b FROM STDIN'), copyData('8\tx\t\\N\n'), copyDone())
  expect(await client.untilReady()).toEqual([
    'copy in 0 0,0,0',
    'error ERROR 22P02 invalid input syntax for type numeric: "x"',
    'ready I',
  ])
  client.send(query("COPY b FROM '/a/file'"))
  expect((await client.untilReady())[0]).toMatch(/^error ERROR 42501 must be superuser/)
  client.close()
  await service.close()
})
