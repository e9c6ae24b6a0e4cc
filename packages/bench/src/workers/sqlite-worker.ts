import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { answerCalls } from '@cluster/testkit'
import { median } from '../latency.ts'
import { type QueryLoad, runLoad } from '../query-load.ts'
import type { PlanningAnswer, PlanningLoad } from './sql-worker-protocol.ts'

/** SQLite in a process of its own: a database in memory, so that no disk is between it and its rows. */
const database = new DatabaseSync(':memory:')

/** Positional parameters as SQLite writes them. */
const sqliteText = (sql: string): string => sql.replace(/\$(\d)/g, '?$1')

answerCalls({
  version: async () => database.prepare('SELECT sqlite_version() AS version').get()?.['version'],
  execute: async (texts: readonly string[]) => {
    for (const text of texts) database.exec(text)
  },
  rows: async (sql: string) => {
    const statement = database.prepare(sql)
    return statement
      .all()
      .map((row) => Object.values(row).map((value) => (value === null ? null : String(value))))
  },
  query: async (load: QueryLoad) => {
    const statement: StatementSync = database.prepare(sqliteText(load.sql))
    return runLoad(load, (values) => statement.all(...values))
  },
  planning: async ({ sql, runs }: PlanningLoad): Promise<PlanningAnswer> => {
    const timed = (text: string): number => {
      const startedAt = performance.now()
      database.prepare(text)
      return performance.now() - startedAt
    }
    const text = sqliteText(sql)
    const cold = Array.from({ length: runs }, (_, run) => timed(`${text} /* ${run} */`))
    const again = Array.from({ length: runs }, () => timed(text))
    return { first: median(cold), cold: median(cold), cached: median(again) }
  },
  stop: async () => database.close(),
})
