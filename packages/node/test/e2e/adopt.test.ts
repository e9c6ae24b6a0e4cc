import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { ClusterError } from '@cluster/core'
import { type Cluster, join } from '@cluster/node'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { exportBeforeAdoption } from '../../src/adoption.ts'

// Real sockets and disks on a machine that may be busy.
jest.setTimeout(60_000)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'cluster-adopt-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const options = (data: string) => ({
  data: joinPath(folder, data),
  listen: ['127.0.0.1:0'],
  mdns: false,
})

test('a node that goes into another cluster writes down what it had as SQL first, once', async () => {
  {
    await using poor = await join({ ...options('poor'), alone: true })
    const main = await poor.database('main')
    await main.execute('CREATE TABLE t (id integer PRIMARY KEY, text text)')
    await main.execute("INSERT INTO t VALUES (1, 'ours'), (2, 'too')")
    await (await poor.database('a/b')).execute('CREATE TABLE other (id integer PRIMARY KEY)')
  }
  await using rich = await join({ ...options('rich'), alone: true })
  await (await rich.database('main')).execute('CREATE TABLE theirs (id integer PRIMARY KEY)')
  const adopt = rich.group().cluster ?? ''
  const seeds = rich.addresses().map((address) => address.replace(/^\/ip4\/([^/]+)\/tcp\/(\d+).*$/, '$1:$2'))

  const lines: string[] = []
  const words = { ...options('poor'), adopt, seeds, logLevel: 'warn' as const }
  {
    await using over = await join({ ...words, log: (line) => lines.push(line) })
    expect(over.group().cluster).toBe(adopt)
    expect(await (await over.database('main')).sql`SELECT count(*) AS rows FROM theirs`).toEqual([
      { rows: 0n },
    ])
  }
  const exported = (await readdir(words.data)).filter((name) => name.startsWith('exported-'))
  expect(exported).toHaveLength(1)
  const kept = joinPath(words.data, exported[0] ?? '')
  expect((await readdir(kept)).sort()).toEqual(['a%2Fb.sql', 'main.sql'])
  expect(await readFile(joinPath(kept, 'main.sql'), 'utf8')).toContain('1\tours\n2\ttoo\n\\.\n')
  expect(lines.filter((line) => line.includes('were exported'))).toHaveLength(2)

  // The word may stay on the command line.
  const again: string[] = []
  await using back = await join({ ...words, log: (line) => again.push(line) })
  expect(back.group().cluster).toBe(adopt)
  expect(again.filter((line) => line.includes('were exported'))).toEqual([])
})

test('a node whose cluster cannot be read stays what it is and says how to go on', async () => {
  let stopped = 0
  const open = async () =>
    ({
      id: 'n1',
      folder,
      group: () => ({ cluster: 'c1', witnesses: [] }),
      ready: () =>
        Promise.reject(
          new ClusterError(
            { code: 'JOIN_TIMEOUT', outcome: 'rejected' },
            'not in the cluster: n2 is missing',
          ),
        ),
      [Symbol.asyncDispose]: async () => {
        stopped++
      },
    }) as unknown as Cluster
  const logger = { log: () => {}, child: () => logger }
  await expect(exportBeforeAdoption(open, 'c2', logger)).rejects.toMatchObject({
    code: 'ROWS_NOT_EXPORTED',
    detail: { cluster: 'c1', cause: 'JOIN_TIMEOUT' },
    message: expect.stringMatching(/n2 is missing\. Start enough of its nodes, .* --no-export/),
  })
  expect(stopped).toBe(1)
})
