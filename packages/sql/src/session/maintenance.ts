import type { Transaction } from '@cluster/core'
import type { CatalogImage } from '../catalog/image.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { DoBlock, LockTable, Maintain, Statement, TransactionStatement } from '../syntax/ast.ts'
import { printName } from '../syntax/print-query.ts'
import { type BlockStatement, readBlock, runBlock } from './do-block.ts'

/**
 * LOCK TABLE, VACUUM and ANALYZE: transactions are as if they ran alone, old versions go by themselves, and counts are
 * kept as rows are written. So the tables have to be there, and nothing is left to do.
 * @returns the command, as it is told to clients
 * @throws 42P01
 */
export function tended(statement: LockTable | Maintain, catalog: CatalogImage): string {
  for (const name of statement.tables)
    if (catalog.find(printName(name)) === null)
      throw sqlError(
        SQLSTATE.undefinedTable,
        `relation "${name.parts.map((part) => part.name).join('.')}" does not exist`,
      )
  return statement.kind === 'maintain' ? statement.command : 'LOCK TABLE'
}

type Plain = Exclude<Statement, TransactionStatement>

const transactional: ReadonlySet<string> = new Set([
  'begin',
  'setTransaction',
  'commit',
  'rollback',
  'savepoint',
  'rollbackTo',
  'release',
])

const isPlain = (statement: Statement): statement is Plain => !transactional.has(statement.kind)

/**
 * DO: statements with handlers of errors, the part of PL/pgSQL that migrations use.
 * @throws 42704 for another language, 0A000 for what is beyond that part, 2D000 for COMMIT and its like
 */
export async function runDo(
  { language, body }: DoBlock,
  transaction: Transaction,
  run: (statement: Omit<BlockStatement, 'statement'> & { readonly statement: Plain }) => Promise<void>,
): Promise<void> {
  if (language !== 'plpgsql')
    throw sqlError(SQLSTATE.undefinedObject, `language "${language}" does not exist`)
  await runBlock(readBlock(body), transaction, async ({ statement, source }) => {
    if (!isPlain(statement)) throw sqlError('2D000', 'a transaction cannot be begun or ended in DO')
    await run({ statement, source })
  })
}
