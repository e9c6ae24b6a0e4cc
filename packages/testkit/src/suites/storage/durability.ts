import type { Value } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'
import {
  type CreateStorage,
  everything,
  gone,
  ITEMS,
  key,
  many,
  OTHERS,
  put,
  rowsAt,
  type StorageFixture,
  v,
} from './fixture.ts'

/** Checkpoints, restarts in every moment, damage, and the list of what is on disk. */
export function durabilityTests({ describe, test, expect }: SuiteRunner, create: CreateStorage): void {
  describe('durability', () => {
    test('a checkpoint survives a restart, with what changed since the one before', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      store.apply(
        v(10),
        many(4000, (i) => put(i, i, 'base')),
      )
      expect(store.durableVersion()).toBe(0)
      expect(await store.checkpoint()).toBe(10)
      store.apply(v(11), [put(7, 7, 'changed'), gone(8), put(9000, 9000, 'new')])
      expect(await store.checkpoint()).toBe(11)
      expect(store.durableVersion()).toBe(11)
      store.apply(v(12), [put(1, 1, 'lost')])
      const again = await (await fixture.restart()).engine.open('db/1')
      expect(again.appliedVersion()).toBe(11)
      expect(again.durableVersion()).toBe(11)
      expect(again.oldestVersion()).toBe(11)
      expect(again.count(ITEMS)).toBe(4000)
      expect(again.get(ITEMS, key(7), v(11))).toEqual([7, 'changed'])
      expect(again.get(ITEMS, key(8), v(11))).toBeNull()
      expect(again.get(ITEMS, key(1), v(11))).toEqual([1, 'base'])
      expect(again.get(ITEMS, key(9000), v(11))).toEqual([9000, 'new'])
      await store.close()
      await again.close()
    })

    test('without a checkpoint a restart comes back with nothing, and the replay brings it all', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      store.apply(v(3), [put(1, 'a')])
      const next = await fixture.restart()
      const again = await next.engine.open('db/1')
      expect(again.appliedVersion()).toBe(0)
      expect(rowsAt(again, 0)).toEqual([])
      again.apply(v(3), [put(1, 'a')])
      await again.checkpoint()
      // What the log has up to the checkpoint comes again and is ignored; the rest counts.
      const third = await (await next.restart()).engine.open('db/1')
      third.apply(v(2), [put(1, 'from another time')])
      third.apply(v(3), [put(1, 'from another time')])
      third.apply(v(4), [put(2, 'b')])
      expect(rowsAt(third, 4)).toEqual([['a'], ['b']])
      await store.close()
      await again.close()
      await third.close()
    })

    test('checkpoints of an unchanged store, and several at once, are what one is', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      expect(await store.checkpoint()).toBe(0)
      store.apply(
        v(2),
        many(1500, (i) => put(i, i)),
      )
      const all = await Promise.all([store.checkpoint(), store.checkpoint(), store.checkpoint()])
      expect(all).toEqual([2, 2, 2])
      expect(await store.checkpoint()).toBe(2)
      await store.close()
      const again = await fixture.engine.open('db/1')
      expect(rowsAt(again, 2)).toEqual(many(1500, (i) => [i]))
      await again.close()
    })

    test('many checkpoints, with writes while they run, end in the same rows', async () => {
      let fixture = await create()
      let store = await fixture.engine.open('db/1')
      const model = new Map<number, string>()
      for (let version = 1; version <= 60; version++) {
        const writes = many(20, (i) => (version * 31 + i * 17) % 150)
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
      await store.close()
    })

    test('a restart in the middle of a checkpoint comes back before or after it, with those rows and no others', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      const states = new Map<number, Value[][]>([[0, []]])
      const model = new Map<number, Value[]>()
      const found = new Set<number>()
      // So much that a checkpoint takes many steps. Rows change, come and go in every version.
      for (let version = 1; version <= 6; version++) {
        const writes = many(4000, (i) => (i * 37 + version * 7) % 9000).map((n) =>
          n % 5 === version % 5 ? gone(n) : put(n, n, `v${version}`),
        )
        store.apply(v(version), writes)
        for (const [i, { row }] of writes.entries()) {
          const n = (i * 37 + version * 7) % 9000
          if (row === null) model.delete(n)
          else model.set(n, [...row])
        }
        states.set(
          version,
          [...model].sort(([a], [b]) => a - b).map(([, row]) => row),
        )
        let done = false
        const checkpoint = store.checkpoint().finally(() => {
          done = true
        })
        for (let look = 0; look < 4 && !done; look++) {
          const crashed = await fixture.restart()
          const again = await crashed.engine.open('db/1')
          const at = again.appliedVersion()
          found.add(at)
          expect([version - 1, version]).toContain(at)
          expect(again.durableVersion()).toBe(at)
          expect(rowsAt(again, at)).toEqual(states.get(at))
          expect(again.count(ITEMS)).toBe(states.get(at)?.length ?? 0)
          // The history may go on otherwise than before; nothing of the unfinished checkpoint comes up.
          again.apply(v(at + 1), [put(0, 'other')])
          again.apply(v(at + 2), [gone(0)])
          await again.checkpoint()
          expect(rowsAt(again, at)).toEqual(states.get(at))
          expect(again.get(ITEMS, key(0), v(at + 1))).toEqual(['other'])
          await again.close()
        }
        await checkpoint
      }
      await store.close()
    })

    test('a table that is emptied leaves nothing behind', async () => {
      const fixture = await create()
      const store = await fixture.engine.open('db/1')
      store.apply(v(1), [
        ...many(5000, (i) => put(i, i, 'x'.repeat(30))),
        { relation: OTHERS, key: key(1), row: ['stays'] },
      ])
      await store.checkpoint()
      store.apply(
        v(2),
        many(5000, (i) => gone(i)),
      )
      await store.checkpoint()
      store.trim(v(2))
      store.apply(v(3), [])
      await store.checkpoint()
      await store.checkpoint()
      const again = await (await fixture.restart()).engine.open('db/1')
      for (const one of [store, again]) {
        expect(everything(one, 3)).toEqual([[key(1), ['stays']]])
        expect(one.count(ITEMS)).toBe(0)
      }
      again.apply(v(4), [put(3, 'new')])
      await again.checkpoint()
      expect(everything(again, 4)).toEqual([
        [key(3), ['new']],
        [key(1), ['stays']],
      ])
      await store.close()
      await again.close()
    })

    test('a store that is closed while it is read or written comes to an orderly end', async () => {
      const { engine } = await create()
      const store = await engine.open('db/1')
      store.apply(
        v(1),
        many(3000, (i) => put(i, i)),
      )
      const scan = store.scan({ relation: ITEMS, range: {}, version: v(1) })[Symbol.iterator]()
      const first = scan.next()
      expect(first.done).toBe(false)
      const checkpoint = store.checkpoint()
      const closing = store.close()
      await checkpoint
      await closing
      await store.close()
      // A reader that goes on gets the right rows or an error, never an early end.
      let rows = first.done === true ? 0 : first.value.length
      let failed = false
      try {
        for (let next = scan.next(); next.done !== true; next = scan.next()) rows += next.value.length
      } catch {
        // The store may say that it is closed.
        failed = true
      }
      expect(failed || rows === 3000).toBe(true)
      const again = await engine.open('db/1')
      expect([0, 1]).toContain(again.appliedVersion())
      expect(rowsAt(again, again.appliedVersion()).length).toBe(again.appliedVersion() * 3000)
      await again.close()
    })

    test('damage is found, or does no harm: no answer is ever wrong', async () => {
      const fixture = await create()
      if (fixture.damaged === undefined) return
      const store = await fixture.engine.open('db/1')
      store.apply(
        v(1),
        many(600, (i) => put(i, i, `text ${i}`)),
      )
      await store.checkpoint()
      store.apply(
        v(2),
        many(300, (i) => put(i * 2, -i, 'changed')),
      )
      await store.checkpoint()
      const whole = everything(store, 2)
      let noticed = 0
      const looks = 40
      for (let look = 0; look < looks; look++) {
        const code = await readDamaged(await fixture.damaged(look / looks), (rows) =>
          expect(rows).toEqual(whole),
        )
        if (code !== null) {
          expect(['DISK_DAMAGED', 'DISK_FORMAT']).toContain(code)
          noticed++
        }
      }
      expect(noticed).toBeGreaterThan(0)
      await store.close()
    })

    test('lists and drops partitions', async () => {
      const fixture = await create()
      const { engine } = fixture
      for (const name of ['shop/2', 'shop/10', 'other/1']) {
        const store = await engine.open(name)
        store.apply(v(1), [put(1, name)])
        await store.checkpoint()
      }
      expect(await engine.list()).toEqual(['other/1', 'shop/10', 'shop/2'])
      await (await engine.open('shop/2')).drop()
      await engine.remove('other/1')
      await engine.remove('never/was')
      expect(await engine.list()).toEqual(['shop/10'])
      expect((await engine.open('shop/2')).appliedVersion()).toBe(0)
      const next = await fixture.restart()
      expect(await next.engine.list()).toEqual(['shop/10'])
      const kept = await next.engine.open('shop/10')
      expect(rowsAt(kept, 1)).toEqual([['shop/10']])
      await kept.close()
      // A name can be used again.
      const fresh = await next.engine.open('other/1')
      fresh.apply(v(1), [put(2, 'second life')])
      await fresh.checkpoint()
      expect(rowsAt(fresh, 1)).toEqual([['second life']])
      expect(await next.engine.list()).toEqual(['other/1', 'shop/10'])
      await fresh.close()
    })
  })
}

/** Reads everything; the code of the error if there is one. */
async function readDamaged(
  { engine }: StorageFixture,
  check: (rows: ReturnType<typeof everything>) => void,
): Promise<string | null> {
  let rows: ReturnType<typeof everything>
  try {
    const store = await engine.open('db/1')
    try {
      // An older checkpoint is known by its version, and the log brings what is missing.
      if (store.appliedVersion() !== 2) return null
      rows = everything(store, 2)
    } finally {
      await store.close()
    }
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  check(rows)
  return null
}
