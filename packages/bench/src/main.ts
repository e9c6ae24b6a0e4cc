import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Report, reportJson, reportText } from './report.ts'
import { smoke } from './suites/smoke.ts'

const SUITES: Readonly<Record<string, (progress: (text: string) => void) => Promise<Report>>> = { smoke }

const HELP = `usage: npm run bench -- --suite <suite> [--json <file>]

suites
  smoke   start-up, commits, point reads and fail-over of three processes on this machine`

const { values } = parseArgs({
  options: { suite: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean', default: false } },
})
const suite = SUITES[values.suite ?? '']
if (values.help || !suite) {
  console.log(HELP)
  process.exit(values.help ? 0 : 2)
}
const report = await suite((text) => process.stderr.write(`\r\x1b[K${text} …`))
process.stderr.write('\r\x1b[K')
console.log(reportText(report))
if (values.json !== undefined) await writeFile(values.json, `${reportJson(report)}\n`)
