import { codeOf, collect, LONG_MS, type SuiteParts } from './fixture.ts'

export function others({ test, expect, three }: SuiteParts): void {
  test('a set has an element once', async () => {
    const { a, b, settle } = await three()
    const set = a.set<string>('s')
    expect(await settle(set.add('x'))).toBe(true)
    expect(await settle(b.set('s').add('x'))).toBe(false)
    await settle(b.set('s').add('y'))
    expect((await settle(collect(set))).sort()).toEqual(['x', 'y'])
    expect(await settle(set.has('y'))).toBe(true)
    expect(await settle(set.delete('x'))).toBe(true)
    expect(await settle(b.set('s').size())).toBe(1)
    await settle(set.clear())
    expect(await settle(b.set('s').size())).toBe(0)
  })

  test('a multiset counts', async () => {
    const { a, b, settle } = await three()
    const bag = a.multiset<string>('bag')
    expect(await settle(bag.add('x', 3))).toBe(3)
    expect(await settle(b.multiset<string>('bag').add('x'))).toBe(4)
    expect(await settle(bag.remove('x', 5))).toBe(false)
    expect(await settle(bag.remove('x', 4))).toBe(true)
    expect(await settle(bag.count('x'))).toBe(0)
    expect(await settle(bag.size())).toBe(0)
    await settle(bag.add('y', 2))
    expect(await settle(collect(b.multiset<string>('bag')))).toEqual([['y', 2]])
  })

  test('a list has places', async () => {
    const { a, b, settle } = await three()
    const list = a.list<string>('l')
    await settle(list.push('b'))
    await settle(list.push('d'))
    await settle(b.list<string>('l').unshift('a'))
    expect(await settle(list.insert(2, 'c'))).toBe(true)
    expect(await settle(list.insert(9, 'x'))).toBe(false)
    expect(await settle(b.list<string>('l').toArray())).toEqual(['a', 'b', 'c', 'd'])
    expect(await settle(list.at(-1))).toBe('d')
    expect(await settle(list.set(1, 'B'))).toBe(true)
    expect(await settle(list.set(4, 'x'))).toBe(false)
    expect(await settle(list.delete(2))).toBe(true)
    expect(await settle(list.pop())).toBe('d')
    expect(await settle(b.list<string>('l').shift())).toBe('a')
    expect(await settle(collect(list))).toEqual(['B'])
    expect(await settle(list.pop())).toBe('B')
    expect((await settle(list.shift())) ?? null).toBeNull()
  })

  test('an element that several nodes take goes to one', async () => {
    const { a, b, c, settle } = await three()
    for (let i = 0; i < 12; i++) await settle(a.list<number>('l').push(i))
    const taken: number[] = []
    const drain = async (node: typeof a): Promise<void> => {
      for (let next = await node.list<number>('l').shift(); next !== undefined; ) {
        taken.push(next)
        next = await node.list<number>('l').shift()
      }
    }
    await settle(Promise.all([drain(a), drain(b), drain(c)]))
    expect(taken.sort((x, y) => x - y)).toEqual(Array.from({ length: 12 }, (_, i) => i))
  })

  test('a counter is exact', async () => {
    const { a, b, c, settle } = await three()
    const add = async (node: typeof a): Promise<number[]> => {
      const seen: number[] = []
      for (let i = 0; i < 10; i++) seen.push(await node.counter('n').add(2))
      return seen
    }
    const seen = (await settle(Promise.all([add(a), add(b), add(c)]))).flat()
    expect(new Set(seen).size).toBe(30)
    expect(await settle(a.counter('n').value())).toBe(60)
    expect(await settle(b.counter('n').compareAndSet(60, 0))).toBe(true)
    expect(await settle(b.counter('n').compareAndSet(60, 1))).toBe(false)
    expect(await settle(c.counter('new').compareAndSet(0, Number.MAX_SAFE_INTEGER))).toBe(true)
    expect(await settle(codeOf(a.counter('new').add(1)))).toBe('CONTAINER_OVERFLOW')
    expect(await settle(a.counter('new').add(-1))).toBe(Number.MAX_SAFE_INTEGER - 1)
  })

  test('a fast counter is flushed by itself, and on demand', async () => {
    const { a, b, settle, until } = await three()
    const fast = a.fastCounter('n', { flushMs: 50 })
    for (let i = 0; i < 1_000; i++) fast.add()
    expect(await settle(fast.value())).toBe(1_000)
    let seen = 0
    const look = async (): Promise<void> => {
      while (seen !== 1_000) seen = await b.counter('n').value()
    }
    await settle(look())
    fast.add(-1)
    await settle(fast.flush())
    expect(await settle(b.counter('n').value())).toBe(999)
    const other = b.fastCounter('n')
    other.add(1)
    await settle(b.stop())
    let synced = false
    a.counter('n')
      .value()
      .then((value) => {
        synced = value === 1_000
      })
    await until(() => synced, LONG_MS)
  })

  test('a reference is compared and set', async () => {
    const { a, b, settle } = await three()
    const reference = a.reference<{ readonly at: number }>('r')
    expect((await settle(reference.get())) ?? null).toBeNull()
    expect(await settle(reference.compareAndSet(undefined, { at: 1 }))).toBe(true)
    expect(await settle(b.reference<{ readonly at: number }>('r').compareAndSet(undefined, { at: 2 }))).toBe(
      false,
    )
    expect(await settle(reference.compareAndSet({ at: 1 }, { at: 3 }))).toBe(true)
    expect(await settle(b.reference('r').get())).toEqual({ at: 3 })
    await settle(reference.compute((value) => ({ at: (value?.at ?? 0) + 1 })))
    expect(await settle(b.reference('r').get())).toEqual({ at: 4 })
    expect(await settle(reference.compareAndSet({ at: 4 }, undefined))).toBe(true)
    expect(await settle(reference.delete())).toBe(false)
  })

  test('a ring has what came last', async () => {
    const { a, b, settle } = await three()
    const ring = a.ring<number>('r', { keep: 3 })
    for (let i = 0; i < 5; i++) await settle(ring.publish(i))
    expect(await settle(b.ring<number>('r').toArray())).toEqual([2, 3, 4])
  })

  test('many callers share entries of the log', async () => {
    const { a, b, settle } = await three()
    const map = a.map<number, number>('m')
    const written = await settle(Promise.all(Array.from({ length: 200 }, (_, i) => map.set(i, i))))
    expect(new Set(written.map(({ index }) => index)).size).toBeLessThan(20)
    expect(new Set(written.map(({ version }) => version)).size).toBe(200)
    expect(await settle(b.map('m').size())).toBe(200)
  })
}
