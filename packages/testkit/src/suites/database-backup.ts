import { type Database, type Disk, KeyWriter, type Row } from '@cluster/core'
import { MemoryDisk } from '../model/memory-disk.ts'
import { type DatabaseTools, item, numbers, OTHERS } from './database-tools.ts'

/** Backups: made while others write, restored under another name. */
export function backupTests({ describe, expect, test, write, read, scan, failure }: DatabaseTools): void {
  const fill = (database: Database, count: number) =>
    write(
      database,
      numbers(0, count).map(
        (value) => [value, `row ${value}`, BigInt(value), null, value % 2 === 0] as const,
      ),
    )

  const all = async (database: Database): Promise<Row[]> => scan(await database.begin({ readOnly: true }))

  /** Archives until `work` is done and on disk. */
  const archiving = async (database: Database, folder: Disk, work: () => Promise<number>): Promise<void> => {
    const enough = new AbortController()
    let through = 0
    let wanted = Number.POSITIVE_INFINITY
    const onProgress = ({ version }: { readonly version: number }): void => {
      through = version
      if (through >= wanted) enough.abort()
    }
    const archive = database.archive(folder, { signal: enough.signal, flushMs: 5, onProgress })
    wanted = await work()
    if (through >= wanted) enough.abort()
    await archive
  }

  describe('backup', () => {
    test('has the rows of one version, and gives them back', async ({ first, last, fixture }) => {
      await fill(first, 200)
      const folder = new MemoryDisk()
      const progress: number[] = []
      const making = last.backup(folder, {
        onProgress: ({ partitionsDone, partitions }) => progress.push(partitionsDone / partitions),
      })
      await write(first, [[1, 'meanwhile']])
      const info = await making
      expect(info).toMatchObject({
        database: 'shop',
        options: { partitions: 4, redundancy: 2, minCopies: 1 },
      })
      expect(info.files.reduce((sum, { rows }) => sum + rows, 0)).toBe(200)
      expect(progress.at(-1)).toBe(1)
      const then = await first.begin({ atVersion: info.version })
      const expected = await scan(then)
      then.rollback()
      const node = fixture.nodes[0]
      expect(await node?.restore('copy', folder)).toMatchObject({
        restored: info.version,
        rows: 200,
        changes: 0,
      })
      const copy = await fixture.nodes.at(-1)?.open('copy')
      if (copy === undefined) throw new Error('there is a node')
      expect(copy.options).toEqual(first.options)
      expect(await all(copy)).toEqual(expected)
      // It is a database like any other.
      await write(copy, [[1, 'own']])
      expect(await read(copy, 1)).toEqual([1, 'own'])
      expect((await read(first, 1))?.[1]).toBe('meanwhile')
    })

    test('is refused where rows are, a folder is not empty, or there is none', async ({ first, fixture }) => {
      await fill(first, 10)
      const node = fixture.nodes[0]
      const folder = new MemoryDisk()
      await first.backup(folder)
      expect(await failure(first.backup(folder))).toMatchObject({
        detail: { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: 'folder' },
      })
      const restore = (name: string, from: Disk) => failure(node?.restore(name, from) ?? Promise.resolve())
      expect(await restore('shop', folder)).toMatchObject({
        detail: { code: 'DB_NOT_EMPTY', outcome: 'rejected' },
      })
      expect(await restore('nothing', new MemoryDisk())).toMatchObject({
        detail: { code: 'DB_BACKUP_UNUSABLE', outcome: 'rejected', reason: 'missing' },
      })
      expect(node?.list()).not.toContain('nothing')
    })

    test('is restored into more or fewer partitions, by the keys that the caller says', async ({
      first,
      fixture,
    }) => {
      await fill(first, 100)
      // A row that lives where another one says, as the entries of an index do.
      const transaction = await first.begin()
      for (const value of numbers(0, 20)) {
        const key = new KeyWriter().text(`entry ${value}`).finish()
        const { partition, key: owner } = item(first, value)
        transaction.put({ relation: OTHERS, partition, key }, [owner])
      }
      await transaction.commit()
      const folder = new MemoryDisk()
      await first.backup(folder)
      await fixture.nodes[0]?.restore('wide', folder, {
        partitions: 7,
        redundancy: 1,
        distributionKey: (relation, key, row) => (relation === OTHERS ? String(row[0]) : key),
      })
      const wide = await fixture.nodes.at(-1)?.open('wide')
      if (wide === undefined) throw new Error('there is a node')
      expect(wide.options).toMatchObject({ partitions: 7, redundancy: 1 })
      expect(await all(wide)).toEqual(await all(first))
      const reading = await wide.begin({ readOnly: true })
      for (const value of numbers(0, 20)) {
        const key = new KeyWriter().text(`entry ${value}`).finish()
        const { partition, key: owner } = item(wide, value)
        expect(await reading.get({ relation: OTHERS, partition, key })).toEqual([owner])
        expect((await read(wide, value))?.[0]).toBe(value)
      }
    })

    test('and what was archived behind it give every later version', async ({ first, last, fixture }) => {
      await fill(first, 30)
      const folder = new MemoryDisk()
      const info = await last.backup(folder, { keepChanges: true })
      const states: { version: number; rows: Row[] }[] = []
      const change = async (text: string): Promise<number> => {
        const transaction = await first.begin()
        for (const value of numbers(10, 15))
          transaction.put(item(first, value), [value, text, 0n, null, false])
        transaction.delete(item(first, Number(text)))
        const { version } = await transaction.commit()
        states.push({ version, rows: await all(first) })
        return version
      }
      await archiving(last, folder, async () => {
        await change('20')
        return change('21')
      })
      // Nothing is lost while nobody archives, and nothing counts twice.
      await change('22')
      await archiving(first, folder, () => change('23'))
      const node = fixture.nodes[0]
      for (const [i, { version, rows }] of states.entries()) {
        const name = `copy${i}`
        await node?.restore(name, folder, { version: version as typeof info.version })
        const copy = await node?.open(name)
        if (copy === undefined) throw new Error('there is a node')
        expect(await all(copy)).toEqual(rows)
      }
      const { restored } = (await node?.restore('newest', folder, { version: 'newest' })) ?? { restored: 0 }
      expect(restored).toBeGreaterThanOrEqual(Number(states.at(-1)?.version))
      const newest = await node?.open('newest')
      if (newest !== undefined) expect(await all(newest)).toEqual(states.at(-1)?.rows)
      const later = (info.version + 1_000_000) as typeof info.version
      expect(
        await failure(node?.restore('never', folder, { version: later }) ?? Promise.resolve()),
      ).toMatchObject({
        detail: { code: 'DB_BACKUP_UNUSABLE', reason: 'version' },
      })
    })
  })
}
