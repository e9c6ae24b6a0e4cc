import { codeOf, collect, LONG_MS, type SuiteParts } from './fixture.ts'

/** What maps have whose entries are on every node. */
export function smallMaps({ test, expect, three }: SuiteParts): void {
  test('a read that is local sees what this node has; syncedTo waits for a write of another one', async () => {
    const { a, b, settle } = await three()
    const { index } = await settle(a.map<string, number>('m').set('x', 1))
    const there = b.map<string, number>('m')
    await settle(there.syncedTo(index))
    expect(await settle(there.get('x', { read: 'local' }))).toBe(1)
    expect(there.local.get('x')).toBe(1)
    expect([...there.local]).toEqual([['x', 1]])
    expect(there.local.size).toBe(1)
  })

  test('a sorted map has its keys in order', async () => {
    const { a, b, settle } = await three()
    const map = a.sortedMap<readonly [string, number], string>('s')
    for (const [word, number] of [
      ['b', 2],
      ['a', 10],
      ['b', -1],
      ['a', 9],
    ] as const)
      await settle(map.set([word, number], `${word}${number}`))
    const there = b.sortedMap<readonly [string, number], string>('s')
    expect((await settle(collect(there.values()))).join()).toBe('a9,a10,b-1,b2')
    const range = await settle(there.range({ from: ['a', 10], to: ['b', 2] }))
    expect(range.map(([, value]) => value).join()).toBe('a10,b-1')
    const last = await settle(there.range({ reverse: true, limit: 2 }))
    expect(last.map(([, value]) => value).join()).toBe('b2,b-1')
    expect((await settle(there.first()))?.[1]).toBe('a9')
    expect((await settle(there.last()))?.[1]).toBe('b2')
  })

  test('an entry ends when its time is over in the log, on all nodes, also with a new leader', async () => {
    const { a, b, kill, settle, until } = await three()
    const map = b.map<string, number>('sessions', { ttlMs: 2_000 })
    await settle(map.set('short', 1))
    await settle(map.set('long', 2, { ttlMs: 30_000 }))
    await settle(map.set('ever', 3, { ttlMs: null }))
    await settle(map.set('kept', 4))
    const here = a.map<string, number>('sessions')
    expect(await settle(here.touch('kept', null))).toBe(true)
    await until(() => !map.local.has('short'), LONG_MS)
    expect([...map.local.keys()].sort()).toEqual(['ever', 'kept', 'long'])
    // Whoever led, one of the other two ends the next one.
    kill('a')
    await until(() => !map.local.has('long'), LONG_MS)
    expect([...map.local.keys()].sort()).toEqual(['ever', 'kept'])
  })

  test('a cache lets the entries go that were written longest ago', async () => {
    const { a, settle } = await three()
    const cache = a.cache<string, number>('c', { sizeMax: 3 })
    for (const key of ['a', 'b', 'c', 'a', 'd']) await settle(cache.set(key, 1))
    expect([...cache.local.keys()].sort()).toEqual(['a', 'c', 'd'])
  })

  test('what has no room is refused, and nothing else is lost', async () => {
    const { a, b, settle } = await three()
    const map = a.map<string, string>('small', { bytesMax: 2_000 })
    await settle(map.set('x', 'x'.repeat(1_000)))
    expect(await settle(codeOf(map.set('y', 'y'.repeat(1_000))))).toBe('CONTAINER_FULL')
    expect(await settle(b.map('small').size())).toBe(1)
    await settle(map.set('x', 'x'))
    await settle(map.set('y', 'y'.repeat(1_000)))
    expect(map.bytes()).toBeGreaterThan(1_000)
  })

  test('a name is of one kind, with the options it was made with', async () => {
    const { a, b, settle } = await three()
    await settle(a.map<string, number>('m', { ttlMs: 5_000 }).set('x', 1))
    expect(await settle(codeOf(b.set('m').add('x')))).toBe('CONTAINER_KIND_DIFFERS')
    expect(await settle(codeOf(b.set('m').has('x')))).toBe('CONTAINER_KIND_DIFFERS')
    expect(await settle(codeOf(b.map('m', { ttlMs: 6_000 }).set('x', 1)))).toBe('CONTAINER_OPTIONS_DIFFER')
    await settle(b.map('m').set('y', 2))
    expect(b.describe()).toMatchObject([{ name: 'm', kind: 'map', size: 2 }])
    const map = b.map<string, number>('m')
    await settle(map.destroy())
    expect(await settle(a.map('m').size())).toBe(0)
    await settle(map.set('x', 1))
    expect(await settle(map.size())).toBe(1)
    expect(() => a.map('')).toThrow()
    expect(() => a.map('m', { ttlMs: -1 })).toThrow()
    expect(await settle(codeOf(map.set(Number.NaN as unknown as string, 1)))).toBe('CONTAINER_OPTION_INVALID')
  })
}
