import { ClusterError } from '@cluster/core'
import type { Session } from '@cluster/sql'
import type { NodeErrorDetail } from '../errors.ts'
import { schemaText } from './schema-text.ts'

export interface ExportOptions {
  /** Only these tables, as `name` or `schema.name`, with their indexes and the constraints among them. Default: everything. */
  readonly tables?: readonly string[]
  readonly signal?: AbortSignal
}

const encoder = new TextEncoder()

/**
 * Writes definitions and rows as SQL that a shell of this database, and psql, can run: what they are at one version, read in
 * one transaction.
 */
export async function* exportSql(
  session: Session,
  { tables: only, signal }: ExportOptions,
): AsyncGenerator<Uint8Array> {
  const call = signal === undefined ? {} : { signal }
  try {
    await session.query('BEGIN READ ONLY')
    await session.query("SET LOCAL timezone TO 'UTC'")
    const { before, tables, after } = await schemaText(session, only ?? null, noSuchTable)
    const statements = (list: readonly string[]): Uint8Array =>
      encoder.encode(list.map((statement) => `${statement};\n`).join(''))
    yield statements(["SET client_encoding TO 'UTF8'", "SET timezone TO 'UTC'", ...before])
    for (const { name, columns } of tables) {
      const copy = `COPY ${name} (${columns.join(', ')})`
      yield encoder.encode(`\n${copy} FROM stdin;\n`)
      yield* session.copyTo(`${copy} TO STDOUT`, call)
      yield encoder.encode('\\.\n')
    }
    yield encoder.encode('\n')
    yield statements(after)
  } finally {
    session.close()
  }
}

const noSuchTable = (name: string): Error =>
  new ClusterError<NodeErrorDetail>(
    { code: 'OPTION_INVALID', outcome: 'rejected', option: 'tables', given: name },
    `there is no table "${name}"; information_schema.tables lists them`,
  )
