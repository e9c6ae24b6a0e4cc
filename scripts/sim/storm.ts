import type { SeedReport } from '../../packages/node/test/sim/report.ts'
import type { SimArguments } from './arguments.ts'
import { Pool } from './pool.ts'
import { Totals } from './totals.ts'
import type { Job, JobResult } from './worker.ts'

export interface Failure {
  readonly suite: string
  readonly seed: number
  readonly problem: string
  /** Plays the same again. */
  readonly command: string
  readonly tail: readonly string[]
}

export interface StormResult {
  readonly totals: Totals
  readonly failures: readonly Failure[]
  readonly reports: readonly SeedReport[]
  readonly interrupted: boolean
}

export function commandFor(job: Job, mutation: string | null): string {
  const planted = mutation === null ? '' : ` --mutation ${mutation}`
  return `npm run sim -- --suite ${job.suite} --seed ${job.seed}${planted}`
}

export interface StormOptions extends SimArguments {
  /** Ends the run at the first failure. */
  readonly stopAtFailure: boolean
  progress(text: string): void
  failed(failure: Failure): void
}

/** Plays seeds on worker processes and sums up what happened. */
export async function playStorm(options: StormOptions): Promise<StormResult> {
  const { suites, from, seeds, minutes, mutation, tail, frames, stopAtFailure } = options
  const totals = new Totals()
  const failures: Failure[] = []
  const reports: SeedReport[] = []
  const begun = Date.now()
  const end = begun + minutes * 60_000
  const pool = new Pool({ workers: Math.min(options.workers, seeds * suites.length), mutation })
  let played = 0
  let given = 0
  let interrupted = false
  const next = (): Job | null => {
    const suite = suites[given % suites.length]
    const seed = from + Math.floor(given / suites.length)
    if (suite === undefined || seed >= from + seeds || Date.now() >= end || interrupted) return null
    if (stopAtFailure && failures.length > 0) return null
    given++
    return { suite, seed, tail, frames }
  }
  const done = (job: Job, result: JobResult): void => {
    played++
    const fail = (problem: string, lines: readonly string[]): void => {
      const failure = { ...job, problem, command: commandFor(job, mutation), tail: lines }
      failures.push(failure)
      options.failed(failure)
    }
    if ('error' in result) fail(result.error, [])
    else {
      totals.add(result.report, result.cpuMs)
      reports.push(result.report)
      if (result.report.problem !== null) fail(result.report.problem, result.report.tail)
    }
    const of = Number.isFinite(seeds) ? ` of ${seeds * suites.length}` : ''
    const seconds = ((Date.now() - begun) / 1_000).toFixed(0)
    options.progress(`${played}${of} seeds, ${failures.length} failed, ${seconds} s`)
  }
  const onInterrupt = (): void => {
    interrupted = true
    pool.close()
  }
  process.once('SIGINT', onInterrupt)
  process.once('SIGTERM', onInterrupt)
  try {
    await pool.run(next, done)
  } finally {
    process.off('SIGINT', onInterrupt)
    process.off('SIGTERM', onInterrupt)
    pool.close()
  }
  return { totals, failures, reports, interrupted }
}
