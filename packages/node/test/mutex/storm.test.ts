import { below, delay, type HeldLock, isClusterError, type Locks } from '@cluster/core'
import { defaultNemesis, type FaultWeights, Nemesis, type NodePorts } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { mutexCluster } from './mutex-cluster.ts'

const STORM_MS = 60_000
/** Shorter than most cuts and stalls, and than some of the work. */
const LEASE_MS = 1_500
const CALM_MS = 60_000
const weights: FaultWeights = {
  kill: 3,
  killLeader: 3,
  power: 2,
  stop: 2,
  split: 2,
  isolate: 3,
  isolateLeader: 3,
  cutLeader: 2,
  reset: 2,
  loss: 2,
  slowDisk: 1,
  stall: 5,
  clockJump: 2,
  drift: 2,
}

/** Who works under the lock, as the outside sees it. */
interface Worker {
  readonly node: string
  readonly start: number
  readonly held: HeldLock
}

describe('a lock in a storm', () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`nobody else has it, tokens grow, and work goes on (seed ${seed})`, async () => {
      const workers = new Map<string, Worker>()
      const tokens: number[] = []
      let fences = 0
      const work = async (locks: Locks, { self, start, clock, random }: NodePorts): Promise<void> => {
        for (;;) {
          try {
            await using held = await locks.acquire('till', { timeoutMs: 20_000 })
            tokens.push(held.token)
            workers.set(self, { node: self, start, held })
            await delay(clock, below(random, 1_500))
            // Some forget to let go, until they find that they lost it or are bored.
            if (below(random, 4) === 0) await delay(clock, below(random, 4_000))
          } catch (error) {
            if (!isClusterError(error)) throw error
            if (error.code === 'STOPPED') return
          } finally {
            if (workers.get(self)?.start === start) workers.delete(self)
          }
          await delay(clock, below(random, 300))
        }
      }
      const begin = (locks: Locks, ports: NodePorts): void => {
        work(locks, ports).catch((error: unknown) => cluster.world.fail(error))
      }
      const cluster = mutexCluster(`lock storm ${seed}`, begin, { leaseMs: LEASE_MS })
      const { world, nodes } = cluster
      const byId = new Map(nodes.map((node) => [String(node.id), node]))
      const check = (): void => {
        const busy = [...workers.values()].filter(({ node, start, held }) => {
          const sim = byId.get(node)
          return sim?.running && sim.starts === start && held.held
        })
        if (busy.length > 0) fences++
        if (busy.length > 1) {
          const who = busy.map(({ node, held }) => `${node} with ${held.token}`).join(' and ')
          throw new Error(`two have the lock at ${world.now}: ${who}\n${world.trace.tail(60).join('\n')}`)
        }
        const [last = 0, before = 0] = tokens.slice(-2).reverse()
        if (last !== 0 && last <= before) throw new Error(`the token ${last} came after ${before}`)
      }
      for (const name of ['a', 'b', 'c']) await cluster.start(name)
      const leader = (): string | null =>
        nodes.find(({ app }) => app?.node.log.group().role === 'leader')?.id ?? null
      const nemesis = new Nemesis(world, nodes, leader, { ...defaultNemesis, weights })
      nemesis.start()
      await world.run(STORM_MS, check)
      nemesis.stop()
      world.heal()
      const inStorm = tokens.length
      await world.run(CALM_MS, check)
      expect(fences).toBeGreaterThan(0)
      expect(inStorm).toBeGreaterThan(3)
      // Once the faults are over everybody gets a turn again and again.
      expect(tokens.length - inStorm).toBeGreaterThan(20)
    })
  }
})
