import {
  type Database,
  type ExecuteReceipt,
  PROGRAM_ROWS_MAX,
  type ProgramFailure,
  type ProgramStep,
  type RowExpression,
  type RowProgram,
} from '@cluster/core'
import { type DatabaseTools, ITEMS, item, key, numbers } from './database-tools.ts'

/** Programs that replicas run where the log applies them. */
export function programTests({ describe, expect, test, write, read, failure }: DatabaseTools): void {
  describe('programs', () => {
    const field = (position: number): RowExpression => ({ op: 'column', position })
    const plus = (position: number, by: number): RowExpression => ({
      op: 'add',
      type: 'integer',
      left: field(position),
      right: { op: 'value', value: by },
    })
    const program = (database: Database, value: number, step: Partial<ProgramStep>): RowProgram => ({
      relation: ITEMS,
      partition: item(database, value).partition,
      steps: [{ key: key(value), present: { do: 'keep' }, absent: null, ...step }],
      checks: [],
      returning: true,
    })
    const increment = (database: Database, value: number): RowProgram =>
      program(database, value, {
        present: { do: 'update', set: [{ position: 1, value: plus(1, 1) }], where: null },
        absent: [value, 1],
      })
    const run = async (database: Database, what: RowProgram): Promise<ExecuteReceipt> =>
      (await database.begin({ optimistic: true })).execute(what)

    test('change rows where the log applies them, on every node', async ({ first, last }) => {
      expect(await run(first, increment(first, 1))).toMatchObject({
        outcome: { type: 'done', changed: [0], rows: [[1, 1]] },
      })
      const receipt = await run(last, increment(last, 1))
      expect(receipt).toMatchObject({ outcome: { type: 'done', changed: [0], rows: [[1, 2]] } })
      expect(receipt.copies).toBeGreaterThanOrEqual(1)
      for (const database of [first, last]) expect(await read(database, 1)).toEqual([1, 2])
      const gone = await run(
        first,
        program(first, 1, {
          present: {
            do: 'delete',
            where: { op: 'less', type: 'plain', left: { op: 'value', value: 1 }, right: field(1) },
          },
        }),
      )
      expect(gone.outcome).toEqual({ type: 'done', changed: [0], rows: [[1, 2]] })
      expect(await read(last, 1)).toBeNull()
      const nothing = await run(last, {
        ...program(last, 1, { present: { do: 'refuse' } }),
        returning: false,
      })
      expect(nothing.outcome).toEqual({ type: 'done', changed: [], rows: [] })
    })

    test('never lose a race: every increment of a hot row counts, once', async ({ first, last }) => {
      const work = numbers(0, 60).map((i) => run(i % 2 === 0 ? first : last, increment(first, 1)))
      const seen = (await Promise.all(work)).map(({ outcome }) =>
        outcome.type === 'done' ? Number(outcome.rows[0]?.[1]) : null,
      )
      // Each saw its own place in the order.
      expect(seen.sort((a, b) => Number(a) - Number(b))).toEqual(numbers(1, 61))
      expect(await read(last, 1)).toEqual([1, 60])
    })

    test('that fail have no effect and say why, all steps or none', async ({ first, last }) => {
      await write(first, [
        [1, 2 ** 31 - 1],
        [2, 10],
      ])
      const partition = item(first, 1).partition
      const other = numbers(2, 200).find((value) => item(first, value).partition === partition) as number
      const both: RowProgram = {
        ...program(first, 1, {}),
        steps: [
          { key: key(other), present: { do: 'keep' }, absent: [other, 0] },
          increment(first, 1).steps[0] as ProgramStep,
        ],
      }
      const failed = (failure: ProgramFailure) => ({ outcome: { type: 'failed', failure } })
      expect(await run(last, both)).toMatchObject(failed({ reason: 'range', step: 1, type: 'integer' }))
      expect(await read(first, 1)).toEqual([1, 2 ** 31 - 1])
      if (other !== 2) expect(await read(first, other)).toBeNull()
      const insert = program(first, 2, { present: { do: 'refuse' }, absent: [2, 0] })
      expect(await run(last, insert)).toMatchObject(failed({ reason: 'present', step: 0 }))
      const checked = {
        ...increment(first, 2),
        checks: [{ op: 'less', type: 'plain', left: field(1), right: { op: 'value', value: 11 } }],
      } as const
      expect(await run(last, checked)).toMatchObject(
        failed({ reason: 'check', step: 0, check: 0, row: [2, 11] }),
      )
      expect(await read(last, 2)).toEqual([2, 10])
    })

    test('count as written whatever came of them, and are judged by what was read', async ({
      first,
      last,
    }) => {
      await write(first, [[1, 10]])
      const reader = await first.begin()
      await reader.get(item(first, 1))
      reader.put(item(first, 2), [2])
      await run(last, program(last, 1, { present: { do: 'refuse' } }))
      expect(await failure(reader.commit())).toMatchObject({ detail: { code: 'DB_CONFLICT' } })
      const judged = await first.begin()
      await judged.get(item(first, 3))
      await write(last, [[3, 'new']])
      expect(await failure(judged.execute(increment(first, 1)))).toMatchObject({
        detail: { code: 'DB_CONFLICT', outcome: 'rejected' },
      })
      expect(await read(last, 1)).toEqual([1, 10])
    })

    test('run once under one key, and are answered alike', async ({ first, last }) => {
      const once = async (database: Database) =>
        (await database.begin()).execute(increment(database, 1), { idempotencyKey: 'count' })
      const { version } = await once(first)
      await run(last, increment(last, 1))
      for (const database of [first, last])
        expect(await once(database)).toMatchObject({
          version,
          outcome: { type: 'done', changed: [0], rows: [[1, 1]] },
        })
      expect(await read(first, 1)).toEqual([1, 2])
    })

    test('that are too large are refused', async ({ first }) => {
      const { steps, ...rest } = increment(first, 1)
      const transaction = await first.begin()
      expect(await failure(transaction.execute({ ...rest, steps: [] }))).toMatchObject({
        detail: { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: 'steps' },
      })
      const many = numbers(0, PROGRAM_ROWS_MAX + 1).map((value) => ({
        ...(steps[0] as ProgramStep),
        key: key(value),
      }))
      expect(await failure((await first.begin()).execute({ ...rest, steps: many }))).toMatchObject({
        detail: { code: 'DB_OPTION_INVALID', option: 'steps' },
      })
    })
  })
}
