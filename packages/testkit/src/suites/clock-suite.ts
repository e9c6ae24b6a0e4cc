import { type Clock, delay } from '@cluster/core'
import type { SuiteRunner } from './runner.ts'

export interface ClockFixture {
  readonly clock: Clock
  /** Lets the promise settle; a simulated clock needs virtual time to pass. Default: waits. */
  settle?<T>(promise: Promise<T>): Promise<T>
}

/** What every `Clock` does. Takes some tens of milliseconds on a real one. */
export function clockSuite({ describe, test, expect }: SuiteRunner, make: () => Promise<ClockFixture>): void {
  const withClock =
    (body: (clock: Clock) => Promise<void>): (() => Promise<void>) =>
    async () => {
      const { clock, settle } = await make()
      const work = body(clock)
      await (settle ? settle(work) : work)
    }

  describe('a clock', () => {
    test(
      'goes forward and never fires early',
      withClock(async (clock) => {
        for (const delayMs of [0, 1, 2.5, 10]) {
          const before = clock.now()
          await delay(clock, delayMs)
          expect(clock.now() - before).toBeGreaterThanOrEqual(delayMs)
        }
      }),
    )

    test(
      'fires in a later turn, the shorter delay first, and once',
      withClock(async (clock) => {
        const fired: string[] = []
        clock.after(15, () => fired.push('late'))
        clock.after(0, () => fired.push('early'))
        expect(fired).toEqual([])
        await delay(clock, 40)
        expect(fired).toEqual(['early', 'late'])
      }),
    )

    test(
      'does not fire what was cancelled, also when cancelled twice or too late',
      withClock(async (clock) => {
        const fired: string[] = []
        const cancel = clock.after(2, () => fired.push('cancelled'))
        const late = clock.after(1, () => fired.push('fired'))
        cancel()
        cancel()
        await delay(clock, 15)
        late()
        expect(fired).toEqual(['fired'])
      }),
    )

    test(
      'gives way to other work in a turn',
      withClock(async (clock) => {
        let others = 0
        clock.after(0, () => others++)
        for (let turns = 0; others === 0; turns++) {
          expect(turns).toBeLessThan(1_000_000)
          await clock.turn()
        }
        expect(others).toBe(1)
      }),
    )

    test(
      'tells the wall time in whole milliseconds since 1970',
      withClock(async (clock) => {
        expect(Number.isSafeInteger(clock.wall())).toBe(true)
        expect(clock.wall()).toBeGreaterThan(1_500_000_000_000)
      }),
    )
  })
}
