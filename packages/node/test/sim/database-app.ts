import { assert, type Clock, type Database, type DatabaseOptions } from '@cluster/core'
import { type ComposedNode, composeNode, type NodeOptions } from '@cluster/node'
import type { NodePorts, OpenDatabase, Program } from '@cluster/testkit'
import { discoveriesOf, logOptionsOf } from './serializer-suite.ts'
import type { SuiteContext } from './suite.ts'

export interface DatabaseApp {
  readonly node: ComposedNode
  readonly clock: Clock
  /** Null until it was opened. */
  database: Database | null
}

export const PARTITIONS = 8
const NAME = 'sim'
const DEADLINE = { deadlineMs: 4_000 } as const

/** Every so many copies are struck by a crash of the one that copies, or of one that it may copy from. */
const STRIKES = 0.2

export function openerOf({ profile, strike, world }: SuiteContext): OpenDatabase<DatabaseApp> {
  const options: DatabaseOptions = { redundancy: profile.redundancy, partitions: PARTITIONS }
  const random = world.random.fork('strikes')
  /** What is being copied here now. */
  const copying = new Map<DatabaseApp, Set<string>>()
  const watch = (app: DatabaseApp, database: Database): void => {
    const { self } = app.node.log
    database.on('placement', () => {
      const before = copying.get(app) ?? new Set()
      const now = new Set<string>()
      for (const { partition, node, complete } of database.status().replicas) {
        if (node !== self || complete) continue
        now.add(String(partition))
        if (before.has(String(partition)) || random.between(0, 1) >= STRIKES) continue
        const sources = database.holders(partition)
        const source = sources[Math.floor(random.between(0, sources.length))]
        const target = random.between(0, 1) < 0.5 || source === undefined
        strike(target ? 'killCopier' : 'killSource', target ? self : source, random.between(0, 40))
      }
      copying.set(app, now)
    })
  }
  return async (app) => {
    if (app.database === null) {
      assert(app.node.databases !== null, 'these nodes hold data')
      const database = await app.node.databases.open(NAME, { ...options, ...DEADLINE })
      // Two may have waited for it.
      if (app.database === null) watch(app, database)
      app.database = database
    }
    return app.database
  }
}

/** A whole node, as `@cluster/node` puts it together. */
export function databaseProgram(
  context: SuiteContext,
  locks: NonNullable<NodeOptions['locks']> = {},
): Program<DatabaseApp> {
  const { world, safety, profile } = context
  return {
    async start(ports: NodePorts): Promise<DatabaseApp> {
      const { self, start } = ports
      const { expect, ...log } = logOptionsOf(context, self, start)
      const node = composeNode(
        { start, log, locks, databases: profile.databases, ...(expect !== undefined && { expect }) },
        { ...ports, discoveries: discoveriesOf(context, self) },
      )
      safety.watch(node)
      node.databases?.on('tookOver', ({ partitions, from, source, rows }) => {
        // Copies that only balance the load come from nobody.
        if (from !== null) safety.happenings.takeOvers += partitions.length
        world.trace.note(self, 'took over', { partitions: partitions.join(), from, source, rows })
      })
      await node.start()
      return { node, clock: ports.clock, database: null }
    },
    stop: ({ node }, reason) => node.stop(reason),
  }
}
