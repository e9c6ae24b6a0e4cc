import { describe, expect, test } from '@jest/globals'
import { election, type Leadership, mutex } from '../src/index.ts'
import { modelCluster } from './model-cluster.ts'

const LEASE_MS = 1_000

async function three() {
  const cluster = modelCluster({ leaseMs: LEASE_MS })
  const a = await cluster.start('a')
  const b = await cluster.start('b')
  return { ...cluster, a, b, c: await cluster.start('c') }
}

describe('locks over the model of a log', () => {
  test('what a member held that is removed and proved dead is free at once', async () => {
    const { a, b, model, world, proveDead, settle } = await three()
    await settle(b.acquire('till'))
    model.kill('b')
    const before = world.now
    proveDead('b')
    model.remove('b')
    await settle(a.acquire('till'))
    expect(world.now - before).toBeLessThan(LEASE_MS / 10)
  })

  test('a member that is removed without a proof, or with that of a former process, keeps its locks for a lease', async () => {
    const { a, c, kill, start, model, world, proveDead, settle } = await three()
    kill('b')
    // Nobody is there, and then its next process is.
    proveDead('b')
    const again = await start('b')
    const held = await settle(again.acquire('till'))
    const before = world.now
    model.hold('b')
    model.remove('b')
    let heldStill: boolean | null = null
    await settle(
      a.acquire('till').then(() => {
        heldStill = held.held
      }),
    )
    expect(heldStill).toBe(false)
    expect(world.now - before).toBeGreaterThanOrEqual(LEASE_MS * 0.9)
    expect(await settle(c.tryAcquire('till'))).toBeNull()
  })

  test('a killed holder is waited for a lease, and a new leader waits a full one', async () => {
    const { a, c, kill, model, world, settle } = await three()
    await settle(c.acquire('till'))
    kill('c')
    const died = world.now
    await world.run(LEASE_MS / 2)
    model.lead('b')
    await settle(a.acquire('till'))
    expect(world.now - died).toBeGreaterThanOrEqual(LEASE_MS * 1.5)
    expect(world.now - died).toBeLessThan(LEASE_MS * 2)
  })

  test('without a quorum a holder lets go before its lease is over', async () => {
    const { a, model, world, until, settle } = await three()
    const held = await settle(a.acquire('till'))
    model.pause()
    const paused = world.now
    await until(() => held.signal.aborted, LEASE_MS)
    expect(world.now - paused).toBeLessThan(LEASE_MS)
    expect(held.signal.reason).toMatchObject({ code: 'MUTEX_SESSION_LOST' })
    model.resume()
    await settle(held.release())
    const again = await settle(a.acquire('till', { timeoutMs: LEASE_MS }))
    expect(again.token).toBeGreaterThan(held.token)
  })

  test('a node that hears of its grant by a snapshot has it', async () => {
    const { a, b, model, world, settle } = await three()
    const first = await settle(a.acquire('till'))
    const next = b.acquire('till')
    while ((await settle(a.describe('till')))[0]?.queue.length !== 1);
    model.hold('b')
    await settle(first.release())
    await world.run(10)
    model.compact('a')
    model.release('b')
    const held = await settle(next)
    expect(held.held).toBe(true)
    expect((await settle(a.describe('till')))[0]?.holders).toMatchObject([{ node: 'b', token: held.token }])
  })

  test('a wish that is given up on its way leaves nothing behind', async () => {
    const { a, b, world, settle } = await three()
    // The session is there, so that the wish itself is what is under way.
    await settle((await settle(a.acquire('other'))).release())
    const controller = new AbortController()
    const wish = a.acquire('till', { signal: controller.signal })
    wish.catch(() => {
      // It is looked at below.
    })
    await world.run(1)
    controller.abort()
    await expect(wish).rejects.toMatchObject({ code: 'ABORTED', outcome: 'rejected' })
    await world.run(50)
    expect(await settle(b.describe())).toEqual([])
    expect(await settle(b.tryAcquire('till'))).not.toBeNull()
  })

  test('a process that has no locks sends nothing', async () => {
    const { a, model, world, settle } = await three()
    await settle((await settle(a.acquire('till'))).release())
    await world.run(LEASE_MS * 2)
    const entries = model.entries().length
    await world.run(LEASE_MS * 10)
    expect(model.entries().length).toBe(entries)
  })

  test('many locks are renewed by one entry', async () => {
    const { a, model, world, settle } = await three()
    await settle(Promise.all(Array.from({ length: 50 }, (_, i) => a.acquire(`lock ${i}`))))
    const entries = model.entries().length
    await world.run(LEASE_MS * 3)
    expect(model.entries().length - entries).toBeLessThanOrEqual(10)
  })

  test('one of those who stand for an election leads, and others see the change', async () => {
    const { a, b, c, kill, until, settle } = await three()
    const seen: (Leadership | null)[] = []
    election(a, 'office').observe((leader) => seen.push(leader))
    const first = await settle(election(b, 'office').campaign())
    const second = election(c, 'office').campaign()
    while ((await settle(a.describe('office')))[0]?.queue.length !== 1);
    expect(await settle(election(a, 'office').leader())).toEqual({ node: 'b', token: first.token })
    kill('b')
    const office = await settle(second)
    await until(() => seen.length === 2, LEASE_MS)
    await settle(office.release())
    await until(() => seen.length === 3, LEASE_MS)
    expect(seen).toEqual([{ node: 'b', token: first.token }, { node: 'c', token: office.token }, null])
  })

  test('what cannot be meant is refused before anything is sent', async () => {
    const { a, settle } = await three()
    const wrong = { code: 'MUTEX_OPTION_INVALID', outcome: 'rejected' }
    await expect(settle(a.acquire(''))).rejects.toMatchObject(wrong)
    await expect(settle(a.acquire('x', { permits: 2 }))).rejects.toMatchObject(wrong)
    await expect(settle(a.acquire('x', { mode: 'permits' }))).rejects.toMatchObject(wrong)
    await expect(settle(a.acquire('x', { limit: 2, permits: 3 }))).rejects.toMatchObject(wrong)
    await expect(settle(a.acquire('x', { mode: 'shared', limit: 3 }))).rejects.toMatchObject(wrong)
    await expect(settle(a.acquire('x', { timeoutMs: -1 }))).rejects.toMatchObject(wrong)
    await expect(settle(a.break('x', ' '))).rejects.toMatchObject(wrong)
    await expect(settle(a.acquire('x'.repeat(300)))).rejects.toMatchObject({
      code: 'MUTEX_LIMIT',
      detail: { limit: 'nameBytes', max: 256 },
    })
    expect(() => mutex({ leaseMs: 60_000 })).toThrow()
  })
})
