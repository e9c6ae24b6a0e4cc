import { openCluster } from '@cluster/node'
import { answerCalls } from '@cluster/testkit'
import { closedLoop, draws } from '../closed-loop.ts'
import { ContainerCallers } from './containers-load.ts'
import type { ContainerAcknowledged, ContainerLoad, LockAnswer, LockLoad } from './objects-worker-protocol.ts'
import type { WorkerOptions, WorkerStatus } from './worker-protocol.ts'

/** A node with callers of shared objects inside, in a process of its own. */
const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions
const openedAt = performance.now()
const cluster = await openCluster({ ...options, listen: [options.listen], mdns: false })
const containers = new ContainerCallers(cluster)
const below = draws(12_345 + process.pid)

async function locks({ locks: names, block, ...loop }: LockLoad): Promise<LockAnswer> {
  const tokens = new Map<string, number>()
  const taken = new Set<string>()
  let broken = 0
  const answer = await closedLoop(loop, () => async () => {
    const name = `lock ${below(names)}`
    const held = await cluster.mutex(name).acquire()
    if (held.token <= (tokens.get(name) ?? 0) || taken.has(name)) broken++
    tokens.set(name, held.token)
    taken.add(name)
    taken.delete(name)
    await (block ? held[Symbol.asyncDispose]() : held.release())
    return 1
  })
  return { ...answer, broken }
}

answerCalls({
  ready: () => cluster.ready(),
  async status(): Promise<WorkerStatus> {
    const { leader, voters } = cluster.group()
    return { id: cluster.id, leader, voters: voters.length, underReplicated: 0 }
  },
  locks,
  containers: (load: ContainerLoad) => containers.load(load),
  fill: (count: number) => containers.fill(count),
  subscribe: () => containers.subscribe(),
  heard: (count: number) => containers.heard(count),
  async documents(count: number): Promise<number> {
    await containers.documents(count)
    return performance.now() - openedAt
  },
  acknowledged: async () => containers.acknowledged(),
  held: (puts: ContainerAcknowledged['puts']) => containers.held(puts),
  stop: () => cluster.stop(),
})
