import { type Key, relationId, type Value } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'
import {
  type CreateStorage,
  gone,
  ITEMS,
  key,
  many,
  OTHERS,
  put,
  rowsAt,
  scanned,
  scannedKeys,
  v,
} from './fixture.ts'

/** Scans: order, ranges, limits, columns, and what goes on meanwhile. */
export function scanTests({ describe, test, expect }: SuiteRunner, create: CreateStorage): void {
  describe('scans', () => {
    test('go in key order, both ways, in batches of at most 1,024', async () => {
      const store = await (await create()).engine.open('db/1')
      const numbers = many(5000, (i) => (i * 7919) % 5000)
      store.apply(
        v(1),
        numbers.map((n) => put(n, n, `row ${n}`)),
      )
      for (let round = 0; round < 2; round++) {
        expect(rowsAt(store, 1).map((row) => row[0])).toEqual(many(5000, (i) => i))
        expect(scanned(store, { version: v(1), reverse: true }).map((row) => row[0])).toEqual(
          many(5000, (i) => 4999 - i),
        )
        for (const limit of [1023, 1024, 1025, 3000])
          expect(scanned(store, { version: v(1), limit, columns: [0] })).toEqual(many(limit, (i) => [i]))
        for (const reverse of [false, true])
          for (const batch of store.scan({ relation: ITEMS, range: {}, version: v(1), reverse })) {
            expect(batch.length).toBeGreaterThan(0)
            expect(batch.length).toBeLessThanOrEqual(1024)
            expect(batch.keys.length).toBe(batch.length)
            for (const column of batch.columns) expect(column.length).toBe(batch.length)
          }
        // The second time from the files.
        await store.checkpoint()
      }
      await store.close()
    })

    test('keep to range and limit, whatever the bounds are', async () => {
      const store = await (await create()).engine.open('db/1')
      // Even numbers, the first half on disk, the others not.
      store.apply(
        v(1),
        many(250, (i) => put(i * 2, i * 2)),
      )
      await store.checkpoint()
      store.apply(
        v(2),
        many(250, (i) => put(500 + i * 2, 500 + i * 2)),
      )
      const all = many(500, (i) => i * 2)
      const bounds = [undefined, -1, 0, 1, 320, 499, 500, 501, 998, 1200]
      for (const from of bounds) {
        for (const to of bounds) {
          const within = all.filter((n) => (from === undefined || n >= from) && (to === undefined || n < to))
          const range = {
            ...(from === undefined ? {} : { from: key(from) }),
            ...(to === undefined ? {} : { to: key(to) }),
          }
          for (const reverse of [false, true]) {
            const expected = reverse ? within.toReversed() : within
            for (const limit of [undefined, 0, 1, 300]) {
              const request = { version: v(2), range, reverse, columns: [0] }
              const found = scanned(store, limit === undefined ? request : { ...request, limit })
              expect(found.flat()).toEqual(expected.slice(0, limit))
            }
          }
        }
      }
      await store.close()
    })

    test('give the columns asked for, in that order, and NULL for those a row does not have', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(v(1), [put(1, 'a', 10, true), put(2, 'b', 20, false)])
      await store.checkpoint()
      store.apply(v(2), [put(2, 'c', 30, null), put(3, 'd')])
      const columns = (...wanted: number[]): Value[][] => scanned(store, { version: v(2), columns: wanted })
      expect(columns(2, 0, 2)).toEqual([
        [true, 'a', true],
        [null, 'c', null],
        [null, 'd', null],
      ])
      expect(columns(7)).toEqual([[null], [null], [null]])
      expect(columns()).toEqual([[], [], []])
      expect(scannedKeys(store, { version: v(2), columns: [] })).toEqual([key(1), key(2), key(3)])
      // Without a wish all of them come.
      expect(scanned(store, { version: v(1) })).toEqual([
        ['a', 10, true],
        ['b', 20, false],
      ])
      await store.close()
    })

    test('put what is on disk and what came since together', async () => {
      const fixture = await create()
      const before = await fixture.engine.open('db/1')
      before.apply(
        v(1),
        many(3000, (i) => put(i * 3, 'stored', i * 3)),
      )
      await before.checkpoint()
      const store = await (await fixture.restart()).engine.open('db/1')
      store.apply(v(2), [
        ...many(1500, (i) => gone(i * 6)),
        ...many(3000, (i) => put(i * 3 + 1, 'new', i * 3 + 1)),
      ])
      store.apply(v(3), [
        ...many(750, (i) => put(i * 12, 'again', i * 12)),
        put(-1, 'first', -1),
        put(1e6, 'last', 1e6),
      ])
      const expected = (version: number): Value[][] => {
        const rows = new Map<number, string>(many(3000, (i) => [i * 3, 'stored']))
        if (version >= 2) {
          for (let i = 0; i < 1500; i++) rows.delete(i * 6)
          for (let i = 0; i < 3000; i++) rows.set(i * 3 + 1, 'new')
        }
        if (version >= 3) {
          for (let i = 0; i < 750; i++) rows.set(i * 12, 'again')
          rows.set(-1, 'first').set(1e6, 'last')
        }
        return [...rows].sort(([a], [b]) => a - b).map(([n, text]) => [text, n])
      }
      for (const version of [1, 2, 3]) {
        expect(rowsAt(store, version)).toEqual(expected(version))
        expect(scanned(store, { version: v(version), reverse: true })).toEqual(expected(version).reverse())
      }
      await store.close()
    })

    test('do not show what is written meanwhile, nor do checkpoints disturb them', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(
        v(1),
        many(2200, (i) => put(i * 2, 'old')),
      )
      for (const reverse of [false, true]) {
        const seen: Value[] = []
        const start = store.appliedVersion()
        const pin = store.pin(v(1))
        let version = start as number
        const checkpoints: Promise<unknown>[] = []
        for (const batch of store.scan({ relation: ITEMS, range: {}, version: v(1), reverse })) {
          seen.push(...(batch.columns[0] ?? []))
          version++
          store.apply(v(version), [
            ...many(2200, (i) => (i % 2 === 0 ? put(i * 2, 'new') : gone(i * 2))),
            ...many(2200, (i) => put(i * 2 + 1, 'between')),
          ])
          checkpoints.push(store.checkpoint())
          await checkpoints[0]
        }
        expect(seen.length).toBe(2200)
        expect(new Set(seen)).toEqual(new Set(['old']))
        await Promise.all(checkpoints)
        pin.release()
      }
      await store.close()
    })

    test('fail when their version is trimmed, and show no rows', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(
        v(1),
        many(3000, (i) => put(i, 'old')),
      )
      store.apply(
        v(2),
        many(3000, (i) => put(i, 'new')),
      )
      const late = store.scan({ relation: ITEMS, range: {}, version: v(1) })
      const halfway = store.scan({ relation: ITEMS, range: {}, version: v(1) })[Symbol.iterator]()
      halfway.next()
      store.trim(v(2))
      expect(() => [...late]).toThrow('version 1')
      expect(() => halfway.next()).toThrow('version 1')
      await store.close()
    })

    test('keep relations apart, whatever their numbers', async () => {
      const store = await (await create()).engine.open('db/1')
      const ids = [1, 2, 255, 256, 65_536, 2 ** 31].map(relationId)
      const writes = ids.flatMap((relation) =>
        many(20, (i) => ({ relation, key: key(i), row: [relation, i] })),
      )
      store.apply(v(1), writes.toReversed())
      for (let round = 0; round < 2; round++) {
        for (const relation of ids) {
          const expected = many(20, (i) => [relation, i])
          expect(scanned(store, { relation, version: v(1) })).toEqual(expected)
          expect(scanned(store, { relation, version: v(1), reverse: true })).toEqual(expected.toReversed())
          expect(store.count(relation)).toBe(20)
        }
        expect(scanned(store, { relation: OTHERS, version: v(1), reverse: true })).toEqual([])
        await store.checkpoint()
      }
      await store.close()
    })

    test('order keys by their bytes, long ones and such that begin alike too', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      const long = 'long '.repeat(1000)
      const keys: Key[] = [
        '',
        '\x00',
        '\x00\x00',
        '\x01',
        ...many(256, (i) => `k${String.fromCharCode(i)}`),
        ...many(40, (i) => `${long}${String.fromCharCode(i * 5)}`),
        ...many(40, (i) => `${long}${String.fromCharCode(i * 5)}${long}`),
        '\xff',
        '\xff\xff',
        '\xff'.repeat(3000),
      ]
      const shuffled = many(keys.length, (i) => keys[(i * 101) % keys.length] as Key)
      const sorted = [...new Set(shuffled)].sort((a, b) => (a < b ? -1 : 1))
      store.apply(
        v(1),
        shuffled.map((own) => ({ relation: ITEMS, key: own, row: [own.length, 'x'.repeat(50)] })),
      )
      await store.checkpoint()
      const changed = sorted.filter((_, i) => i % 3 === 0)
      store.apply(
        v(2),
        changed.map((own) => ({ relation: ITEMS, key: own, row: own.length % 2 === 0 ? null : [-1] })),
      )
      await store.checkpoint()
      const kept = sorted.filter((own) => !changed.includes(own) || own.length % 2 !== 0)
      expect(scannedKeys(store, { version: v(1) })).toEqual(sorted)
      expect(scannedKeys(store, { version: v(2), columns: [0] })).toEqual(kept)
      expect(scannedKeys(store, { version: v(2), columns: [0], reverse: true })).toEqual(kept.toReversed())
      for (const own of sorted) expect(store.get(ITEMS, own, v(1))).toEqual([own.length, 'x'.repeat(50)])
      const again = await (await fixture.restart()).engine.open('db/1')
      expect(scannedKeys(again, { version: v(2), columns: [0] })).toEqual(kept)
      await store.close()
      await again.close()
    })
  })
}
