import type { Statement } from '../../syntax/ast.ts'
import { parse } from '../../syntax/parse.ts'
import type { SessionState } from '../session-state.ts'
import type { SqlResult } from '../types.ts'
import { doneResult, type Item } from './statements.ts'

/** What DISCARD ALL comes to, beside giving back locks. */
const PARTS = `CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *; DISCARD TEMP;
  DISCARD SEQUENCES`

/** DISCARD ALL, which outside of a transaction is several statements. */
export const forgetsAll = (statement: Statement): boolean =>
  statement.kind === 'discard' && statement.what === 'all'

/** Makes a session what it was when it began. @param run runs one statement of the session */
export async function forgetAll(
  { locks }: SessionState,
  run: (item: Item) => Promise<unknown>,
): Promise<SqlResult> {
  for (const statement of parse(PARTS)) await run({ statement, source: PARTS, planKey: null })
  await locks.giveAll()
  return doneResult('DISCARD ALL')
}
