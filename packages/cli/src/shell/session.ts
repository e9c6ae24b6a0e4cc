import type { ClusterDatabase } from '@cluster/node'
import { shownResult } from './output.ts'
import type { ShellSession } from './shell.ts'

/** A database session whose results are texts. */
export function openShellSession(database: ClusterDatabase): ShellSession {
  const session = database.session()
  return {
    get inTransaction() {
      return session.inTransaction
    },
    async run(statement, signal) {
      return shownResult(await session.query(statement, [], { signal }))
    },
  }
}
