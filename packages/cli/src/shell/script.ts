import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { errorText } from './error-text.ts'
import type { MetaCommands } from './meta.ts'
import { resultText } from './output.ts'
import type { ShellSession } from './session.ts'
import { isBlank, splitStatements, withoutLead } from './split.ts'

export interface ScriptOptions {
  readonly input: Readable
  readonly output: Writable
  readonly errors: Writable
  readonly session: ShellSession
  readonly meta: MetaCommands
  readonly signal: AbortSignal
  /** Rows of a COPY are committed every so many; absent: each COPY is one transaction. */
  readonly rowsPerTransaction?: number
}

/** What only this database is to read, written as a comment for all others. */
const OURS = /\/\*cluster (.*?) \*\//g

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
  rowsPerTransaction,
}: ScriptOptions): Promise<number | null> {
  let text = ''
  input.setEncoding('utf8')
  const lines = linesOf(input)
  const run = async (written: string): Promise<boolean> => {
    const statement = /^create\s+table\b/i.test(withoutLead(written)) ? written.replace(OURS, '$1') : written
    try {
      const copy = session.copies(statement)
      if (copy === 'from') {
        const cut =
          rowsPerTransaction === undefined || session.inTransaction
            ? { signal }
            : { signal, rowsPerTransaction }
        output.write(`${resultText(await session.copyFrom(statement, dataOf(lines), cut))}\n`)
        return true
      }
      if (copy === 'to') {
        await writeAll(session.copyTo(statement, signal), output)
        return true
      }
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
  let empty = true
  for (;;) {
    const { done, value: one } = await lines.next()
    if (done === true) break
    empty = false
    if (isBlank(text) && one.startsWith('\\')) {
      if (one.trim() === '\\q') return 0
      // Newer versions of pg_dump tell psql to run no other commands in between.
      if (/^\\(un)?restrict\b/.test(one)) continue
      if (!(await command(one.trim()))) return 1
      continue
    }
    const { statements, rest } = splitStatements(text + one)
    text = rest
    for (const statement of statements) if (!(await run(statement.trimStart()))) return 1
  }
  if (empty) return null
  if (!isBlank(text) && !(await run(text.trim()))) return 1
  return 0
}

/** Lines with their ends, as they come; the last one may have none. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  let line = ''
  for await (const chunk of input) {
    line += chunk as string
    const end = line.lastIndexOf('\n')
    if (end < 0) continue
    const whole = line.slice(0, end + 1)
    line = line.slice(end + 1)
    yield* whole.split(/(?<=\n)/)
  }
  if (line !== '') yield line
}

/** The lines of a COPY up to the one that ends it, which stand between the statements. */
async function* dataOf(lines: AsyncGenerator<string>): AsyncGenerator<string> {
  for (;;) {
    const { done, value } = await lines.next()
    if (done === true || value.trimEnd() === '\\.') return
    yield value
  }
}

/** Writes no faster than somebody reads. */
export async function writeAll(pieces: AsyncIterable<Uint8Array>, output: Writable): Promise<void> {
  for await (const piece of pieces) if (!output.write(piece)) await once(output, 'drain')
}
