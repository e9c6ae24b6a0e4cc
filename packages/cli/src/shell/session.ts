import type { ClusterDatabase } from '@cluster/node'
import { type ShownResult, shownResult } from './output.ts'

/** What the shell needs of a database session. */
export interface ShellSession {
  /** Runs one statement. Rejects with the statement's error. */
  run(statement: string, signal: AbortSignal): Promise<ShownResult>
  readonly inTransaction: boolean
}

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
