import type { Database, Transaction } from '@cluster/core'
import type { CatalogImage } from '../../catalog/image.ts'
import { guardedIn } from '../../catalog/image-access.ts'
import type { CatalogEntry, TableSchema } from '../../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { ExecutionContext } from '../../executor/context.ts'
import { rangeScan } from '../../executor/scan.ts'
import { sampleAnew } from '../../plan/table-statistics.ts'
import type {
  DoBlock,
  LockTable,
  Maintain,
  QualifiedName,
  Statement,
  TransactionStatement,
} from '../../syntax/ast.ts'
import { printName } from '../../syntax/print-query.ts'
import { type BlockStatement, readBlock, runBlock } from './do-block.ts'

/**
 * LOCK TABLE, VACUUM, REINDEX and their like. Transactions are as if they ran alone, old versions go by themselves, and indexes
 * never decay, so the tables have to be there and nothing is left to do; ANALYZE reads the tables, so that this node knows
 * their values anew.
 * @returns the command, as it is told to clients
 * @throws 42P01, 42704, 42809
 */
export async function tended(
  statement: LockTable | Maintain,
  catalog: CatalogImage,
  database: Database,
  context: ExecutionContext,
): Promise<string> {
  const known = (name: QualifiedName) => {
    const found = catalog.find(printName(name))
    if (found !== null) return found
    throw sqlError(SQLSTATE.undefinedTable, `relation "${shown(name)}" does not exist`)
  }
  const named = statement.tables.map((name) => known(name).entry)
  if (statement.kind === 'lockTable') return 'LOCK TABLE'
  if (statement.command === 'CLUSTER') checkClustered(statement, named[0])
  else
    for (const name of statement.indexes)
      if (known(name).kind !== 'i')
        throw sqlError(SQLSTATE.wrongObjectType, `"${shown(name)}" is not an index`)
  if (statement.command === 'ANALYZE')
    for (const entry of statement.tables.length === 0 ? catalog.entries : named)
      if (entry?.kind === 'table') await analyze(entry, catalog, database, context)
  return statement.command
}

/** CLUSTER needs an index of the table: rows stay in the order of their keys. @throws 42704 */
function checkClustered({ tables, indexes }: Maintain, table: CatalogEntry | null | undefined): void {
  const [index] = indexes
  if (index === undefined) {
    const [name] = tables
    if (name !== undefined)
      throw sqlError(
        SQLSTATE.undefinedObject,
        `there is no previously clustered index for table "${shown(name)}"`,
      )
    return
  }
  const own = table?.kind === 'table' ? [table.primaryKey, ...table.indexes] : []
  if (!own.some((one) => one?.name === shown(index)))
    throw sqlError(
      SQLSTATE.undefinedObject,
      `index "${shown(index)}" for table "${table?.name}" does not exist`,
    )
}

const shown = (name: QualifiedName): string => name.parts.map((part) => part.name).join('.')

/** Reads a whole table, which tells what is in it. Tables of others are left out, as in PostgreSQL. */
async function analyze(
  table: TableSchema,
  catalog: CatalogImage,
  database: Database,
  context: ExecutionContext,
): Promise<void> {
  const { access, user } = catalog
  if (!access.owns(access.needRole(user).oid, guardedIn(catalog, table))) return
  sampleAnew(table)
  const positions = table.columns.map((_, position) => position)
  const rows = rangeScan({ database, table, positions }, () => ({}), null, 'any')
  for await (const _ of rows.open(context));
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
