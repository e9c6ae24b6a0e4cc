import { readFileSync, writeFileSync } from 'node:fs'
import type { Clock } from '@cluster/core'
import { formatValue, type SqlEngine, sqlEngine } from '@cluster/sql'
import { modelDatabases, SimRandom } from '@cluster/testkit'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { tpchRows } from '../../src/tpch/generator.ts'
import { loadTpch } from '../../src/tpch/load.ts'
import { tpchQueries } from '../../src/tpch/queries.ts'

const SCALE = 0.001
/** Time that stands still. */
const clock: Clock = {
  now: () => 0,
  wall: () => 0,
  after: () => () => {},
  turn: async () => {},
}
const expectations = new URL('answers.txt', import.meta.url)

describe('TPC-H', () => {
  let engine: SqlEngine

  beforeAll(async () => {
    const database = await modelDatabases().open('tpch', { partitions: 4 })
    engine = sqlEngine()({ database, clock, random: new SimRandom(1) })
    await loadTpch(engine, SCALE)
  })

  test('makes the same rows again', () => {
    expect([...tpchRows('orders', SCALE)]).toEqual([...tpchRows('orders', SCALE)])
    expect([...tpchRows('part', SCALE)]).toHaveLength(200)
  })

  // The expectations are our own answers, which `bench -- --suite tpch --scale 0.001` has found equal to PostgreSQL's.
  test('all 22 queries give what they are known to give, planned without and with statistics', async () => {
    for (let turn = 0; turn < 2; turn++) {
      const out: string[] = []
      for (const { number, sql } of tpchQueries(SCALE)) {
        const { columns, rows } = await engine.query(sql)
        out.push(`query ${number}: ${rows.length}`)
        for (const row of rows)
          out.push(
            `  ${row.map((value, i) => (value === null || !columns[i] ? '' : formatValue(columns[i].type, value).trimEnd())).join('|')}`,
          )
      }
      const text = `${out.join('\n')}\n`
      if (process.env['UPDATE_GOLDEN']) writeFileSync(expectations, text)
      else expect(text).toBe(readFileSync(expectations, 'utf8'))
    }
  })
})
