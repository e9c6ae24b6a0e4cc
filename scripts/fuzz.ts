import { parseArgs } from 'node:util'

/** What a suite exports: runs with the arguments behind `--suite NAME`, and gives the exit code. */
interface Suite {
  readonly usage: string
  run(argv: readonly string[]): Promise<number>
}

const suites: Readonly<Record<string, () => Promise<Suite>>> = {
  sql: () => import('./fuzz/sql.ts'),
  pgwire: () => import('./fuzz/pgwire.ts'),
}

const usage = `npm run fuzz -- --suite NAME [options]
  --suite NAME   ${Object.keys(suites).join(', ')}
  --help         with a suite: its options`

async function main(argv: readonly string[]): Promise<number> {
  const { values, tokens } = parseArgs({
    args: [...argv],
    options: { suite: { type: 'string' }, help: { type: 'boolean', default: false } },
    strict: false,
    tokens: true,
  })
  const load = typeof values.suite === 'string' ? suites[values.suite] : undefined
  if (load === undefined) {
    console[values.help === true ? 'log' : 'error'](usage)
    return values.help === true ? 0 : 2
  }
  const suite = await load()
  if (values.help === true) {
    console.log(suite.usage)
    return 0
  }
  const named = tokens.find((token) => token.kind === 'option' && token.name === 'suite')
  const from = named?.index ?? 0
  const width = named?.kind === 'option' && named.inlineValue === true ? 1 : 2
  return suite.run(argv.filter((_, i) => i < from || i >= from + width))
}

process.exitCode = await main(process.argv.slice(2))
