import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { sqlEngine } from '../../src/index.ts'
import { failure, testEngine } from './support.ts'

/** A clock on which nothing that takes a second or more ever comes. */
class EndlessClock extends StillClock {
  readonly waiting = Promise.withResolvers<void>()

  override after(delayMs: number, run: () => void): () => void {
    if (delayMs < 1_000) return super.after(delayMs, run)
    this.waiting.resolve()
    return () => {}
  }
}

describe('pg_sleep', () => {
  test('waits on the clock of the engine, once for each call', async () => {
    const { engine, clock } = await testEngine()
    const before = clock.now()
    const { rows } = await engine.query('SELECT x, pg_sleep(x) FROM (VALUES (1.5), (2)) v(x)')
    expect(rows).toHaveLength(2)
    expect(clock.now() - before).toBe(3_500)
    await engine.query('SELECT pg_sleep_for($1)', ['250 ms'])
    expect(clock.now() - before).toBe(3_750)
  })

  test('ends when the statement is cancelled', async () => {
    const database = await modelDatabases().open('test', { partitions: 4, redundancy: 1 })
    const clock = new EndlessClock()
    const engine = sqlEngine()({ database, clock, random: new SimRandom(1) })
    const cancelling = new AbortController()
    const sleeping = failure(engine.query('SELECT pg_sleep(60)', [], { signal: cancelling.signal }))
    await clock.waiting.promise
    cancelling.abort()
    expect((await sleeping).sqlstate).toBe('57014')
  })
})
