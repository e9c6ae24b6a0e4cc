import { CLUSTER_VERSION, type ClusterVersion, type Containers, nodeId } from '@cluster/core'
import { type ComposedNode, composeNode } from '@cluster/node'
import { staticDiscovery } from '@cluster/p2p'
import { type ContainersFixture, type SimNode, World } from '@cluster/testkit'

const NAMES = ['a', 'b', 'c']
const SETTLE_MS = 480_000

/**
 * Whole nodes with their containers, in one simulated world.
 * @param supports the newest version of the cluster that the program of this life of a node supports
 */
export function containersCluster(
  seed: number | string,
  supports: (name: string, start: number) => ClusterVersion = () => CLUSTER_VERSION,
): ContainersFixture & { readonly world: World } {
  const world = new World({ seed })
  const nodes = new Map<string, SimNode<ComposedNode>>()
  for (const name of NAMES) {
    const node = world.node<ComposedNode>(name, {
      async start(ports) {
        const addresses = NAMES.map((each) => world.network.addressOf(nodeId(each)))
        const composed = composeNode(
          { start: ports.start, log: { supports: supports(name, ports.start) } },
          { ...ports, discoveries: [staticDiscovery(addresses)] },
        )
        composed.log.on('failed', ({ error }) => world.fail(error))
        await composed.start()
        return composed
      },
      stop: (composed, reason) => composed.stop(reason),
    })
    nodes.set(name, node)
  }
  const simOf = (name: string): SimNode<ComposedNode> => {
    const node = nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }
  const settle = <T>(promise: Promise<T>): Promise<T> => world.settle(promise, SETTLE_MS)
  const until = async (done: () => boolean, withinMs: number): Promise<void> => {
    if (await world.until(done, withinMs)) return
    throw new Error(`not within ${withinMs} virtual ms\n${world.trace.tail(40).join('\n')}`)
  }
  /** Every node that runs knows that it votes, so that one of three may die. */
  const allVote = (): boolean =>
    [...nodes.values()].every(({ app, id }) => app === null || app.log.group().voters.includes(id))
  return {
    world,
    until,
    settle,
    async start(name): Promise<Containers> {
      const { log, containers } = await settle(simOf(name).start())
      if (containers === null) throw new Error(`${name} holds data`)
      await settle(log.ready())
      await until(allVote, SETTLE_MS)
      // The change of voters is through, and a death no longer between both.
      await world.run(500)
      return containers
    },
    kill: (name) => simOf(name).crash('kill'),
  }
}
