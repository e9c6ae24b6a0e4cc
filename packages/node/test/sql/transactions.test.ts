import type { CallOptions, Containers } from '@cluster/core'
import { type ClusterTransaction, clusterTransaction } from '@cluster/node'
import { describe, expect, test } from '@jest/globals'
import { failure, SqlCluster, type SqlNode } from './sql-cluster.ts'

const TOTAL = 100

const objects = (node: SqlNode): Containers => {
  const containers = node.sim.app?.node.containers
  if (!containers) throw new Error(`there are no shared objects on ${node.id}`)
  return containers
}

/** As `cluster.transaction` does it, with the clock of the node. */
function transact<R>(
  node: SqlNode,
  work: (tx: ClusterTransaction) => Promise<R>,
  options?: CallOptions,
): Promise<R> {
  const { app } = node.sim
  if (app === null) throw new Error(`${node.id} does not run`)
  return clusterTransaction(objects(node), app.ports, work, options)
}

async function bank(seed = 1): Promise<SqlCluster> {
  const cluster = await SqlCluster.form({ nodes: 3, redundancy: 2, seed })
  await cluster
    .node(0)
    .execute('CREATE TABLE accounts (id integer PRIMARY KEY, amount integer CHECK (amount >= 0))')
  await cluster.node(0).query('INSERT INTO accounts VALUES (1, $1)', [TOTAL])
  await cluster.settle(objects(cluster.node(0)).map<string, number>('purse').set('ada', 0))
  return cluster
}

const amounts = async (cluster: SqlCluster, node: SqlNode): Promise<readonly number[]> => {
  const [row] = await node.rows('SELECT amount FROM accounts WHERE id = 1')
  const purse = await cluster.settle(objects(node).map<string, number>('purse').get('ada'))
  return [Number(row), purse ?? Number.NaN]
}

/** Takes some out of the row and puts it into the map. */
const withdraw = (node: SqlNode, amount: number): Promise<void> =>
  transact(node, async (tx) => {
    const purse = tx.map<string, number>('purse')
    const before = (await purse.get('ada')) ?? 0
    await tx.database(node.database).query('UPDATE accounts SET amount = amount - $1 WHERE id = 1', [amount])
    await purse.set('ada', before + amount)
    await tx.push('letters', `took ${amount}`)
  })

