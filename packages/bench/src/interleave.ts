import type { LoadAnswer } from './closed-loop.ts'
import { Histogram } from './histogram.ts'
import { median } from './latency.ts'
import { type Cores, withCores } from './processor.ts'

/** One of those that are compared. */
export interface Contender {
  /** With version and place of the callers, for people. */
  readonly who: string
  /** The peer's name; null for our own. */
  readonly peer: string | null
  readonly durability: string
  readonly servers: readonly number[]
  /** Processes with callers that are no servers. */
  readonly client: readonly number[]
  run(): Promise<LoadAnswer>
}

export interface Measured {
  readonly contender: Contender
  /** Median of the runs, operations a second. */
  readonly perSecond: number
  /** Medians of the runs' quantiles, milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly cores: Cores
  /** Operations a second of each run. */
  readonly runs: readonly number[]
}

/**
 * Runs the contenders in turn, A B A B …, so that what else goes on on the machine meets all of them, and takes
 * medians.
 */
export async function interleave(
  contenders: readonly Contender[],
  runs: number,
  progress: (who: string, run: number) => void,
): Promise<readonly Measured[]> {
  const all = contenders.map(() => [] as { perSecond: number; p50: number; p99: number; cores: Cores }[])
  for (let run = 0; run < runs; run++) {
    for (const [i, contender] of contenders.entries()) {
      progress(contender.who, run)
      const { result, cores } = await withCores(contender, () => contender.run())
      const histogram = Histogram.of(result.buckets)
      all[i]?.push({
        perSecond: (result.operations / result.wallMs) * 1000,
        p50: histogram.quantile(0.5) / 1000,
        p99: histogram.quantile(0.99) / 1000,
        cores,
      })
    }
  }
  return contenders.map((contender, i) => {
    const own = all[i] ?? []
    const middle = (of: (run: (typeof own)[number]) => number): number => median(own.map(of))
    return {
      contender,
      perSecond: middle(({ perSecond }) => perSecond),
      p50: middle(({ p50 }) => p50),
      p99: middle(({ p99 }) => p99),
      cores: {
        servers: middle(({ cores }) => cores.servers),
        client: middle(({ cores }) => cores.client),
        others: middle(({ cores }) => cores.others),
      },
      runs: own.map(({ perSecond }) => perSecond),
    }
  })
}
