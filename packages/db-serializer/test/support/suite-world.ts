import { nodeId, type OrderedLog, type StateMachine } from '@cluster/core'
import { type OrderedLogFixture, type SimNode, World } from '@cluster/testkit'
import { orderedLog } from '../../src/index.ts'
import { PlainPeers } from './plain-peers.ts'

const NAMES = ['a', 'b', 'c', 'd']
const SETTLE_MS = 20_000

interface App {
  readonly log: OrderedLog
  readonly peers: PlainPeers
}

/** The ordered log in the simulated world, as the suite wants it. */
export function suiteWorld(): OrderedLogFixture {
  const world = new World({ seed: 'ordered log suite' })
  const nodes = new Map<string, SimNode<App>>()
  const machines = new Map<string, readonly StateMachine[]>()
  const reasons = new Map<string, 'away' | 'left'>()
  const node = (name: string): SimNode<App> => {
    const known = nodes.get(name)
    if (known) return known
    const made = world.node<App>(name, {
      async start({ transport, clock, disk, random, logger }) {
        const addresses = NAMES.map((each) => world.network.addressOf(nodeId(each)))
        const peers = new PlainPeers(transport, clock, addresses)
        const log = orderedLog()({ peers, disk, clock, random, logger })
        for (const machine of machines.get(name) ?? []) log.attach(machine)
        await peers.start()
        await log.start()
        return { log, peers }
      },
      async stop({ log, peers }) {
        const reason = reasons.get(name) ?? 'away'
        await log.stop(reason)
        await peers.stop(reason)
      },
    })
    nodes.set(name, made)
    return made
  }
  return {
    async start(name, attached) {
      machines.set(name, attached)
      return (await world.settle(node(name).start(), SETTLE_MS)).log
    },
    kill: (name) => node(name).crash('kill'),
    stop(name, reason) {
      reasons.set(name, reason)
      return node(name).stop()
    },
    async until(done, withinMs) {
      if (!(await world.until(done, withinMs))) {
        throw new Error(`not within ${withinMs} virtual ms\n${world.trace.tail(40).join('\n')}`)
      }
    },
    settle: (promise) => world.settle(promise, SETTLE_MS),
  }
}
