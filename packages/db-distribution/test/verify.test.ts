import {
  type Database,
  type DatabaseEvents,
  decodeChunk,
  encodeChunk,
  type NodeId,
  type PartitionId,
} from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { ITEMS, id, key, TestCluster } from './support/test-cluster.ts'

const NAMES = ['a', 'b', 'c'] as const
const ROWS = Array.from({ length: 300 }, (_, i): [number, string] => [i, `row ${i}`])
const FIRST = 1 as PartitionId

/** Three nodes with rows on disk in one partition. */
async function cluster(redundancy: number, auditMs = 0): Promise<{ nodes: TestCluster; database: Database }> {
  const nodes = new TestCluster({ nodes: NAMES, databases: { auditMs } })
  await nodes.start(...NAMES)
  const database = await nodes.open('a', { redundancy, partitions: 1 })
  await nodes.write('a', ROWS)
  await nodes.applied()
  for (const name of NAMES) await nodes.settle(nodes.app(name).databases.checkpoint())
  nodes.log.compact('a')
  return { nodes, database }
}

/** While a node is down one row on its disk turns into another, and nothing there knows. */
async function flip(nodes: TestCluster, name: string, values: readonly number[]): Promise<void> {
  nodes.crash(name)
  const disk = nodes.disks.get(name)
  for (const [store, image] of disk?.images ?? []) {
    if (!store.endsWith('/p1')) continue
    const chunks = image.chunks.map((bytes) => {
      const chunk = decodeChunk(bytes, store, 0)
      if ('rowCount' in chunk || chunk.relation !== ITEMS) return bytes
      const rows = chunk.rows.map((row) =>
        values.includes(Number(row?.[0])) ? [Number(row?.[0]), 'flipped'] : row,
      )
      return encodeChunk({ ...chunk, rows })
    })
    disk?.images.set(store, { ...image, chunks })
  }
  await nodes.start(name)
}

const here = (database: Database): string[] =>
  [...database.localScan(ITEMS, FIRST)].flatMap((batch) => (batch.columns[1] ?? []).map(String))

describe('verify', () => {
  test('names the rows that differ, and makes the copy anew that stands alone', async () => {
    const { nodes, database } = await cluster(3)
    await flip(nodes, 'c', [7, 250])
    const astray = await nodes.open('c')
    expect(here(astray).filter((text) => text === 'flipped')).toHaveLength(2)
    const diverged: DatabaseEvents['diverged'][] = []
    database.on('diverged', (event) => diverged.push(event))
    const report = await nodes.settle(database.verify())
    expect(report).toMatchObject({ database: 'shop', compared: [0, 1], skipped: [] })
    expect(report.rows).toBe(300)
    const groups = [['a', 'b'], ['c']]
    expect(report.divergences).toEqual([
      {
        partition: FIRST,
        version: expect.any(Number),
        groups,
        right: 0,
        rows: [7, 250].map((value) => ({ relation: ITEMS, key: key(value) })),
        mended: ['c'],
      },
    ])
    expect(diverged).toEqual([{ database: 'shop', partition: FIRST, groups, right: 0 }])
    await nodes.applied()
    expect(here(astray)).toEqual(ROWS.map(([, text]) => text))
    expect((await nodes.settle(database.verify())).divergences).toEqual([])
    // It is on its disk, too.
    nodes.crash('c')
    await nodes.start('c')
    expect(here(await nodes.open('c'))).toEqual(ROWS.map(([, text]) => text))
  })

  test('tells only, when nothing is to be mended', async () => {
    const { nodes, database } = await cluster(3)
    await flip(nodes, 'b', [7])
    const { divergences } = await nodes.settle(database.verify({ mend: false }))
    expect(divergences).toMatchObject([{ right: 0, mended: [], groups: [['a', 'c'], ['b']] }])
    expect(here(await nodes.open('b'))).toContain('flipped')
  })

  test('of two that differ believes neither, unless it is told which', async () => {
    const { nodes, database } = await cluster(2)
    const [one, other] = database.holders(FIRST) as readonly [NodeId, NodeId]
    await flip(nodes, other, [7])
    const { divergences } = await nodes.settle(database.verify())
    expect(divergences).toMatchObject([{ right: null, mended: [], rows: [{ key: key(7) }] }])
    expect(here(await nodes.open(other))).toContain('flipped')
    const told = await nodes.settle(database.verify({ trust: one }))
    expect(told.divergences).toMatchObject([{ mended: [other] }])
    expect(here(await nodes.open(other))).not.toContain('flipped')
    expect((await nodes.settle(database.verify())).divergences).toEqual([])
  })

  test('leaves out what has one copy only, or no holder that answers', async () => {
    const { nodes, database } = await cluster(1)
    const [holder = id('a')] = database.holders(FIRST)
    expect((await nodes.settle(database.verify())).skipped).toMatchObject([{ partition: FIRST }])
    const other = NAMES.find((name) => name !== holder) ?? 'a'
    const seen = await nodes.open(other)
    nodes.crash(holder)
    await nodes.world.run(500)
    const { skipped, compared } = await nodes.settle(seen.verify())
    expect(compared).toEqual([0])
    expect(skipped).toMatchObject([{ partition: FIRST, why: expect.stringContaining('0 of its holders') }])
  })

  test('is done in the background, a partition at a time', async () => {
    const { nodes } = await cluster(3, 500)
    await flip(nodes, 'c', [7])
    const astray = await nodes.open('c')
    expect(here(astray)).toContain('flipped')
    await nodes.until(() => !here(astray).includes('flipped') && here(astray).length === 300)
    await nodes.world.run(3_000)
    expect(nodes.said('copies of a partition differ')).toBe(1)
  })

  test('finds copies alike while rows are written and a holder is replaced', async () => {
    const { nodes, database } = await cluster(2)
    let over = false
    const writing = (async () => {
      for (let i = 0; !over; i++) {
        const transaction = await database.begin()
        transaction.put({ relation: ITEMS, partition: FIRST, key: key(i % 50) }, [i % 50, `again ${i}`])
        await transaction.commit()
      }
    })()
    const victim = database.holders(FIRST).find((name) => name !== id('a')) ?? id('b')
    nodes.lose(victim)
    for (let i = 0; i < 5; i++) {
      const { divergences } = await nodes.settle(database.verify())
      expect(divergences).toEqual([])
    }
    over = true
    await nodes.settle(writing)
  })
})
