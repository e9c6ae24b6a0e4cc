import { dataMembers, shuffle } from '@cluster/core'
import type { SimNode, SimRandom } from '@cluster/testkit'
import { judge } from './judge.ts'
import { appsOf, PATIENCE_MS, Problem, textOf } from './stage.ts'
import type { Stage } from './suite.ts'

/** Some heartbeats. */
const ACQUAINTED_MS = 250

export function launch<App>({ world }: Stage<App>, node: SimNode<App>): void {
  node.start().catch((error: unknown) => world.fail(error))
}

export async function form<App>(stage: Stage<App>): Promise<void> {
  const { world, cluster, suite, context } = stage
  const random = world.random.fork('form')
  for (const node of shuffle(random, cluster))
    world.schedule(random.between(0, 300), () => launch(stage, node))
  const formed = (): boolean =>
    cluster.every((node) => {
      if (node.app === null) return false
      const group = suite.log(node.app).group()
      return group.leader !== null && dataMembers(group).length === cluster.length
    })
  if (!(await world.until(formed, PATIENCE_MS))) throw new Problem('the cluster did not form')
  await world.settle(suite.prepare(cluster, context), PATIENCE_MS)
}

/** Liveness: once the faults stop, everything comes back and every node takes a write. */
export async function heal<App>(stage: Stage<App>): Promise<void> {
  await comeBack(stage)
  await rest(stage, stage.cluster, 'after the faults')
  for (const node of stage.cluster) await write(stage, node, 'after the faults')
  await rest(stage, stage.cluster, 'after the last writes')
}

/** The faults end, all nodes run again and no client waits any more. */
export async function comeBack<App>(stage: Stage<App>): Promise<void> {
  const { world, cluster, clients, context } = stage
  world.heal()
  clients.stop()
  // Whoever still runs the program that it began with is upgraded now.
  if (context.profile.upgrades) for (const node of cluster) if (node.starts === 1) node.crash('kill')
  for (const node of cluster) if (!node.running) launch(stage, node)
  if (stage.witness && !stage.witness.running)
    stage.witness.start().catch((error: unknown) => world.fail(error))
  // A node that was just stopping comes back by itself, or another one in its place.
  if (!(await world.until(() => cluster.every((node) => node.app !== null && !node.stopping), PATIENCE_MS)))
    throw new Problem(
      `not all nodes came up after the faults: ${cluster.filter((node) => node.app === null).map((node) => node.id)}`,
    )
  if (!(await world.until(() => clients.idle, PATIENCE_MS))) throw new Problem('a client waits for ever')
}

/** Kills one node after another, each when the loss of the one before is repaired, down to the last one. */
export async function decline<App>(stage: Stage<App>): Promise<void> {
  const { world, cluster } = stage
  const random = world.random.fork('decline order')
  const left = shuffle(random, cluster)
  for (let victim = left.pop(); victim !== undefined && left.length > 0; victim = left.pop()) {
    // Two that are left can only prove a death once each has told the other that it knows their configuration.
    await world.run(ACQUAINTED_MS)
    victim.crash('kill')
    const when = `with ${left.length} of ${cluster.length} nodes left`
    await rest(stage, left, when)
    for (const node of left) await write(stage, node, when)
    await rest(stage, left, `after the last writes ${when}`)
    await judge(stage, left)
    if (random.between(0, 1) < 0.5) await startCold(stage, left, random, when)
  }
}

/** The power of all that are left fails, and they come back one after another: what they have must be on their disks. */
async function startCold<App>(
  stage: Stage<App>,
  left: readonly SimNode<App>[],
  random: SimRandom,
  when: string,
): Promise<void> {
  const { world } = stage
  for (const node of left) node.crash('power')
  for (const node of left) world.schedule(random.between(20, 3_000), () => launch(stage, node))
  await world.until(() => left.every((node) => node.app !== null), PATIENCE_MS)
  await rest(stage, left, `after a cold start ${when}`)
  for (const node of left) await write(stage, node, `after a cold start ${when}`)
  await rest(stage, left, `after the last writes after a cold start ${when}`)
  await judge(stage, left)
}

/** Waits until nothing is left to repair. */
export async function rest<App>(
  { world, suite, context }: Stage<App>,
  nodes: readonly SimNode<App>[],
  when: string,
): Promise<void> {
  let missing: string | null = null
  const settled = (): boolean => {
    missing = suite.unsettled(appsOf(nodes), context)
    return missing === null
  }
  if (!(await every({ world }, 50, PATIENCE_MS, settled)))
    throw new Problem(`the cluster did not come to rest ${when}: ${missing}`)
}

export async function write<App>(
  { world, clients }: Stage<App>,
  node: SimNode<App>,
  when: string,
): Promise<void> {
  const ending = await world.settle(clients.writeOn(node), PATIENCE_MS)
  if (ending.how !== 'acknowledged')
    throw new Problem(`${node.id} did not take a write ${when}: ${textOf(ending.error)}`)
}

/** Asks every `stepMs` until it holds: dearer questions than after every event. */
export async function every<App>(
  { world }: Pick<Stage<App>, 'world'>,
  stepMs: number,
  withinMs: number,
  done: () => boolean,
): Promise<boolean> {
  for (const end = world.now + withinMs; world.now < end; ) {
    if (done()) return true
    await world.run(stepMs)
  }
  return done()
}
