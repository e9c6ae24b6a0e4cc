import { createReadStream, createWriteStream } from 'node:fs'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ClusterError } from '@cluster/core'
import type { ClusterDatabase } from '@cluster/node'
import { IMPORT_ROWS } from '../limits.ts'
import { resultText } from './output.ts'
import { runScript } from './script.ts'
import type { ShellSession } from './session.ts'

/** `table (columns)` or `(query)`, the direction, a file's name with or without quotes, and options. */
const COPY =
  /^\s*(?<what>\(.*\)|(?:"(?:[^"]|"")*"|[^\s"(])+(?:\s*\([^)]*\))?)\s+(?<way>from|to)\s+(?<file>'(?:[^']|'')*'|\S+)\s*(?<options>.*)$/is

const wrong = (message: string): Error =>
  new ClusterError({ code: 'COMMAND_INVALID', outcome: 'rejected' }, message)

/** `\copy`: COPY with a file of this machine. @throws COMMAND_INVALID, and what the file and the statement are refused for */
export async function copyCommand(text: string, session: ShellSession): Promise<string> {
  const found = COPY.exec(text)?.groups
  if (found === undefined)
    throw wrong("it is \\copy table from 'file', or \\copy table to 'file', with options")
  const { what = '', way = '', file = '', options = '' } = found
  const path = file.startsWith("'") ? file.slice(1, -1).replaceAll("''", "'") : file
  if (/^(program|stdin|stdout|pstdin|pstdout)$/i.test(path))
    throw wrong(`\\copy works with files here, not with ${path.toLowerCase()}`)
  const { signal } = new AbortController()
  if (way.toLowerCase() === 'from') {
    const statement = `COPY ${what} FROM STDIN ${options}`
    return resultText(await session.copyFrom(statement, createReadStream(path), { signal }))
  }
  const lines = await save(path, session.copyTo(`COPY ${what} TO STDOUT ${options}`, signal))
  return `COPY to ${path}: ${lines} bytes`
}

/** `\export`. @throws COMMAND_INVALID, and what the file is refused for */
export async function exportCommand(
  text: string,
  database: Pick<ClusterDatabase, 'exportSql'>,
): Promise<string> {
  const [path = '', ...tables] = text.split(/\s+/)
  if (path === '') throw wrong('it is \\export file, or \\export file table')
  const bytes = await save(path, database.exportSql(tables.length === 0 ? {} : { tables }))
  return `exported ${bytes} bytes to ${path}`
}

/** `\import`. @throws COMMAND_INVALID, IMPORT_FAILED */
export async function importCommand(path: string, session: ShellSession): Promise<string> {
  if (path === '') throw wrong('it is \\import file')
  const output = new PassThrough()
  output.resume()
  const errors = new PassThrough({ encoding: 'utf8' })
  const code = await runScript({
    input: createReadStream(path),
    output,
    errors,
    session,
    meta: { run: async (line) => Promise.reject(wrong(`${line} is not for files`)) },
    signal: new AbortController().signal,
    rowsPerTransaction: IMPORT_ROWS,
  })
  if (code !== 1) return `imported ${path}`
  throw new ClusterError(
    { code: 'IMPORT_FAILED', outcome: 'rejected' },
    `${path} was imported up to a statement that failed: ${String(errors.read() ?? '').trim()}`,
  )
}

/** @returns how many bytes it were */
async function save(path: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const file = createWriteStream(path)
  await pipeline(pieces, file)
  return file.bytesWritten
}
