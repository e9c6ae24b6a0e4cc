import { errorCode } from '@cluster/core'
import type { ClusterDatabase } from '@cluster/node'
import type { CopySource } from '@cluster/sql'
import { type ShownResult, shownResult } from './output.ts'
import { withoutLead } from './split.ts'

/** What the shell needs of a database session. */
export interface ShellSession {
  /** Runs one statement. Rejects with the statement's error. */
  run(statement: string, signal: AbortSignal): Promise<ShownResult>
  readonly inTransaction: boolean
  /** `from` and `to` for a COPY with the client; null for any other statement, and for what is none. */
  copies(statement: string): 'from' | 'to' | null
  /** Runs COPY FROM STDIN. @param rowsPerTransaction commits every so many rows; null: all in one */
  copyFrom(statement: string, source: CopySource, options: CopyInOptions): Promise<ShownResult>
  /** What COPY TO STDOUT writes. */
  copyTo(statement: string, signal: AbortSignal): AsyncIterable<Uint8Array>
}

export interface CopyInOptions {
  readonly signal: AbortSignal
  readonly rowsPerTransaction?: number
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
    copies(statement) {
      if (!/^copy\b/i.test(withoutLead(statement))) return null
      try {
        return session.outline(statement)[0]?.copy ?? null
      } catch (error) {
        // Running it says what is wrong with it.
        if (errorCode(error) !== 'SQL_ERROR') throw error
        return null
      }
    },
    copyFrom: async (statement, source, options) =>
      shownResult(await session.copyFrom(statement, source, options)),
    copyTo: (statement, signal) => session.copyTo(statement, { signal }),
  }
}
