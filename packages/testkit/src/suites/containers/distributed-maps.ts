import type {
  ChangeEvent,
  ContainerKey,
  Containers,
  ContainersTransaction,
  MapOptions,
  SharedMap,
} from '@cluster/core'
import { codeOf, collect, LONG_MS, type SuiteParts, takeSome } from './fixture.ts'

/** The same with other methods in place of some. */
function instead<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_target, property) {
      const owner = Object.hasOwn(methods, property) ? methods : target
      const value: unknown = Reflect.get(owner, property)
      return typeof value === 'function' ? value.bind(owner) : value
    },
  })
}

/** Containers whose maps are distributed, unless they have a bound of their own. */
export function allDistributed(containers: Containers): Containers {
  const options = <V>(name: string, given: MapOptions<V> = {}): MapOptions<V> => {
    const known = containers.describe().find((each) => each.name === name)
    const isSmall = given.bytesMax !== undefined || (known && known.kind !== 'distributedMap')
    return isSmall ? given : { distributed: true, ...given }
  }
  return instead(containers, {
    map: (name, given) => containers.map(name, options(name, given)),
    transaction: (work, call) =>
      containers.transaction(
        (tx: ContainersTransaction) =>
          work(instead(tx, { map: (name, given) => tx.map(name, options(name, given)) })),
        call,
      ),
  })
}

const shown = <V>({ type, key, before, after }: ChangeEvent<string, V>): string =>
  `${type} ${key ?? '*'} ${String(before ?? '-')} ${String(after ?? '-')}`

