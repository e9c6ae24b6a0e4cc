import type { HeldLock, Locks } from '@cluster/core'
import type { SuiteRunner } from './runner.ts'

export interface MutexFixture {
  /** Starts the node of that name (again) in the one group; its id is the name. */
  start(name: string): Promise<Locks>
  /** Ends the process of a node as kill −9 does. */
  kill(name: string): void
  /** Nothing of the node's process runs for so long (virtual) time. */
  stall(name: string, ms: number): void
  /** Whether a bundle with this condition and without an effect of its own is adopted. */
  holds(name: string, requirement: Uint8Array): Promise<boolean>
  /** Lets (virtual) time pass until it holds. @throws when it does not within `withinMs` */
  until(done: () => boolean, withinMs: number): Promise<void>
  /** Lets (virtual) time pass until the promise settles. */
  settle<T>(promise: Promise<T>): Promise<T>
}

const LONG_MS = 60_000

/** What every implementation of `Locks` must do, over any ordered log. Three nodes are started in each test. */
export function mutexSuite({ describe, test, expect }: SuiteRunner, open: () => Promise<MutexFixture>): void {
  const three = async (): Promise<
    MutexFixture & { readonly a: Locks; readonly b: Locks; readonly c: Locks }
  > => {
    const fixture = await open()
    const a = await fixture.start('a')
    const b = await fixture.start('b')
    return { ...fixture, a, b, c: await fixture.start('c') }
  }
  const codeOf = async (work: Promise<unknown>): Promise<unknown> => {
    try {
      await work
      return null
    } catch (error) {
      return (error as { code?: unknown }).code
    }
  }
  /** Runs to the end of an acquisition in the background. */
  const pending = (work: Promise<HeldLock>): { held: HeldLock | null } => {
    const result: { held: HeldLock | null } = { held: null }
    work.then(
      (held) => {
        result.held = held
      },
      () => {
        // The test looks at `held`.
      },
    )
    return result
  }

  describe('locks', () => {
    test('one has it, the next one waits, and tokens grow', async () => {
      const { a, b, settle, until } = await three()
      const first = await settle(a.acquire('till'))
      const waiting = pending(b.acquire('till'))
      expect(await settle(b.tryAcquire('till'))).toBeNull()
      expect(waiting.held).toBeNull()
      await settle(first.release())
      expect(first.held).toBe(false)
      await until(() => waiting.held !== null, LONG_MS)
      expect(waiting.held?.token ?? 0).toBeGreaterThan(first.token)
      expect(waiting.held?.held).toBe(true)
      await settle(first.release())
      expect(waiting.held?.signal.aborted).toBe(false)
    })

    test('those who wait are served in the order they came', async () => {
      const { a, b, c, settle, until } = await three()
      const first = await settle(a.acquire('till'))
      const order: string[] = []
      const queue = async (name: string, locks: Locks): Promise<void> => {
        const held = await locks.acquire('till')
        order.push(name)
        await held.release()
      }
      const all: Promise<void>[] = []
      for (const [name, locks] of [
        ['b', b],
        ['c', c],
        ['a', a],
        ['b again', b],
      ] as const) {
        const before = all.length
        all.push(queue(name, locks))
        let length = 0
        while (length <= before) length = (await settle(a.describe('till')))[0]?.queue.length ?? 0
      }
      await settle(first.release())
      await until(() => order.length === 4, LONG_MS)
      await settle(Promise.all(all))
      expect(order).toEqual(['b', 'c', 'a', 'b again'])
      expect(await settle(b.describe())).toEqual([])
    })

    test('who gives up leaves the line', async () => {
      const { a, b, c, settle } = await three()
      const first = await settle(a.acquire('till'))
      expect(await settle(codeOf(b.acquire('till', { timeoutMs: 300 })))).toBe('MUTEX_TIMEOUT')
      const controller = new AbortController()
      const given = codeOf(b.acquire('till', { signal: controller.signal }))
      controller.abort()
      expect(await settle(given)).toBe('ABORTED')
      await settle(first.release())
      const next = await settle(c.acquire('till', { timeoutMs: 5_000 }))
      expect((await settle(c.describe('till')))[0]?.queue).toEqual([])
      await settle(next.release())
    })

    test('a grant has several handles and is over with the last', async () => {
      const { a, b, settle } = await three()
      const outer = await settle(a.acquire('till'))
      const inner = outer.again()
      expect(inner.token).toBe(outer.token)
      await settle(outer.release())
      expect(inner.held).toBe(true)
      expect(await settle(b.tryAcquire('till'))).toBeNull()
      await settle(inner.release())
      expect(await settle(b.tryAcquire('till'))).not.toBeNull()
      expect(() => inner.again()).toThrow()
    })

    test('readers share, a writer is alone, and later readers do not overtake it', async () => {
      const { a, b, c, settle, until } = await three()
      const one = await settle(a.acquire('book', { mode: 'shared' }))
      const two = await settle(b.acquire('book', { mode: 'shared' }))
      const writer = pending(c.acquire('book'))
      while ((await settle(a.describe('book')))[0]?.queue.length !== 1);
      expect(await settle(a.tryAcquire('book', { mode: 'shared' }))).toBeNull()
      await settle(one.release())
      expect(writer.held).toBeNull()
      await settle(two.release())
      await until(() => writer.held !== null, LONG_MS)
    })

    test('a semaphore gives as many permits as it has', async () => {
      const { a, b, c, settle, until } = await three()
      const some = await settle(a.acquire('pool', { limit: 3, permits: 2 }))
      await settle(b.acquire('pool', { limit: 3 }))
      const late = pending(c.acquire('pool', { limit: 3, permits: 2 }))
      expect(await settle(c.tryAcquire('pool', { limit: 3 }))).toBeNull()
      expect(await settle(codeOf(c.acquire('pool')))).toBe('MUTEX_MODE_DIFFERS')
      expect(await settle(codeOf(c.acquire('pool', { limit: 4 })))).toBe('MUTEX_MODE_DIFFERS')
      expect(await settle(codeOf(c.acquire('pool', { limit: 3, permits: 4 })))).toBe('MUTEX_OPTION_INVALID')
      await settle(some.release())
      await until(() => late.held !== null, LONG_MS)
    })

    test('a barrier lets in all at once; who goes counts no more', async () => {
      const { a, b, c, kill, settle, until } = await three()
      const wish = { mode: 'barrier', limit: 2 } as const
      const lost = pending(c.acquire('gate', wish))
      while ((await settle(a.describe('gate')))[0]?.queue.length !== 1);
      kill('c')
      while ((await settle(a.describe('gate'))).length > 0);
      const first = pending(a.acquire('gate', wish))
      while ((await settle(b.describe('gate')))[0]?.queue.length !== 1);
      expect(first.held).toBeNull()
      await settle(b.acquire('gate', wish))
      await until(() => first.held !== null, LONG_MS)
      expect(lost.held).toBeNull()
      expect(await settle(codeOf(a.acquire('gate', { limit: 2 })))).toBe('MUTEX_MODE_DIFFERS')
      expect(await settle(codeOf(a.tryAcquire('other', wish)))).toBe('MUTEX_OPTION_INVALID')
    })

    test('a latch opens once for all who wait, and outlives who counts', async () => {
      const { a, b, c, kill, settle, until } = await three()
      await settle(a.latches.wait('done'))
      expect(await settle(c.latches.set('done', 2))).toBe(true)
      expect(await settle(b.latches.set('done', 9))).toBe(false)
      let open = 0
      for (const { latches } of [a, b])
        latches.wait('done').then(
          () => open++,
          () => {
            // The test looks at `open`.
          },
        )
      expect(await settle(codeOf(a.latches.wait('done', { timeoutMs: 500 })))).toBe('MUTEX_TIMEOUT')
      expect(await settle(c.latches.countDown('done'))).toBe(1)
      kill('c')
      expect(await settle(b.latches.count('done'))).toBe(1)
      expect(open).toBe(0)
      expect(await settle(b.latches.countDown('done', 5))).toBe(0)
      await until(() => open === 2, LONG_MS)
      expect(await settle(b.latches.countDown('done'))).toBe(0)
      expect(await settle(codeOf(b.latches.set('done', 0)))).toBe('MUTEX_OPTION_INVALID')
    })

    test('what a killed process held is free after its lease', async () => {
      const { a, b, kill, settle, holds } = await three()
      const held = await settle(b.acquire('till'))
      expect(await settle(holds('a', held.fence.condition))).toBe(true)
      kill('b')
      const next = await settle(a.acquire('till', { timeoutMs: LONG_MS }))
      expect(next.token).toBeGreaterThan(held.token)
      expect(await settle(holds('a', held.fence.condition))).toBe(false)
      expect(await settle(holds('a', next.fence.condition))).toBe(true)
    })

    test('a process that is started again gives up what it held before', async () => {
      const { b, kill, start, settle } = await three()
      const before = await settle(b.acquire('till'))
      kill('b')
      const again = await start('b')
      // It has a session of its own now, so the former one is over.
      await settle(again.acquire('other'))
      const held = await settle(again.tryAcquire('till'))
      expect(held?.token ?? 0).toBeGreaterThan(before.token)
    })

    test('a healthy holder keeps a lock for many leases', async () => {
      const { a, b, settle } = await three()
      const held = await settle(a.acquire('till'))
      expect(await settle(codeOf(b.acquire('till', { timeoutMs: LONG_MS / 2 })))).toBe('MUTEX_TIMEOUT')
      expect(held.held).toBe(true)
      expect(held.signal.aborted).toBe(false)
    })

    test('a stuck holder knows that it lost the lock before another has it', async () => {
      const { a, c, stall, settle, until } = await three()
      const held = await settle(c.acquire('till'))
      let heldStill: boolean | null = null
      const next = a.acquire('till').then((grant) => {
        heldStill = held.held
        return grant
      })
      stall('c', LONG_MS / 2)
      await settle(next)
      expect(heldStill).toBe(false)
      await until(() => held.signal.aborted, LONG_MS)
    })

    test('an operator breaks a lock: the fence falls, the holder hears why, the next one has it', async () => {
      const { a, b, c, settle, until, holds } = await three()
      const held = await settle(a.acquire('till'))
      const waiting = pending(b.acquire('till'))
      while ((await settle(c.describe('till')))[0]?.queue.length !== 1);
      expect(await settle(c.break('till', 'the till is on fire'))).toBe(1)
      expect(await settle(holds('c', held.fence.condition))).toBe(false)
      await until(() => waiting.held !== null, LONG_MS)
      expect(held.signal.aborted).toBe(true)
      expect(held.signal.reason).toMatchObject({
        code: 'MUTEX_BROKEN',
        detail: { reason: 'the till is on fire' },
      })
      await settle(held.release())
      expect(waiting.held?.held).toBe(true)
      expect(await settle(c.break('nothing', 'why not'))).toBe(0)
    })

    test('who would wait for itself is refused, and told over whom', async () => {
      const { a, b, c, settle, until } = await three()
      const [first, second, third] = [{}, {}, {}]
      const x = await settle(a.acquire('x', { owner: first }))
      const y = await settle(b.acquire('y', { owner: second }))
      const z = await settle(c.acquire('z', { owner: third }))
      const waitsForY = pending(a.acquire('y', { owner: first }))
      const waitsForZ = pending(b.acquire('z', { owner: second }))
      while ((await settle(c.describe())).some(({ name, queue }) => name !== 'x' && queue.length === 0));
      const refused = c.acquire('x', { owner: third, timeoutMs: LONG_MS })
      const error = await settle(
        refused.then(
          () => null,
          (reason: unknown) => reason,
        ),
      )
      expect(error).toMatchObject({
        code: 'MUTEX_DEADLOCK',
        outcome: 'rejected',
        detail: {
          lock: 'x',
          cycle: [
            { node: 'c', lock: 'x' },
            { node: 'a', lock: 'y' },
            { node: 'b', lock: 'z' },
          ],
        },
      })
      // Another one of the same process waits for nobody's sake.
      const other = pending(c.acquire('x', { owner: {} }))
      const nobody = pending(c.acquire('x'))
      await settle(z.release())
      await until(() => waitsForZ.held !== null, LONG_MS)
      await settle(Promise.all([y.release(), waitsForZ.held?.release()]))
      await until(() => waitsForY.held !== null, LONG_MS)
      await settle(Promise.all([x.release(), waitsForY.held?.release()]))
      await until(() => other.held !== null, LONG_MS)
      await settle(other.held?.release() ?? Promise.resolve())
      await until(() => nobody.held !== null, LONG_MS)
    })

    test('who has it and takes it again as the same one, or wants to write what it reads, is refused', async () => {
      const { a, b, settle } = await three()
      const owner = {}
      await settle(a.acquire('till', { owner }))
      expect(await settle(codeOf(a.acquire('till', { owner })))).toBe('MUTEX_DEADLOCK')
      const reader = await settle(b.acquire('book', { owner, mode: 'shared' }))
      expect(await settle(codeOf(b.acquire('book', { owner, mode: 'exclusive' })))).toBe('MUTEX_DEADLOCK')
      expect(reader.held).toBe(true)
      const permit = await settle(a.acquire('one', { owner, limit: 1 }))
      expect(await settle(codeOf(a.acquire('one', { owner, limit: 1 })))).toBe('MUTEX_DEADLOCK')
      await settle(permit.release())
      expect(await settle(codeOf(a.acquire('till', { owner: 5 as unknown as object })))).toBe(
        'MUTEX_OPTION_INVALID',
      )
    })

    test('what stops gives everything back', async () => {
      const { a, b, settle } = await three()
      const held = await settle(a.acquire('till'))
      await settle(a.stop())
      expect(held.signal.aborted).toBe(true)
      expect(await settle(b.tryAcquire('till'))).not.toBeNull()
      expect(await settle(codeOf(a.acquire('till')))).toBe('STOPPED')
    })

    test('describe and watch tell who has it and who waits', async () => {
      const { a, b, c, settle, until } = await three()
      const seen: string[] = []
      const cancel = c.watch('till', (info) => {
        seen.push(
          `${info?.holders.map(({ node }) => node) ?? '-'}|${info?.queue.map(({ node }) => node) ?? ''}`,
        )
      })
      const held = await settle(a.acquire('till'))
      const waiting = pending(b.acquire('till'))
      while ((await settle(c.describe('till')))[0]?.queue.length !== 1);
      expect((await settle(c.describe()))[0]).toMatchObject({
        name: 'till',
        limit: null,
        holders: [{ node: 'a', token: held.token, mode: 'exclusive', permits: 1, broken: null }],
        queue: [{ node: 'b', mode: 'exclusive', permits: 1 }],
      })
      await settle(held.release())
      await until(() => waiting.held !== null, LONG_MS)
      await settle(waiting.held?.release() ?? Promise.resolve())
      await until(() => seen.length === 4, LONG_MS)
      expect(seen).toEqual(['a|', 'a|b', 'b|', '-|'])
      cancel()
    })
  })
}
