import { type Discovery, nodeId, type Peers } from '@cluster/core'
import { type PeersFixture, type SimNode, World } from '@cluster/testkit'
import { type PeersOptions, peers, staticDiscovery } from '../src/index.ts'

interface Plan {
  seeds: readonly string[]
  prepare: (peers: Peers) => void
  discoveries: readonly Discovery[]
}

export interface SimPeers extends PeersFixture {
  readonly world: World
}

/** Peers of as many nodes as wanted over the simulated network, in virtual time. */
export function simPeers(seed: number | string, options: Partial<PeersOptions> = {}): SimPeers {
  const world = new World({ seed })
  const nodes = new Map<string, { readonly node: SimNode<Peers>; readonly plan: Plan }>()

  const add = (name: string): { readonly node: SimNode<Peers>; readonly plan: Plan } => {
    const plan: Plan = { seeds: [], prepare: () => {}, discoveries: [] }
    const node = world.node<Peers>(name, {
      async start({ start, transport, clock, random, logger }) {
        const seeds = staticDiscovery(plan.seeds.map((other) => world.network.addressOf(other)))
        const built = peers({ start, ...options })({
          transport,
          discoveries: [seeds, ...plan.discoveries],
          clock,
          random,
          logger,
        })
        plan.prepare(built)
        await built.start()
        return built
      },
      stop: (app) => app.stop('away'),
    })
    return { node, plan }
  }

  return {
    world,
    giveUpMs: 20_000,
    async start(name, seeds, prepare = () => {}) {
      let entry = nodes.get(name)
      if (!entry) {
        entry = add(name)
        nodes.set(name, entry)
      }
      Object.assign(entry.plan, { seeds, prepare })
      return world.settle(entry.node.start(), 1_000)
    },
    kill(name) {
      nodes.get(name)?.node.crash('kill')
    },
    async stop(name, reason) {
      const node = nodes.get(name)?.node
      await node?.app?.stop(reason)
      node?.crash('kill')
    },
    isolate: (name) => world.network.isolate(nodeId(name)),
    heal: () => world.heal(),
    breakLink: (a, b) => void world.network.breakLink(a, b),
    async until(done, withinMs) {
      if (!(await world.until(done, withinMs)))
        throw new Error(`not within ${withinMs} ms of virtual time\n${world.trace.tail(40).join('\n')}`)
    },
    settle: (promise) => world.settle(promise, 20_000),
  }
}
