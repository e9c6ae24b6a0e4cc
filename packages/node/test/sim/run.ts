import { chance, type NodeId, type OrderedLog, shuffle } from '@cluster/core'
import {
  Clients,
  checkAcknowledged,
  checkLinearizable,
  defaultNemesis,
  type NamedInput,
  Nemesis,
  type NemesisOptions,
  narrowUnknown,
  type Program,
  type RegistersOutput,
  registers,
  type SimDisk,
  type SimNode,
  World,
} from '@cluster/testkit'
import type { SeedReport, SuiteName } from './report.ts'
import { SafetyWatch } from './safety.ts'

/** What a suite puts on the nodes, and how it is used and judged. */
export interface Suite<App> {
  readonly name: SuiteName
  /** Nodes may lose what is on their disks, one at a time. */
  readonly losesDisks: boolean
  /** The program of the nodes of one world. */
  program(context: SuiteContext): Program<App>
  /** Prepares the formed cluster, through any node. */
  prepare(nodes: readonly SimNode<App>[]): Promise<void>
  log(app: App): OrderedLog
  perform(app: App, input: NamedInput): Promise<RegistersOutput>
  /** Null when a healed cluster is at rest: all nodes have the same and nothing is left to repair. Else what is missing. */
  unsettled(apps: ReadonlyMap<NodeId, App>): string | null
  /** Names of the writes that took effect, one for each time, as this node has them. */
  journal(app: App): Promise<readonly string[]>
  /** Compares what the nodes hold. Null, or what differs. */
  compare(apps: ReadonlyMap<NodeId, App>): string | null
}

export interface SuiteContext {
  readonly world: World
  readonly safety: SafetyWatch
  /** Names of all nodes. */
  readonly names: readonly string[]
  /** The nodes are told how many they are, and form only when all are there. */
  readonly expectAll: boolean
}

export interface RunOptions {
  /** Virtual time under faults at least; goes on until enough operations were done, at most three times as long. */
  readonly stormMs?: number
  readonly operationsMin?: number
  readonly nemesis?: NemesisOptions
  readonly nodes?: number
  /** Lines of the trace in the report of a failed seed. */
  readonly tailLines?: number
  /** The trace in the report has the frames too. */
  readonly frames?: boolean
}

/** So long a healthy cluster may take to form, to heal or to answer. */
const PATIENCE_MS = 120_000

/** As many voters as the log makes by itself. */
const VOTERS_MAX = 5

/** Some heartbeats. */
const ACQUAINTED_MS = 250

class Problem extends Error {}

