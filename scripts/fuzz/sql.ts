import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { LongRun } from './sql/long-run.ts'
import { playRound, type RoundReport } from './sql/round.ts'
import type { Totals } from './sql/totals.ts'

export const usage = `npm run fuzz -- --suite sql [options]
  --count N      how many statements to make (default 10000)
  --seed N       the first seed; one seed makes one round, a database of its own (default 1)
  --size N       statements a round (default 200)
  --minutes M    stop after M minutes
  --resume FILE  keep what was done in this file, and go on from it when it is there
  --keep-going   go on after a failure
Statements that are made up run on one database in this process. Their results are compared with those of
the same statement run as written, without indexes and rewriting, and with other ways to ask the same. An error that is
none of SQL, or another result, is a failure: its seed and statement are printed, and the exit code is 1.`

interface FuzzArguments {
  readonly count: number
  readonly seed: number
  readonly size: number
  readonly minutes: number
  readonly resume: string | null
  readonly keepGoing: boolean
}

/** The share of statements that must do what they say instead of being refused. */
const EXECUTED_LEAST = 0.6
/** Below this many statements the share says little. */
const SHARE_COUNT_LEAST = 2_000

/** @throws Error with what is wrong with the arguments */
export function parseFuzzArguments(argv: readonly string[]): FuzzArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      count: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      size: { type: 'string', default: '200' },
      minutes: { type: 'string' },
      resume: { type: 'string' },
      'keep-going': { type: 'boolean', default: false },
    },
  })
  const number = (name: string, text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above zero`)
    return value
  }
  const { minutes } = values
  return {
    count: number('count', values.count),
    seed: number('seed', values.seed),
    size: number('size', values.size),
    minutes: minutes === undefined ? Number.POSITIVE_INFINITY : number('minutes', minutes),
    resume: values.resume ?? null,
    keepGoing: values['keep-going'],
  }
}

function show({ seed, failures }: RoundReport, size: number): void {
  for (const { problem, statement, at } of failures) {
    console.error(`FAILED seed ${seed}, statement ${at}: ${problem}`)
    console.error(`  ${statement}`)
    console.error(`replay: npm run fuzz -- --suite sql --seed ${seed} --size ${size} --count ${size}\n`)
  }
}

export async function run(argv: readonly string[]): Promise<number> {
  let args: FuzzArguments
  let long: LongRun
  try {
    args = parseFuzzArguments(argv)
    long = new LongRun(args.resume, args)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return 2
  }
  let interrupted = false
  const onInterrupt = (): void => {
    interrupted = true
  }
  process.once('SIGINT', onInterrupt)
  process.once('SIGTERM', onInterrupt)
  const start = performance.now()
  await play(args, long, () => interrupted || performance.now() >= start + args.minutes * 60_000)
  process.off('SIGINT', onInterrupt)
  process.off('SIGTERM', onInterrupt)
  for (const line of long.totals.lines()) console.log(line)
  console.log(`${((performance.now() - start) / 1_000).toFixed(1)} s${interrupted ? ' (interrupted)' : ''}`)
  if (interrupted) return 130
  return verdict(long.totals)
}

/** Rounds until there are enough statements, one fails, or it is time to stop. */
async function play(args: FuzzArguments, long: LongRun, over: () => boolean): Promise<void> {
  const { totals } = long
  let shownAt = performance.now()
  while (totals.made < args.count && !over()) {
    const seed = long.next
    const before = process.cpuUsage()
    const report = await playRound(seed, Math.min(args.size, args.count - totals.made))
    const { user, system } = process.cpuUsage(before)
    totals.add(report, (user + system) / 1_000)
    long.next++
    show(report, args.size)
    const failed = report.failures.length > 0 && !args.keepGoing
    long.write({ last: failed })
    if (failed) return
    // The database of a round waits for nothing outside, so signals would not be heard.
    await setImmediate()
    if (performance.now() - shownAt > 15_000) {
      shownAt = performance.now()
      console.error(`${totals.made} statements, seed ${seed}`)
    }
  }
  long.write({ last: true })
}

function verdict(totals: Totals): number {
  if (totals.failures > 0) return 1
  if (totals.made < SHARE_COUNT_LEAST || totals.executedShare >= EXECUTED_LEAST) return 0
  console.error(`too few statements were executed: at least ${EXECUTED_LEAST * 100} % must be`)
  return 1
}
