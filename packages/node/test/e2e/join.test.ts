import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { type Cluster, join } from '@cluster/node'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

// Real sockets and disks on a machine that may be busy.
jest.setTimeout(60_000)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'cluster-join-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const options = (data: string) => ({
  data: joinPath(folder, data),
  listen: ['127.0.0.1:0'],
  mdns: false,
})

test('join tells for whom it waited when time is up, and leaves nothing behind', async () => {
  const wanted = { ...options('expecting'), expect: 3, timeoutMs: 1500 }
  await expect(join(wanted)).rejects.toMatchObject({
    code: 'JOIN_TIMEOUT',
    detail: { waitingFor: '3 nodes to form the group, 1 is here' },
    message: expect.stringMatching(
      /not in the cluster "cluster" after 1500 ms: 3 nodes to form the group, 1 is here; start the nodes it waits for/,
    ),
  })
  // The folder is free again.
  await expect(join(wanted)).rejects.toMatchObject({ code: 'JOIN_TIMEOUT' })
})

test('join can be given up', async () => {
  const controller = new AbortController()
  const joining = join({ ...options('given-up'), expect: 3, signal: controller.signal })
  controller.abort()
  await expect(joining).rejects.toMatchObject({ code: 'ABORTED' })
})

test('a data folder is joined with once', async () => {
  await using cluster = await join({ ...options('busy'), alone: true })
  await expect(join({ ...options('busy'), alone: true })).rejects.toMatchObject({
    code: 'DATA_IN_USE',
    detail: { pid: process.pid, folder: cluster.folder },
  })
})

test('wrong options are refused before anything is made', async () => {
  await expect(join({ ...options('wrong'), listen: ['here:there'] })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
  })
  await expect(join({ ...options('wrong'), seeds: ['10.0.0.5'] })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    detail: { option: 'seed', given: '10.0.0.5' },
  })
})

test('a database keeps the options it was made with', async () => {
  await using cluster = await join({ ...options('options'), alone: true })
  const db = await cluster.database('shop', { redundancy: 1, partitions: 4 })
  await expect(cluster.database('shop', { redundancy: 2 })).rejects.toMatchObject({
    code: 'DB_OPTIONS_DIFFER',
    outcome: 'rejected',
    message: expect.stringMatching(/redundancy/),
  })
  // Whoever asks for nothing gets what is there, and an equal wish is no difference.
  expect(await cluster.database('shop')).toBe(db)
  expect((await cluster.database('shop', { partitions: 4 })).storage.options).toMatchObject({ redundancy: 1 })
  await expect(cluster.database('other', { redundancy: 0 })).rejects.toMatchObject({
    code: 'DB_OPTION_INVALID',
  })
})

test('two in one process share rows; the one that stays goes on', async () => {
  const first: Cluster = await join({ ...options('first'), alone: true })
  const [address] = first.addresses()
  await using second = await join({
    ...options('second'),
    // A busy machine may let it wait long for its seed; it must not form a cluster of its own then.
    expect: 2,
    seeds: [String(address).replace(/^\/ip4\/(.+)\/tcp\/(\d+)$/, '$1:$2')],
  })
  const here = await first.database('shop')
  await here.sql`create table t (id integer primary key)`
  const there = await second.database('shop')
  const whole = new Promise<void>((resolve) => {
    const look = (): void => {
      const { underReplicated, replicas } = there.storage.status()
      const isMember = second.group().voters.length === 2
      if (isMember && underReplicated.length === 0 && replicas.every(({ complete }) => complete)) resolve()
    }
    there.storage.on('placement', look)
    second.on('group', look)
    look()
  })
  await here.sql`insert into t values (1)`
  await whole
  await first.stop()
  await there.sql`insert into t values (2)`
  expect(await there.sql`select id from t order by id`).toEqual([{ id: 1 }, { id: 2 }])
})

test('a witness votes beside two nodes with data, and has no database of its own', async () => {
  await using a = await join({ ...options('with data'), alone: true })
  const seeds = a.addresses().map(String)
  await using b = await join({ ...options('more data'), seeds })
  await using witness = await join({ ...options('witness'), seeds, witness: true })
  await voters(a, 3)
  expect(a.group().witnesses).toEqual([witness.id])
  await expect(witness.database('shop')).rejects.toMatchObject({ code: 'NODE_IS_WITNESS' })
  const shop = await a.database('shop', { redundancy: 'all' })
  await shop.sql`create table t (n int primary key)`
  await shop.sql`insert into t values (1)`
  const holders = shop.storage.status().replicas.map(({ node }) => node)
  expect(new Set(holders)).toEqual(new Set([a.id, b.id]))
})

/** Resolves once so many vote. */
async function voters(cluster: Cluster, count: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (cluster.group().voters.length === count) resolve()
    }
    cluster.on('group', look)
    look()
  })
}
