import {
  type Database,
  type Databases,
  type Key,
  KeyWriter,
  type RelationId,
  type Row,
  type RowAddress,
  relationId,
  type Transaction,
  type TransactionScan,
  type Value,
} from '@cluster/core'
import type { SuiteRunner } from './runner.ts'

/** The databases of a cluster of one or more nodes. */
export interface DatabaseFixture {
  /** The databases as each node sees them, at least one. */
  readonly nodes: readonly Databases[]
  /** Lets (virtual) time pass until the promise settles. */
  settle<T>(promise: Promise<T>): Promise<T>
}

export const ITEMS: RelationId = relationId(16)
export const OTHERS: RelationId = relationId(17)
export const key = (value: number): Key => new KeyWriter().double(value).finish()

/** The row of `ITEMS` with that number, in the partition that its key says. */
export const item = (database: Database, value: number, relation = ITEMS): RowAddress => ({
  relation,
  partition: database.partitionOf(key(value)),
  key: key(value),
})

export const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i)

/** A database as the first and the last node see it. */
export interface Pair {
  readonly first: Database
  readonly last: Database
  readonly fixture: DatabaseFixture
}

/** What the parts of the suite work with. */
export function databaseTools(runner: SuiteRunner, create: () => Promise<DatabaseFixture>) {
  const { describe, expect } = runner

  const test = (name: string, body: (pair: Pair) => Promise<void>): void =>
    runner.test(name, async () => {
      const fixture = await create()
      const open = async (): Promise<void> => {
        const first = await (fixture.nodes[0] as Databases).open('shop', { partitions: 4 })
        const last = await (fixture.nodes.at(-1) as Databases).open('shop')
        await body({ first, last, fixture })
      }
      await fixture.settle(open())
    })

  const write = async (database: Database, rows: readonly (readonly [number, ...Value[]])[]) => {
    const transaction = await database.begin()
    for (const [value, ...rest] of rows) transaction.put(item(database, value), [value, ...rest])
    return transaction.commit()
  }

  const read = async (database: Database, value: number, relation = ITEMS): Promise<Row | null> => {
    const transaction = await database.begin({ readOnly: true })
    const row = await transaction.get(item(database, value, relation))
    transaction.rollback()
    return row
  }

  const scan = async (
    transaction: Transaction,
    request: Partial<TransactionScan> = {},
  ): Promise<Value[][]> => {
    const rows: Value[][] = []
    for await (const batch of transaction.scan({ relation: ITEMS, range: {}, ordered: true, ...request })) {
      expect(batch.length).toBeLessThanOrEqual(1_024)
      expect(batch.keys.length).toBe(batch.length)
      for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => column[i] as Value))
    }
    return rows
  }

  const failure = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => null,
      (error: unknown) => error,
    )

  return { describe, expect, test, write, read, scan, failure }
}

export type DatabaseTools = ReturnType<typeof databaseTools>
