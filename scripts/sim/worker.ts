import { fileURLToPath } from 'node:url'
import type { SeedReport, SuiteName } from '../../packages/node/test/sim/report.ts'
import { mutationOf } from './mutations.ts'
import { loadWith } from './patch-loader.ts'

/** What the parent asks for. */
export interface Job {
  /** Its place among all jobs of the run. */
  readonly number: number
  readonly suite: SuiteName
  readonly seed: number
  readonly tail: number
  readonly frames: boolean
}

/** What it gets: a report, and the processor time that it took. */
export type JobResult =
  | { readonly report: SeedReport; readonly cpuMs: number }
  /** The seed could not even be judged. */
  | { readonly error: string }

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const name = process.env['SIM_MUTATION']
const loading = name === undefined ? null : loadWith(mutationOf(name), root)

// Imported after the hooks are in place, so that they see the modules.
const { playSeed } = await import('../../packages/node/test/sim/play.ts')

// A promise that nobody waits for and that fails is a bug of what is simulated.
let stray: unknown = null
process.on('unhandledRejection', (error) => {
  stray ??= error
})

process.on('message', (job: Job) => {
  const cpu = process.cpuUsage()
  const send = (result: JobResult): void => void process.send?.(result)
  stray = null
  playSeed(job.suite, job.seed, { tailLines: job.tail, frames: job.frames }).then(
    (report) => {
      const used = process.cpuUsage(cpu)
      if (loading !== null && !loading.planted())
        return send({ error: `the mutation ${name} was not planted: its file is not part of the simulation` })
      const problem =
        stray === null
          ? report.problem
          : `${report.problem ?? 'all else held'}; a rejection that nobody handled: ${stray instanceof Error ? stray.stack : String(stray)}`
      send({ report: { ...report, problem }, cpuMs: (used.user + used.system) / 1_000 })
    },
    (error: unknown) => send({ error: error instanceof Error ? String(error.stack) : String(error) }),
  )
})
// The parent is gone: nobody waits for the rest.
process.on('disconnect', () => process.exit(0))
