import type { Row } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'
import { type CreateStorage, gone, ITEMS, key, many, OTHERS, put, rowsAt, v } from './fixture.ts'

/** Reads at versions, pins and trims. */
export function versionTests({ describe, test, expect }: SuiteRunner, create: CreateStorage): void {
  describe('versions', () => {
    test('a read gives the newest row at or below a version', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(v(5), [put(1, 'a')])
      store.apply(v(8), [put(1, 'b'), put(2, 'c')])
      store.apply(v(9), [gone(1)])
      expect(store.appliedVersion()).toBe(9)
      expect(store.get(ITEMS, key(1), v(4))).toBeNull()
      expect(store.get(ITEMS, key(1), v(5))).toEqual(['a'])
      expect(store.get(ITEMS, key(1), v(7))).toEqual(['a'])
      expect(store.get(ITEMS, key(1), v(8))).toEqual(['b'])
      expect(store.get(ITEMS, key(1), v(9))).toBeNull()
      expect(store.get(OTHERS, key(2), v(9))).toBeNull()
      expect(store.count(ITEMS)).toBe(1)
      await store.close()
    })

    test('writes that were applied already are ignored', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(v(5), [put(1, 'a')])
      store.apply(v(5), [put(1, 'again')])
      store.apply(v(3), [put(2, 'late')])
      expect(rowsAt(store, 5)).toEqual([['a']])
      await store.close()
    })

    test('an empty list of writes advances the version, on disk too', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      store.apply(v(3), [put(1, 'a')])
      await store.checkpoint()
      store.apply(v(7), [])
      expect(store.appliedVersion()).toBe(7)
      expect(await store.checkpoint()).toBe(7)
      const again = await (await fixture.restart()).engine.open('db/1')
      expect(again.appliedVersion()).toBe(7)
      expect(rowsAt(again, 7)).toEqual([['a']])
      await again.close()
    })

    test('of several writes of one version to one row the last counts', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      store.apply(v(1), [put(1, 'a'), gone(1), put(2, 'b'), put(2, 'c'), gone(3), put(4, 'd'), gone(4)])
      const check = (): void => {
        expect(rowsAt(store, 1)).toEqual([['c']])
        expect(store.count(ITEMS)).toBe(1)
      }
      check()
      await store.checkpoint()
      check()
      store.apply(v(2), [gone(2), put(2, 'e')])
      expect(rowsAt(store, 1)).toEqual([['c']])
      expect(rowsAt(store, 2)).toEqual([['e']])
      expect(store.count(ITEMS)).toBe(1)
      await store.close()
    })

    test('a row comes, goes and comes again, with checkpoints in between', async () => {
      const store = await (await create()).engine.open('db/1')
      const pin = store.pin(v(0))
      const states: (string | null)[] = [null]
      for (let version = 1; version <= 24; version++) {
        const row = version % 3 === 0 ? null : `at ${version}`
        store.apply(v(version), [row === null ? gone(1) : put(1, row)])
        states.push(row)
        if (version % 5 === 0) await store.checkpoint()
      }
      for (const [version, row] of states.entries()) {
        expect(store.get(ITEMS, key(1), v(version))).toEqual(row === null ? null : [row])
        expect(rowsAt(store, version)).toEqual(row === null ? [] : [[row]])
      }
      pin.release()
      store.trim(v(11))
      await store.checkpoint()
      for (let version = 11; version <= 24; version++)
        expect(rowsAt(store, version)).toEqual(states[version] === null ? [] : [[states[version]]])
      await store.close()
    })

    test('a hot row keeps thousands of versions until they are trimmed', async () => {
      const store = await (await create()).engine.open('db/1')
      const last = 3000
      for (let version = 1; version <= last; version++) {
        store.apply(v(version), [put(1, version), put(0, 'before'), put(2, 'behind')])
        if (version === 1000 || version === 2500) await store.checkpoint()
      }
      await store.checkpoint()
      for (let version = 1; version <= last; version += 37)
        expect(store.get(ITEMS, key(1), v(version))).toEqual([version])
      store.trim(v(2900))
      store.apply(v(last + 1), [put(1, last + 1)])
      await store.checkpoint()
      for (let version = 2900; version <= last + 1; version++)
        expect(store.get(ITEMS, key(1), v(version))).toEqual([version])
      expect(() => store.get(ITEMS, key(1), v(2899))).toThrow('version 2899')
      await store.close()
    })

    test('old versions are trimmed, but none that is pinned', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(v(1), [put(1, 'a'), put(2, 'x')])
      const pin = store.pin(v(1))
      store.apply(v(2), [put(1, 'b'), gone(2)])
      store.apply(v(3), [put(1, 'c')])
      store.trim(v(3))
      expect(rowsAt(store, 1)).toEqual([['a'], ['x']])
      pin.release()
      pin.release()
      store.trim(v(3))
      expect(store.oldestVersion()).toBe(3)
      expect(rowsAt(store, 3)).toEqual([['c']])
      for (const read of [
        () => store.get(ITEMS, key(1), v(2)),
        () => rowsAt(store, 2),
        () => store.pin(v(2)),
      ]) {
        expect(read).toThrow('version 2')
      }
      await store.close()
    })

    test('a version stays as long as one of its pins does, through checkpoints', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(
        v(1),
        many(300, (i) => put(i, 'old')),
      )
      await store.checkpoint()
      const pins = [store.pin(v(1)), store.pin(v(1))]
      for (let version = 2; version <= 6; version++) {
        store.apply(
          v(version),
          many(300, (i) => (i % version === 0 ? gone(i) : put(i, `v${version}`))),
        )
        store.trim(v(version))
        await store.checkpoint()
        expect(rowsAt(store, 1)).toEqual(many(300, () => ['old']))
        if (version === 3) pins[0]?.release()
        if (version === 4) pins[0]?.release()
      }
      pins[1]?.release()
      store.trim(v(6))
      await store.checkpoint()
      expect(() => rowsAt(store, 5)).toThrow('version 5')
      expect(rowsAt(store, 6)).toEqual(many(250, () => ['v6']))
      await store.close()
    })

    test('a trim goes no further than what was applied, and never back', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(v(4), [put(1, 'a')])
      store.trim(v(9))
      expect(store.oldestVersion()).toBe(4)
      expect(rowsAt(store, 4)).toEqual([['a']])
      store.trim(v(2))
      expect(store.oldestVersion()).toBe(4)
      store.apply(v(6), [put(1, 'b')])
      // Between two versions that were applied nothing changed.
      store.trim(v(5))
      expect(store.get(ITEMS, key(1), v(5))).toEqual(['a'])
      expect(store.get(ITEMS, key(1), v(6))).toEqual(['b'])
      await store.close()
    })

    test('rows are counted as they are at the newest version', async () => {
      const fixture = await create()
      let store = await fixture.engine.open('db/1')
      store.apply(
        v(1),
        many(100, (i) => put(i, i)),
      )
      await store.checkpoint()
      store.apply(v(2), [...many(50, (i) => gone(i)), gone(500), put(99, 'changed'), put(200, 'new')])
      expect(store.count(ITEMS)).toBe(51)
      const checkpoint = store.checkpoint()
      store.apply(v(3), [put(0, 'back'), gone(200), gone(201), put(201, 'x')])
      expect(store.count(ITEMS)).toBe(52)
      await checkpoint
      expect(store.count(ITEMS)).toBe(52)
      await store.checkpoint()
      expect(store.count(OTHERS)).toBe(0)
      store = await (await fixture.restart()).engine.open('db/1')
      expect(store.count(ITEMS)).toBe(52)
      store.apply(
        v(4),
        many(300, (i) => gone(i)),
      )
      expect(store.count(ITEMS)).toBe(0)
      await store.checkpoint()
      expect(rowsAt(store, 4)).toEqual([])
      expect(rowsAt(store, 3).length).toBe(52)
      await store.close()
    })

    test('keeps every kind of value, and rows of any width', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      const rows: Row[] = [
        [
          null,
          true,
          -1.5,
          2 ** 40,
          9_223_372_036_854_775_807n,
          'grüß\u0000 dich 🙂',
          new Uint8Array([0, 255]),
        ],
        [-0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324, 2 ** 53, -(2n ** 63n), 2n ** 70n],
        ['', '\ud800 alone', new Uint8Array()],
        [],
        many(200, (i) => i),
        ['x'.repeat(300_000), new Uint8Array(1000).fill(7)],
      ]
      store.apply(
        v(1),
        rows.map((row, i) => put(i, ...row)),
      )
      const same = (read: (i: number) => Row | null): void => {
        for (const [i, row] of rows.entries()) expect(read(i)).toEqual(row)
      }
      same((i) => store.get(ITEMS, key(i), v(1)))
      await store.checkpoint()
      same((i) => store.get(ITEMS, key(i), v(1)))
      const again = await (await fixture.restart()).engine.open('db/1')
      same((i) => again.get(ITEMS, key(i), v(1)))
      const copy = await fixture.engine.import('db/2', v(1), again.export(v(1)))
      same((i) => copy.get(ITEMS, key(i), v(1)))
      await again.close()
      await copy.close()
    })
  })
}
