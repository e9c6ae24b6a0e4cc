import type { SuiteRunner } from '../runner.ts'
import {
  type CreateStorage,
  collect,
  each,
  everything,
  gone,
  ITEMS,
  key,
  many,
  OTHERS,
  put,
  rowsAt,
  v,
} from './fixture.ts'

/** Export and import. */
export function copyTests({ describe, test, expect }: SuiteRunner, create: CreateStorage): void {
  describe('copies', () => {
    test('an export at an old version makes an equal store elsewhere', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(
        v(3),
        many(2500, (i) => put(i, i, 'x')),
      )
      store.apply(v(4), [{ relation: OTHERS, key: key(1), row: ['other'] }, gone(5)])
      const iterator = store.export(v(4))[Symbol.asyncIterator]()
      const first = await iterator.next()
      // What is written while the export runs must not show in it, nor may a trim or a checkpoint harm it.
      store.apply(v(5), [gone(2400), put(5, 5, 'back')])
      store.trim(v(5))
      await store.checkpoint()
      const chunks: Uint8Array[] = first.done ? [] : [first.value.slice()]
      for (let next = await iterator.next(); !next.done; next = await iterator.next())
        chunks.push(next.value.slice())
      const target = await create()
      const replaced = await target.engine.open('db/9')
      replaced.apply(v(1), [put(1, 'old')])
      await replaced.checkpoint()
      const copy = await target.engine.import('db/9', v(4), each(chunks))
      expect(copy.appliedVersion()).toBe(4)
      expect(copy.durableVersion()).toBe(4)
      expect(copy.count(ITEMS)).toBe(2499)
      expect(copy.get(ITEMS, key(2400), v(4))).toEqual([2400, 'x'])
      expect(copy.get(OTHERS, key(1), v(4))).toEqual(['other'])
      const again = await (await target.restart()).engine.open('db/9')
      expect(everything(again, 4)).toEqual(everything(copy, 4))
      await Promise.all([store, copy, again].map((one) => one.close()))
    })

    test('an export of what is partly on disk, at each version that is kept', async () => {
      const { engine } = await create()
      const store = await engine.open('db/1')
      for (let version = 1; version <= 5; version++) {
        store.apply(v(version), [
          ...many(800, (i) => (i % 4 === version % 4 ? gone(i) : put(i, version))),
          { relation: OTHERS, key: key(version), row: many(version, (i) => i) },
        ])
        if (version % 2 === 0) await store.checkpoint()
      }
      for (let version = 0; version <= 5; version++) {
        const copy = await engine.import('db/2', v(version), store.export(v(version)))
        expect(everything(copy, version)).toEqual(everything(store, version))
        expect(copy.count(OTHERS)).toBe(version)
        await copy.close()
      }
      await store.close()
    })

    test('a copy is a store like any other', async () => {
      const fixture = await create()
      const { engine } = fixture
      const store = await engine.open('db/1')
      store.apply(
        v(5),
        many(3000, (i) => put(i, i)),
      )
      const copy = await engine.import('db/2', v(5), store.export(v(5)))
      copy.apply(v(6), [put(1, 'changed'), gone(2), put(5000, 5000)])
      await copy.checkpoint()
      const again = await (await fixture.restart()).engine.open('db/2')
      for (const one of [copy, again]) {
        expect(one.count(ITEMS)).toBe(3000)
        expect(one.get(ITEMS, key(1), v(6))).toEqual(['changed'])
        expect(rowsAt(one, 6).length).toBe(3000)
        await one.close()
      }
      await store.close()
    })

    test('an empty store is copied too', async () => {
      const { engine } = await create()
      const store = await engine.open('db/1')
      store.apply(v(7), [])
      const copy = await engine.import('db/2', v(7), store.export(v(7)))
      expect(copy.appliedVersion()).toBe(7)
      expect(everything(copy, 7)).toEqual([])
      expect(await engine.list()).toContain('db/2')
      await store.close()
      await copy.close()
    })

    test('a copy that was cut short, mixed up or damaged is refused, and nothing is left of it', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(
        v(1),
        many(3000, (i) => put(i, i)),
      )
      const chunks = await collect(store.export(v(1)))
      expect(chunks.length).toBeGreaterThan(1)
      const flipped = (at: number): Uint8Array[] =>
        chunks.map((chunk, i) => {
          const copy = chunk.slice()
          if (i === at) copy[copy.length - 3] = (copy[copy.length - 3] as number) ^ 1
          return copy
        })
      const bad: [string, Uint8Array[]][] = [
        ['without its end', chunks.slice(0, -1)],
        ['without some of its rows', chunks.filter((_, i) => i !== chunks.length - 2)],
        ['empty', []],
        ['with a flipped bit at the start', flipped(0)],
        ['with a flipped bit at the end', flipped(chunks.length - 1)],
        ['with a chunk cut off', chunks.map((chunk, i) => (i === 0 ? chunk.slice(0, -1) : chunk))],
      ]
      const target = await create()
      for (const [name, broken] of bad) {
        await expect(target.engine.import('db/1', v(1), each(broken))).rejects.toMatchObject({
          code: 'DISK_DAMAGED',
        })
        expect([name, await target.engine.list()]).toEqual([name, []])
      }
      const source = async function* (): AsyncIterable<Uint8Array> {
        yield* chunks.slice(0, 1)
        throw new Error('the source went away')
      }
      await expect(target.engine.import('db/1', v(1), source())).rejects.toThrow('the source went away')
      const fresh = await (await target.restart()).engine.open('db/1')
      expect(fresh.appliedVersion()).toBe(0)
      await fresh.close()
      await store.close()
    })
  })
}
