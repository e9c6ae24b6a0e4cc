import { describe, expect, test } from '@jest/globals'
import { playSeed } from './play.ts'
import type { SuiteName } from './report.ts'

const short = { stormMs: 15_000, operationsMin: 100 }

/** A failure shows the trace and how to play the seed at its full length. */
async function holds(suite: SuiteName, seed: number): Promise<void> {
  const { problem, tail } = await playSeed(suite, seed, short)
  if (problem !== null)
    throw new Error(`${problem}\nnpm run sim -- --suite ${suite} --seed ${seed}\n${tail.join('\n')}`)
}

describe('a cluster in the simulator', () => {
  for (const seed of [1, 2, 3]) {
    test(`serializer, seed ${seed}`, () => holds('serializer', seed))
    test(`distribution, seed ${seed}`, () => holds('distribution', seed))
    test(`objects, seed ${seed}`, () => holds('objects', seed))
    test(`locks, seed ${seed}`, () => holds('locks', seed))
  }

  test('a leader that took office without a vote of its own does not stay: distribution, seed 69', async () => {
    const { problem, tail } = await playSeed('distribution', 69)
    if (problem !== null) throw new Error(`${problem}\n${tail.join('\n')}`)
  })

  test('one seed gives one history', async () => {
    const [first, second] = [await playSeed('serializer', 4, short), await playSeed('serializer', 4, short)]
    expect(second.hash).toBe(first.hash)
    expect((await playSeed('serializer', 5, short)).hash).not.toBe(first.hash)
  })
})
