import { nodeId, type OrderedLog, type StateMachine } from '@cluster/core'
import { orderedLogSuite, type SimNode, World } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { singleNodeLog } from '../src/index.ts'

const PATIENCE_MS = 20_000

orderedLogSuite(
  { describe, test, expect },
  async () => {
    const world = new World({ seed: 'single node' })
    let machines: readonly StateMachine[] = []
    const node: SimNode<OrderedLog> = world.node<OrderedLog>('a', {
      async start({ disk, clock, random, logger }) {
        const log = singleNodeLog()({ self: nodeId('a'), disk, clock, random, logger })
        for (const machine of machines) log.attach(machine)
        await log.start()
        return log
      },
      stop: (log) => log.stop('away'),
    })
    return {
      async start(name, attached) {
        expect(name).toBe('a')
        machines = attached
        return world.settle(node.start(), PATIENCE_MS)
      },
      kill: () => node.crash('kill'),
      stop: () => node.stop(),
      async until(done, withinMs) {
        if (!(await world.until(done, withinMs))) throw new Error(world.trace.tail(40).join('\n'))
      },
      settle: (promise) => world.settle(promise, PATIENCE_MS),
    }
  },
  { severalNodes: false },
)
