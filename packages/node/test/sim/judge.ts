import { checkAcknowledged, type SimNode } from '@cluster/testkit'
import { appsOf, PATIENCE_MS, Problem, textOf } from './stage.ts'
import type { Stage } from './suite.ts'

/** Judges what the nodes hold and what clients were told, while nothing happens. @throws Problem */
export async function judge<App>(stage: Stage<App>, nodes: readonly SimNode<App>[]): Promise<void> {
  await judgeHeld(stage, nodes)
  const { clients, world } = stage
  for (const node of nodes)
    for (const ending of await world.settle(clients.closeOn(node), PATIENCE_MS))
      if (ending.how !== 'acknowledged')
        throw new Problem(`${node.id} did not let everything be read: ${textOf(ending.error)}`)
  const told = clients.judge()
  if (told !== null) throw new Problem(told)
}

/** Judges what the nodes hold: all the same, and every acknowledged write, once. @throws Problem */
async function judgeHeld<App>(stage: Stage<App>, nodes: readonly SimNode<App>[]): Promise<void> {
  const { world, suite, context, clients } = stage
  const apps = appsOf(nodes)
  const difference = suite.compare(apps, context)
  if (difference !== null) throw new Problem(`the nodes differ after the faults: ${difference}`)
  for (const [id, app] of apps) {
    const journal = await world.settle(suite.journal(app, context), PATIENCE_MS)
    const problems = checkAcknowledged(clients.book(), journal)
    if (problems.length > 0) {
      const named = problems.slice(0, 5).map(({ write, problem }) => `${write} ${problem}`)
      throw new Problem(`${id} has ${problems.length} wrong writes: ${named.join(', ')}`)
    }
  }
  const wrong = suite.audit ? await world.settle(suite.audit(apps, context), PATIENCE_MS) : null
  if (wrong !== null) throw new Problem(wrong)
}
