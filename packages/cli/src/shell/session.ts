import type { ClusterDatabase } from '@cluster/node'
import { formatValue, type SqlResult, type SqlType } from '@cluster/sql'
import type { ShownResult } from './output.ts'
import type { ShellSession } from './shell.ts'

const NUMBERS: ReadonlySet<SqlType['id']> = new Set([
  'smallint',
  'integer',
  'bigint',
  'real',
  'double',
  'numeric',
])
/** The command tags that carry a count. */
const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE', 'SELECT'])

/** A database session whose results are texts. */
export function openShellSession(database: ClusterDatabase): ShellSession {
  const session = database.session()
  return {
    get inTransaction() {
      return session.inTransaction
    },
    async run(statement, signal) {
      return shown(await session.query(statement, [], { signal }))
    },
  }
}

function shown({ command, columns, rows, rowCount, receipt }: SqlResult): ShownResult {
  return {
    command,
    columns: columns.map(({ name, type }) => ({ name, right: NUMBERS.has(type.id) })),
    rows: rows.map((row) =>
      columns.map(({ type }, i) => {
        const value = row[i] ?? null
        return value === null ? '' : formatValue(type, value)
      }),
    ),
    rowCount: COUNTED.has(command) ? rowCount : null,
    receipt,
  }
}
