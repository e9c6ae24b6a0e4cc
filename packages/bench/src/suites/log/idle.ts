import { LogFleet } from '../../log-fleet.ts'
import { pause } from '../../ports.ts'
import { usedSeconds } from '../../processor.ts'
import type { Row } from '../../report.ts'
import type { SuiteOptions } from '../../suite.ts'

const VOTERS = 3
/** What follows a start, a first collection of garbage for instance, is over by then. */
const CALM_MS = 5_000
const IDLE_MS = 20_000

/** What three nodes take while nobody asks anything of them. */
export async function idle({ progress }: SuiteOptions): Promise<Row[]> {
  const fleet = await LogFleet.start({ voters: VOTERS, learners: 0 })
  try {
    progress('resting')
    await pause(CALM_MS)
    const { leader } = await fleet.roles()
    const look = (): Promise<number[]> => Promise.all(fleet.pids.map((pid) => usedSeconds([pid])))
    const before = await look()
    const startedAt = performance.now()
    await pause(IDLE_MS)
    const after = await look()
    const seconds = (performance.now() - startedAt) / 1000
    const percent = after.map((value, i) => ((value - (before[i] ?? 0)) / seconds) * 100)
    const worst = Math.max(...percent)
    return [
      {
        what: 'processor of an idle node, the busiest of three',
        who: 'ours',
        value: worst,
        unit: '% of a core',
        durability: 'nothing is written',
        note: `leader ${percent[leader]?.toFixed(2)}; followers ${percent
          .filter((_, i) => i !== leader)
          .map((value) => value.toFixed(2))
          .join(', ')}`,
        target: { text: 'under 1 %', reached: worst < 1 },
      },
    ]
  } finally {
    await fleet.stop()
  }
}
