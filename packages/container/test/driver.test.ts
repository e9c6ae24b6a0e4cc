import type { ContainerKey } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeKey, encodeKey } from '../src/driver/keys.ts'
import { modelCluster } from './model-cluster.ts'

async function three() {
  const cluster = modelCluster()
  const a = await cluster.start('a')
  const b = await cluster.start('b')
  return { ...cluster, a, b, c: await cluster.start('c') }
}

describe('containers over the model of a log', () => {
  test('a message has a full lease under a new leader', async () => {
    const { a, b, c, kill, model, world, settle } = await three()
    await settle(c.queue<string>('q', { leaseMs: 1_000 }).push('job'))
    await settle(c.queue('q').take())
    kill('c')
    const taken = world.now
    await world.run(500)
    model.lead('b')
    await settle(a.queue('q').take())
    expect(world.now - taken).toBeGreaterThanOrEqual(1_500)
    expect(world.now - taken).toBeLessThan(2_000)
    await settle(b.queue('q').size())
  })

  test('a leader that is elected long after an entry was to end, ends it soon', async () => {
    const { a, model, world, settle, until } = await three()
    const map = a.map<string, number>('m', { ttlMs: 1_000 })
    await settle(map.set('x', 1))
    model.pause()
    await world.run(5_000)
    model.lead('b')
    model.resume()
    await until(() => !map.local.has('x'), 1_000)
  })

  test('when nothing is to end nothing is sent', async () => {
    const { a, model, world, settle } = await three()
    await settle(a.map<string, number>('m').set('x', 1))
    await settle(a.map<string, number>('m').set('y', 1, { ttlMs: 500 }))
    await world.run(2_000)
    const entries = model.entries().length
    await world.run(100_000)
    expect(model.entries().length).toBe(entries)
  })

  test('a node that gets a snapshot has what it says, follows on, and says what it missed', async () => {
    const { a, b, model, settle } = await three()
    const map = a.map<string, number>('m', { historyMax: 3 })
    await settle(map.set('x', 0))
    await settle(b.map<string, number>('m').get('x'))
    const seen: number[] = []
    b.map<string, number>('m').watch(({ after }) => seen.push(after ?? -1))
    const feed = b.map<string, number>('m').changes()
    model.hold('b')
    for (let i = 1; i <= 6; i++) await settle(map.set('x', i))
    await settle(a.queue<string>('q').push('job'))
    await settle(a.queue<string>('q').take({ leaseMs: 500 }))
    model.compact('a')
    model.release('b')
    await settle(b.map('m').get('x'))
    await settle(map.set('x', 7))
    await settle(b.map('m').get('x'))
    expect(seen).toEqual([4, 5, 6, 7])
    await expect(settle(feed.next())).rejects.toMatchObject({ code: 'CONTAINER_HISTORY_GONE' })
    // Leases are in the snapshot, too.
    model.lead('b')
    expect((await settle(b.queue<string>('q').take()))?.redelivered).toBe(true)
  })

  test('a write whose answer is gone with a snapshot is unknown to its caller', async () => {
    const { a, b, model, world, settle } = await three()
    await settle(a.counter('n').add())
    await settle(b.counter('n').value())
    model.hold('b')
    const adding = settle(b.counter('n').add())
    const failed = expect(adding).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' })
    world.schedule(50, () => {
      model.compact('a')
      model.release('b')
    })
    await failed
    expect(await settle(a.counter('n').value())).toBe(2)
  })

  test('what was counted without a quorum counts once when it is back', async () => {
    const { a, b, model, world, settle } = await three()
    const fast = a.fastCounter('n', { flushMs: 20 })
    model.pause()
    fast.add(5)
    await world.run(30_000)
    fast.add(2)
    model.resume()
    await settle(fast.flush())
    expect(await settle(b.counter('n').value())).toBe(7)
  })

  test('a call with a deadline says so, and others do not wait for it', async () => {
    const { a, model, world, settle } = await three()
    model.pause()
    const map = a.map<string, number>('m')
    const late = settle(map.set('x', 1, { deadlineMs: 100 }))
    await expect(late).rejects.toMatchObject({ code: 'LOG_NO_QUORUM', outcome: 'rejected' })
    world.schedule(10, () => model.resume())
    await settle(map.set('x', 2))
    expect(await settle(map.get('x', { deadlineMs: 1_000 }))).toBe(2)
  })
})

describe('keys', () => {
  const scalar = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 6 }),
  )
  const key: fc.Arbitrary<ContainerKey> = fc.oneof(
    scalar,
    fc.array(fc.oneof(scalar, fc.array(scalar)), { maxLength: 3 }),
  )

  test('come back as they were', () => {
    fc.assert(fc.property(key, (value) => expect(decodeKey(encodeKey(value))).toEqual(value)))
  })

  test('sort as their values do, and tuples field by field', () => {
    const order = <T extends number | bigint | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)
    const numbers = fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value))
    fc.assert(
      fc.property(
        numbers,
        numbers,
        fc.string({ unit: 'grapheme-ascii' }),
        fc.string({ unit: 'grapheme-ascii' }),
        (x, y, s, t) => {
          expect(order(encodeKey(x), encodeKey(y))).toBe(order(x, y))
          expect(order(encodeKey(s), encodeKey(t))).toBe(order(s, t))
          expect(order(encodeKey([s, x]), encodeKey([t, y]))).toBe(order(s, t) || order(x, y))
          expect(order(encodeKey([s]), encodeKey([s, x]))).toBe(-1)
        },
      ),
    )
  })

  test('what is no key is refused', () => {
    for (const wrong of [
      Number.NaN,
      2n ** 63n,
      '\ud800',
      {},
      undefined,
      Symbol('x'),
    ] as unknown as ContainerKey[])
      expect(() => encodeKey(wrong)).toThrow(/key/)
  })
})
