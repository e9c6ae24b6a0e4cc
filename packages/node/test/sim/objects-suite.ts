import {
  assert,
  below,
  type Clock,
  type Containers,
  chance,
  type Database,
  delay,
  isClusterError,
  type Locks,
  type NodeId,
} from '@cluster/core'
import { type ComposedNode, composeNode } from '@cluster/node'
import {
  type AnyLoad,
  anyLoad,
  journalOf,
  lockLoad,
  mapLoad,
  mixedLoad,
  type NodePorts,
  queueLoad,
  type Subscriber,
  sumLoad,
  topicLoad,
  ttlLoad,
} from '@cluster/testkit'
import { compareHolders, statusText } from './holders.ts'
import { agree, discoveriesOf, logOptionsOf, logsUnsettled } from './serializer-suite.ts'
import type { Suite, SuiteContext } from './suite.ts'

export interface ObjectsApp {
  readonly node: ComposedNode
  readonly containers: Containers
  readonly locks: Locks
  readonly clock: Clock
  /** Where the entries of distributed maps are, one for each redundancy; empty until it is known, and in worlds without any. */
  maps: readonly Database[]
}

const REDUNDANCY = 2
/** Of the maps of a world: those of one transaction may be of both. */
const REDUNDANCIES = [REDUNDANCY, 'all'] as const

/** Shorter than most cuts. */
const LOCK_LEASE_MS = 1_500
/** A process that is there but does not renew keeps its locks so much longer; who tries for one gives up after 5 s. */
const LOCK_BUSY_MS = 1_000

/** What clients of shared objects may do. */
type ObjectsLoad = SuiteContext['profile']['objects'][number]

/** What subscribers of one world have seen, by node: kept as an application would keep it beside its own data. */
const subscribersOf = new WeakMap<SuiteContext, Map<string, Subscriber>>()

function subscribers(context: SuiteContext): Map<string, Subscriber> {
  const known = subscribersOf.get(context) ?? new Map<string, Subscriber>()
  subscribersOf.set(context, known)
  return known
}

/** Follows the journal for one life of a node, from where the last life was: slowly at times, and anew in between. */
async function subscribe(
  context: SuiteContext,
  { self, clock, random }: NodePorts,
  containers: Containers,
): Promise<never> {
  const subscriber = subscribers(context).get(self) ?? { token: 'oldest', seen: [] }
  subscribers(context).set(self, subscriber)
  for (;;) {
    for await (const { value, token } of journalOf(containers).subscribe({ from: subscriber.token })) {
      subscriber.seen.push(value)
      subscriber.token = token
      if (chance(random, 0.1)) await delay(clock, below(random, 400))
      if (chance(random, 0.05)) break
    }
  }
}

/** What a node has, as far as its handles show it at once. */
function stateOf(containers: Containers): string {
  const entries = ['registers', 'sessions'].map((name) => {
    const exists = containers.describe().some((each) => each.name === name)
    return exists ? [...containers.map<string, string>(name).local].sort() : []
  })
  // Of a distributed map each node holds another part.
  const alike = containers.describe().filter(({ kind }) => kind !== 'distributedMap')
  return JSON.stringify([alike, entries])
}

function loadOf(context: SuiteContext): AnyLoad<ObjectsApp> {
  const { world, profile } = context
  const open = ({ containers }: ObjectsApp): Containers => containers
  const clockOf = ({ clock }: ObjectsApp): Clock => clock
  const now = (): number => world.now
  const loads: Readonly<Record<ObjectsLoad, () => AnyLoad<ObjectsApp>>> = {
    map: () => anyLoad(mapLoad(open)),
    spread: () => anyLoad(mapLoad(open, { distributed: { redundancy: REDUNDANCY } })),
    spreadTtl: () =>
      anyLoad(ttlLoad({ open, clockOf, options: { distributed: { redundancy: REDUNDANCY } } })),
    queue: () => anyLoad(queueLoad({ open, now, clockOf })),
    counter: () => anyLoad(sumLoad(open)),
    topic: () => anyLoad(topicLoad(open, subscribers(context))),
    ttl: () => anyLoad(ttlLoad({ open, clockOf })),
    lock: () =>
      anyLoad(lockLoad({ containers: open, locks: ({ locks }: ObjectsApp) => locks, clockOf, now })),
  }
  return anyLoad(mixedLoad(new Map(profile.objects.map((name) => [name, loads[name]()]))))
}

