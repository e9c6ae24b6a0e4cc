import { parseArgs } from 'node:util'
import type { SuiteName } from '../../packages/node/test/sim/report.ts'

export interface SimArguments {
  readonly suites: readonly SuiteName[]
  /** The first seed. */
  readonly from: number
  /** How many seeds; infinity with `--minutes` alone. */
  readonly seeds: number
  /** Wall-clock limit, minutes; infinity without. */
  readonly minutes: number
  readonly mutations: boolean
  readonly json: boolean
  readonly workers: number
  /** One seed is replayed: its trace is printed also when it passes. */
  readonly replay: boolean
  /** Where what was done is kept, to go on later; null for nowhere. */
  readonly resume: string | null
  /** Plants this bug. */
  readonly mutation: string | null
  /** Lines of the trace that a failed seed prints. */
  readonly tail: number
  /** With the frames that were sent. */
  readonly frames: boolean
}

export const usage = `npm run sim -- [options]
  --seeds N        how many seeds to play (default 20)
  --from N         the first seed (default 1)
  --seed N         replay one seed
  --suite NAME     serializer, distribution, objects, locks or all (default all)
  --minutes M      play seeds until M minutes are over
  --resume FILE    keep what was done in this file, and go on from it when it is there
  --mutations      plant known bugs, one after another, and see that each is found
  --mutation NAME  plant one bug; with --seed to look at what it does
  --workers N      processes at a time (default 2)
  --tail N         lines of the trace that a failed seed prints (default 60)
  --frames         with the frames that were sent and what clients were told
  --json           print the result as JSON on the standard output`

const allSuites: readonly SuiteName[] = ['serializer', 'distribution', 'objects', 'locks']

/** @throws Error with what is wrong with the arguments */
export function parseArguments(argv: readonly string[]): SimArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seeds: { type: 'string' },
      from: { type: 'string' },
      seed: { type: 'string' },
      suite: { type: 'string', default: 'all' },
      minutes: { type: 'string' },
      mutations: { type: 'boolean', default: false },
      mutation: { type: 'string' },
      workers: { type: 'string' },
      resume: { type: 'string' },
      tail: { type: 'string' },
      frames: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const number = (name: string, text: string | undefined, otherwise: number, least: number): number => {
    if (text === undefined) return otherwise
    const value = Number(text)
    if (!Number.isFinite(value) || value < least || (name !== 'minutes' && !Number.isInteger(value)))
      throw new Error(`--${name} is ${text}; it must be a number of at least ${least}`)
    return value
  }
  const suites = values.suite === 'all' ? allSuites : allSuites.filter((name) => name === values.suite)
  if (suites.length === 0)
    throw new Error(`--suite is ${values.suite}; it must be ${allSuites.join(', ')} or all`)
  const replay = values.seed !== undefined
  const withBug = values.mutations || values.mutation !== undefined
  if (values.resume !== undefined && (replay || withBug))
    throw new Error('--resume is for runs of many seeds without a planted bug')
  const minutes = number('minutes', values.minutes, Number.POSITIVE_INFINITY, 0)
  const endless = values.minutes === undefined ? 20 : Number.POSITIVE_INFINITY
  return {
    suites,
    from: number('seed', values.seed, number('from', values.from, 1, 0), 0),
    seeds: replay ? 1 : number('seeds', values.seeds, endless, 1),
    minutes,
    mutations: values.mutations,
    mutation: values.mutation ?? null,
    json: values.json,
    frames: values.frames,
    workers: number('workers', values.workers, 2, 1),
    tail: number('tail', values.tail, 60, 0),
    replay,
    resume: values.resume ?? null,
  }
}