/** Plays one seed: forms a cluster, lets the storm rage over busy clients, heals, and judges what is left. */
export async function runSeed<App>(
  suite: Suite<App>,
  seed: number,
  {
    stormMs = 60_000,
    operationsMin = 500,
    nemesis: nemesisOptions,
    nodes,
    tailLines = 60,
    frames = false,
  }: RunOptions = {},
): Promise<SeedReport> {
  const world = new World({ seed: `${suite.name} ${seed}`, traceLinesMax: 4_000 })
  const count = nodes ?? 3 + (world.random.fork('size').uint32() % 4)
  const names = Array.from({ length: count }, (_, i) => `n${i + 1}`)
  const safety = new SafetyWatch(world)
  const program = suite.program({ world, safety, names, expectAll: chance(world.random.fork('expect'), 0.5) })
  const cluster = names.map((name) => world.node(name, program))
  const clocks = world.random.fork('clocks')
  for (const { clockFaults } of cluster) {
    // Wall clocks a minute apart, and crystals that are worse than any real one.
    clockFaults.skewMs = Math.round(clocks.between(-60_000, 60_000))
    clockFaults.rate = clocks.between(0.999, 1.001)
  }
  const clients = new Clients<App>(world, cluster, {
    clients: 8,
    groups: 6,
    registersPerGroup: 2,
    thinkMs: [20, 600],
    perform: (app, input) => suite.perform(app, input),
  })
  const nemesis = new Nemesis(world, cluster, () => safety.leader, {
    ...(nemesisOptions ?? defaultNemesis),
    mayLoseDisk: () => suite.losesDisks && isWhole(cluster, suite),
    rots: LOG_FILES,
  })
  let problem: string | null = null
  try {
    await form(world, cluster, suite)
    clients.start()
    nemesis.start()
    for (let rounds = 0; rounds < 3; rounds++) {
      await world.run(rounds === 0 ? stormMs : stormMs / 2)
      const { called, acknowledged } = clients.recorder.counts
      if (called >= operationsMin && acknowledged >= called / 2) break
      if (rounds === 2)
        throw new Problem(`only ${called} operations in the storm, ${acknowledged} of them acknowledged`)
    }
    nemesis.stop()
    await heal(world, cluster, suite, clients)
    await judge(world, cluster, suite, clients)
    if (chance(world.random.fork('decline'), 0.3)) {
      await decline(world, cluster, suite, clients)
      safety.happenings.declines++
      await heal(world, cluster, suite, clients)
      await judge(world, cluster, suite, clients)
    }
  } catch (error) {
    problem = error instanceof Problem ? error.message : textOf(error)
  }
  const { happenings } = safety
  const { counts } = world.network
  Object.assign(happenings, {
    restarts: cluster.reduce((sum, node) => sum + Math.max(0, node.starts - 1), 0),
    framesLost: counts.lost,
    framesReordered: counts.reordered,
    linksBroken: counts.linksBroken,
    lossyPowerLosses: cluster.reduce((sum, node) => sum + node.disk.counts.lossyPowerLosses, 0),
    tornWrites: cluster.reduce((sum, node) => sum + node.disk.counts.tornWrites, 0),
    slowSyncs: cluster.reduce((sum, node) => sum + node.disk.counts.slowSyncs, 0),
    refusedWrites: cluster.reduce((sum, node) => sum + node.disk.counts.refusedWrites, 0),
    flippedBits: cluster.reduce((sum, node) => sum + node.disk.counts.flippedBits, 0),
    newDisks: cluster.reduce((sum, node) => sum + node.disk.counts.wipes, 0),
    renunciations: cluster.reduce((sum, node) => sum + renunciationsOn(node.disk), 0),
  })
  return {
    suite: suite.name,
    seed,
    problem,
    hash: world.trace.hash,
    nodes: count,
    virtualMs: Math.round(world.now),
    events: world.events,
    operations: clients.recorder.counts,
    errors: clients.recorder.errors,
    faults: nemesis.counts,
    happenings,
    tail: problem === null ? [] : world.trace.tail(tailLines, { frames }),
  }
}

/** What the ordered log keeps. The files of storage engines are not looked at before they are needed. */
const LOG_FILES = /^log\/[^/]*$/

/** True while every node is there and as many vote as can: then one of them can be spared. */
function isWhole<App>(cluster: readonly SimNode<App>[], suite: Suite<App>): boolean {
  return cluster.every(({ app }) => {
    if (app === null) return false
    const { voters, learners, leader } = suite.log(app).group()
    const voting = Math.min(VOTERS_MAX, cluster.length)
    return leader !== null && voters.length === voting && voters.length + learners.length === cluster.length
  })
}

