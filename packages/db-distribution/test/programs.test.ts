import {
  type Database,
  EVERYWHERE,
  type PartitionId,
  type Row,
  type RowProgram,
  relationId,
  type Version,
} from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { LocalReplica } from '../src/driver/replica/local-replica.ts'
import { OWN_ROWS } from '../src/driver/replica/signature.ts'
import { UnknownProgramError } from '../src/machine/program/codec.ts'
import { ModelStorageDisk, modelStorage } from './support/model-storage.ts'
import { address, ITEMS, id, key, TestCluster } from './support/test-cluster.ts'

const counter = (database: Database, value: number, by = 1): RowProgram => {
  const { relation, partition } = address(database, value)
  const sum = {
    op: 'add',
    type: 'integer',
    left: { op: 'column', position: 1 },
    right: { op: 'value', value: by },
  } as const
  return {
    relation,
    partition,
    steps: [
      {
        key: key(value),
        present: { do: 'update', set: [{ position: 1, value: sum }], where: null },
        absent: [value, by],
      },
    ],
    checks: [],
    returning: true,
  }
}

async function count(database: Database, value: number, idempotencyKey?: string) {
  const transaction = await database.begin({ optimistic: true })
  return transaction.execute(counter(database, value), idempotencyKey === undefined ? {} : { idempotencyKey })
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

/** All rows of a partition as one node has them, outcomes too. */
function held(cluster: TestCluster, name: string, database: Database, partition: PartitionId): string {
  const rows: string[] = []
  for (const relation of [ITEMS, OWN_ROWS])
    for (const batch of database.localScan(relation, partition))
      for (let i = 0; i < batch.length; i++)
        rows.push(`${relation} ${batch.keys[i]} ${batch.columns.map((column) => String(column[i])).join()}`)
  return rows.length === 0 ? `${name} has nothing` : rows.join('\n')
}

describe('programs', () => {
  test('run alike on every holder, also on those that replay or copy', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c', 'd'] })
    await cluster.start('a', 'b', 'c', 'd')
    const a = await cluster.open('a', { redundancy: 2, partitions: 2 })
    const work = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) await cluster.settle(count(a, i % 3))
    }
    await work(0, 30)
    for (const name of ['b', 'c']) await cluster.settle(cluster.app(name).databases.checkpoint())
    await work(30, 60)
    // What is behind the checkpoint is run again from the log, what is in it is not.
    cluster.crash('b')
    await work(60, 90)
    await cluster.start('b')
    await work(90, 120)
    // And one is lost for good: somebody copies what it held while programs go on.
    cluster.lose('c')
    await work(120, 180)
    await cluster.until(() => [1, 2].every((partition) => a.holders(partition as PartitionId).length === 2))
    await cluster.applied()
    const rows = [0, 1, 2].map((value): Row => [value, 60])
    expect(await cluster.read('a')).toEqual(rows)
    for (const partition of [1, 2] as PartitionId[]) {
      const copies = new Set<string>()
      for (const node of a.holders(partition)) {
        const name = ['a', 'b', 'd'].find((one) => id(one) === node) as string
        copies.add(held(cluster, name, await cluster.open(name), partition))
      }
      expect([...copies]).toHaveLength(1)
    }
  })

  test('tell what came of them to nodes that hold nothing of it', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c', 'd'] })
    await cluster.start('a', 'b', 'c', 'd')
    const databases = new Map<string, Database>()
    for (const name of ['a', 'b', 'c', 'd']) databases.set(name, await cluster.open(name, { partitions: 2 }))
    const seen: unknown[] = []
    for (const [, database] of [...databases, ...databases])
      seen.push((await cluster.settle(count(database, 1))).outcome)
    expect(seen).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((n) => ({ type: 'done', changed: [0], rows: [[1, n]] })),
    )
  })

  test('are answered again after a restart and from copies, until newer outcomes took the place', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c'] })
    await cluster.start('a', 'b', 'c')
    const a = await cluster.open('a', { partitions: 1 })
    const first = await cluster.settle(count(a, 1, 'once'))
    await cluster.settle(count(a, 1))
    for (const name of ['a', 'b', 'c']) await cluster.settle(cluster.app(name).databases.checkpoint())
    const lost = a.holders(1 as PartitionId)[0]
    const name = ['a', 'b', 'c'].find((one) => id(one) === lost) as string
    cluster.lose(name)
    const other = name === 'a' ? 'b' : 'a'
    const database = await cluster.open(other)
    await cluster.until(() => database.holders(1 as PartitionId).filter((node) => node !== lost).length === 2)
    const again = await cluster.settle(count(database, 1, 'once'))
    expect(again).toMatchObject({ version: first.version, outcome: first.outcome })
    for (let i = 0; i < 1_100; i++) await cluster.settle(count(database, 1))
    expect(await cluster.settle(failure(count(database, 1, 'once')))).toMatchObject({
      detail: { code: 'DB_RESULT_GONE', outcome: 'unknown', version: first.version },
    })
    // It was not run again.
    expect(await cluster.read(other)).toEqual([[1, 1_102]])
  })

  test('with large outcomes answer those who wait, not those who come later', async () => {
    const cluster = new TestCluster({ nodes: ['a'] })
    await cluster.start('a')
    const a = await cluster.open('a', { partitions: 1 })
    const text = 'x'.repeat(5_000)
    const large = async () => {
      const transaction = await a.begin()
      const program = {
        ...counter(a, 1),
        steps: [{ key: key(1), present: { do: 'keep' }, absent: [1, text] } as const],
      }
      return transaction.execute(program, { idempotencyKey: 'large' })
    }
    expect((await cluster.settle(large())).outcome).toEqual({ type: 'done', changed: [0], rows: [[1, text]] })
    await cluster.settle(cluster.app('a').databases.checkpoint())
    cluster.crash('a')
    await cluster.start('a')
    const database = await cluster.open('a')
    const after = database
      .begin()
      .then((transaction) =>
        transaction.execute(counter(database, 1), { idempotencyKey: 'large', deadlineMs: 2_000 }),
      )
    expect(await cluster.settle(failure(after))).toMatchObject({ detail: { code: 'DB_RESULT_GONE' } })
    expect(await cluster.read('a')).toEqual([[1, text]])
  })

  test('on a replica that cannot run what others can: it is copied anew', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a', 'b')
    const a = await cluster.open('a', { partitions: 1 })
    await cluster.settle(count(a, 1))
    await cluster.applied()
    await cluster.settle(cluster.app('b').databases.checkpoint())
    const stores = [...(cluster.disks.get('b')?.images.keys() ?? [])]
    const name = stores.find((one) => one.endsWith('/p1'))
    cluster.disks.get('b')?.unreadable.add(name as string)
    await cluster.settle(count(a, 1))
    await cluster.until(() => cluster.said('cannot be run here as others can') === 1)
    await cluster.settle(count(a, 1))
    await cluster.until(() => a.status().underReplicated.length === 0)
    await cluster.applied()
    const b = await cluster.open('b')
    expect(held(cluster, 'b', b, 1 as PartitionId)).toBe(held(cluster, 'a', a, 1 as PartitionId))
    expect(await cluster.read('b')).toEqual([[1, 3]])
    expect(b.holders(EVERYWHERE)).toHaveLength(2)
  })

  test('of a later format are left to others', async () => {
    const engine = modelStorage(new ModelStorageDisk())
    const replica = new LocalReplica({ id: 1, uid: 'u' }, 1 as PartitionId, 0, 1_000, () => null)
    expect(replica.adopt(await engine.open(replica.name))).toBe(true)
    const part = {
      partition: 1 as PartitionId,
      relations: [relationId(16)],
      keys: ['k'],
      added: new Map(),
      rows: () => [],
      additions: () => new Map(),
      program: () => {
        throw new UnknownProgramError('format 2')
      },
      bytes: 3,
    }
    expect(replica.write(5 as Version, part, 'execute')).toMatchObject({ type: 'lost' })
    expect(replica.phase).toBe('missing')
    expect(replica.serving()).toBeNull()
    // A copy must be at least as new.
    expect(replica.adopt(await engine.open('older'))).toBe(false)
  })

  test('whose addition nobody can make leave the row as it is, and no copy is given up', async () => {
    const engine = modelStorage(new ModelStorageDisk())
    const replica = new LocalReplica({ id: 1, uid: 'u' }, 1 as PartitionId, 0, 1_000, () => null)
    const store = await engine.open(replica.name)
    expect(replica.adopt(store)).toBe(true)
    const relation = relationId(16)
    const part = {
      partition: 1 as PartitionId,
      relations: [relation, relation],
      keys: ['gone', 'there'],
      added: new Map([[0, { size: 1, room: 9 }]]),
      rows: () => [null, ['whole']],
      additions: () => new Map([[0, [{ position: 0, type: 'integer', by: 1 } as const]]]),
      program: () => {
        throw new UnknownProgramError('format 2')
      },
      bytes: 3,
    }
    expect(replica.write(5 as Version, part, 'commit')).toMatchObject({ type: 'unreadable' })
    expect(replica.phase).toBe('ready')
    expect(store.get(relation, 'gone', 5 as Version)).toBeNull()
    expect(store.get(relation, 'there', 5 as Version)).toEqual(['whole'])
  })
})
