import { containers } from '@cluster/container'
import type { Containers, OrderedLog } from '@cluster/core'
import { type ContainersFixture, modelLog, type SimNode, World } from '@cluster/testkit'

const SETTLE_MS = 240_000

interface App {
  readonly containers: Containers
  readonly log: OrderedLog
}

/** Nodes with containers over the model of a log, in virtual time. */
export function modelCluster() {
  const world = new World({ seed: 'containers' })
  const clock = {
    now: () => world.now,
    wall: () => world.now,
    after: (delayMs: number, run: () => void) => world.schedule(delayMs, run),
    turn: () => world.sleep(0),
  }
  const model = modelLog({ clock, commitMs: 2, deliveryMs: (node) => (node === 'b' ? 3 : 1) })
  const nodes = new Map<string, SimNode<App>>()
  const node = (name: string): SimNode<App> => {
    const known = nodes.get(name)
    if (known) return known
    const made = world.node<App>(name, {
      async start(ports) {
        const log = model.node(name)
        const all = containers()({ ...ports, log })
        log.on('failed', ({ error }) => world.fail(error))
        await log.start()
        return { containers: all, log }
      },
      async stop({ containers: all, log }) {
        await all.stop()
        await log.stop('away')
      },
    })
    nodes.set(name, made)
    return made
  }
  const fixture: ContainersFixture = {
    start: async (name) => (await world.settle(node(name).start(), SETTLE_MS)).containers,
    kill(name) {
      node(name).crash('kill')
      model.kill(name)
    },
    async until(done, withinMs) {
      if (!(await world.until(done, withinMs))) throw new Error(`not within ${withinMs} virtual ms`)
    },
    settle: (promise) => world.settle(promise, SETTLE_MS),
  }
  return { world, model, ...fixture }
}
