import type { Locks, OrderedLog } from '@cluster/core'
import { type MutexOptions, mutex } from '@cluster/mutex'
import { type MutexFixture, modelLog, type SimNode, World } from '@cluster/testkit'

const SETTLE_MS = 120_000

interface App {
  readonly locks: Locks
  readonly log: OrderedLog
}

/** Nodes with locks over the model of a log, in virtual time. */
export function modelCluster(options: MutexOptions = {}) {
  const world = new World({ seed: 'locks' })
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
        const locks = mutex(options)({ ...ports, log })
        log.on('failed', ({ error }) => world.fail(error))
        await log.start()
        return { locks, log }
      },
      async stop({ locks, log }) {
        await locks.stop()
        await log.stop('away')
      },
    })
    nodes.set(name, made)
    return made
  }
  const app = (name: string): App => {
    const running = node(name).app
    if (running === null) throw new Error(`${name} does not run`)
    return running
  }
  const fixture: MutexFixture = {
    start: async (name) => (await world.settle(node(name).start(), SETTLE_MS)).locks,
    kill(name) {
      node(name).crash('kill')
      model.kill(name)
    },
    stall(name, ms) {
      node(name).stall(ms)
      model.hold(name)
      world.schedule(ms, () => model.release(name))
    },
    async holds(name, condition) {
      const { log } = app(name)
      // A note about a node that nobody knows does nothing.
      const { adopted } = await log.submitBundle({
        requires: [{ machine: 'mutex', condition }],
        commands: [{ machine: 'mutex', command: Uint8Array.of(1, 6, 1, 63, 0) }],
      })
      return adopted
    },
    async until(done, withinMs) {
      if (!(await world.until(done, withinMs))) throw new Error(`not within ${withinMs} virtual ms`)
    },
    settle: (promise) => world.settle(promise, SETTLE_MS),
  }
  return { world, model, app, ...fixture }
}
