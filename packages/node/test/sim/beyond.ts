import { type Database, errorCode, type NodeId, type PartitionId, partitionId, shuffle } from '@cluster/core'
import { addressOf, JOURNAL, readJournal, type SimNode } from '@cluster/testkit'
import { type DatabaseApp, openerOf, PARTITIONS } from './database-app.ts'
import { lossBeyond } from './draws.ts'
import { launch } from './phases.ts'
import { appsOf, PATIENCE_MS, Problem, textOf } from './stage.ts'
import type { Stage } from './suite.ts'

const DEADLINE = { deadlineMs: 3_000 } as const

/**
 * More disks are lost at once than there are copies. The partitions of which nothing is left are named, by every node; no
 * query answers as if their rows had never been, writes to them are refused; all other rows are there, and take writes.
 */
export async function loseTooMuch(stage: Stage<DatabaseApp>): Promise<void> {
  const { world, cluster, context, clients } = stage
  const { redundancy, nodes } = context.profile
  const count = lossBeyond(redundancy, nodes)
  const [any] = appsOf(cluster).values()
  if (count === null || any?.database == null) return
  const victims = shuffle(world.random.fork('beyond'), cluster).slice(0, count)
  const gone = new Set<NodeId>(victims.map(({ id }) => id))
  const lost = partitions().filter((partition) =>
    any.database?.holders(partition).every((id) => gone.has(id)),
  )
  world.trace.note('', 'too much is lost', { nodes: [...gone].join(), partitions: lost.join() })
  for (const victim of victims) victim.crash('power')
  for (const victim of victims) victim.disk.wipe()
  await world.run(200)
  for (const victim of victims) launch(stage, victim)
  await world.until(() => cluster.every(({ app }) => app !== null), PATIENCE_MS)
  const open = openerOf(context)
  let missing = ''
  const known = async (): Promise<boolean> => {
    for (const node of cluster) {
      if (node.app === null) return false
      try {
        const { unavailable, replicas } = (await open(node.app)).status()
        const named = unavailable.filter((partition) => partition !== 0).join()
        missing = `${node.id} names [${named}], gone are [${lost.join()}]`
        const repairing = replicas.some(({ partition, complete }) => !complete && !lost.includes(partition))
        if (named !== lost.join() || repairing) return false
      } catch (error) {
        missing = textOf(error)
        return false
      }
    }
    return true
  }
  let names = false
  for (const end = world.now + PATIENCE_MS; world.now < end && !names; ) {
    names = await world.settle(known(), PATIENCE_MS)
    await world.run(100)
  }
  if (!names) throw new Problem(`what is lost is not what is named: ${missing}`)
  const { acknowledged } = clients.book()
  for (const node of cluster) await judgeNode(stage, node, new Set(lost), [...acknowledged])
}

const partitions = (): PartitionId[] => Array.from({ length: PARTITIONS }, (_, i) => partitionId(i + 1))

async function judgeNode(
  { world, context }: Stage<DatabaseApp>,
  node: SimNode<DatabaseApp>,
  lost: ReadonlySet<PartitionId>,
  acknowledged: readonly string[],
): Promise<void> {
  const { app } = node
  if (app === null) throw new Problem(`${node.id} is down`)
  const open = openerOf(context)
  const database = await world.settle(open(app), PATIENCE_MS)
  const settle = <T>(promise: Promise<T>): Promise<T> => world.settle(promise, PATIENCE_MS)
  const scanned = await settle(readJournal(open, app).catch((error: unknown) => refusal(error, node)))
  if (lost.size > 0 && scanned !== 'refused')
    throw new Problem(`${node.id} answers a scan as if what is lost had never been`)
  if (lost.size === 0 && scanned === 'refused')
    throw new Problem(`${node.id} refuses a scan although nothing is lost`)
  const transaction = await settle(database.begin({ ...DEADLINE, readOnly: true }))
  // A few of each kind: every read of what is gone takes its time.
  const here = (name: string): boolean => !lost.has(addressOf(database, JOURNAL, name).partition)
  const [left, right] = [
    acknowledged.filter(here).slice(-20),
    acknowledged.filter((name) => !here(name)).slice(-3),
  ]
  for (const name of [...left, ...right]) {
    const row = await settle(
      transaction.get(addressOf(database, JOURNAL, name)).catch((error: unknown) => refusal(error, node)),
    )
    if (here(name) ? row === 'refused' || row === null : row !== 'refused')
      throw new Problem(
        `${node.id} reads ${JSON.stringify(row)} for ${name}, which ${here(name) ? 'is there' : 'is lost'}`,
      )
  }
  transaction.rollback()
  for (const partition of partitions()) {
    const name = nameIn(database, partition, `beyond ${node.id} `)
    const written = await settle(write(database, name).catch((error: unknown) => refusal(error, node)))
    if (lost.has(partition) !== (written === 'refused'))
      throw new Problem(
        `${node.id} ${written} a write to partition ${partition}, which ${lost.has(partition) ? 'is lost' : 'is there'}`,
      )
  }
}

/** A name of a row that falls into the partition. */
function nameIn(database: Database, partition: PartitionId, prefix: string): string {
  for (let i = 0; ; i++) {
    const name = `${prefix}${i}`
    if (addressOf(database, JOURNAL, name).partition === partition) return name
  }
}

async function write(database: Database, name: string): Promise<'took'> {
  const transaction = await database.begin(DEADLINE)
  transaction.put(addressOf(database, JOURNAL, name), [name])
  await transaction.commit(DEADLINE)
  return 'took'
}

function refusal(error: unknown, { id }: SimNode<DatabaseApp>): 'refused' {
  const code = errorCode(error)
  if (code === 'DB_UNAVAILABLE' || code === 'DEADLINE') return 'refused'
  throw new Problem(`${id} refuses what is lost with ${code ?? textOf(error)}`)
}
