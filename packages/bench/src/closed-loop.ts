import { type Buckets, Histogram } from './histogram.ts'

/** A closed loop: `callers` at a time, each waiting for its answer, for `measuredMs` after `warmUpMs`. */
export interface ClosedLoop {
  readonly callers: number
  readonly warmUpMs: number
  readonly measuredMs: number
}

export interface LoadAnswer {
  readonly operations: number
  readonly wallMs: number
  readonly buckets: Buckets
}

/** What a caller does again and again; gives how many operations that was, 0 for what does not count. */
export type Caller = () => Promise<number> | number

/**
 * Counts what begins in the measured time; what takes several operations at once is noted as the share of one.
 * @param callerOf gives the caller of each number, from 0
 * @param note is told begin and end, in milliseconds, of whatever counts
 */
export async function closedLoop(
  { callers, warmUpMs, measuredMs }: ClosedLoop,
  callerOf: (at: number) => Caller,
  note: (from: number, to: number) => void = () => {},
): Promise<LoadAnswer> {
  const histogram = new Histogram()
  const from = performance.now() + warmUpMs
  const until = from + measuredMs
  let operations = 0
  const call = async (once: Caller): Promise<void> => {
    for (;;) {
      const startedAt = performance.now()
      if (startedAt >= until) return
      const count = await once()
      if (startedAt < from || count === 0) continue
      const doneAt = performance.now()
      operations += count
      histogram.record(((doneAt - startedAt) * 1000) / count)
      note(startedAt, doneAt)
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, at) => call(callerOf(at))))
  return { operations, wallMs: performance.now() - from, buckets: histogram.buckets() }
}

/** Whole numbers from 0, below the limit that is asked for; the same ones for the same seed. */
export function draws(seed = 12_345): (limit: number) => number {
  let random = seed
  return (limit) => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
    return (random >>> 8) % limit
  }
}
