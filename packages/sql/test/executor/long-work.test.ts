import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { failure } from '../engine/support.ts'

const ROWS = 40_000
/** Rows that a statement may work on between two turns of the event loop. */
const ROWS_A_TURN = 8_192
const TURNS = Math.floor(ROWS / ROWS_A_TURN)

/** Operators that read everything before they give anything, and how many rows they give. */
const long: readonly (readonly [what: string, text: string, rows: number | null])[] = [
  ['a sort', 'SELECT id FROM m ORDER BY n, s', ROWS],
  ['a sort by texts', 'SELECT id FROM m ORDER BY s DESC, id', ROWS],
  ['the first rows of a sort', `SELECT id FROM m ORDER BY n LIMIT ${ROWS - 1}`, ROWS - 1],
  ['groups by one number', 'SELECT id, count(*) FROM m GROUP BY id', ROWS],
  ['groups by several columns', 'SELECT id, s, sum(n) FROM m GROUP BY id, s', ROWS],
  ['groups by a text', `SELECT s || '-' || id, max(n) FROM m GROUP BY s || '-' || id`, ROWS],
  ['grouping sets', 'SELECT id, s, count(*) FROM m GROUP BY GROUPING SETS ((id), (id, s))', 2 * ROWS],
  ['a join by numbers', 'SELECT a.id FROM m a JOIN m b ON a.id = b.id', ROWS],
  ['a join by texts', `SELECT a.id FROM m a LEFT JOIN m b ON a.s || '-' || a.id = b.s || '-' || b.id`, ROWS],
  ['a semi join', 'SELECT id FROM m WHERE id IN (SELECT n FROM m WHERE n >= 0)', null],
  ['DISTINCT', 'SELECT DISTINCT id, s FROM m', ROWS],
  ['EXCEPT', 'SELECT id FROM m EXCEPT SELECT -1 - n FROM m', ROWS],
  ['a window', 'SELECT id, row_number() OVER (ORDER BY n, id) FROM m', ROWS],
  [
    'a table of WITH',
    'WITH w AS MATERIALIZED (SELECT id FROM m) SELECT a.id FROM w a ORDER BY a.id DESC',
    ROWS,
  ],
]

describe('long work', () => {
  let clock: StillClock
  let engine: SqlEngine
  let frugal: SqlEngine

  beforeAll(async () => {
    const database = await modelDatabases().open('test', { partitions: 2 })
    clock = new StillClock()
    const ports = { database, clock, random: new SimRandom(1) }
    engine = sqlEngine()(ports)
    frugal = sqlEngine({ memoryBytesMax: 400_000 })(ports)
    await engine.query('CREATE TABLE m (id integer PRIMARY KEY, s text, n integer)')
    for (let from = 0; from < ROWS; from += 4_000)
      await engine.query(
        `INSERT INTO m SELECT g, 's' || g % 777, g * 31 % 50021 FROM generate_series(${from}, ${from + 3_999}) g`,
      )
  })

  test.each(long)(
    '%s gives the event loop its turns, while it reads and while it gives',
    async (what: string, text: string, count: number | null) => {
      const before = clock.turns
      let first: number | null = null
      let rows = 0
      for await (const batch of engine.stream(text)) {
        first ??= clock.turns
        rows += batch.rows.length
      }
      if (count !== null) expect(rows).toBe(count)
      // It gives what it has read at once.
      if (what !== 'DISTINCT') expect((first ?? 0) - before).toBeGreaterThanOrEqual(TURNS)
      if (count !== null) expect(clock.turns - (first ?? 0)).toBeGreaterThanOrEqual(TURNS - 2)
    },
  )

  test.each(long)(
    '%s is refused when it needs more memory than it may have',
    async (_: string, text: string) => {
      const { sqlstate, hint } = await failure(frugal.query(text))
      expect({ sqlstate, hint }).toEqual({
        sqlstate: '53200',
        hint: 'Select fewer rows or columns, add a condition or a LIMIT, or raise memoryBytesMax.',
      })
      expect((await frugal.query('SELECT count(*) FROM m')).rows).toEqual([[BigInt(ROWS)]])
    },
  )
})
