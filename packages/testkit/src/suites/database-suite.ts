import { type DatabaseEvents, type Databases, EVERYWHERE, type PartitionId, type Row } from '@cluster/core'
import { additionTests } from './database-additions.ts'
import { alterTests } from './database-alter.ts'
import { backupTests } from './database-backup.ts'
import { beginningTests } from './database-beginnings.ts'
import { changeTests } from './database-changes.ts'
import { dropTests } from './database-drop.ts'
import { programTests } from './database-programs.ts'
import { riskTests } from './database-risks.ts'
import { type DatabaseFixture, databaseTools, ITEMS, item, key, numbers, OTHERS } from './database-tools.ts'
import { verifyTests } from './database-verify.ts'
import type { SuiteRunner } from './runner.ts'

/** The compliance suite of `Databases`: real ones, on any number of nodes, and models pass it. */
export function databaseSuite(runner: SuiteRunner, create: () => Promise<DatabaseFixture>): void {
  const tools = databaseTools(runner, create)
  const { describe, expect, test, write, read, scan, failure } = tools

  describe('Databases', () => {
    test('opens what exists, from every node', async ({ first, last, fixture }) => {
      expect(first.name).toBe('shop')
      expect(first.options).toEqual({ redundancy: 2, partitions: 4, minCopies: 1 })
      expect(last.options).toEqual(first.options)
      for (const node of fixture.nodes) expect(node.list()).toContain('shop')
      const again = await (fixture.nodes[0] as Databases).open('shop', { redundancy: 2, minCopies: 1 })
      await write(again, [[1, 'a']])
      expect(await read(last, 1)).toEqual([1, 'a'])
    })

    test('refuses options that differ and options that are wrong', async ({ fixture }) => {
      const node = fixture.nodes.at(-1) as Databases
      expect(await failure(node.open('shop', { partitions: 8 }))).toMatchObject({
        detail: {
          code: 'DB_OPTIONS_DIFFER',
          outcome: 'rejected',
          option: 'partitions',
          exists: '4',
          given: '8',
        },
      })
      for (const options of [{ partitions: 0 }, { partitions: 1_025 }, { redundancy: 0.5 }, { minCopies: 0 }])
        expect(await failure(node.open('other', options))).toMatchObject({
          detail: { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: Object.keys(options)[0] },
        })
      expect(node.list()).toEqual(['shop'])
    })

    test('is made once when all open it at the same time', async ({ fixture }) => {
      const handles = await Promise.all(fixture.nodes.map((node) => node.open('rush')))
      for (const [i, handle] of handles.entries()) await write(handle, [[i, 'x']])
      for (const handle of handles)
        expect(await scan(await handle.begin())).toEqual(handles.map((_, i) => [i, 'x']))
      expect((fixture.nodes[0] as Databases).list()).toEqual(['rush', 'shop'])
    })

    test('puts keys into its partitions, always the same', async ({ first, last }) => {
      const used = new Set<PartitionId>()
      for (const value of numbers(0, 200)) {
        const partition = first.partitionOf(key(value))
        expect(last.partitionOf(key(value))).toBe(partition)
        used.add(partition)
      }
      expect([...used].sort()).toEqual([1, 2, 3, 4])
    })

    test('keeps databases apart', async ({ first, fixture }) => {
      const other = await (fixture.nodes[0] as Databases).open('other', { partitions: 4 })
      await write(first, [[1, 'shop']])
      await write(other, [[1, 'other']])
      expect(await read(first, 1)).toEqual([1, 'shop'])
      expect(await read(other, 1)).toEqual([1, 'other'])
    })
  })

  describe('Transaction', () => {
    test('what is committed is there for all who begin later, on every node', async ({ first, last }) => {
      expect(await read(last, 1)).toBeNull()
      const receipt = await write(first, [
        [1, 'a'],
        [2, 'b'],
      ])
      expect(receipt.copies).toBeGreaterThanOrEqual(1)
      expect(receipt.version).toBeGreaterThan(0)
      expect(await read(last, 1)).toEqual([1, 'a'])
      expect(await read(first, 2)).toEqual([2, 'b'])
      await write(last, [[1, 'changed']])
      expect(await read(first, 1)).toEqual([1, 'changed'])
      expect(await read(first, 1, OTHERS)).toBeNull()
    })

    test('reads one version, whatever is committed meanwhile', async ({ first, last }) => {
      await write(first, [[1, 'old']])
      const before = await last.begin({ readOnly: true })
      const { version } = await write(first, [
        [1, 'new'],
        [2, 'new'],
      ])
      expect(before.version).toBeLessThan(version)
      expect(await before.get(item(last, 1))).toEqual([1, 'old'])
      expect(await scan(before)).toEqual([[1, 'old']])
      before.rollback()
      expect(await scan(await last.begin({ readOnly: true }))).toEqual([
        [1, 'new'],
        [2, 'new'],
      ])
    })

    test('sees its own writes, others do not before the commit', async ({ first, last }) => {
      await write(first, [
        [1, 'a'],
        [3, 'c'],
        [5, 'e'],
      ])
      const transaction = await last.begin()
      transaction.put(item(last, 2), [2, 'b'])
      transaction.put(item(last, 3), [3, 'changed'])
      transaction.delete(item(last, 5))
      expect(await transaction.get(item(last, 2))).toEqual([2, 'b'])
      expect(await transaction.get(item(last, 5))).toBeNull()
      const mine = [
        [1, 'a'],
        [2, 'b'],
        [3, 'changed'],
      ]
      expect(await scan(transaction)).toEqual(mine)
      expect(await scan(transaction, { reverse: true })).toEqual(mine.toReversed())
      expect(await scan(transaction, { limit: 2 })).toEqual(mine.slice(0, 2))
      expect(await scan(transaction, { reverse: true, limit: 1, columns: [1] })).toEqual([['changed']])
      const unordered = await scan(transaction, { ordered: false })
      expect(unordered.sort(([a], [b]) => Number(a) - Number(b))).toEqual(mine)
      expect(await read(first, 2)).toBeNull()
      await transaction.commit()
      expect(await scan(await first.begin())).toEqual(mine)
    })

    test('takes back to a mark', async ({ first }) => {
      await write(first, [[1, 'a']])
      const transaction = await first.begin()
      transaction.put(item(first, 1), [1, 'b'])
      const mark = transaction.mark()
      transaction.put(item(first, 1), [1, 'c'])
      transaction.put(item(first, 2), [2, 'x'])
      transaction.delete(item(first, 1))
      expect(await scan(transaction)).toEqual([[2, 'x']])
      transaction.rollbackTo(mark)
      expect(await transaction.get(item(first, 1))).toEqual([1, 'b'])
      expect(await scan(transaction)).toEqual([[1, 'b']])
      await transaction.commit()
      expect(await scan(await first.begin())).toEqual([[1, 'b']])
    })

    test('leaves nothing after a rollback, and ends', async ({ first, last }) => {
      const transaction = await first.begin()
      transaction.put(item(first, 1), [1, 'x'])
      transaction.rollback()
      transaction.rollback()
      expect(await read(last, 1)).toBeNull()
      const ended = { detail: { code: 'DB_TRANSACTION_ENDED', outcome: 'rejected' } }
      expect(await failure(transaction.get(item(first, 1)))).toMatchObject(ended)
      expect(await failure(transaction.commit())).toMatchObject(ended)
      expect(await failure(scan(transaction))).toMatchObject(ended)
      expect(await failure((async () => transaction.put(item(first, 1), [1, 'x']))())).toMatchObject(ended)
    })

    test('commits nothing at once when nothing was written', async ({ first }) => {
      await write(first, [[1, 'a']])
      const transaction = await first.begin()
      await transaction.get(item(first, 1))
      const receipt = await transaction.commit()
      expect(receipt).toMatchObject({ version: transaction.version, copies: null, underReplicated: false })
    })

    test('keeps every kind of value, also from afar', async ({ first, last }) => {
      const row: Row = [
        1,
        null,
        true,
        false,
        -1.5,
        -0,
        2 ** 52 + 1,
        -(2 ** 31),
        Number.NaN,
        Number.POSITIVE_INFINITY,
        -9_223_372_036_854_775_808n,
        0n,
        '',
        'grüß\u0000 dich 🙂'.repeat(30),
        '\ud800 alone',
        new Uint8Array([0, 1, 255]),
      ]
      for (const value of numbers(1, 9)) {
        const transaction = await first.begin()
        transaction.put(item(first, value), row)
        await transaction.commit()
        for (const database of [first, last]) {
          const got = await read(database, value)
          expect(got).toEqual(row)
          expect(Object.is(got?.[5], -0)).toBe(true)
        }
      }
      expect(await scan(await last.begin())).toEqual(numbers(1, 9).map(() => row))
    })

    test('gives up at once when the caller has', async ({ first }) => {
      const over = { signal: AbortSignal.abort() }
      expect(await failure(first.begin(over))).toMatchObject({ detail: { code: 'ABORTED' } })
    })
  })

  describe('scan', () => {
    const many = numbers(0, 3_000)

    test('gives rows in key order over all partitions, in batches', async ({ first, last }) => {
      await write(
        first,
        many.map((value) => [value, `row ${value}`]),
      )
      const transaction = await last.begin({ readOnly: true })
      expect(await scan(transaction, { columns: [0] })).toEqual(many.map((value) => [value]))
      const some = await scan(transaction, {
        range: { from: key(100), to: key(110) },
        columns: [1, 0],
        reverse: true,
      })
      expect(some).toEqual(
        numbers(100, 110)
          .reverse()
          .map((value) => [`row ${value}`, value]),
      )
      expect(await scan(transaction, { limit: 5, range: { from: key(7) }, columns: [0] })).toEqual(
        numbers(7, 12).map((value) => [value]),
      )
      expect(await scan(transaction, { limit: 0 })).toEqual([])
      const unordered = await scan(transaction, { ordered: false, columns: [0] })
      expect(unordered.map(([value]) => Number(value)).sort((a, b) => a - b)).toEqual(many)
      expect((await scan(transaction, { ordered: false, limit: 10 })).length).toBe(10)
    })

    test('reads the partitions it is told', async ({ first, last }) => {
      await write(
        first,
        numbers(0, 40).map((value) => [value]),
      )
      const everywhere = await first.begin()
      everywhere.put({ relation: ITEMS, partition: EVERYWHERE, key: key(1_000) }, [1_000])
      await everywhere.commit()
      const transaction = await last.begin({ readOnly: true })
      const wanted = [last.partitionOf(key(0)), EVERYWHERE]
      expect(await scan(transaction, { partitions: wanted })).toEqual([
        ...numbers(0, 40)
          .filter((value) => last.partitionOf(key(value)) === wanted[0])
          .map((value) => [value]),
        [1_000],
      ])
      expect(await scan(transaction, { partitions: [] })).toEqual([])
      // Without a list: the hash partitions, not the one that everybody holds.
      expect((await scan(transaction)).length).toBe(40)
    })
  })

  describe('certification', () => {
    test('of two that read and write the same row, one commits', async ({ first, last }) => {
      await write(first, [[1, 10]])
      const one = await first.begin()
      const two = await last.begin()
      const read1 = Number((await one.get(item(first, 1)))?.[1])
      const read2 = Number((await two.get(item(last, 1)))?.[1])
      one.put(item(first, 1), [1, read1 + 1])
      two.put(item(last, 1), [1, read2 + 1])
      await one.commit()
      expect(await failure(two.commit())).toMatchObject({
        detail: { code: 'DB_CONFLICT', outcome: 'rejected', relation: ITEMS },
      })
      expect(await read(last, 1)).toEqual([1, 11])
    })

    test('a row that was not there counts as read', async ({ first, last }) => {
      const one = await first.begin()
      const two = await last.begin()
      expect(await one.get(item(first, 1))).toBeNull()
      expect(await two.get(item(last, 1))).toBeNull()
      one.put(item(first, 1), [1, 'one'])
      two.put(item(last, 1), [1, 'two'])
      await two.commit()
      expect(await failure(one.commit())).toMatchObject({ detail: { code: 'DB_CONFLICT' } })
      expect(await read(first, 1)).toEqual([1, 'two'])
    })

    test('rows that come into a range that was read are noticed', async ({ first, last }) => {
      await write(first, [[5, 'there']])
      const one = await first.begin()
      expect((await scan(one, { range: { from: key(0), to: key(10) } })).length).toBe(1)
      one.put(item(first, 100), [100, 'count 1'])
      await write(last, [[7, 'new']])
      expect(await failure(one.commit())).toMatchObject({ detail: { code: 'DB_CONFLICT', relation: ITEMS } })
      expect(await read(first, 100)).toBeNull()
    })

    test('what lies beside the range is no conflict', async ({ first, last }) => {
      const one = await first.begin()
      await scan(one, { range: { from: key(0), to: key(10) } })
      await one.get(item(first, 20))
      one.put(item(first, 100), [100, 'ok'])
      await write(last, [
        [10, 'new'],
        [21, 'new'],
      ])
      await one.commit()
      expect(await read(last, 100)).toEqual([100, 'ok'])
    })

    test('an ordered scan that stops early has read at least so far', async ({ first, last }) => {
      await write(
        first,
        numbers(0, 20).map((value) => [value]),
      )
      const far = await first.begin()
      expect(await scan(far, { limit: 3, reverse: true })).toMatchObject([[19], [18], [17]])
      far.put(item(first, 100), [100])
      await write(last, [[17.5, 'between']])
      expect(await failure(far.commit())).toMatchObject({ detail: { code: 'DB_CONFLICT' } })
    })

    test('a row expected unchanged counts as read', async ({ first, last }) => {
      await write(first, [[1, 'parent']])
      const good = await first.begin()
      good.expectUnchanged(item(first, 1))
      good.put(item(first, 2), [2, 'child'])
      await good.commit()
      const bad = await first.begin()
      bad.expectUnchanged(item(first, 1))
      bad.put(item(first, 3), [3, 'child'])
      const remover = await last.begin()
      remover.delete(item(last, 1))
      await remover.commit()
      expect(await failure(bad.commit())).toMatchObject({ detail: { code: 'DB_CONFLICT' } })
      expect(await read(last, 3)).toBeNull()
    })

    test('writes that nothing was read for do not conflict; the later one stays', async ({ first, last }) => {
      const one = await first.begin()
      const two = await last.begin()
      one.put(item(first, 1), [1, 'one'])
      two.put(item(last, 1), [1, 'two'])
      await two.commit()
      await one.commit()
      expect(await read(last, 1)).toEqual([1, 'one'])
    })

    test('reads that were taken back stay in the read set', async ({ first, last }) => {
      const one = await first.begin()
      const mark = one.mark()
      await one.get(item(first, 1))
      one.rollbackTo(mark)
      one.put(item(first, 2), [2])
      await write(last, [[1, 'new']])
      expect(await failure(one.commit())).toMatchObject({ detail: { code: 'DB_CONFLICT' } })
    })
  })

  describe('status', () => {
    test('says who holds what', async ({ first, last, fixture }) => {
      await write(
        first,
        numbers(0, 50).map((value) => [value]),
      )
      const status = first.status()
      expect(status.name).toBe('shop')
      expect(status.unavailable).toEqual([])
      for (const partition of [1, 2, 3, 4] as PartitionId[]) {
        const complete = status.replicas.filter((replica) => replica.partition === partition)
        expect(complete.map(({ node }) => node)).toEqual(first.holders(partition))
        expect(complete.length).toBe(Math.min(2, fixture.nodes.length))
      }
      const here = status.replicas.filter(({ rows, partition }) => rows !== null && partition !== EVERYWHERE)
      const local = [1, 2, 3, 4].flatMap((partition) => [...first.localScan(ITEMS, partition as PartitionId)])
      expect(here.reduce((sum, { rows }) => sum + (rows ?? 0), 0)).toBe(
        local.reduce((sum, batch) => sum + batch.length, 0),
      )
      const commits: DatabaseEvents['commit'][] = []
      let wake = (): void => {}
      const cancel = last.on('commit', (event) => {
        commits.push(event)
        wake()
      })
      const { version } = await write(first, [[1, 'changed']])
      const mine = (): unknown => commits.find((event) => event.version === version)
      while (mine() === undefined) await new Promise<void>((resolve) => (wake = resolve))
      expect(mine()).toEqual({ version, relations: [ITEMS] })
      cancel()
      const { length } = commits
      await write(last, [[1, 'again']])
      expect(commits.length).toBe(length)
    })
  })

  beginningTests(tools)
  riskTests(tools)
  changeTests(tools)
  verifyTests(tools)
  backupTests(tools)
  alterTests(tools)
  dropTests(tools)
  programTests(tools)
  additionTests(tools)
}
