import { readFileSync } from 'node:fs'
import { parseArguments, type SltArguments, usage } from './slt/arguments.ts'
import { findScripts, type ScriptFile } from './slt/files.ts'
import { Fleet } from './slt/fleet.ts'
import { playScript } from './slt/play.ts'
import { type FileReport, failureLines, fileLine, totalsOf } from './slt/report.ts'
import { readScript } from './slt/script.ts'

/** The name that scripts know this dialect by. */
const ENGINE = 'postgresql'

async function playFile(fleet: Fleet, { name, path }: ScriptFile, nodes: number): Promise<FileReport> {
  const script = readScript(readFileSync(path, 'utf8'), ENGINE)
  const { database, holding, rowsFromOthers } = await fleet.database()
  const session = database.session()
  const start = performance.now()
  try {
    const played = await playScript(script, session)
    const ms = performance.now() - start
    const held = nodes === 1 ? null : `${holding.held}/${holding.partitions}`
    return { name, ...played, ms, held, rowsFromOthers: rowsFromOthers() }
  } finally {
    session.close()
  }
}

async function play(args: SltArguments): Promise<number> {
  const files = findScripts(args.paths)
  const start = performance.now()
  const fleet = await Fleet.start(args.nodes, args.partitions, args.storage)
  const reports: FileReport[] = []
  try {
    for (const file of files) {
      const report = await playFile(fleet, file, args.nodes)
      reports.push(report)
      if (!args.json) console.log(fileLine(report))
    }
  } finally {
    await fleet.stop()
  }
  const totals = totalsOf(reports)
  const seconds = (performance.now() - start) / 1_000
  const passes = totals.share >= args.least
  if (args.json) {
    console.log(JSON.stringify({ ...totals, nodes: args.nodes, seconds, files: reports }))
    return passes ? 0 : 1
  }
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`
  for (const line of failureLines(reports)) console.log(line)
  console.log(
    `${totals.passed} of ${totals.passed + totals.failed} passed (${percent(totals.share)}, ${passes ? 'at least' : 'LESS THAN'} ${percent(args.least)}), ${totals.skipped} skipped, ${seconds.toFixed(1)} s`,
  )
  if (args.nodes > 1)
    console.log(`${args.nodes} nodes, redundancy 1: ${totals.rowsFromOthers} rows came from other nodes`)
  return passes ? 0 : 1
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help')) {
    console.log(usage)
    return 0
  }
  let args: SltArguments
  try {
    args = parseArguments(argv)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return 2
  }
  return play(args)
}

process.exitCode = await main(process.argv.slice(2))
