import { resolve } from 'node:path'
import { houseRules } from './house/index.ts'

const violations = houseRules(resolve(process.argv[2] ?? '.'))
for (const { file, line, rule, instead } of violations) console.error(`${file}:${line}: ${rule}: ${instead}`)
if (violations.length > 0) {
  console.error(`house: ${violations.length} violation${violations.length === 1 ? '' : 's'}`)
  process.exitCode = 1
}
