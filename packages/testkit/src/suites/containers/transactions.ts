import { codeOf, type SuiteParts } from './fixture.ts'

export function transactions({ test, expect, three }: SuiteParts): void {
  test('a transaction over map, queue, counter and topic happens as a whole', async () => {
    const { a, b, settle } = await three()
    await settle(a.map<string, number>('stock').set('tea', 3))
    await settle(
      a.transaction(async (tx) => {
        const stock = tx.map<string, number>('stock')
        const tea = (await stock.get('tea')) ?? 0
        await stock.set('tea', tea - 1)
        expect(await stock.get('tea')).toBe(2)
        await tx.push('parcels', { item: 'tea' })
        await tx.publish('news', 'tea sold')
        tx.add('sold')
      }),
    )
    expect(await settle(b.map('stock').get('tea'))).toBe(2)
    expect((await settle(b.queue<{ item: string }>('parcels').take()))?.value).toEqual({ item: 'tea' })
    expect(await settle(b.counter('sold').value())).toBe(1)
  })

  test('transactions that read the same do not lose each other', async () => {
    const { a, b, c, settle } = await three()
    const move = async (node: typeof a): Promise<void> => {
      for (let i = 0; i < 8; i++)
        await node.transaction(async (tx) => {
          const map = tx.map<string, number>('accounts')
          const [from, to] = [(await map.get('from')) ?? 0, (await map.get('to')) ?? 0]
          await map.set('from', from - 1)
          await map.set('to', to + 1)
        })
    }
    await settle(Promise.all([move(a), move(b), move(c)]))
    const map = a.map<string, number>('accounts')
    expect(await settle(map.get('from'))).toBe(-24)
    expect(await settle(map.get('to'))).toBe(24)
  })

  test('nothing happens when a message is no longer mine, there is no room, or the work throws', async () => {
    const { a, b, settle } = await three()
    await settle(a.queue<string>('jobs').push('job'))
    const message = await settle(a.queue<string>('jobs').take({ leaseMs: 60_000 }))
    if (message === null) throw new Error('there was no message')
    const finish = (node: typeof a): Promise<void> =>
      node.transaction(async (tx) => {
        await tx.map<string, string>('done').set('job', 'yes')
        tx.acknowledge(message)
      })
    await settle(finish(a))
    expect(await settle(b.map('done').get('job'))).toBe('yes')
    expect(await settle(a.queue('jobs').size())).toMatchObject({ ready: 0, taken: 0 })
    await settle(a.map('done').delete('job'))
    expect(await settle(codeOf(finish(a)))).toBe('CONTAINER_LEASE_LOST')
    expect(await settle(b.map('done').has('job'))).toBe(false)
    await settle(a.map('tiny', { bytesMax: 1_024 }).set('x', 'x'))
    const fill = a.transaction(async (tx) => {
      await tx.map('done').set('job', 'full')
      await tx.map('tiny').set('y', 'y'.repeat(2_000))
    })
    expect(await settle(codeOf(fill))).toBe('CONTAINER_FULL')
    const thrown = a.transaction(async (tx) => {
      await tx.map('done').set('job', 'thrown')
      throw new Error('no')
    })
    expect((await settle(codeOf(thrown))) === undefined).toBe(true)
    expect(await settle(b.map('done').has('job'))).toBe(false)
  })

  test('counters and sorted maps take part, and what is read of a counter is judged', async () => {
    const { a, b, settle } = await three()
    await settle(a.sortedMap<number, string>('log').set(0, 'first'))
    const append = async (node: typeof a, text: string): Promise<void> => {
      for (let i = 0; i < 6; i++)
        await node.transaction(async (tx) => {
          const at = (await tx.value('length')) + 1
          tx.add('length')
          await tx.map<number, string>('log').set(at, `${text}${i}`)
        })
    }
    await settle(Promise.all([append(a, 'a'), append(b, 'b')]))
    expect(await settle(a.counter('length').value())).toBe(12)
    const log = await settle(b.sortedMap<number, string>('log').range({ from: 1 }))
    expect(log.map(([at]) => at)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
  })

  test('what only reads sees one moment, and what it deletes is gone', async () => {
    const { a, b, settle } = await three()
    await settle(a.map<string, number>('m').set('x', 1))
    const seen = await settle(b.transaction(async (tx) => tx.map<string, number>('m').get('x')))
    expect(seen).toBe(1)
    await settle(
      b.transaction(async (tx) => {
        const map = tx.map<string, number>('m')
        await map.delete('x')
        await map.delete('never')
        expect((await map.get('x')) ?? null).toBeNull()
        await map.set('y', 1)
        await map.delete('y')
      }),
    )
    expect(await settle(a.map('m').size())).toBe(0)
  })
}
