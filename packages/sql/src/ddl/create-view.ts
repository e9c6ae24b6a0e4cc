import { collectNames } from '../binder/collect-names.ts'
import { errorAt, unsupported } from '../binder/context.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { CreateView } from '../syntax/ast.ts'
import { alreadyExists, type DdlContext, newName, takenBy } from './context.ts'

/** Keeps a query under a name. @throws 42P07, and whatever is wrong with the query */
export async function createView(context: DdlContext, statement: CreateView): Promise<void> {
  const { bind, catalog, transaction } = context
  const name = newName(context, statement.name)
  if (statement.temporary) throw unsupported(bind, statement, 'CREATE TEMPORARY VIEW')
  const known = await takenBy(context, name)
  if (known !== null && !(statement.orReplace && known.kind === 'view')) throw alreadyExists(name)
  const bound = bind.bindQuery(statement.query, { ...bind, views: [name] }, null)
  const columns = statement.columns.map((column) => column.name)
  if (columns.length > bound.columns.length)
    throw sqlError(SQLSTATE.syntaxError, 'CREATE VIEW specifies more column names than columns')
  const names = bound.columns.map((column, i) => columns[i] ?? column.name)
  const twice = names.find((one, i) => names.indexOf(one) !== i)
  if (twice !== undefined)
    throw errorAt(bind, statement, SQLSTATE.duplicateColumn, `column "${twice}" specified more than once`)
  const uses: string[] = []
  for (const used of collectNames(statement.query)) {
    const entry = bind.names.entry(used)
    if (entry !== null) uses.push(entry.name)
  }
  catalog.put(transaction, {
    kind: 'view',
    name,
    version: await catalog.draw(transaction),
    text: statement.text,
    columns,
    uses,
  })
}
