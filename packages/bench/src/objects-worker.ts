import { openCluster } from '@cluster/node'
import { answerCalls } from '@cluster/testkit'
import { ContainerCallers } from './containers-load.ts'
import { Histogram } from './histogram.ts'
import type { ContainerAcknowledged, ContainerLoad, LockAnswer, LockLoad } from './objects-worker-protocol.ts'
import type { WorkerOptions, WorkerStatus } from './worker-protocol.ts'

/** A node with callers of shared objects inside, in a process of its own. */
const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions
const openedAt = performance.now()
const cluster = await openCluster({ ...options, listen: [options.listen], mdns: false })
const containers = new ContainerCallers(cluster)
let random = 12_345 + process.pid

function below(limit: number): number {
  random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
  return (random >>> 8) % limit
}

async function locks({ callers, locks: names, block, warmUpMs, measuredMs }: LockLoad): Promise<LockAnswer> {
  const histogram = new Histogram()
  const from = performance.now() + warmUpMs
  const until = from + measuredMs
  const tokens = new Map<string, number>()
  const taken = new Set<string>()
  let broken = 0
  const caller = async (): Promise<void> => {
    for (;;) {
      const startedAt = performance.now()
      if (startedAt >= until) return
      const name = `lock ${below(names)}`
      const held = await cluster.mutex(name).acquire()
      if (held.token <= (tokens.get(name) ?? 0) || taken.has(name)) broken++
      tokens.set(name, held.token)
      taken.add(name)
      taken.delete(name)
      await (block ? held[Symbol.asyncDispose]() : held.release())
      if (startedAt >= from) histogram.record((performance.now() - startedAt) * 1000)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return {
    operations: histogram.total,
    wallMs: performance.now() - from,
    buckets: histogram.buckets(),
    broken,
  }
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
