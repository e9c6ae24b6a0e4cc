import type { ChangeEvent } from '@cluster/core'
import { codeOf, LONG_MS, type SuiteParts, takeSome } from './fixture.ts'

const shown = <V>({ type, key, before, after }: ChangeEvent<string, V>): string =>
  `${type} ${key ?? '*'} ${String(before ?? '-')} ${String(after ?? '-')}`

/** How the changes of a map are followed, wherever its entries are. */
export function mapEvents({ test, expect, three }: SuiteParts): void {
  test('changes come in order, with old and new value, and go on behind a token', async () => {
    const { a, b, c, settle } = await three()
    const map = a.map<string, number>('m')
    await settle(map.set('before', 0))
    await settle(b.map<string, number>('m').get('before'))
    const feed = b.map<string, number>('m').changes()
    await settle(map.set('x', 1))
    await settle(map.set('x', 2))
    await settle(map.delete('before'))
    await settle(map.set('y', 3))
    await settle(map.clear())
    const seen = await settle(takeSome(feed, 5))
    expect(seen.map(shown)).toEqual([
      'set x - 1',
      'set x 1 2',
      'removed before 0 -',
      'set y - 3',
      'cleared * - -',
    ])
    await feed.return?.()
    const rest = c.map<string, number>('m').changes({ from: seen[1]?.token ?? '' })
    expect((await settle(takeSome(rest, 3))).map(shown)).toEqual(seen.slice(2).map(shown))
  })

  test('a listener hears what passes its filter', async () => {
    const { a, b, settle, until } = await three()
    const map = a.map<string, number>('m')
    const heard: string[] = []
    const keyed: string[] = []
    const there = b.map<string, number>('m')
    const cancel = there.watch((change) => heard.push(shown(change)), {
      filter: ({ after }) => (after ?? 0) > 5,
    })
    there.watch((change) => keyed.push(shown(change)), { key: 'y' })
    await settle(map.set('x', 1))
    await settle(map.set('x', 9))
    await settle(map.set('y', 3))
    await until(() => keyed.length === 1, LONG_MS)
    expect(heard).toEqual(['set x 1 9'])
    expect(keyed).toEqual(['set y - 3'])
    cancel()
    await settle(map.set('x', 10))
    await settle(there.get('x'))
    expect(heard.length).toBe(1)
  })

  test('following a map ends when its caller, or the node, says so', async () => {
    const { a, settle } = await three()
    const map = a.map<string, number>('m')
    await settle(map.set('x', 1))
    const controller = new AbortController()
    const one = codeOf(map.changes({ signal: controller.signal }).next())
    const left = map.changes()
    const last = left.next()
    await left.return?.()
    expect((await settle(last)).done).toBe(true)
    controller.abort()
    expect(await settle(one)).toBe('ABORTED')
    const two = codeOf(map.changes().next())
    await settle(a.stop())
    expect(await settle(two)).toBe('STOPPED')
  })
}

export function events({ test, expect, three }: SuiteParts): void {
  test('what ends by itself is among the changes, and the oldest are still kept', async () => {
    const { a, b, c, settle, until } = await three()
    const map = a.map<string, number>('m')
    await settle(map.set('before', 0))
    await settle(b.map<string, number>('m').get('before'))
    const feed = b.map<string, number>('m').changes()
    await settle(map.set('x', 1))
    await settle(map.set('x', 2, { ttlMs: 1_000 }))
    await until(() => !map.local.has('x'), LONG_MS)
    await settle(map.delete('before'))
    await settle(map.set('y', 3))
    await settle(map.clear())
    const seen = await settle(takeSome(feed, 6))
    expect(seen.map(shown)).toEqual([
      'set x - 1',
      'set x 1 2',
      'expired x 2 -',
      'removed before 0 -',
      'set y - 3',
      'cleared * - -',
    ])
    await feed.return?.()
    const rest = c.map<string, number>('m').changes({ from: seen[2]?.token ?? '' })
    expect((await settle(takeSome(rest, 3))).map(shown)).toEqual(seen.slice(3).map(shown))
    const all = c.map<string, number>('m').changes({ from: 'oldest' })
    expect((await settle(takeSome(all, 2))).map(shown)).toEqual(['set before - 0', 'set x - 1'])
  })

  test('subscribers of a topic get every message in one order', async () => {
    const { a, b, c, settle } = await three()
    const nodes = [a, b, c]
    const feeds = nodes.map((node) => node.topic<string>('news').subscribe())
    await settle(
      Promise.all(
        nodes.flatMap((node, i) =>
          Array.from({ length: 10 }, (_, j) => node.topic<string>('news').publish(`${i}.${j}`)),
        ),
      ),
    )
    const [first, ...others] = await settle(Promise.all(feeds.map((feed) => takeSome(feed, 30))))
    const values = first?.map(({ value }) => value) ?? []
    expect(new Set(values).size).toBe(30)
    for (const other of others) expect(other.map(({ value }) => value)).toEqual(values)
    const resumed = c.topic<string>('news').subscribe({ from: first?.[9]?.token ?? '' })
    expect((await settle(takeSome(resumed, 20))).map(({ value }) => value)).toEqual(values.slice(10))
  })

  test('a subscriber that was away resumes after a restart, exactly where it was', async () => {
    const { a, b, kill, start, settle } = await three()
    const feed = b.topic<number>('t').subscribe()
    for (let i = 0; i < 4; i++) await settle(a.topic<number>('t').publish(i))
    const [, second] = await settle(takeSome(feed, 2))
    kill('b')
    await settle(a.topic<number>('t').publish(4))
    const again = await start('b')
    const rest = again.topic<number>('t').subscribe({ from: second?.token ?? '' })
    expect((await settle(takeSome(rest, 3))).map(({ value }) => value)).toEqual([2, 3, 4])
  })

  test('who is too late, or has a foreign token, is told', async () => {
    const { a, b, settle } = await three()
    const topic = a.topic<number>('t', { keep: 5 })
    await settle(topic.publish(0))
    const slow = topic.subscribe({ from: 'oldest' })
    const [first] = await settle(takeSome(slow, 1))
    for (let i = 0; i < 10; i++) await settle(topic.publish(i))
    expect(await settle(codeOf(slow.next()))).toBe('CONTAINER_HISTORY_GONE')
    const late = b.topic<number>('t')
    await settle(late.syncedTo((await settle(topic.publish(11))).index))
    const { token = '' } = first ?? {}
    expect(await settle(codeOf(late.subscribe({ from: token }).next()))).toBe('CONTAINER_HISTORY_GONE')
    expect(() => late.subscribe({ from: 'nonsense' })).toThrow()
    expect(() => late.subscribe({ from: `${token}x` })).toThrow()
    expect((await settle(takeSome(late.subscribe({ from: 'oldest' }), 5))).length).toBe(5)
  })

  test('following ends when its caller, or the node, says so', async () => {
    const { a, settle } = await three()
    const controller = new AbortController()
    const one = codeOf(a.topic('t').subscribe({ signal: controller.signal }).next())
    const left = a.topic('t').subscribe()
    const last = left.next()
    await left.return?.()
    expect((await settle(last)).done).toBe(true)
    controller.abort()
    expect(await settle(one)).toBe('ABORTED')
    const two = codeOf(a.topic('t').subscribe().next())
    await settle(a.stop())
    expect(await settle(two)).toBe('STOPPED')
  })
}
