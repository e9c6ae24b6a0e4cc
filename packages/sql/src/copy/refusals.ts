import { SQLSTATE, sqlError } from '../errors.ts'
import type { Copy, WriteStatement } from '../syntax/ast.ts'

/** Nobody has the privilege: a node reads and writes no files for its clients. */
export function noServerFile({ direction, file }: Copy) {
  const reads = direction === 'from'
  const [role, what] =
    file?.program === true
      ? ['pg_execute_server_program', 'COPY to or from an external program']
      : reads
        ? ['pg_read_server_files', 'COPY from a file']
        : ['pg_write_server_files', 'COPY to a file']
  return sqlError('42501', `must be superuser or have privileges of the ${role} role to ${what}`, {
    hint: "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.",
  })
}

/** COPY was given to what has no rows for it, and takes none. */
export function needsStream({ direction }: Copy) {
  const [words, call] = direction === 'from' ? ['FROM STDIN', 'copyFrom()'] : ['TO STDOUT', 'copyTo()']
  return sqlError(SQLSTATE.featureNotSupported, `COPY ${words} cannot be run as a query`, {
    hint: `Use ${call}, or a client that speaks the COPY protocol, such as psql.`,
  })
}

export const givesRows = (statement: WriteStatement): boolean =>
  'returning' in statement && statement.returning.length > 0
