import type { ContainerKey, StandardSchema } from '@cluster/core'
import { codeOf, collect, type SuiteParts } from './fixture.ts'

interface User {
  readonly name: string
  readonly tags: readonly string[]
}

const users: StandardSchema<User> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as User).name === 'string'
        ? { value: value as User }
        : { issues: [{ message: 'a user has a name' }] },
  },
}

/** What every map has, wherever its entries are. */
export function maps({ test, expect, three }: SuiteParts): void {
  test('what one node writes every node reads', async () => {
    const { a, b, c, settle } = await three()
    const map = a.map<string, User>('users')
    const ada: User = { name: 'Ada', tags: ['x', 'y'] }
    await settle(map.set('ada', ada))
    expect(await settle(b.map<string, User>('users').get('ada'))).toEqual(ada)
    expect(await settle(c.map('users').has('bob'))).toBe(false)
    expect(await settle(c.map('users').size())).toBe(1)
    expect(await settle(b.map('users').delete('ada'))).toBe(true)
    expect(await settle(b.map('users').delete('ada'))).toBe(false)
    expect((await settle(map.get('ada'))) ?? null).toBeNull()
  })

  test('values and keys of all sorts come back as they were', async () => {
    const { a, b, settle } = await three()
    const keys: ContainerKey[] = [
      null,
      true,
      -1.5,
      0,
      Number.POSITIVE_INFINITY,
      -(2n ** 63n),
      7n,
      '',
      'grüße \u0000 😀',
      Uint8Array.of(0, 255, 0),
      ['tuple', 1, ['inner', null]],
    ]
    const values = [
      0,
      'text',
      [1, [2]],
      { deep: { date: new Date(5) } },
      Uint8Array.of(1, 2, 3),
      2n ** 70n,
      null,
      false,
    ]
    const map = a.map<ContainerKey, unknown>('all')
    for (const [i, key] of keys.entries()) await settle(map.set(key, values[i % values.length]))
    const there = b.map<ContainerKey, unknown>('all')
    for (const [i, key] of keys.entries())
      expect(await settle(there.get(key))).toEqual(values[i % values.length])
    const found = await settle(collect(there.keys()))
    expect(found.length).toBe(keys.length)
    for (const key of keys) expect(found).toContainEqual(key)
  })

  test('conditional writes happen only if their condition holds', async () => {
    const { a, b, settle } = await three()
    const map = a.map<string, number>('counts')
    expect(await settle(map.putIfAbsent('x', 1))).toBe(true)
    expect(await settle(b.map<string, number>('counts').putIfAbsent('x', 2))).toBe(false)
    expect(await settle(map.replace('x', 2, 3))).toBe(false)
    expect(await settle(map.replace('x', 1, 3))).toBe(true)
    const seen = await settle(map.getVersioned('x'))
    expect(seen?.value).toBe(3)
    expect(await settle(map.replaceVersion('x', seen?.version ?? 0, 4))).toBe(true)
    expect(await settle(map.replaceVersion('x', seen?.version ?? 0, 5))).toBe(false)
    expect(await settle(map.replaceVersion('y', 0, 9))).toBe(true)
    expect(await settle(map.get('x'))).toBe(4)
  })

  test('compute never loses a race', async () => {
    const { a, b, c, settle } = await three()
    const add = async (node: typeof a): Promise<void> => {
      const map = node.map<string, number>('counts')
      for (let i = 0; i < 10; i++) await map.compute('x', (value = 0) => value + 1)
    }
    await settle(Promise.all([add(a), add(b), add(c)]))
    expect(await settle(a.map('counts').get('x'))).toBe(30)
    const map = a.map<string, number>('counts')
    expect((await settle(map.compute('x', () => undefined))) ?? null).toBeNull()
    expect(await settle(map.has('x'))).toBe(false)
    expect((await settle(map.compute('nothing', () => undefined))) ?? null).toBeNull()
  })

  test('iteration shows one version, whatever is written meanwhile', async () => {
    const { a, settle } = await three()
    const map = a.map<number, number>('m')
    for (let i = 0; i < 20; i++) await settle(map.set(i, i))
    const seen: number[] = []
    const walk = (async () => {
      for await (const [key, value] of map) {
        seen.push(key)
        expect(value).toBe(key)
        await map.set(key, -1)
        await map.delete(19 - key)
      }
    })()
    await settle(walk)
    expect(seen.sort((x, y) => x - y)).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  test('a schema validates what is written, a codec writes it', async () => {
    const { a, b, settle } = await three()
    const text = new TextEncoder()
    const options = {
      schema: users,
      codec: {
        encode: (user: User) => text.encode(user.name),
        decode: (bytes: Uint8Array): User => ({ name: new TextDecoder().decode(bytes), tags: [] }),
      },
    }
    await settle(a.map<string, User>('users', options).set('x', { name: 'Ada', tags: ['lost'] }))
    expect(await settle(b.map<string, User>('users', options).get('x'))).toEqual({ name: 'Ada', tags: [] })
    const wrong = { tags: [] } as unknown as User
    expect(await settle(codeOf(a.map<string, User>('users', options).set('y', wrong)))).toBe(
      'CONTAINER_VALUE_INVALID',
    )
  })

  test('a node that starts again, and one that is new, have everything', async () => {
    const { a, kill, start, settle } = await three()
    await settle(a.map<number, string>('m').set(1, 'before'))
    kill('b')
    await settle(a.map<number, string>('m').set(2, 'meanwhile'))
    const again = await start('b')
    const values = await settle(collect(again.map<number, string>('m').values()))
    expect(values.sort()).toEqual(['before', 'meanwhile'])
  })
}
