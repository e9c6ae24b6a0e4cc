import { commandLine, startErrorText } from './options.ts'
import { start } from './start.ts'

try {
  await commandLine(start).parseAsync()
} catch (error) {
  process.stderr.write(`${startErrorText(error)}\n`)
  process.exitCode = 1
}
