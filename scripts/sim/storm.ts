import { fileURLToPath } from 'node:url'
import type { SeedReport } from '../../packages/node/test/sim/report.ts'
import { readProgress, sourceDigest, writeProgress } from '../progress-file.ts'
import type { SimArguments } from './arguments.ts'
import type { Failure } from './failure.ts'
import { Pool } from './pool.ts'
import { type Progress, type StormIdentity, simFolders } from './progress.ts'
import { Totals } from './totals.ts'
import type { Job, JobResult } from './worker.ts'

export interface StormResult {
  readonly totals: Totals
  readonly failures: readonly Failure[]
  /** Of a replay. */
  readonly reports: readonly SeedReport[]
  readonly interrupted: boolean
}

function commandFor(job: Job, mutation: string | null): string {
  const planted = mutation === null ? '' : ` --mutation ${mutation}`
  return `npm run sim -- --suite ${job.suite} --seed ${job.seed}${planted}`
}

export interface StormOptions extends SimArguments {
  /** Ends the run at the first failure. */
  readonly stopAtFailure: boolean
  progress(text: string): void
  failed(failure: Failure): void
}

/** What was done is written to the file so often at most. */
const WRITE_EVERY_MS = 5_000
/** So many seeds in a row that could not be judged, and nothing else: the source does not run at all. */
const BROKEN_AFTER = 4

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** Plays seeds on worker processes and sums up what happened. */
export async function playStorm(options: StormOptions): Promise<StormResult> {
  const storm = new Storm(options)
  return storm.run()
}

class Storm {
  readonly #options: StormOptions
  readonly #pool: Pool
  readonly #totals: Totals
  readonly #failures: Failure[]
  readonly #reports: SeedReport[] = []
  readonly #source: string
  readonly #begun = Date.now()
  /** Jobs by number: all before this one are done, and those in the set. */
  #done: number
  readonly #also: Set<number>
  #given: number
  /** In this run, not counting those of the file. */
  #played = 0
  #unjudged = 0
  #interrupted = false
  #writtenAt = Date.now()

  constructor(options: StormOptions) {
    this.#options = options
    const { suites, seeds, from, mutation, workers, resume } = options
    this.#pool = new Pool({ workers: Math.min(workers, seeds * suites.length), mutation })
    this.#source = resume === null ? '' : sourceDigest(root, simFolders)
    const before =
      resume === null
        ? null
        : readProgress<Progress, StormIdentity>(resume, { source: this.#source, suites, from, seeds })
    this.#totals = new Totals(before?.totals)
    this.#failures = (before?.failures ?? []).map((failure) => ({ ...failure, tail: [] }))
    this.#done = before?.done ?? 0
    this.#also = new Set(before?.also)
    this.#given = this.#done
  }

  async run(): Promise<StormResult> {
    const onInterrupt = (): void => {
      this.#interrupted = true
      this.#pool.close()
    }
    process.once('SIGINT', onInterrupt)
    process.once('SIGTERM', onInterrupt)
    try {
      await this.#pool.run(
        () => this.#next(),
        (job, result) => this.#take(job, result),
      )
    } finally {
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onInterrupt)
      this.#pool.close()
    }
    this.#write()
    return {
      totals: this.#totals,
      failures: this.#failures,
      reports: this.#reports,
      interrupted: this.#interrupted,
    }
  }

  get #all(): number {
    return this.#options.seeds * this.#options.suites.length
  }

  #next(): Job | null {
    const { suites, from, minutes, stopAtFailure, tail, frames } = this.#options
    while (this.#also.has(this.#given)) this.#given++
    const number = this.#given
    const suite = suites[number % suites.length]
    if (suite === undefined || number >= this.#all || this.#interrupted) return null
    if (Date.now() >= this.#begun + minutes * 60_000 || this.#unjudged >= BROKEN_AFTER) return null
    if (stopAtFailure && this.#failures.length > 0) return null
    this.#given++
    return { number, suite, seed: from + Math.floor(number / suites.length), tail, frames }
  }

  #take(job: Job, result: JobResult): void {
    const { mutation, replay } = this.#options
    this.#played++
    this.#also.add(job.number)
    while (this.#also.delete(this.#done)) this.#done++
    const fail = (problem: string, tail: readonly string[]): void => {
      const { suite, seed } = job
      const failure = { suite, seed, problem, command: commandFor(job, mutation), tail }
      this.#failures.push(failure)
      this.#options.failed(failure)
    }
    if ('error' in result) {
      if (this.#unjudged === this.#played - 1) this.#unjudged++
      fail(result.error, [])
    } else {
      this.#totals.add(result.report, result.cpuMs)
      if (replay) this.#reports.push(result.report)
      if (result.report.problem !== null) fail(result.report.problem, result.report.tail)
    }
    this.#options.progress(this.#progressText())
    if (Date.now() - this.#writtenAt >= WRITE_EVERY_MS) this.#write()
  }

  #progressText(): string {
    const { minutes } = this.#options
    const done = this.#done + this.#also.size
    const passedMs = Date.now() - this.#begun
    const of = Number.isFinite(this.#all) ? ` of ${this.#all}` : ''
    const leftMs = Math.min(
      (passedMs / this.#played) * (this.#all - done),
      this.#begun + minutes * 60_000 - Date.now(),
    )
    const left = Number.isFinite(leftMs) ? `, ${duration(leftMs)} to go` : ''
    return `${done}${of} seeds, ${this.#failures.length} failed, ${duration(passedMs)}${left}`
  }

  #write(): void {
    const { resume, suites, from, seeds } = this.#options
    this.#writtenAt = Date.now()
    if (resume === null) return
    const progress: Progress = {
      source: this.#source,
      suites,
      from,
      seeds,
      done: this.#done,
      also: [...this.#also].sort((a, b) => a - b),
      totals: this.#totals.state(),
      failures: this.#failures.map(({ tail: _, ...rest }) => rest),
    }
    writeProgress(resume, progress)
  }
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3_600).toFixed(1)} h`
}
