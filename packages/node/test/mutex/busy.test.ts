import { describe, expect, test } from '@jest/globals'
import { mutexCluster } from './mutex-cluster.ts'

const LEASE_MS = 1_000
const BUSY_MS = 6_000

/** Three nodes; `c` has the lock, `a` waits for it. */
async function contended(seed: string) {
  const cluster = mutexCluster(seed, () => {}, { leaseMs: LEASE_MS, busyMs: BUSY_MS })
  const [a, , c] = [await cluster.start('a'), await cluster.start('b'), await cluster.start('c')]
  const held = await cluster.settle(c.acquire('till'))
  const waiting: { token: number | null; at: number } = { token: null, at: 0 }
  a.acquire('till').then(
    ({ token }) => Object.assign(waiting, { token, at: cluster.world.now }),
    (error: unknown) => cluster.world.fail(error),
  )
  await cluster.until(() => true, LEASE_MS)
  return { ...cluster, c, held, waiting, since: cluster.world.now }
}

describe('a process that is too busy to renew its locks', () => {
  test('keeps them for some leases, and goes on where it was', async () => {
    const { world, stall, holds, settle, until, c, held, waiting } = await contended('busy')
    stall('c', 4 * LEASE_MS)
    await world.run(4 * LEASE_MS - 1)
    // By its own clock it cannot know.
    expect(held.held).toBe(false)
    await until(() => held.held, LEASE_MS)
    expect(held.signal.aborted).toBe(false)
    expect(await settle(holds('c', held.fence.condition))).toBe(true)
    // What it asks for meanwhile is for the same session.
    await settle((await settle(c.acquire('other'))).release())
    expect(waiting.token).toBeNull()
    await settle(held.release())
    await until(() => waiting.token !== null, LEASE_MS)
  })

  test('loses them when it is stuck', async () => {
    const { stall, until, held, waiting, since } = await contended('stuck')
    stall('c', 30_000)
    await until(() => waiting.token !== null, 2 * BUSY_MS)
    expect(waiting.at - since).toBeGreaterThan(BUSY_MS - LEASE_MS)
    expect(held.held).toBe(false)
    await until(() => held.signal.aborted, 30_000)
  })

  test('is told from one that nobody hears, and from one that is gone', async () => {
    for (const fault of ['kill', 'silence'] as const) {
      const { world, kill, until, waiting, since } = await contended(fault)
      if (fault === 'kill') kill('c')
      else world.network.isolate('c')
      await until(() => waiting.token !== null, 2 * BUSY_MS)
      expect(waiting.at - since).toBeLessThan(3 * LEASE_MS)
    }
  })
})
