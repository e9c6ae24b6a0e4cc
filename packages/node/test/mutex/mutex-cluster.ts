import { assert, type Locks, nodeId, type OrderedLog } from '@cluster/core'
import type { MutexOptions } from '@cluster/mutex'
import { type ComposedNode, composeNode } from '@cluster/node'
import { staticDiscovery } from '@cluster/p2p'
import { type MutexFixture, type NodePorts, type SimNode, World } from '@cluster/testkit'

const NAMES = ['a', 'b', 'c']
const SETTLE_MS = 240_000

interface App {
  readonly node: ComposedNode
  readonly locks: Locks
}

export interface MutexCluster extends MutexFixture {
  readonly world: World
  readonly nodes: readonly SimNode<App>[]
  log(name: string): OrderedLog
}

/**
 * Whole nodes with locks on their log, in one simulated world.
 * @param begin called in each life of each node
 */
export function mutexCluster(
  seed: number | string,
  begin: (locks: Locks, ports: NodePorts) => void = () => {},
  options: MutexOptions = {},
): MutexCluster {
  const world = new World({ seed })
  const nodes = new Map<string, SimNode<App>>()
  for (const name of NAMES) {
    const node = world.node<App>(name, {
      async start(ports) {
        const addresses = NAMES.map((each) => world.network.addressOf(nodeId(each)))
        const composed = composeNode(
          { start: ports.start, locks: options },
          { ...ports, discoveries: [staticDiscovery(addresses)] },
        )
        composed.log.on('failed', ({ error }) => world.fail(error))
        const { locks } = composed
        assert(locks !== null, 'who holds data has locks')
        await composed.start()
        begin(locks, ports)
        return { node: composed, locks }
      },
      stop: ({ node: composed }, reason) => composed.stop(reason),
    })
    nodes.set(name, node)
  }
  const simOf = (name: string): SimNode<App> => {
    const node = nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }
  const app = (name: string): App => {
    const { app: running } = simOf(name)
    if (running === null) throw new Error(`${name} does not run`)
    return running
  }
  const settle = <T>(promise: Promise<T>): Promise<T> => {
    promise.catch(() => {
      // The world reports it to who settles it.
    })
    return world.settle(promise, SETTLE_MS)
  }
  const until = async (done: () => boolean, withinMs: number): Promise<void> => {
    if (await world.until(done, withinMs)) return
    throw new Error(`not within ${withinMs} virtual ms\n${world.trace.tail(40).join('\n')}`)
  }
  /** Every node that runs knows that it votes, so that one of three may die. */
  const allVote = (): boolean =>
    [...nodes.values()].every(
      ({ app: running, id }) => running === null || running.node.log.group().voters.includes(id),
    )
  return {
    world,
    nodes: [...nodes.values()],
    until,
    log: (name) => app(name).node.log,
    settle,
    async start(name) {
      const { locks, node } = await settle(simOf(name).start())
      await settle(node.log.ready())
      await until(allVote, SETTLE_MS)
      // The change of voters is through, and a death no longer between both.
      await world.run(500)
      return locks
    },
    kill: (name) => simOf(name).crash('kill'),
    stall: (name, ms) => simOf(name).stall(ms),
    async holds(name, condition) {
      // A note about a node that nobody knows does nothing.
      const command = Uint8Array.of(1, 6, 1, 63, 0)
      const { adopted } = await app(name).node.log.submitBundle({
        requires: [{ machine: 'mutex', condition }],
        commands: [{ machine: 'mutex', command }],
      })
      return adopted
    },
  }
}
