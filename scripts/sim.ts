import { parseArguments, type SimArguments, usage } from './sim/arguments.ts'
import type { Failure } from './sim/failure.ts'
import type { Mutation } from './sim/mutation.ts'
import { mutationOf, mutations } from './sim/mutations.ts'
import { playStorm } from './sim/storm.ts'

const terminal = process.stderr.isTTY === true

/** One line that is overwritten on a terminal; elsewhere a line now and then. */
function progress(): (text: string) => void {
  let shownAt = 0
  return (text) => {
    if (terminal) process.stderr.write(`\r\x1b[K${text}`)
    else if (Date.now() - shownAt > 15_000) {
      shownAt = Date.now()
      console.error(text)
    }
  }
}

function clearLine(): void {
  if (terminal) process.stderr.write('\r\x1b[K')
}

function show({ suite, seed, problem, command, tail }: Failure): void {
  clearLine()
  console.error(`FAILED ${suite} seed ${seed}: ${problem}`)
  for (const line of tail) console.error(`  ${line}`)
  console.error(`replay: ${command}\n`)
}

async function storm(args: SimArguments): Promise<number> {
  if (args.mutation !== null) mutationOf(args.mutation)
  const { totals, failures, reports, interrupted } = await playStorm({
    ...args,
    stopAtFailure: false,
    progress: progress(),
    failed: show,
  })
  clearLine()
  const rare = totals.rare()
  if (args.json)
    console.log(JSON.stringify({ totals, failures: failures.map(({ tail, ...rest }) => rest), interrupted }))
  else {
    for (const line of totals.lines()) console.log(line)
    for (const line of rare) console.log(`rare: ${line}`)
    if (args.replay) for (const { hash, events } of reports) console.log(`trace ${hash}, ${events} events`)
    const played = totals.seeds + totals.tooLittle
    console.log(
      failures.length === 0
        ? `${played} seeds, all held${interrupted ? ' (interrupted)' : ''}`
        : `${failures.length} of ${played} seeds failed: ${failures.map(({ suite, seed }) => `${suite} ${seed}`).join(', ')}`,
    )
  }
  if (interrupted) return 130
  return failures.length > 0 || rare.length > 0 ? 1 : 0
}

interface Verdict {
  readonly mutation: Mutation
  readonly foundAt: number | null
  readonly problem: string
  /** The finding seed holds without the bug. */
  readonly clean: boolean
}

/** Plants one bug and looks for it; then plays the same seed without it. */
async function hunt(args: SimArguments, mutation: Mutation): Promise<Verdict | null> {
  const show = progress()
  const common = { ...args, suites: [mutation.suite], stopAtFailure: true, failed: () => {} }
  const planted = await playStorm({
    ...common,
    mutation: mutation.name,
    seeds: mutation.seedsMax,
    progress: (text) => show(`${mutation.name}: ${text}`),
  })
  if (planted.interrupted) return null
  const first = [...planted.failures].sort((a, b) => a.seed - b.seed)[0]
  if (first === undefined) return { mutation, foundAt: null, problem: '', clean: true }
  const clean = await playStorm({
    ...common,
    mutation: null,
    from: first.seed,
    seeds: 1,
    progress: () => {},
  })
  const [line = ''] = first.problem.split('\n')
  return { mutation, foundAt: first.seed, problem: line, clean: clean.failures.length === 0 }
}

async function huntAll(args: SimArguments): Promise<number> {
  const verdicts: Verdict[] = []
  const chosen = args.mutation === null ? mutations : [mutationOf(args.mutation)]
  for (const mutation of chosen) {
    const verdict = await hunt(args, mutation)
    if (verdict === null) return 130
    verdicts.push(verdict)
    clearLine()
    const { foundAt, problem, clean } = verdict
    const found =
      foundAt === null
        ? `NOT FOUND in ${mutation.seedsMax} seeds`
        : `found at seed ${foundAt} (of at most ${args.from + mutation.seedsMax - 1})${clean ? '' : ', BUT THE SEED FAILS WITHOUT IT TOO'}`
    if (!args.json) {
      console.log(`${mutation.name.padEnd(24)} ${mutation.suite.padEnd(13)} ${found}`)
      console.log(`  ${mutation.bug}`)
      if (problem !== '') console.log(`  seen as: ${problem.slice(0, 200)}`)
    }
  }
  if (args.json)
    console.log(
      JSON.stringify(
        verdicts.map(({ mutation, ...rest }) => ({ name: mutation.name, bug: mutation.bug, ...rest })),
      ),
    )
  return verdicts.every(({ foundAt, clean }) => foundAt !== null && clean) ? 0 : 1
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help')) {
    console.log(usage)
    return 0
  }
  let args: SimArguments
  try {
    args = parseArguments(argv)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return 2
  }
  return args.mutations ? huntAll(args) : storm(args)
}

process.exitCode = await main(process.argv.slice(2))
