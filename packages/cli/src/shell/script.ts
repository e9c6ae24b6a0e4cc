import type { Readable, Writable } from 'node:stream'
import { errorText } from './error-text.ts'
import type { MetaCommands } from './meta-commands.ts'
import { resultText } from './output.ts'
import type { ShellSession } from './session.ts'
import { isBlank, splitStatements } from './split.ts'

export interface ScriptOptions {
  readonly input: Readable
  readonly output: Writable
  readonly errors: Writable
  readonly session: ShellSession
  readonly meta: MetaCommands
  readonly signal: AbortSignal
}

/**
 * Runs piped statements one after another as they arrive; a `\command` stands on a line of its own.
 * @returns the exit code: 0 when all succeeded, 1 at the first error, behind which nothing runs; null when the
 * input ended without a single character
 */
export async function runScript({
  input,
  output,
  errors,
  session,
  meta,
  signal,
}: ScriptOptions): Promise<number | null> {
  let text = ''
  const run = async (statement: string): Promise<boolean> => {
    try {
      const shown = resultText(await session.run(statement, signal))
      output.write(`${shown}\n`)
      return true
    } catch (error) {
      errors.write(`${errorText(error, statement)}\n`)
      return false
    }
  }
  const command = async (line: string): Promise<boolean> => {
    try {
      output.write(`${await meta.run(line)}\n`)
      return true
    } catch (error) {
      errors.write(`${errorText(error, line)}\n`)
      return false
    }
  }
  input.setEncoding('utf8')
  let line = ''
  let empty = true
  for await (const chunk of input) {
    empty = false
    line += chunk as string
    const end = line.lastIndexOf('\n')
    if (end < 0) continue
    const whole = line.slice(0, end + 1)
    line = line.slice(end + 1)
    for (const one of whole.split(/(?<=\n)/)) {
      if (isBlank(text) && one.startsWith('\\')) {
        if (one.trim() === '\\q') return 0
        if (!(await command(one.trim()))) return 1
        continue
      }
      const { statements, rest } = splitStatements(text + one)
      text = rest
      for (const statement of statements) if (!(await run(statement.trimStart()))) return 1
    }
  }
  if (empty) return null
  const last = splitStatements(text + line)
  for (const statement of [...last.statements, last.rest]) {
    if (!isBlank(statement) && !(await run(statement.trim()))) return 1
  }
  return 0
}
