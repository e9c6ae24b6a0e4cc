import type { Session } from '@cluster/sql'
import { describe, expect, test } from '@jest/globals'
import { SqlCluster, type SqlNode } from './sql-cluster.ts'

/** What a session of a node was told so far, as it comes. */
class Listener {
  readonly told: string[] = []
  readonly #session: Session

  constructor({ database }: SqlNode) {
    this.#session = database.session()
    this.#session.onNotification(() => this.#take())
  }

  async listen(channels: readonly string[]): Promise<this> {
    for (const channel of channels) await this.#session.query(`LISTEN ${channel}`)
    return this
  }

  #take(): void {
    for (const { channel, payload } of this.#session.takeNotifications())
      this.told.push(`${channel} ${payload}`)
  }
}

/** A session on each of these nodes, which all begin to listen at the same time. */
const listenersOn = (
  cluster: SqlCluster,
  nodes: readonly SqlNode[],
  ...channels: readonly string[]
): Promise<readonly Listener[]> =>
  cluster.settle(Promise.all(nodes.map((node) => new Listener(node).listen(channels))))

async function until(cluster: SqlCluster, listeners: readonly Listener[], count: number): Promise<void> {
  const all = () => listeners.every(({ told }) => told.length >= count)
  expect(await cluster.world.until(all, 30_000)).toBe(true)
}

describe('LISTEN and NOTIFY across nodes', () => {
  test('every listener on any node is told the same, in the order of commits', async () => {
    const cluster = await SqlCluster.form({ nodes: 3, redundancy: 2 })
    await cluster.node(0).query('CREATE TABLE t (id integer PRIMARY KEY)')
    const listeners = await listenersOn(cluster, cluster.nodes, 'news', 'other')
    const each = async ({ database }: SqlNode, at: number): Promise<void> => {
      for (let i = 0; i < 10; i++)
        await database.transaction(async (session) => {
          await session.query(`NOTIFY news, '${at}.${i} begins'`)
          await session.query('INSERT INTO t VALUES ($1)', [100 * at + i])
          await session.query(`NOTIFY other, '${at}.${i} ends'`)
        })
    }
    await cluster.settle(Promise.all(cluster.nodes.map(each)))
    await until(cluster, listeners, 60)
    const [first, ...rest] = listeners.map(({ told }) => told)
    for (const told of rest) expect(told).toEqual(first)
    expect(new Set(first).size).toBe(60)
    // What one transaction said stands together, and those of one node are in their order.
    for (let i = 0; i < 60; i += 2) {
      const [, at] = /^news (.*) begins$/.exec(first?.[i] ?? '') ?? []
      expect(first?.[i + 1]).toBe(`other ${at} ends`)
    }
    for (const at of [0, 1, 2]) {
      const own = (first ?? []).filter((line) => line.startsWith(`news ${at}.`))
      expect(own).toEqual(Array.from({ length: 10 }, (_, i) => `news ${at}.${i} begins`))
    }
  })

  test('listeners go on when the node goes that led', async () => {
    const cluster = await SqlCluster.form({ nodes: 4, redundancy: 2 })
    const leader = cluster.nodes.find(({ sim }) => sim.app?.node.log.group().leader === sim.id)
    if (leader === undefined) throw new Error('nobody leads')
    const others = cluster.others(leader)
    const listeners = await listenersOn(cluster, others, 'news')
    await leader.query("NOTIFY news, 'one'")
    await until(cluster, listeners, 1)
    leader.sim.crash('kill')
    const [second, third] = others as [SqlNode, SqlNode]
    await second.query("NOTIFY news, 'two'")
    await third.query("NOTIFY news, 'three'")
    await until(cluster, listeners, 3)
    for (const { told } of listeners) expect(told).toEqual(['news one', 'news two', 'news three'])
  })
})

describe('roles across nodes', () => {
  test('what is granted and taken on one node holds on all of them at once', async () => {
    const cluster = await SqlCluster.form({ nodes: 3, redundancy: 2 })
    const [one, two, three] = cluster.nodes as [SqlNode, SqlNode, SqlNode]
    await one.execute('CREATE TABLE t (id integer PRIMARY KEY, n integer); INSERT INTO t VALUES (1, 1)')
    await two.query("CREATE USER alice PASSWORD 'secret'")
    const alice = three.database.session({ user: 'alice' })
    const tried = async (text: string): Promise<unknown> => {
      try {
        return (await cluster.settle(alice.query(text))).rowCount
      } catch (error) {
        return error instanceof Error ? error.message : error
      }
    }
    const read = 'SELECT n FROM t WHERE id = 1'
    const write = 'UPDATE t SET n = n + 1 WHERE id = 1'
    expect(await tried(read)).toBe('permission denied for table t')
    await two.query('GRANT SELECT, UPDATE ON t TO alice')
    expect(await tried(read)).toBe(1)
    expect(await tried(write)).toBe(1)
    await one.query('REVOKE UPDATE ON t FROM alice')
    expect(await tried(write)).toBe('permission denied for table t')
    expect(await tried(read)).toBe(1)
    expect(await cluster.settle(one.database.role('alice'))).toMatchObject({ login: true, superuser: false })
    await one.query('DROP OWNED BY alice')
    await three.query('DROP ROLE alice')
    expect(await tried(read)).toBe('role "alice" does not exist')
  })
})
