import type { Database } from '@cluster/core'
import { type DatabaseTools, ITEMS, item, numbers } from './database-tools.ts'

/** Transactions that do not ask the leader first, and commits that are tried again. */
export function beginningTests({ describe, expect, test, write, read, scan, failure }: DatabaseTools): void {
  describe('optimistic transactions', () => {
    test('commit as others do, and lose as others do', async ({ first, last }) => {
      await write(first, [[1, 10]])
      const one = await first.begin({ optimistic: true })
      const two = await first.begin({ optimistic: true })
      for (const transaction of [one, two]) {
        const count = Number((await transaction.get(item(first, 1)))?.[1])
        transaction.put(item(first, 1), [1, count + 1])
      }
      const { version } = await one.commit()
      expect(await failure(two.commit())).toMatchObject({ detail: { code: 'DB_CONFLICT' } })
      const next = await first.begin({ optimistic: true })
      // Whoever lost begins where the winner was, or later, or it would lose again.
      expect(next.version).toBeGreaterThanOrEqual(version)
      expect(await next.get(item(first, 1))).toEqual([1, 11])
      expect(await read(last, 1)).toEqual([1, 11])
    })

    test('prove what they read: with it, without a write, or not', async ({ first, last }) => {
      await write(first, [[1, 'old']])
      // What a node has read and not proved may be of yesterday; it gets there in the end.
      for (const attempt of numbers(0, 100)) {
        expect(attempt).toBeLessThan(99)
        const good = await last.begin({ optimistic: true, readOnly: true })
        const row = await good.get(item(last, 1))
        if ((await failure(good.validate())) !== null) continue
        expect(row).toEqual([1, 'old'])
        // It goes on, and may prove more later.
        expect(await good.get(item(last, 2))).toBeNull()
        await write(first, [[3, 'beside']])
        await good.validate()
        await write(first, [[1, 'new']])
        expect(await failure(good.validate())).toMatchObject({
          detail: { code: 'DB_CONFLICT', outcome: 'rejected', relation: ITEMS },
        })
        break
      }
      const bare = await last.begin({ optimistic: true })
      const rows = await scan(bare)
      await write(first, [[2, 'new']])
      expect(await failure(bare.commit())).toMatchObject({ detail: { code: 'DB_CONFLICT' } })
      expect(rows.length).toBeLessThan(3)
    })

    test('never prove what was older than the call', async ({ first, last }) => {
      for (const value of numbers(0, 20)) {
        await write(first, [[1, value]])
        const transaction = await last.begin({ optimistic: true, readOnly: true })
        const row = await transaction.get(item(last, 1))
        const proved = (await failure(transaction.validate())) === null
        transaction.rollback()
        if (proved) expect(row).toEqual([1, value])
      }
      // Those that ask first have nothing to prove.
      const asked = await last.begin()
      await asked.get(item(last, 1))
      await write(first, [[1, 'changed']])
      await asked.validate()
      expect(await asked.commit()).toMatchObject({ version: asked.version, copies: null })
    })
  })

  describe('old versions', () => {
    test('are read at the version given, from every node', async ({ first, last }) => {
      const { version } = await write(first, [[1, 'old']])
      await write(first, [[1, 'new']])
      for (const database of [first, last]) {
        const then = await database.begin({ atVersion: version })
        expect(then.version).toBe(version)
        expect(await then.get(item(database, 1))).toEqual([1, 'old'])
        expect(await scan(then)).toEqual([[1, 'old']])
        await then.commit()
      }
    })

    test('are read where they are when nothing newer is asked for', async ({ first, last }) => {
      await write(last, [[1, 'there']])
      const local = await last.begin({ staleness: 'local' })
      expect(await local.get(item(last, 1))).toEqual([1, 'there'])
      local.rollback()
      const { version } = await write(first, [[1, 'newer']])
      const recent = await last.begin({ staleness: { maxMs: 0 } })
      expect(recent.version).toBeLessThanOrEqual(version)
      recent.rollback()
    })

    test('cannot be written upon', async ({ first }) => {
      const invalid = { detail: { code: 'DB_OPTION_INVALID', outcome: 'rejected' } }
      const version = (await write(first, [[1, 'a']])).version
      expect(await failure(first.begin({ atVersion: version, readOnly: false }))).toMatchObject(invalid)
      expect(await failure(first.begin({ staleness: 'local', optimistic: true }))).toMatchObject(invalid)
      expect(await failure(first.begin({ atVersion: version, staleness: 'local' }))).toMatchObject(invalid)
      const old = await first.begin({ atVersion: version })
      expect(await failure((async () => old.put(item(first, 1), [1, 'b']))())).toMatchObject(invalid)
    })
  })

  describe('idempotency keys', () => {
    test('let one of several commits take effect', async ({ first, last }) => {
      const attempt = async (database: Database, value: string) => {
        const transaction = await database.begin()
        const row = await transaction.get(item(database, 1))
        transaction.put(item(database, 1), [1, value, Number(row?.[2] ?? 0) + 1])
        return transaction.commit({ idempotencyKey: 'order 17' })
      }
      const receipt = await attempt(first, 'a')
      expect(await attempt(last, 'b')).toMatchObject({ version: receipt.version })
      expect(await attempt(first, 'c')).toMatchObject({ version: receipt.version })
      expect(await read(last, 1)).toEqual([1, 'a', 1])
    })

    test('are not used up by a commit that was refused', async ({ first, last }) => {
      const options = { idempotencyKey: 'order 18' }
      const attempt = async (database: Database, hinder: boolean) => {
        const transaction = await database.begin()
        const row = await transaction.get(item(database, 1))
        transaction.put(item(database, 1), [1, Number(row?.[1] ?? 0) + 1])
        if (hinder) await write(first, [[1, Number(row?.[1] ?? 0) + 10]])
        return transaction.commit(options)
      }
      for (const database of [first, last, first])
        expect(await failure(attempt(database, true))).toMatchObject({ detail: { code: 'DB_CONFLICT' } })
      const { version } = await attempt(last, false)
      expect(await attempt(first, false)).toMatchObject({ version })
      expect(await read(last, 1)).toEqual([1, 31])
    })
  })
}