describe('a transaction over rows and shared objects', () => {
  test('happens at one index, on every node', async () => {
    const cluster = await bank()
    const [a, b] = [cluster.node(0), cluster.node(1)]
    await cluster.settle(withdraw(a, 30))
    expect(await amounts(cluster, b)).toEqual([70, 30])
    const letter = await cluster.settle(objects(b).queue<string>('letters').take())
    expect(letter?.value).toBe('took 30')
  })

  test('leaves nothing behind when a statement fails, or the work does', async () => {
    const cluster = await bank()
    const node = cluster.node(1)
    expect(await failure(cluster.settle(withdraw(node, TOTAL + 1)))).toMatchObject({ sqlstate: '23514' })
    const broken = transact(node, async (tx) => {
      await tx.database(node.database).query('UPDATE accounts SET amount = 0 WHERE id = 1')
      await tx.map<string, number>('purse').set('ada', 7)
      throw new Error('never mind')
    })
    await expect(cluster.settle(broken)).rejects.toThrow('never mind')
    expect(await amounts(cluster, node)).toEqual([TOTAL, 0])
    expect(await cluster.settle(objects(node).queue('letters').size())).toMatchObject({ ready: 0, taken: 0 })
  })

  test('may be given up before anything was asked of the database', async () => {
    const cluster = await bank()
    const node = cluster.node(0)
    const given = transact(node, async (tx) => {
      tx.database(node.database)
      throw new Error('changed my mind')
    })
    await expect(cluster.settle(given)).rejects.toThrow('changed my mind')
    expect(await amounts(cluster, node)).toEqual([TOTAL, 0])
  })

  test('runs again when a row or an entry that it read has changed', async () => {
    const cluster = await bank()
    // All of them read and write the same row and the same entry.
    const all = Array.from({ length: 12 }, (_, i) => withdraw(cluster.node(i % 3), 1 + (i % 2)))
    await cluster.settle(Promise.all(all))
    expect(await amounts(cluster, cluster.node(2))).toEqual([TOTAL - 18, 18])
    expect(await cluster.settle(objects(cluster.node(0)).queue('letters').size())).toMatchObject({
      ready: 12,
      taken: 0,
    })
  })

  test('judges what it has only read, on either side', async () => {
    const cluster = await bank()
    const [a, b] = [cluster.node(0), cluster.node(1)]
    let runs = 0
    const moved = transact(a, async (tx) => {
      runs++
      const { rows } = await tx.database(a.database).query('SELECT amount FROM accounts WHERE id = 1')
      // Behind its back, once on each side.
      if (runs === 1) await b.database.query('UPDATE accounts SET amount = 50 WHERE id = 1')
      const purse = await tx.map<string, number>('purse').get('ada')
      if (runs === 2) await objects(b).map<string, number>('purse').set('ada', 5)
      await tx.map<string, number>('sums').set('ada', Number(rows[0]?.[0]) + (purse ?? 0))
    })
    await cluster.settle(moved)
    expect(runs).toBe(3)
    expect(await cluster.settle(objects(b).map('sums').get('ada'))).toBe(55)
  })

  test('is refused once its lock is lost, rows and objects alike', async () => {
    const cluster = await bank()
    const node = cluster.node(0)
    const held = await cluster.settle(node.locks.acquire('till'))
    await cluster.settle(held.release())
    const late = transact(node, async (tx) => {
      tx.fence(held)
      await tx.database(node.database).query('UPDATE accounts SET amount = 1 WHERE id = 1')
      await tx.map<string, number>('purse').set('ada', 99)
    })
    await expect(cluster.settle(late)).rejects.toMatchObject({ code: 'CONTAINER_FENCED' })
    expect(await amounts(cluster, node)).toEqual([TOTAL, 0])
  })

  test('takes one database, and statements alone or objects alone', async () => {
    const cluster = await bank()
    const node = cluster.node(0)
    const two = transact(node, async (tx) => {
      tx.database(node.database)
      tx.database(cluster.node(1).database)
    })
    await expect(cluster.settle(two)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await cluster.settle(
      transact(node, async (tx) => {
        await tx.database(node.database).query('UPDATE accounts SET amount = 3 WHERE id = 1')
      }),
    )
    await cluster.settle(transact(node, async (tx) => tx.map<string, number>('purse').set('ada', 4)))
    expect(await amounts(cluster, cluster.node(2))).toEqual([3, 4])
  })

  test('keeps the sum while leaders die', async () => {
    for (let seed = 2; seed < 6; seed++) {
      const cluster = await bank(seed)
      const outcomes: string[] = []
      const clients = cluster.nodes.map(async (node) => {
        for (let i = 0; i < 8; i++)
          outcomes.push(
            await withdraw(node, 1).then(
              () => 'done',
              ({ outcome }: { outcome?: string }) => outcome ?? 'rejected',
            ),
          )
      })
      const victim = cluster.nodes.find(({ sim }) => sim.app?.node.log.group().role === 'leader')
      if (victim === undefined) throw new Error('nobody leads')
      await cluster.world.run(3)
      victim.sim.crash('kill')
      const others = clients.filter((_, i) => cluster.nodes[i] !== victim)
      await cluster.settle(Promise.all(others))
      const [node] = cluster.running
      if (node === undefined) throw new Error('nobody is left')
      const [row = 0, purse = 0] = await amounts(cluster, node)
      expect([seed, row + purse]).toEqual([seed, TOTAL])
      const letters = (await cluster.settle(objects(node).queue('letters').size())).ready
      expect([seed, letters]).toEqual([seed, purse])
      expect(outcomes).toContain('done')
    }
  })
})
