import { describe, expect, test } from '@jest/globals'
import { failure, testEngine } from './support.ts'

const endless = 'WITH RECURSIVE n(i) AS (SELECT 1::bigint UNION ALL SELECT i + 1 FROM n)'

describe('recursion without end', () => {
  test('stops where nobody asks for more', async () => {
    const { engine } = await testEngine()
    expect((await engine.query(`${endless} SELECT i FROM n LIMIT 3`)).rows).toEqual([[1n], [2n], [3n]])
  })

  test('is refused when what it keeps exceeds the memory of a statement', async () => {
    const { engine } = await testEngine({ memoryBytesMax: 200_000 })
    const { sqlstate } = await failure(engine.query(`${endless} SELECT i FROM n ORDER BY i`))
    expect(sqlstate).toBe('53200')
    // UNION remembers every row that it gave.
    const distinct = `${endless.replace('UNION ALL', 'UNION')} SELECT max(i) FROM n`
    expect((await failure(engine.query(distinct))).sqlstate).toBe('53200')
    expect((await engine.query('SELECT 1')).rows).toEqual([[1]])
  })

  test('can be cancelled, and lets others have their turn until then', async () => {
    const { engine, clock } = await testEngine()
    const controller = new AbortController()
    const turn = clock.turn.bind(clock)
    clock.turn = async () => {
      await turn()
      if (clock.turns === 3) controller.abort()
    }
    const query = engine.query(`${endless} SELECT count(*) FROM n`, [], { signal: controller.signal })
    expect((await failure(query)).sqlstate).toBe('57014')
    expect(clock.turns).toBe(3)
  })

  test('is cancelled in a window over a large partition, and in a lateral join', async () => {
    const { engine, clock } = await testEngine()
    for (const text of [
      'SELECT max(s) FROM (SELECT sum(i::numeric) OVER (ORDER BY i ROWS 50 PRECEDING) AS s FROM generate_series(1, 60000) i) v',
      'SELECT count(*) FROM generate_series(1, 100000) a, LATERAL (SELECT a % 7 AS m LIMIT 1) l WHERE l.m > 9',
    ]) {
      const controller = new AbortController()
      const turn = clock.turn.bind(clock)
      const before = clock.turns
      clock.turn = async () => {
        await turn()
        if (clock.turns === before + 9) controller.abort()
      }
      const query = engine.query(text, [], { signal: controller.signal })
      expect([text, (await failure(query)).sqlstate]).toEqual([text, '57014'])
    }
  })
})
