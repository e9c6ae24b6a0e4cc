import type { Addition, Database, Transaction } from '@cluster/core'
import { takeChanges } from './database-changes.ts'
import { type DatabaseTools, item, numbers } from './database-tools.ts'

/** Rows that transactions add to; a database that has no `add` has nothing to show here. */
export function additionTests({ describe, expect, test, write, read, scan, failure }: DatabaseTools): void {
  describe('additions', () => {
    const by = (amount: number, position = 1): Addition => ({ position, type: 'integer', by: amount })
    const add = async (
      database: Database,
      transaction: Transaction,
      value: number,
      ...additions: readonly Addition[]
    ): Promise<string | undefined> => transaction.add?.(item(database, value), additions)
    const conflict = { detail: { code: 'DB_CONFLICT', outcome: 'rejected' } }
    /** As `test`, for databases that can add. */
    const addingTest = (name: string, body: (first: Database, last: Database) => Promise<void>): void =>
      test(name, async ({ first, last }) => {
        await write(first, [
          [1, 10],
          [2, 20],
        ])
        const transaction = await first.begin()
        transaction.rollback()
        if (transaction.add !== undefined) await body(first, last)
      })

    addingTest('of transactions that overlap all count', async (first, last) => {
      const open = await Promise.all(numbers(0, 40).map((i) => (i % 2 === 0 ? first : last).begin()))
      for (const transaction of open) {
        expect(await add(first, transaction, 1, by(3))).toBe('added')
        expect(await add(first, transaction, 2, by(-1))).toBe('added')
      }
      await Promise.all(open.map((transaction) => transaction.commit()))
      for (const database of [first, last]) {
        expect(await read(database, 1)).toEqual([1, 130])
        expect(await read(database, 2)).toEqual([2, -20])
      }
    })

    addingTest('show in own reads, which makes the row one that was read', async (first, last) => {
      const reader = await first.begin()
      const blind = await first.begin()
      for (const transaction of [reader, blind]) {
        expect(await add(first, transaction, 1, by(5))).toBe('added')
        expect(await add(first, transaction, 1, by(-2))).toBe('added')
      }
      expect(await reader.get(item(first, 1))).toEqual([1, 13])
      const scanner = await first.begin()
      await add(first, scanner, 1, by(7))
      expect(await scan(scanner)).toEqual([
        [1, 17],
        [2, 20],
      ])
      const other = await last.begin()
      await add(last, other, 1, by(100))
      await other.commit()
      expect(await failure(reader.commit())).toMatchObject(conflict)
      expect(await failure(scanner.commit())).toMatchObject(conflict)
      await blind.commit()
      expect(await read(last, 1)).toEqual([1, 113])
    })

    addingTest(
      'lose against whoever replaces or deletes the row, and win against reads',
      async (first, last) => {
        const late = await Promise.all([first.begin(), first.begin(), first.begin()])
        for (const transaction of late) expect(await add(first, transaction, 1, by(1))).toBe('added')
        const reader = await last.begin()
        expect(await reader.get(item(last, 1))).toEqual([1, 10])
        reader.put(item(last, 3), [3, 0])
        await late[0]?.commit()
        expect(await failure(reader.commit())).toMatchObject(conflict)
        await write(last, [[1, 50]])
        expect(await failure(late[1]?.commit() as Promise<unknown>)).toMatchObject(conflict)
        const deleting = await last.begin()
        deleting.delete(item(last, 1))
        await deleting.commit()
        expect(await failure(late[2]?.commit() as Promise<unknown>)).toMatchObject(conflict)
        expect(await read(first, 1)).toBeNull()
      },
    )

    addingTest(
      'to a row that is not there do nothing, and that it was not is certified',
      async (first, last) => {
        const transaction = await first.begin()
        expect(await add(first, transaction, 9, by(1))).toBe('absent')
        transaction.put(item(first, 3), [3, 0])
        await write(last, [[9, 0]])
        expect(await failure(transaction.commit())).toMatchObject(conflict)
        const deleted = await first.begin()
        deleted.delete(item(first, 1))
        expect(await add(first, deleted, 1, by(1))).toBe('absent')
        await deleted.commit()
      },
    )

    addingTest('to own rows change those', async (first, last) => {
      const transaction = await first.begin()
      transaction.put(item(first, 5), [5, 1])
      expect(await add(first, transaction, 5, by(2))).toBe('added')
      expect(await add(first, transaction, 1, by(2))).toBe('added')
      transaction.put(item(first, 1), [1, 0])
      await transaction.commit()
      expect(await read(last, 5)).toEqual([5, 3])
      expect(await read(last, 1)).toEqual([1, 0])
    })

    addingTest('are taken back with what came behind a mark', async (first, last) => {
      const transaction = await first.begin()
      expect(await add(first, transaction, 1, by(1))).toBe('added')
      const mark = transaction.mark()
      await add(first, transaction, 1, by(10))
      await add(first, transaction, 2, by(10))
      transaction.rollbackTo(mark)
      await transaction.commit()
      expect(await read(last, 1)).toEqual([1, 11])
      expect(await read(last, 2)).toEqual([2, 20])
    })

    addingTest('keep the kinds and bounds of numbers', async (first, last) => {
      const most = 2 ** 31 - 1
      await write(first, [
        [1, most],
        [2, 'text'],
        [3, null],
        [4, 2n ** 62n],
        [5, '-0.05'],
        [6, 32_000],
      ])
      const transaction = await first.begin()
      expect(await add(first, transaction, 1, by(1))).toBe('unfit')
      expect(await add(first, transaction, 2, by(1))).toBe('unfit')
      expect(await add(first, transaction, 3, by(1))).toBe('added')
      const whole: Addition = { position: 1, type: 'bigint', by: -(2n ** 40n) }
      expect(await add(first, transaction, 4, whole)).toBe('added')
      expect(await add(first, transaction, 4, { ...whole, by: 2n ** 63n - 1n })).toBe('unfit')
      const money: Addition = { position: 1, type: 'numeric', by: '1.5', digits: { before: 3, behind: 2 } }
      expect(await add(first, transaction, 5, money)).toBe('added')
      expect(await add(first, transaction, 5, { ...money, by: '1000' })).toBe('unfit')
      expect(await add(first, transaction, 5, { ...money, by: '0.001' })).toBe('unfit')
      expect(await add(first, transaction, 6, { position: 1, type: 'smallint', by: 1_000 })).toBe('unfit')
      await transaction.commit()
      expect(await read(last, 1)).toEqual([1, most])
      expect(await read(last, 3)).toEqual([3, null])
      expect(await read(last, 4)).toEqual([4, 2n ** 62n - 2n ** 40n])
      expect(await read(last, 5)).toEqual([5, '1.45'])
    })

    addingTest('that together leave the bounds do not both happen', async (first, last) => {
      await write(first, [[1, 2 ** 31 - 100]])
      const both = await Promise.all([first.begin(), last.begin()])
      for (const transaction of both) expect(await add(first, transaction, 1, by(60))).toBe('added')
      const came = await Promise.all(both.map((transaction) => failure(transaction.commit())))
      expect(came.filter((error) => error === null).length).toBe(1)
      expect(came.find((error) => error !== null)).toMatchObject(conflict)
      expect(await read(last, 1)).toEqual([1, 2 ** 31 - 40])
    })

    addingTest('tell those who follow the changes what became of the row', async (first, last) => {
      const row = item(first, 1)
      const from = await first.keepChanges([row.relation])
      const transaction = await first.begin()
      await add(first, transaction, 1, by(1))
      await transaction.commit()
      const [change] = await takeChanges(last.changes({ relations: [row.relation], from }), 1)
      expect(change).toMatchObject({ before: [1, 10], after: [1, 11] })
    })
  })
}
