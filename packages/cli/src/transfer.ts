import { createReadStream, createWriteStream } from 'node:fs'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ClusterDatabase } from '@cluster/node'
import type { TransferOptions } from './options.ts'
import { errorText } from './shell/error-text.ts'
import { runScript, writeAll } from './shell/script.ts'
import { openShellSession } from './shell/session.ts'
import type { NodeTask } from './start.ts'

const say = (line: string): void => void process.stderr.write(`${line}\n`)

const quoted = (table: string): string =>
  table
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')

/** `cluster export`. @param file null: standard output */
export const exportTask =
  (file: string | null, { format, table }: TransferOptions): NodeTask =>
  async (database, signal) => {
    const pieces =
      format === 'csv'
        ? database.copyTo(`COPY ${quoted(table?.[0] ?? '')} TO STDOUT (FORMAT csv, HEADER)`, { signal })
        : database.exportSql({ signal, ...(table === undefined ? {} : { tables: table }) })
    try {
      if (file === null) await writeAll(pieces, process.stdout)
      else await pipeline(pieces, createWriteStream(file))
      return 0
    } catch (error) {
      if (!signal.aborted) say(errorText(error, ''))
      return 1
    }
  }

/** `cluster import`. @param file null: standard input */
export const importTask =
  (file: string | null, options: TransferOptions): NodeTask =>
  (database, signal) => {
    const input = file === null ? process.stdin : createReadStream(file)
    return options.format === 'csv'
      ? importCsv(database, input, options, signal)
      : importSql(database, input, options, signal)
  }

async function importCsv(
  database: ClusterDatabase,
  input: Readable,
  { table, rowsPerTransaction }: TransferOptions,
  signal: AbortSignal,
): Promise<number> {
  const copy = `COPY ${quoted(table?.[0] ?? '')} FROM STDIN (FORMAT csv, HEADER match)`
  try {
    const { rowCount } = await database.copyFrom(copy, input, { signal, rowsPerTransaction })
    say(`imported ${rowCount} rows`)
    return 0
  } catch (error) {
    say(errorText(error, copy))
    return 1
  }
}

async function importSql(
  database: ClusterDatabase,
  input: Readable,
  { rowsPerTransaction }: TransferOptions,
  signal: AbortSignal,
): Promise<number> {
  const output = new PassThrough()
  output.resume()
  const code = await runScript({
    input,
    output,
    errors: process.stderr,
    session: openShellSession(database),
    meta: {
      run: async (line) => Promise.reject(new Error(`${line} is a command of the shell, not for files`)),
    },
    signal,
    rowsPerTransaction,
  })
  if (code !== 1) say('imported')
  return code === 1 ? 1 : 0
}
