import { type Database, KeyWriter, type NodeId, relationId } from '@cluster/core'
import { type ComposedNode, composeNode } from '@cluster/node'
import { staticDiscovery } from '@cluster/p2p'
import { type SimNode, World } from '@cluster/testkit'
import type { Report, Row } from '../report.ts'
import type { SuiteOptions } from '../suite.ts'

const SIZES = [3, 5, 9, 25, 50, 100]
const COMMITS = 200
const CALLERS = 8
const VALUE = 'x'.repeat(100)
const ITEMS = relationId(16)
/** Virtual milliseconds. */
const START_MS_MAX = 600_000
const REST_MS = 5_000

/** What a commit costs the network as clusters grow: messages and bytes, in the simulator. */
export async function growth({ parts, progress }: SuiteOptions): Promise<Report> {
  const sizes = parts.length === 0 ? SIZES : parts.map(Number)
  const rows: Row[] = []
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(`--parts takes numbers of nodes, not ${size}`)
    rows.push(...(await measure(size, progress)))
  }
  return { suite: 'growth', durability: 'simulated nodes, rows of 100 characters on 2 nodes, 5 voters', rows }
}

interface Sent {
  readonly frames: number
  readonly bytes: number
}

async function measure(size: number, progress: (text: string) => void): Promise<Row[]> {
  progress(`${size} nodes: starting`)
  const world = new World({ seed: `growth ${size}` })
  const names = Array.from({ length: size }, (_, i) => `n${String(i + 1).padStart(3, '0')}`)
  const nodes = names.map((name) => simNode(world, name, names))
  for (const node of nodes) node.start().catch((error: unknown) => world.fail(error))
  const started = await world.until(
    () =>
      nodes.every(({ app }) => {
        if (app === null) return false
        const { leader, voters, learners } = app.log.group()
        return leader !== null && voters.length + learners.length === size
      }),
    START_MS_MAX,
  )
  if (!started) throw new Error(`${size} simulated nodes did not find together`)
  const databases = nodes[0]?.app?.databases
  if (!databases) throw new Error('the first node holds no data')
  const database = await world.settle(
    databases.open('grown', { redundancy: 2, deadlineMs: 60_000 }),
    START_MS_MAX,
  )
  await world.until(() => database.status().replicas.every(({ complete }) => complete), START_MS_MAX)
  progress(`${size} nodes: writing`)
  await write(world, database, 0, COMMITS / 4)
  // What is sent anyway, as signs of life, is no cost of a commit.
  const before = counts(world)
  const restedAt = world.now
  await world.run(REST_MS)
  const idle = difference(counts(world), before)
  const idleMs = world.now - restedAt
  const from = counts(world)
  const startedAt = world.now
  await write(world, database, COMMITS, COMMITS)
  const took = world.now - startedAt
  const sent = difference(counts(world), from)
  const perCommit = (node: NodeId, of: keyof Sent): number =>
    Math.max(0, ((sent.get(node)?.[of] ?? 0) - ((idle.get(node)?.[of] ?? 0) * took) / idleMs) / COMMITS)
  const leader = nodes[0]?.app?.log.group().leader ?? null
  const ids = [...sent.keys()]
  const all = (of: keyof Sent): number => ids.reduce((sum, node) => sum + perCommit(node, of), 0)
  const lead = (of: keyof Sent): number => (leader === null ? Number.NaN : perCommit(leader, of))
  for (const node of nodes) await world.settle(node.stop(), START_MS_MAX)
  return [
    {
      what: `messages a commit, ${size} nodes`,
      value: all('frames'),
      unit: 'messages',
      note: `${(all('frames') / size).toFixed(2)} a node; the leader sends ${lead('frames').toFixed(2)}`,
    },
    {
      what: `bytes a commit, ${size} nodes`,
      value: all('bytes'),
      unit: 'bytes',
      note: `${(all('bytes') / size).toFixed(0)} a node; the leader sends ${lead('bytes').toFixed(0)}`,
    },
  ]
}

function simNode(world: World, name: string, names: readonly string[]): SimNode<ComposedNode> {
  return world.node<ComposedNode>(name, {
    async start(ports) {
      const addresses = names.map((each) => world.network.addressOf(each))
      const node = composeNode(
        { start: ports.start, expect: Math.min(3, names.length) },
        { ...ports, discoveries: [staticDiscovery(addresses)] },
      )
      node.log.on('failed', ({ error }) => world.fail(error))
      await node.start()
      return node
    },
    stop: (node, reason) => node.stop(reason),
  })
}

/** Commits of one row each, a few at a time. */
async function write(world: World, database: Database, first: number, count: number): Promise<void> {
  let next = first
  const caller = async (): Promise<void> => {
    while (next < first + count) {
      const id = next++
      const key = new KeyWriter().double(id).finish()
      const transaction = await database.begin()
      transaction.put({ relation: ITEMS, partition: database.partitionOf(key), key }, [id, VALUE])
      await transaction.commit()
    }
  }
  await world.settle(Promise.all(Array.from({ length: CALLERS }, caller)), START_MS_MAX)
}

const counts = (world: World): Map<NodeId, Sent> =>
  new Map([...world.network.sent].map(([node, { frames, bytes }]) => [node, { frames, bytes }]))

const difference = (after: ReadonlyMap<NodeId, Sent>, before: ReadonlyMap<NodeId, Sent>): Map<NodeId, Sent> =>
  new Map(
    [...after].map(([node, { frames, bytes }]) => {
      const earlier = before.get(node) ?? { frames: 0, bytes: 0 }
      return [node, { frames: frames - earlier.frames, bytes: bytes - earlier.bytes }]
    }),
  )
