import {
  type Key,
  KeyWriter,
  logIndex,
  type PartitionStore,
  type RelationId,
  type Row,
  relationId,
  type StorageEngine,
  type Value,
  type Version,
} from '@cluster/core'
import type { SuiteRunner } from './runner.ts'

/** An engine on a disk that outlives it. */
export interface StorageFixture {
  readonly engine: StorageEngine
  /** The same disk in a new engine, as after a crash of the process. */
  restart(): Promise<StorageFixture>
}

const ITEMS: RelationId = relationId(16)
const OTHERS: RelationId = relationId(17)
const v = (value: number): Version => logIndex(value)
const key = (value: number): Key => new KeyWriter().double(value).finish()
const put = (value: number, ...row: Value[]) => ({ relation: ITEMS, key: key(value), row: row as Row })
const gone = (value: number) => ({ relation: ITEMS, key: key(value), row: null })

/** All rows of `ITEMS` that a scan gives, flattened to the columns' values row by row. */
function rowsAt(store: PartitionStore, version: number, reverse = false, limit?: number): Value[][] {
  const rows: Value[][] = []
  const request = { relation: ITEMS, range: {}, version: v(version), reverse }
  for (const batch of store.scan(limit === undefined ? request : { ...request, limit })) {
    for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => column[i] as Value))
  }
  return rows
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk.slice())
  return all
}

async function* each(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks
}

