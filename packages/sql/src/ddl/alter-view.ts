import { whyNotUpdatable } from '../binder/write/updatable-view.ts'
import type { TableSchema, ViewSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { Identifier, StorageOption } from '../syntax/ast.ts'
import { parseStatement } from '../syntax/parse.ts'
import { viewOptions } from '../syntax/view-options.ts'
import { change, type DdlContext, keyOf } from './context.ts'

/** ALTER VIEW … RENAME COLUMN, of views and materialized ones. @throws 42703, 42701, 0A000 */
export async function renameViewColumn(
  context: DdlContext,
  view: ViewSchema | TableSchema,
  { name: from }: Identifier,
  { name: to }: Identifier,
): Promise<void> {
  const names = (view.kind === 'view' ? view.result : view.columns).map(({ name }) => name)
  if (!names.includes(from)) throw sqlError(SQLSTATE.undefinedColumn, `column "${from}" does not exist`)
  if (names.includes(to))
    throw sqlError(SQLSTATE.duplicateColumn, `column "${to}" of relation "${view.name}" already exists`)
  const own = keyOf(context, view)
  const columns = names.map((name) => (name === from ? to : name))
  if (view.kind === 'table') {
    if (view.materialized === null) throw new TypeError(`${view.name} is no view`)
    await change(context, {
      ...view,
      columns: view.columns.map((column) => (column.name === from ? { ...column, name: to } : column)),
      materialized: { ...view.materialized, columns },
    })
    return
  }
  for (const entry of await context.catalog.entries(context.transaction)) {
    const query = entry.kind === 'view' ? entry : entry.kind === 'table' ? entry.materialized : null
    // Queries over a view know its columns by name.
    if (query?.uses.some(({ key }) => key === own))
      throw sqlError(
        SQLSTATE.featureNotSupported,
        `cannot rename a column of view "${view.name}" while "${entry.name}" reads from it`,
      )
  }
  const result = view.result.map((column, i) => ({ ...column, name: columns[i] as string }))
  await change(context, { ...view, columns, result })
}

/** ALTER VIEW … SET and RESET of its options. @throws 22023, 0A000 */
export async function setViewOptions(
  context: DdlContext,
  view: ViewSchema,
  options: readonly StorageOption[],
  reset: boolean,
): Promise<void> {
  const named = options.some(({ name }) => name.name === 'check_option')
  const { checkOption } = viewOptions(reset ? [] : options)
  if (!named) return
  const query = parseStatement(view.text)
  const obstacle = checkOption !== null && query.kind === 'query' ? whyNotUpdatable(query) : null
  if (obstacle !== null)
    throw sqlError(
      SQLSTATE.featureNotSupported,
      'WITH CHECK OPTION is supported only on automatically updatable views',
      { hint: obstacle },
    )
  await change(context, { ...view, checkOption })
}
