import {
  assert,
  type Database,
  type DatabaseStatus,
  EVERYWHERE,
  hash32,
  type Key,
  KeyWriter,
  type NodeId,
  type PartitionId,
  partitionId,
  type RelationId,
  type RowAddress,
  relationId,
  type Transaction,
} from '@cluster/core'
import { type ComposedNode, composeNode } from '@cluster/node'
import {
  type Load,
  type Named,
  type NamedInput,
  type NodePorts,
  type RegistersOutput,
  registerLoad,
  type SimNode,
} from '@cluster/testkit'
import { discoveriesOf, logOptionsOf, logsUnsettled } from './serializer-suite.ts'
import type { Suite, SuiteContext } from './suite.ts'

export interface DatabaseApp {
  readonly node: ComposedNode
  /** Null until it was opened. */
  database: Database | null
}

const NAME = 'sim'
const OPTIONS = { redundancy: 2, partitions: 8 } as const
const REGISTERS: RelationId = relationId(16)
const JOURNAL: RelationId = relationId(17)
const DEADLINE = { deadlineMs: 4_000 } as const

const keyOf = (text: string): Key => new KeyWriter().text(text).finish()

function addressOf(database: Database, relation: RelationId, name: string): RowAddress {
  const key = keyOf(name)
  return { relation, key, partition: database.partitionOf(key) }
}

async function opened(app: DatabaseApp): Promise<Database> {
  app.database ??= await app.node.databases.open(NAME, { ...OPTIONS, ...DEADLINE })
  return app.database
}

/** What the rows of a group hold; every other time by a scan over the range of the group. */
async function readGroup(
  database: Database,
  transaction: Transaction,
  { group, reads, name }: NamedInput,
): Promise<RegistersOutput> {
  const held: Record<string, string | null> = {}
  if (reads.length > 1 && name.length % 2 === 0) {
    for (const register of reads) held[register] = null
    const range = { from: keyOf(`${group}/`), to: keyOf(`${group}0`) }
    for await (const batch of transaction.scan({ relation: REGISTERS, range, columns: [0, 1] }))
      for (let i = 0; i < batch.length; i++) {
        const register = batch.columns[0]?.[i]
        const value = batch.columns[1]?.[i]
        if (typeof register === 'string' && typeof value === 'string' && register in held)
          held[register] = value
      }
    return held
  }
  for (const register of reads) {
    const row = await transaction.get(addressOf(database, REGISTERS, `${group}/${register}`))
    const value = row?.[1] ?? null
    assert(value === null || typeof value === 'string', 'a register holds text')
    held[register] = value
  }
  return held
}

async function perform(app: DatabaseApp, input: NamedInput): Promise<RegistersOutput> {
  const database = await opened(app)
  const { group, writes, onlyIf = {} } = input
  const isWrite = Object.keys(writes).length > 0
  const optimistic = hash32(input.name) % 2 === 0
  const transaction = await database.begin({ ...DEADLINE, readOnly: !isWrite, optimistic })
  try {
    const output = await readGroup(database, transaction, input)
    if (!isWrite) {
      await transaction.validate(DEADLINE)
      transaction.rollback()
      return output
    }
    const expected = await readGroup(database, transaction, { ...input, reads: Object.keys(onlyIf) })
    if (Object.entries(onlyIf).every(([register, value]) => expected[register] === value))
      for (const [register, value] of Object.entries(writes))
        transaction.put(addressOf(database, REGISTERS, `${group}/${register}`), [register, value])
    transaction.put(addressOf(database, JOURNAL, input.name), [input.name])
    await transaction.commit(DEADLINE)
    return output
  } catch (error) {
    transaction.rollback()
    throw error
  }
}

/** Every row that a node holds of one partition, in order, as text. */
function rowsOf(database: Database, partition: PartitionId): string {
  const lines: string[] = []
  for (const relation of [REGISTERS, JOURNAL])
    for (const batch of database.localScan(relation, partition))
      for (let i = 0; i < batch.length; i++)
        lines.push(`${relation} ${batch.keys[i]} ${batch.columns.map((column) => String(column[i])).join()}`)
  return lines.join('\n')
}

