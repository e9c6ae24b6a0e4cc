import type { OrderedLog } from '@cluster/core'
import type { NodePorts, SimNode } from '../sim/sim-node.ts'
import { World } from '../sim/world.ts'
import { modelLog } from './model-log.ts'

/** What runs on one node. */
export interface ModelApp<Service> {
  readonly service: Service
  readonly log: OrderedLog
}

/**
 * Nodes with a service of one's own over the model of a log, in virtual time. Each node is started by its name; its log is
 * started behind the service, so that state machines are attached before.
 * @param make builds the service of one life of a node
 * @param settleMs virtual milliseconds that anything may take
 */
export function modelWorld<Service extends { stop(): Promise<void> }>(
  seed: number | string,
  make: (ports: NodePorts & { readonly log: OrderedLog }) => Service,
  settleMs: number,
) {
  const world = new World({ seed })
  const clock = {
    now: () => world.now,
    wall: () => world.now,
    after: (delayMs: number, run: () => void) => world.schedule(delayMs, run),
    turn: () => world.sleep(0),
  }
  const model = modelLog({ clock, commitMs: 2, deliveryMs: (node) => (node === 'b' ? 3 : 1) })
  const nodes = new Map<string, SimNode<ModelApp<Service>>>()
  const node = (name: string): SimNode<ModelApp<Service>> => {
    const known = nodes.get(name)
    if (known) return known
    const made = world.node<ModelApp<Service>>(name, {
      async start(ports) {
        const log = model.node(name)
        const service = make({ ...ports, log })
        log.on('failed', ({ error }) => world.fail(error))
        await log.start()
        return { service, log }
      },
      async stop({ service, log }) {
        await service.stop()
        await log.stop('away')
      },
    })
    nodes.set(name, made)
    return made
  }
  return {
    world,
    model,
    node,
    /** @throws when that node does not run */
    app(name: string): ModelApp<Service> {
      const { app } = node(name)
      if (app === null) throw new Error(`${name} does not run`)
      return app
    },
    start: async (name: string): Promise<Service> =>
      (await world.settle(node(name).start(), settleMs)).service,
    kill(name: string): void {
      node(name).crash('kill')
      model.kill(name)
    },
    async until(done: () => boolean, withinMs: number): Promise<void> {
      if (!(await world.until(done, withinMs))) throw new Error(`not within ${withinMs} virtual ms`)
    },
    settle: <T>(promise: Promise<T>): Promise<T> => world.settle(promise, settleMs),
  }
}
