import { EVERYWHERE } from '@cluster/core'
import { stopped } from '../errors.ts'
import { planPlacement } from '../machine/placement.ts'
import { replicaOn } from '../machine/state.ts'
import type { Context } from './context.ts'
import { nodeView } from './node-view.ts'
import type { Replicas } from './replica/replicas.ts'

/** How far this node is with what it is to hold. */
export interface Completeness {
  /** Replicas that are recorded for this node. */
  readonly assigned: number
  /** Those of them that serve. */
  readonly complete: number
}

export interface CompleteOptions {
  readonly signal?: AbortSignal
  /** Called whenever it is further than before. */
  readonly onProgress?: (progress: Completeness) => void
}

/** Something may change without a word to this node. */
const LOOK_MS = 1_000

/**
 * Resolves when this node serves everything that it is to hold: it is a member, has all catalogs and its share of every
 * database, and nothing is about to move. It answers correctly before that, too, by asking others.
 * @throws ABORTED, STOPPED
 */
export async function whenComplete(
  context: Context,
  replicas: Replicas,
  { signal, onProgress }: CompleteOptions,
): Promise<void> {
  const { ports, changed } = context
  await ports.log.ready(signal ? { signal } : {})
  for (let told = ''; ; ) {
    if (context.stopped) throw stopped()
    const { progress, done } = look(context, replicas)
    const news = JSON.stringify(progress)
    if (news !== told) onProgress?.(progress)
    told = news
    if (done) return
    await changed.next(ports.clock, LOOK_MS, signal)
  }
}

function look(context: Context, replicas: Replicas): { progress: Completeness; done: boolean } {
  const view = nodeView(context)
  let assigned = 0
  let complete = 0
  let settled = view.living.includes(context.self)
  for (const database of context.machine.databases()) {
    for (const partition of database.partitions) {
      if (replicaOn(partition, context.self) === undefined) {
        if (partition.id === EVERYWHERE) settled = false
        continue
      }
      assigned++
      if (replicas.serving(database.id, partition.id) !== null) complete++
    }
    if (settled && planPlacement(database, view).length > 0) settled = false
  }
  return { progress: { assigned, complete }, done: settled && assigned === complete }
}