/** What only maps have whose entries are on partitions. */
export function distributedMaps({ test, expect, three }: SuiteParts): void {
  test('each entry is on as many nodes as asked for, and every node reads all of them', async () => {
    const { a, b, c, settle, until } = await three()
    const maps = [a, b, c].map((node) => node.map<number, number>('spread'))
    const [first] = maps as [SharedMap<number, number>, ...SharedMap<number, number>[]]
    await settle(Promise.all(Array.from({ length: 40 }, (_, i) => first.set(i, i * i))))
    for (const map of maps) {
      expect(await settle(map.size())).toBe(40)
      const all = await settle(collect(map.entries()))
      expect(all.sort(([x], [y]) => x - y).map(([, value]) => value)).toEqual(
        Array.from({ length: 40 }, (_, i) => i * i),
      )
    }
    const held = (): number => maps.reduce((sum, map) => sum + map.local.size, 0)
    await until(() => held() === 80, LONG_MS)
    for (const map of maps)
      for (const [key, value] of map.local) {
        expect(map.local.has(key)).toBe(true)
        expect(map.local.get(key)).toBe(value)
      }
    expect(first.bytes()).toBeGreaterThan(0)
    expect(a.describe()).toMatchObject([{ name: 'spread', kind: 'distributedMap', size: first.local.size }])
  })

  test('what was cleared is gone at once, and a node that did not know writes behind it', async () => {
    const { a, b, c, settle } = await three()
    const map = a.map<string, number>('m')
    await settle(map.set('x', 1))
    await settle(b.map<string, number>('m').set('y', 2))
    const feed = c.map<string, number>('m').changes({ from: 'oldest' })
    expect((await settle(takeSome(feed, 2))).map(shown)).toEqual(['set x - 1', 'set y - 2'])
    await settle(Promise.all([map.clear(), b.map<string, number>('m').set('z', 3)]))
    const there = (await settle(collect(map.keys()))).join()
    expect(there === '' || there === 'z').toBe(true)
    await settle(map.clear())
    expect(await settle(b.map('m').size())).toBe(0)
    await settle(b.map<string, number>('m').set('y', 5))
    expect(await settle(collect(map.entries()))).toEqual([['y', 5]])
    const rest = (await settle(takeSome(feed, 4))).map(shown)
    expect(rest.filter((each) => each.startsWith('cleared')).length).toBe(2)
    expect(rest.at(-1)).toBe('set y - 5')
    await settle(map.destroy())
    expect(await settle(map.size())).toBe(0)
    await settle(map.set('y', 6))
    expect((await settle(takeSome(feed, 2))).map(shown)).toEqual(['cleared * - -', 'set y - 6'])
  })

  test('when a node dies, entries, writes and followers go on', async () => {
    const { a, b, c, kill, settle } = await three()
    const map = a.map<number, string>('m')
    for (let i = 0; i < 12; i++) await settle(map.set(i, `v${i}`))
    const feed = b.map<number, string>('m').changes({ from: 'oldest' })
    const seen = await settle(takeSome(feed, 7))
    kill('b')
    expect(await settle(c.map('m').size())).toBe(12)
    for (let i = 0; i < 12; i++) expect(await settle(c.map<number, string>('m').get(i))).toBe(`v${i}`)
    await settle(map.delete(3))
    const rest = c.map<number, string>('m').changes({ from: seen.at(-1)?.token ?? '' })
    const others = await settle(takeSome(rest, 6))
    const keys = [...seen, ...others].map(({ type, key }) => `${type} ${key}`)
    expect(keys.slice(0, 12)).toEqual(Array.from({ length: 12 }, (_, i) => `set ${i}`))
    expect(keys.at(-1)).toBe('removed 3')
  })

  test('entries end by the time of the log, for all nodes at once and not early, also with a new leader', async () => {
    const { a, b, c, kill, settle, until } = await three()
    const map = a.map<string, number>('m', { ttlMs: 2_000 })
    const [there, other] = [b.map<string, number>('m'), c.map<string, number>('m')]
    const feed = other.changes({ from: 'oldest' })
    await settle(map.set('short', 1))
    await settle(there.set('long', 2, { ttlMs: 30_000 }))
    await settle(other.set('ever', 3, { ttlMs: null }))
    await settle(map.set('kept', 4))
    expect(await settle(there.touch('kept', null))).toBe(true)
    expect(await settle(there.touch('nothing', 5_000))).toBe(false)
    await settle(map.set('gone', 5))
    expect(await settle(there.delete('gone'))).toBe(true)
    expect(await settle(map.has('short'))).toBe(true)
    const ended = async (key: string): Promise<void> => {
      while (await map.has(key)) {
        const still = await Promise.all([there.has(key), collect(other.keys())])
        if (!still[0] && still[1].includes(key)) throw new Error(`${key} came back`)
      }
    }
    await settle(ended('short'))
    for (const each of [map, there, other]) {
      expect(await settle(each.get('short'))).toBe(undefined)
      expect((await settle(collect(each.keys()))).sort()).toEqual(['ever', 'kept', 'long'])
      expect(await settle(each.size())).toBe(3)
      expect(each.local.has('short')).toBe(false)
    }
    const told = (await settle(takeSome(feed, 7))).map(shown)
    expect(told).toEqual([
      'set short - 1',
      'set long - 2',
      'set ever - 3',
      'set kept - 4',
      'set gone - 5',
      'removed gone 5 -',
      'expired short 1 -',
    ])
    // Whoever led, one of the other two ends the next one.
    kill('c')
    await until(() => !map.local.has('long') && !there.local.has('long'), LONG_MS)
    await settle(ended('long'))
    expect((await settle(collect(map.keys()))).sort()).toEqual(['ever', 'kept'])
    const rest = there.changes({ from: 'oldest' })
    expect((await settle(takeSome(rest, 8))).map(shown).at(-1)).toBe('expired long 2 -')
  })

  test('what is over is nothing for writes, too, and its end is told before what comes next', async () => {
    const { a, b, settle } = await three()
    const map = a.map<string, number>('m')
    const there = b.map<string, number>('m')
    const feed = a.map<string, number>('m').changes()
    const first = feed.next()
    await settle(map.set('x', 1, { ttlMs: 1_000 }))
    await settle(map.set('y', 1, { ttlMs: 1_000 }))
    await settle(map.set('z', 1, { ttlMs: 1_000 }))
    const puts = async (): Promise<void> => {
      while (!(await there.putIfAbsent('x', 2)));
    }
    await settle(puts())
    expect(await settle(there.replace('y', 1, 9))).toBe(false)
    await settle(
      b.transaction(async (tx) => {
        const inside = tx.map<string, number>('m')
        if ((await inside.get('z')) === undefined) await inside.set('z', 3, { ttlMs: 60_000 })
      }),
    )
    expect((await settle(collect(map.entries()))).length).toBe(2)
    const { value } = await settle(first)
    const events = [value, ...(await settle(takeSome(feed, 7)))].map((event) => event && shown(event))
    const of = (key: string) => events.filter((each) => each?.includes(` ${key} `))
    expect(of('x')).toEqual(['set x - 1', 'expired x 1 -', 'set x - 2'])
    expect(of('y')).toEqual(['set y - 1', 'expired y 1 -'])
    expect(of('z')).toEqual(['set z - 1', 'expired z 1 -', 'set z - 3'])
  })

  test('its name is of one kind, and options that it cannot have are refused', async () => {
    const { a, b, settle } = await three()
    await settle(a.map<string, number>('m', { distributed: { redundancy: 2 } }).set('x', 1))
    await settle(a.counter('n').add(1))
    expect(await settle(codeOf(b.counter('m').add(1)))).toBe('CONTAINER_KIND_DIFFERS')
    expect(await settle(codeOf(b.map('m', { distributed: false }).get('x')))).toBe('CONTAINER_KIND_DIFFERS')
    const distributed = { distributed: true } as const
    expect(await settle(codeOf(b.map('n', distributed).set('x', 1)))).toBe('CONTAINER_KIND_DIFFERS')
    const other = b.map('m', { distributed: { redundancy: 3 } })
    expect(await settle(codeOf(other.get('x')))).toBe('CONTAINER_OPTIONS_DIFFER')
    expect(() => a.map('o', { ...distributed, bytesMax: 5_000 })).toThrow()
    expect(() => a.map('o', { distributed: { redundancy: 0 } })).toThrow()
    await settle(a.map('p', { ...distributed, ttlMs: 5_000 }).set('x', 1))
    const longer = b.map('p', { ...distributed, ttlMs: 6_000 })
    expect(await settle(codeOf(longer.get('x')))).toBe('CONTAINER_OPTIONS_DIFFER')
    expect(() => a.map('m').changes({ from: 'nonsense' })).toThrow()
  })

  test('maps of several redundancies, small ones, queues and counters change in one transaction', async () => {
    const { a, b, c, settle } = await three()
    const kinds = [
      { distributed: { redundancy: 1 } },
      { distributed: { redundancy: 'all' } },
      { distributed: false },
    ] as const
    const names = ['one', 'all', 'small']
    const turn = async (node: Containers, amount: number): Promise<void> => {
      const seen = await node.transaction(async (tx) => {
        const maps = names.map((name, i) => tx.map<string, number>(name, kinds[i]))
        const counts: number[] = []
        for (const map of maps) counts.push((await map.get('x')) ?? 0)
        for (const [i, map] of maps.entries()) await map.set('x', (counts[i] ?? 0) + amount)
        tx.add('turns')
        await tx.push('moves', amount)
        return counts
      })
      // What was read of each is judged as of one index.
      expect(new Set(seen).size).toBe(1)
    }
    const turns = [a, b, c].map(async (node, i) => {
      for (let round = 0; round < 4; round++) await turn(node, 10 ** i)
    })
    await settle(Promise.all(turns))
    for (const [i, name] of names.entries())
      expect(await settle(b.map<string, number>(name, kinds[i]).get('x'))).toBe(444)
    expect(await settle(c.counter('turns').value())).toBe(12)
    expect(await settle(a.queue('moves').size())).toMatchObject({ ready: 12, taken: 0 })
    const refused = a.transaction(async (tx) => {
      await tx.map<string, number>('one', kinds[0]).set('x', 1)
      await tx.map<string, number>('all', kinds[1]).set('x', 1)
      tx.add('turns', Number.MAX_SAFE_INTEGER)
    })
    expect(await settle(codeOf(refused))).toBe('CONTAINER_OVERFLOW')
    expect(await settle(c.map<string, number>('one', kinds[0]).get('x'))).toBe(444)
  })

  test('what happens together is one: two maps, a queue, and nothing of a lost race', async () => {
    const { a, b, c, settle } = await three()
    const move = async (node: Containers, amount: number): Promise<void> => {
      for (let i = 0; i < 5; i++)
        await node.transaction(async (tx) => {
          const [from, to] = [tx.map<ContainerKey, number>('from'), tx.map<ContainerKey, number>('to')]
          const [x, y] = [(await from.get('x')) ?? 0, (await to.get('x')) ?? 0]
          await from.set('x', x - amount)
          await to.set('x', y + amount)
          await tx.push('moves', x)
        })
    }
    await settle(Promise.all([move(a, 1), move(b, 10), move(c, 100)]))
    const sums = await settle(
      b.transaction(async (tx) => [
        (await tx.map<string, number>('from').get('x')) ?? 0,
        (await tx.map<string, number>('to').get('x')) ?? 0,
      ]),
    )
    expect(sums).toEqual([-555, 555])
    expect(await settle(a.queue('moves').size())).toMatchObject({ ready: 15, taken: 0 })
  })
}