function renunciationsOn(disk: SimDisk): number {
  const folders = disk.paths().flatMap((path) => /^log\/(damaged-[^/]+)\//.exec(path)?.[1] ?? [])
  return new Set(folders).size
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function appsOf<App>(cluster: readonly SimNode<App>[]): Map<NodeId, App> {
  return new Map(cluster.flatMap((node) => (node.app === null ? [] : [[node.id, node.app] as const])))
}

async function form<App>(world: World, cluster: readonly SimNode<App>[], suite: Suite<App>): Promise<void> {
  const random = world.random.fork('form')
  for (const node of shuffle(random, cluster))
    world.schedule(random.between(0, 300), () => {
      node.start().catch((error: unknown) => world.fail(error))
    })
  const formed = (): boolean =>
    cluster.every((node) => {
      if (node.app === null) return false
      const { voters, learners, leader } = suite.log(node.app).group()
      return leader !== null && voters.length + learners.length === cluster.length
    })
  if (!(await world.until(formed, PATIENCE_MS))) throw new Problem('the cluster did not form')
  await world.settle(suite.prepare(cluster), PATIENCE_MS)
}

/** Liveness: once the faults stop, everything comes back and every node takes a write. */
async function heal<App>(
  world: World,
  cluster: readonly SimNode<App>[],
  suite: Suite<App>,
  clients: Clients<App>,
): Promise<void> {
  world.heal()
  clients.stop()
  for (const node of cluster) if (!node.running) node.start().catch((error: unknown) => world.fail(error))
  // A node that was just stopping comes back by itself.
  if (!(await world.until(() => cluster.every((node) => node.app !== null && !node.stopping), PATIENCE_MS)))
    throw new Problem(
      `not all nodes came up after the faults: ${cluster.filter((node) => node.app === null).map((node) => node.id)}`,
    )
  if (!(await world.until(() => clients.idle, PATIENCE_MS))) throw new Problem('a client waits for ever')
  await rest(world, cluster, suite, 'after the faults')
  for (const node of cluster) await write(world, node, clients, 'after the faults')
  await rest(world, cluster, suite, 'after the last writes')
}

/** Kills one node after another, each when the loss of the one before is repaired, down to the last one. */
async function decline<App>(
  world: World,
  cluster: readonly SimNode<App>[],
  suite: Suite<App>,
  clients: Clients<App>,
): Promise<void> {
  const left = shuffle(world.random.fork('decline order'), cluster)
  for (let victim = left.pop(); victim !== undefined && left.length > 0; victim = left.pop()) {
    // Two that are left can only prove a death once each has told the other that it knows their configuration.
    await world.run(ACQUAINTED_MS)
    victim.crash('kill')
    const when = `with ${left.length} of ${cluster.length} nodes left`
    await rest(world, left, suite, when)
    for (const node of left) await write(world, node, clients, when)
    await rest(world, left, suite, `after the last writes ${when}`)
    await judge(world, left, suite, clients)
  }
}

/** Waits until nothing is left to repair. */
async function rest<App>(
  world: World,
  nodes: readonly SimNode<App>[],
  suite: Suite<App>,
  when: string,
): Promise<void> {
  let missing: string | null = null
  const settled = (): boolean => {
    missing = suite.unsettled(appsOf(nodes))
    return missing === null
  }
  if (!(await every(world, 50, PATIENCE_MS, settled)))
    throw new Problem(`the cluster did not come to rest ${when}: ${missing}`)
}

async function write<App>(
  world: World,
  node: SimNode<App>,
  clients: Clients<App>,
  when: string,
): Promise<void> {
  const ending = await world.settle(clients.writeOn(node), PATIENCE_MS)
  if (ending.how !== 'acknowledged')
    throw new Problem(`${node.id} did not take a write ${when}: ${textOf(ending.error)}`)
}

/** Asks every `stepMs` until it holds: dearer questions than after every event. */
async function every(world: World, stepMs: number, withinMs: number, done: () => boolean): Promise<boolean> {
  for (const end = world.now + withinMs; world.now < end; ) {
    if (done()) return true
    await world.run(stepMs)
  }
  return done()
}

async function judge<App>(
  world: World,
  cluster: readonly SimNode<App>[],
  suite: Suite<App>,
  clients: Clients<App>,
): Promise<void> {
  const apps = appsOf(cluster)
  const difference = suite.compare(apps)
  if (difference !== null) throw new Problem(`the nodes differ after the faults: ${difference}`)
  for (const [id, app] of apps) {
    const journal = await world.settle(suite.journal(app), PATIENCE_MS)
    const problems = checkAcknowledged(clients.book(), journal)
    if (problems.length > 0) {
      const named = problems.slice(0, 5).map(({ write, problem }) => `${write} ${problem}`)
      throw new Problem(`${id} has ${problems.length} wrong writes: ${named.join(', ')}`)
    }
  }
  const verdict = checkLinearizable(registers, narrowUnknown(clients.recorder.history()))
  if (verdict.verdict === 'violated')
    throw new Problem(
      `the history of ${verdict.part} is not linearizable; stuck at ${JSON.stringify(verdict.stuck)} among\n${verdict.operations
        .filter(
          ({ callTime, end }) =>
            callTime <= (verdict.stuck.end?.time ?? 0) && (end?.time ?? 1e9) >= verdict.stuck.callTime - 500,
        )
        .map((operation) => `  ${JSON.stringify(operation)}`)
        .join('\n')}`,
    )
  if (verdict.verdict === 'undecided') throw new Problem(`the history of ${verdict.part} could not be judged`)
}
