import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Runs examples/<name> with the arguments behind the name.
const folder = fileURLToPath(new URL('../examples/', import.meta.url))
const names = readdirSync(folder).filter((name) => existsSync(`${folder}${name}/src/main.ts`))
const [name = '', ...args] = process.argv.slice(2)
if (!names.includes(name)) {
  console.error(
    `usage: npm run example -- <name>\n\nexamples\n${names.map((known) => `  ${known}`).join('\n')}`,
  )
  process.exit(name === '' || name === '--help' ? 0 : 2)
}
const child = spawn(process.execPath, ['--conditions=source', `${folder}${name}/src/main.ts`, ...args], {
  stdio: 'inherit',
})
const [code] = (await once(child, 'exit')) as [number | null]
process.exit(code ?? 1)