function statusText({ underReplicated, unavailable, replicas }: DatabaseStatus): string | null {
  const of = (partitions: readonly PartitionId[]): string =>
    replicas
      .filter(({ partition }) => partitions.includes(partition))
      .map(({ partition, node, complete }) => `${partition} on ${node}${complete ? '' : ' (incomplete)'}`)
      .join(', ')
  if (unavailable.length > 0) return `unavailable: ${unavailable} (${of(unavailable)})`
  if (underReplicated.length > 0) return `under-replicated: ${underReplicated} (${of(underReplicated)})`
  const copying = replicas.filter(({ complete }) => !complete)
  return copying.length > 0 ? `${copying.length} replicas are being copied` : null
}

/** Rows in the partitions of a database: transactions that read, write and compare several rows. */
export const distributionSuite: Suite<DatabaseApp> = {
  name: 'distribution',
  program: (context: SuiteContext) => ({
    async start(ports: NodePorts): Promise<DatabaseApp> {
      const { world, safety } = context
      const { self, start } = ports
      const { expect, ...log } = logOptionsOf(context, self, start)
      const node = composeNode(
        { start, log, ...(expect !== undefined && { expect }) },
        { ...ports, discoveries: discoveriesOf(context, self) },
      )
      safety.watch(node)
      node.databases.on('tookOver', ({ partitions, from, source, rows }) => {
        // Copies that only balance the load come from nobody.
        if (from !== null) safety.happenings.takeOvers += partitions.length
        world.trace.note(self, 'took over', { partitions: partitions.join(), from, source, rows })
      })
      await node.start()
      return { node, database: null }
    },
    stop: ({ node }: DatabaseApp, reason) => node.stop(reason),
  }),
  async prepare(nodes: readonly SimNode<DatabaseApp>[]): Promise<void> {
    for (const node of nodes) if (node.app) await opened(node.app)
  },
  load: () =>
    registerLoad<DatabaseApp>({ groups: 6, registersPerGroup: 2, perform }) as unknown as Load<
      DatabaseApp,
      Named,
      unknown
    >,
  log: ({ node }) => node.log,
  unsettled(apps, context) {
    const unsettled = logsUnsettled(new Map([...apps].map(([id, { node }]) => [id, node.log])), context)
    if (unsettled !== null) return unsettled
    for (const [id, { database }] of apps) {
      if (database === null) continue
      const missing = statusText(database.status())
      if (missing !== null) return `${missing}, says ${id}`
    }
    return null
  },
  async journal(app) {
    const database = await opened(app)
    const transaction = await database.begin({ ...DEADLINE, readOnly: true })
    const names: string[] = []
    for await (const batch of transaction.scan({ relation: JOURNAL, range: {}, columns: [0] }))
      for (const name of batch.columns[0] ?? []) names.push(String(name))
    transaction.rollback()
    return names
  },
  compare(apps) {
    const held = [...apps].flatMap(([id, { database }]) =>
      database === null ? [] : [[id, database] as const],
    )
    const first = held[0]?.[1]
    if (first === undefined) return 'no node has the database open'
    for (let partition = 1; partition <= OPTIONS.partitions; partition++) {
      const difference = comparePartition(
        new Map(held),
        first.holders(partitionId(partition)),
        partitionId(partition),
      )
      if (difference !== null) return difference
    }
    return comparePartition(new Map(held), first.holders(EVERYWHERE), EVERYWHERE)
  },
}

function comparePartition(
  nodes: ReadonlyMap<NodeId, Database>,
  holders: readonly NodeId[],
  partition: PartitionId,
): string | null {
  if (partition !== EVERYWHERE && holders.length < Math.min(OPTIONS.redundancy, nodes.size))
    return `partition ${partition} has only the holders ${holders}`
  const rows = new Map<string, NodeId>()
  for (const id of holders) {
    const database = nodes.get(id)
    if (database) rows.set(rowsOf(database, partition), id)
  }
  if (rows.size <= 1) return null
  const [[a, idA], [b, idB]] = [...rows] as [[string, NodeId], [string, NodeId]]
  const only = (mine: string, other: string): string => {
    const others = new Set(other.split('\n'))
    return mine
      .split('\n')
      .filter((line) => !others.has(line))
      .slice(0, 3)
      .join('; ')
  }
  return `partition ${partition}: ${idA} alone has [${only(a, b)}], ${idB} alone has [${only(b, a)}]`
}