/** The compliance suite of `StorageEngine`: every engine passes it. */
export function storageSuite(runner: SuiteRunner, create: () => Promise<StorageFixture>): void {
  const { describe, test, expect } = runner

  describe('StorageEngine', () => {
    test('reads the newest row at or below a version', async () => {
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

    test('keeps every kind of value', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      const row: Row = [
        null,
        true,
        -1.5,
        2 ** 40,
        9_223_372_036_854_775_807n,
        'grüß\u0000 dich 🙂',
        new Uint8Array([0, 255]),
      ]
      store.apply(v(1), [put(1, ...row)])
      await store.checkpoint()
      const again = await (await fixture.restart()).engine.open('db/1')
      expect(again.get(ITEMS, key(1), v(1))).toEqual(row)
    })

    test('ignores writes that were applied already', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(v(5), [put(1, 'a')])
      store.apply(v(5), [put(1, 'again')])
      store.apply(v(3), [put(2, 'late')])
      expect(rowsAt(store, 5)).toEqual([['a']])
    })

    test('scans in key order, both ways, with range, columns and limit', async () => {
      const store = await (await create()).engine.open('db/1')
      const numbers = Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5000)
      store.apply(
        v(1),
        numbers.map((n) => put(n, n, `row ${n}`)),
      )
      const up = rowsAt(store, 1)
      expect(up.map((row) => row[0])).toEqual(Array.from({ length: 5000 }, (_, i) => i))
      expect(rowsAt(store, 1, true).map((row) => row[0])).toEqual(
        Array.from({ length: 5000 }, (_, i) => 4999 - i),
      )
      expect(rowsAt(store, 1, false, 3)).toEqual([
        [0, 'row 0'],
        [1, 'row 1'],
        [2, 'row 2'],
      ])
      const range = { from: key(1200), to: key(1203) }
      for (const reverse of [false, true]) {
        const found = [...store.scan({ relation: ITEMS, range, version: v(1), columns: [1, 0], reverse })]
        const expected: Value[] = ['row 1200', 'row 1201', 'row 1202']
        expect(found.flatMap((batch) => batch.columns[0])).toEqual(reverse ? expected.reverse() : expected)
        expect(found.flatMap((batch) => batch.keys).length).toBe(3)
      }
      for (const batch of store.scan({ relation: ITEMS, range: {}, version: v(1) })) {
        expect(batch.length).toBeLessThanOrEqual(1024)
      }
    })

    test('writes during a scan do not show', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(
        v(1),
        Array.from({ length: 3000 }, (_, i) => put(i * 2, 'old')),
      )
      const seen: Value[] = []
      let version = 1
      for (const batch of store.scan({ relation: ITEMS, range: {}, version: v(1) })) {
        seen.push(...(batch.columns[0] ?? []))
        version++
        const changed = Array.from({ length: 3000 }, (_, i) =>
          i % 2 === 0 ? put(i * 2, 'new') : gone(i * 2),
        )
        store.apply(v(version), [
          ...changed,
          ...Array.from({ length: 3000 }, (_, i) => put(i * 2 + 1, 'between')),
        ])
      }
      expect(seen.length).toBe(3000)
      expect(new Set(seen)).toEqual(new Set(['old']))
    })

    test('trims old versions, but none that is pinned', async () => {
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
    })

    test('a checkpoint survives a restart, with what changed since the one before', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      store.apply(
        v(10),
        Array.from({ length: 4000 }, (_, i) => put(i, i, 'base')),
      )
      expect(await store.checkpoint()).toBe(10)
      store.apply(v(11), [put(7, 7, 'changed'), gone(8), put(9000, 9000, 'new')])
      expect(await store.checkpoint()).toBe(11)
      expect(store.durableVersion()).toBe(11)
      store.apply(v(12), [put(1, 1, 'lost')])
      const again = await (await fixture.restart()).engine.open('db/1')
      expect(again.appliedVersion()).toBe(11)
      expect(again.durableVersion()).toBe(11)
      expect(again.count(ITEMS)).toBe(4000)
      expect(again.get(ITEMS, key(7), v(11))).toEqual([7, 'changed'])
      expect(again.get(ITEMS, key(8), v(11))).toBeNull()
      expect(again.get(ITEMS, key(1), v(11))).toEqual([1, 'base'])
      expect(again.get(ITEMS, key(9000), v(11))).toEqual([9000, 'new'])
    })

    test('many checkpoints, with writes while they run, end in the same rows', async () => {
      let fixture = await create()
      let store = await fixture.engine.open('db/1')
      const model = new Map<number, string>()
      for (let version = 1; version <= 60; version++) {
        const writes = Array.from({ length: 20 }, (_, i) => (version * 31 + i * 17) % 150)
        store.apply(
          v(version),
          writes.map((n) => (n % 7 === version % 7 ? gone(n) : put(n, n, `v${version}`))),
        )
        for (const n of writes) {
          if (n % 7 === version % 7) model.delete(n)
          else model.set(n, `v${version}`)
        }
        const done = store.checkpoint()
        if (version % 3 === 0) await done
        if (version % 20 === 0) {
          await store.checkpoint()
          fixture = await fixture.restart()
          store = await fixture.engine.open('db/1')
        }
      }
      expect(rowsAt(store, 60)).toEqual([...model].sort(([a], [b]) => a - b))
    })

    test('an export at an old version makes an equal store elsewhere', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(
        v(3),
        Array.from({ length: 2500 }, (_, i) => put(i, i, 'x')),
      )
      store.apply(v(4), [{ relation: OTHERS, key: key(1), row: ['other'] }, gone(5)])
      const iterator = store.export(v(4))[Symbol.asyncIterator]()
      const first = await iterator.next()
      // What is written while the export runs must not show in it, nor may a trim harm it.
      store.apply(v(5), [gone(2400), put(5, 5, 'back')])
      store.trim(v(5))
      const chunks: Uint8Array[] = first.done ? [] : [first.value.slice()]
      for (let next = await iterator.next(); !next.done; next = await iterator.next())
        chunks.push(next.value.slice())
      const target = await create()
      await (await target.engine.open('db/9')).apply(v(1), [put(1, 'old')])
      const copy = await target.engine.import('db/9', v(4), each(chunks))
      expect(copy.appliedVersion()).toBe(4)
      expect(copy.durableVersion()).toBe(4)
      expect(copy.count(ITEMS)).toBe(2499)
      expect(copy.get(ITEMS, key(2400), v(4))).toEqual([2400, 'x'])
      expect(copy.get(OTHERS, key(1), v(4))).toEqual(['other'])
      const again = await (await target.restart()).engine.open('db/9')
      expect(rowsAt(again, 4)).toEqual(rowsAt(copy, 4))
    })

    test('a copy that was cut short or damaged is refused', async () => {
      const store = await (await create()).engine.open('db/1')
      store.apply(
        v(1),
        Array.from({ length: 3000 }, (_, i) => put(i, i)),
      )
      const chunks = await collect(store.export(v(1)))
      const target = await create()
      await expect(target.engine.import('db/1', v(1), each(chunks.slice(0, -1)))).rejects.toMatchObject({
        code: 'DISK_DAMAGED',
      })
      const flipped = chunks.map((chunk) => chunk.slice())
      const victim = flipped[0] as Uint8Array
      victim[victim.length - 3] = (victim[victim.length - 3] as number) ^ 1
      await expect(target.engine.import('db/1', v(1), each(flipped))).rejects.toMatchObject({
        code: 'DISK_DAMAGED',
      })
      expect(await target.engine.list()).toEqual([])
    })

    test('lists and drops partitions', async () => {
      const { engine } = await create()
      for (const name of ['shop/2', 'shop/10', 'other/1']) {
        const store = await engine.open(name)
        store.apply(v(1), [put(1, name)])
        await store.checkpoint()
      }
      expect(await engine.list()).toEqual(['other/1', 'shop/10', 'shop/2'])
      await (await engine.open('shop/2')).drop()
      await engine.remove('other/1')
      expect(await engine.list()).toEqual(['shop/10'])
      expect((await engine.open('shop/2')).appliedVersion()).toBe(0)
    })
  })
}