const isSpread = ({ profile }: SuiteContext): boolean =>
  profile.objects.some((name) => name.startsWith('spread'))

/** What the database of distributed maps still has to repair on some node; null when nothing. */
function missing(apps: ReadonlyMap<NodeId, ObjectsApp>, context: SuiteContext): string | null {
  if (!isSpread(context)) return null
  for (const [id, { maps }] of apps) {
    if (maps.length === 0) return `the maps are not open, says ${id}`
    for (const each of maps) {
      const text = statusText(each.status())
      if (text !== null) return `${text}, says ${id}`
    }
  }
  return null
}

/** Containers and locks of whole nodes: one load drawn by seed, or several. */
export const objectsSuite: Suite<ObjectsApp> = {
  name: 'objects',
  program: (context) => ({
    async start(ports: NodePorts): Promise<ObjectsApp> {
      const { self, start, clock } = ports
      const { expect, ...log } = logOptionsOf(context, self, start)
      const node = composeNode(
        {
          start,
          log,
          locks: { leaseMs: LOCK_LEASE_MS, busyMs: LOCK_BUSY_MS },
          ...(expect !== undefined && { expect }),
        },
        { ...ports, discoveries: discoveriesOf(context, self) },
      )
      context.safety.watch(node)
      const { containers, locks } = node
      assert(containers !== null && locks !== null, 'these nodes hold data')
      await node.start()
      const app: ObjectsApp = { node, containers, locks, clock, maps: [] }
      node.log
        .ready()
        .then(async () => {
          const { databases } = node
          if (isSpread(context) && databases !== null)
            app.maps = await Promise.all(
              REDUNDANCIES.map((redundancy) => databases.open(`$maps-${redundancy}`, { redundancy })),
            )
          await subscribe(context, ports, containers)
        })
        .catch((error: unknown) => {
          // The node was stopped; the next life goes on.
          if (!isClusterError(error) || error.code !== 'STOPPED') context.world.fail(error)
        })
      return app
    },
    stop: ({ node }, reason) => node.stop(reason),
  }),
  load: loadOf,
  async prepare(nodes): Promise<void> {
    // The version of the cluster is known once every member has said what it supports.
    for (const { app } of nodes) if (app) await app.containers.counter('ready').add(1)
  },
  log: ({ node }) => node.log,
  unsettled(apps, context) {
    const unsettled = logsUnsettled(new Map([...apps].map(([id, { node }]) => [id, node.log])), context)
    if (unsettled !== null) return unsettled
    const repairs = missing(apps, context)
    if (repairs !== null) return repairs
    const seen = context.profile.objects.includes('topic')
      ? subscribers(context)
      : new Map<string, Subscriber>()
    const lengths = [...apps.keys()].map((id) => seen.get(id)?.seen.length ?? 0)
    return new Set(lengths).size > 1 ? `subscribers have ${lengths.join()} messages` : null
  },
  isRedundant: (apps, context) => missing(apps, context) === null,
  journal: ({ containers }) => journalOf(containers).toArray(),
  compare(apps, context) {
    if (isSpread(context))
      for (const [i, redundancy] of REDUNDANCIES.entries()) {
        const maps = new Map(
          [...apps].flatMap(([id, app]) => {
            const database = app.maps[i]
            return database === undefined ? [] : [[id, database] as const]
          }),
        )
        const [first] = maps.values()
        const difference = compareHolders(maps, redundancy, first?.options.partitions)
        if (difference !== null) return difference
      }
    const states = new Map([...apps].map(([id, { containers }]) => [id, stateOf(containers)]))
    return agree(states) ? null : [...states].map(([id, state]) => `${id}: ${state.slice(0, 500)}`).join('\n')
  },
}
