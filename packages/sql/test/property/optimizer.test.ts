import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { failure, textOf } from '../engine/support.ts'
import { query, rows, schema, settings } from './queries.ts'

/** Two engines over one database: one optimizes, the other runs every query as it is written. */
async function engines(statements: readonly string[]): Promise<{ clever: SqlEngine; plain: SqlEngine }> {
  const database = await modelDatabases().open('test', { partitions: 3 })
  const ports = { database, clock: new StillClock(), random: new SimRandom(1) }
  const clever = sqlEngine()(ports)
  const plain = sqlEngine({ optimize: false })(ports)
  for (const statement of [...schema, ...statements]) await clever.query(statement)
  return { clever, plain }
}

async function outcome(engine: SqlEngine, text: string): Promise<readonly string[]> {
  try {
    return textOf(await engine.query(text)).sort()
  } catch (error) {
    return [`error ${(await failure(Promise.reject(error))).sqlstate}`]
  }
}

describe('the optimizer', () => {
  test('changes no result', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.array(query, { minLength: 1, maxLength: 6 }), async (inserts, queries) => {
        const { clever, plain } = await engines(inserts)
        for (const text of queries)
          expect([text, await outcome(clever, text)]).toEqual([text, await outcome(plain, text)])
      }),
      settings(60),
    )
  })
})
