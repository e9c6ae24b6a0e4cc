import type { QueueMessage } from '@cluster/core'
import { codeOf, LONG_MS, type SuiteParts } from './fixture.ts'

/** What was taken; the test has seen to it that there is something. */
function got<V>(message: QueueMessage<V> | null): QueueMessage<V> {
  if (message === null) throw new Error('there was no message')
  return message
}

export function queues({ test, expect, three }: SuiteParts): void {
  test('messages are taken in the order they came, and gone when acknowledged', async () => {
    const { a, b, settle } = await three()
    for (const word of ['one', 'two', 'three']) await settle(a.queue<string>('q').push(word))
    const queue = b.queue<string>('q')
    const first = got(await settle(queue.take()))
    expect(first.value).toBe('one')
    expect(first.redelivered).toBe(false)
    expect(await settle(a.queue('q').size())).toMatchObject({ ready: 2, taken: 1 })
    expect(got(await settle(a.queue<string>('q').take())).value).toBe('two')
    await settle(first.acknowledge())
    expect(await settle(codeOf(first.acknowledge()))).toBe('CONTAINER_LEASE_LOST')
    expect(await settle(a.queue('q').size())).toMatchObject({ ready: 1, taken: 1 })
    const third = got(await settle(queue.take({ timeoutMs: 0 })))
    await settle(third.release())
    const again = got(await settle(queue.take({ timeoutMs: 0 })))
    expect(again.value).toBe('three')
    expect(again.redelivered).toBe(true)
    expect(await settle(queue.take({ timeoutMs: 0 }))).toBeNull()
  })

  test('those who wait are served when a message comes', async () => {
    const { a, b, c, settle } = await three()
    const waiting = [b, c, b].map((node) => node.queue<number>('q').take())
    const none = b.queue<number>('q').take({ timeoutMs: 100 })
    expect(await settle(none)).toBeNull()
    const controller = new AbortController()
    const given = codeOf(c.queue<number>('q').take({ signal: controller.signal }))
    controller.abort()
    expect(await settle(given)).toBe('ABORTED')
    for (let i = 0; i < 4; i++) await settle(a.queue<number>('q').push(i))
    const taken = (await settle(Promise.all(waiting))).map((message) => got(message).value)
    expect(taken.sort()).toEqual([0, 1, 2])
    expect(await settle(a.queue('q').size())).toMatchObject({ ready: 1, taken: 3 })
  })

  test('what a killed taker had is delivered again, and marked', async () => {
    const { a, b, kill, settle } = await three()
    await settle(a.queue<string>('q').push('job'))
    const lost = got(await settle(b.queue<string>('q').take({ leaseMs: 2_000 })))
    expect(lost.redelivered).toBe(false)
    kill('b')
    const again = got(await settle(a.queue<string>('q').take({ timeoutMs: LONG_MS })))
    expect(again.id).toBe(lost.id)
    expect(again.deliveries).toBe(2)
    expect(again.redelivered).toBe(true)
  })

  test('a lease that begins anew keeps the message; one that is over does not acknowledge', async () => {
    const { a, b, settle } = await three()
    await settle(a.queue<string>('q').push('job'))
    const held = got(await settle(a.queue<string>('q').take({ leaseMs: 1_000 })))
    const thief = b.queue<string>('q').take({ timeoutMs: LONG_MS })
    for (let i = 0; i < 5; i++) {
      expect(await settle(b.queue<string>('q').take({ timeoutMs: 500 }))).toBeNull()
      await settle(held.extend(1_000))
    }
    const stolen = got(await settle(thief))
    expect(await settle(codeOf(held.acknowledge()))).toBe('CONTAINER_LEASE_LOST')
    expect(await settle(codeOf(held.extend()))).toBe('CONTAINER_LEASE_LOST')
    await settle(stolen.acknowledge())
    expect(await settle(a.queue('q').size())).toMatchObject({ ready: 0, taken: 0 })
  })

  test('the smallest priority goes first, and of equal ones the one that came first', async () => {
    const { a, b, settle } = await three()
    const queue = a.priorityQueue<string>('q')
    for (const [value, priority] of [
      ['c', 5],
      ['a', -1.5],
      ['d', 5],
      ['b', 0],
    ] as const)
      await settle(queue.push(value, { priority }))
    const order: string[] = []
    for (let i = 0; i < 4; i++) {
      const message = got(await settle(b.priorityQueue<string>('q').take()))
      order.push(message.value)
      await settle(message.acknowledge())
    }
    expect(order).toEqual(['a', 'b', 'c', 'd'])
    expect(await settle(codeOf(a.queue<string>('plain').push('x', { priority: 1 })))).toBe(
      'CONTAINER_OPTION_INVALID',
    )
  })

  test('what is delivered too often is set aside, looked at, put back or discarded', async () => {
    const { a, b, kill, start, settle } = await three()
    const options = { deliveriesMax: 2, leaseMs: 1_000 }
    const queue = a.queue<string>('q', options)
    const over = async (each: typeof queue): Promise<void> => {
      while ((await each.size()).taken > 0);
    }
    for (const word of ['bad', 'worse', 'good']) await settle(queue.push(word))
    const there = b.queue<string>('q')
    for (const word of ['bad', 'bad', 'worse', 'worse', 'good']) {
      const message = got(await settle(there.take()))
      expect(message.value).toBe(word)
      // Some are given back; of the others the lease runs out.
      if (word === 'bad') await settle(message.release())
      else if (word === 'good') await settle(message.acknowledge())
      else await settle(over(there))
    }
    expect(await settle(there.take({ timeoutMs: 0 }))).toBeNull()
    expect(await settle(queue.size())).toEqual({ ready: 0, taken: 0, delayed: 0, aside: 2 })
    kill('b')
    const again = (await start('b')).queue<string>('q', options)
    const [bad, worse] = await settle(again.setAside())
    expect(bad).toMatchObject({ value: 'bad', deliveries: 2, priority: 0 })
    expect(worse).toMatchObject({ value: 'worse', deliveries: 2 })
    expect(await settle(again.discard(bad?.id ?? 0))).toBe(true)
    expect(await settle(again.discard(bad?.id ?? 0))).toBe(false)
    expect(await settle(again.putBack(bad?.id))).toBe(0)
    expect(await settle(again.putBack())).toBe(1)
    for (const deliveries of [3, 4]) {
      const message = got(await settle(queue.take({ timeoutMs: 0 })))
      expect([message.value, message.deliveries, message.redelivered]).toEqual(['worse', deliveries, true])
      await settle(message.release())
    }
    expect(await settle(queue.take({ timeoutMs: 0 }))).toBeNull()
    const other = a.queue('q', { deliveriesMax: 3 })
    expect(await settle(codeOf(other.push('x')))).toBe('CONTAINER_OPTIONS_DIFFER')
  })

  test('a message waits for its time, by the log, and then has its place', async () => {
    const { a, b, kill, settle } = await three()
    const queue = a.queue<string>('q')
    await settle(queue.push('later', { delayMs: 5_000 }))
    await settle(queue.push('long ago', { at: new Date(1) }))
    await settle(
      b.transaction(async (tx) => {
        await tx.push('q', 'in a transaction', { delayMs: 1_000 })
      }),
    )
    const first = got(await settle(b.queue<string>('q').take()))
    expect(first.value).toBe('long ago')
    expect(await settle(queue.size())).toEqual({ ready: 0, taken: 1, delayed: 2, aside: 0 })
    await settle(first.release({ delayMs: 2_000 }))
    expect(await settle(b.queue('q').take({ timeoutMs: 0 }))).toBeNull()
    expect(got(await settle(b.queue<string>('q').take())).value).toBe('in a transaction')
    expect(got(await settle(b.queue<string>('q').take())).redelivered).toBe(true)
    // Whoever led, one of the other two notes that the time of the last one has come.
    kill('c')
    expect(got(await settle(b.queue<string>('q').take({ timeoutMs: LONG_MS }))).value).toBe('later')
    expect(await settle(codeOf(queue.push('x', { delayMs: 1, at: new Date(5) })))).toBe(
      'CONTAINER_OPTION_INVALID',
    )
    expect(await settle(codeOf(queue.push('x', { delayMs: -1 })))).toBe('CONTAINER_OPTION_INVALID')
  })

  test('workers on three nodes do every job once', async () => {
    const { a, b, c, settle, until } = await three()
    const done: number[] = []
    const controller = new AbortController()
    const worker = async (node: typeof a): Promise<void> => {
      for (;;) {
        const message = await node.queue<number>('jobs').take({ signal: controller.signal })
        if (message === null) continue
        done.push(message.value)
        await message.acknowledge()
      }
    }
    const workers = [a, b, c, a, b].map((node) => codeOf(worker(node)))
    await settle(Promise.all(Array.from({ length: 40 }, (_, i) => c.queue<number>('jobs').push(i))))
    await until(() => done.length >= 40, LONG_MS)
    expect(done.sort((x, y) => x - y)).toEqual(Array.from({ length: 40 }, (_, i) => i))
    controller.abort()
    expect(await settle(Promise.all(workers))).toEqual(workers.map(() => 'ABORTED'))
  })
}
