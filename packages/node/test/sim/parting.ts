import { checkAcknowledged, type SimNode } from '@cluster/testkit'
import { judge } from './judge.ts'
import { comeBack, every, heal, launch, rest, write } from './phases.ts'
import { LAST_STANDING_MS } from './profile.ts'
import { PATIENCE_MS, Problem, textOf } from './stage.ts'
import type { Stage } from './suite.ts'

/**
 * The end of a world of two that each go on alone in silence: they are cut off for long enough, each acknowledges writes
 * of its own, and then they meet. Both must say that their histories have parted, neither may take over anything
 * of the other's or take writes, until the operator says whose history is to go.
 */
export async function partWays<App>(stage: Stage<App>): Promise<void> {
  const { world, cluster, context } = stage
  world.network.partition(
    [],
    cluster.slice(0, 1).map(({ id }) => id),
  )
  await world.run(LAST_STANDING_MS * 2)
  await comeBack(stage)
  const { safety } = context
  const parted = (): boolean => cluster.every(({ id }) => safety.isForked(id))
  const atRest = (): boolean => stage.suite.unsettled(new Map(appsIn(cluster)), context) === null
  if (!(await every(stage, 50, PATIENCE_MS, () => parted() || atRest())))
    throw new Problem('two that were apart neither agree nor say that their histories have parted')
  if (!parted()) {
    await heal(stage)
    await judge(stage, cluster)
    return
  }
  await judgeParted(stage)
  await reunite(stage)
}

function appsIn<App>(cluster: readonly SimNode<App>[]): (readonly [SimNode<App>['id'], App])[] {
  return cluster.flatMap(({ id, app }) => (app === null ? [] : [[id, app] as const]))
}

/** Each side has what it acknowledged, nothing is there that was refused, and no write is taken. */
async function judgeParted<App>({ world, suite, context, cluster, clients }: Stage<App>): Promise<void> {
  const journals: string[] = []
  const { acknowledged, rejected: refused, unknown } = clients.book()
  // The first attempt may be in the one history, and the second was refused in the other, which knows nothing of it.
  const rejected = [...refused].filter((name) => !clients.repeated.has(name))
  for (const [id, app] of appsIn(cluster)) {
    const journal = await suite.journal(app, context)
    // What only the other one acknowledged is missing here.
    const problems = checkAcknowledged(
      { acknowledged: [], rejected, unknown: [...unknown, ...acknowledged, ...clients.repeated] },
      journal,
    )
    const [first] = problems
    if (first)
      throw new Problem(`${id} has a wrong write after histories parted: ${first.write} ${first.problem}`)
    journals.push(...journal)
  }
  const held = new Set(journals)
  const lost = [...acknowledged].filter((name) => !held.has(name))
  if (lost.length > 0)
    throw new Problem(`neither history has the acknowledged ${lost.slice(0, 5).join(', ')}`)
  for (const node of cluster) {
    const ending = await world.settle(clients.writeOn(node), PATIENCE_MS)
    if (ending.how !== 'rejected')
      throw new Problem(`${node.id} took a write although histories have parted: ${ending.how}`)
  }
}

/** The operator gives one history up: what the other one holds is there again, on both. */
async function reunite<App>(stage: Stage<App>): Promise<void> {
  const { world, suite, context, cluster } = stage
  const [keeps, givesUp] = cluster
  if (keeps?.app == null || givesUp === undefined) throw new Problem('there are two of them')
  const before = await suite.journal(keeps.app, context)
  context.givesUp.add(givesUp.id)
  givesUp.crash('kill')
  await world.run(100)
  launch(stage, givesUp)
  await world.until(() => givesUp.app !== null, PATIENCE_MS)
  await rest(stage, cluster, 'after one history was given up')
  for (const node of cluster) await write(stage, node, 'after one history was given up')
  await rest(stage, cluster, 'after the last writes')
  const difference = suite.compare(new Map(appsIn(cluster)), context)
  if (difference !== null) throw new Problem(`the nodes differ after one history was given up: ${difference}`)
  const after = new Set(await suite.journal(keeps.app, context).catch((error) => [textOf(error)]))
  const lost = before.filter((name) => !after.has(name))
  if (lost.length > 0) throw new Problem(`the history that was kept lost ${lost.slice(0, 5).join(', ')}`)
  if (after.size !== before.length + cluster.length)
    throw new Problem('something of the history that was given up came back')
}
