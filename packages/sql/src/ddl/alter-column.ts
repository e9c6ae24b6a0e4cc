import { errorAt } from '../binder/context.ts'
import { tryCoerce } from '../binder/expression/coerce.ts'
import { declaredType } from '../binder/expression/declared-type.ts'
import type { ColumnSchema, SequenceSchema, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import { castFor } from '../functions/cast.ts'
import { columnExpr } from '../plan/build.ts'
import type { Expr } from '../plan/expression.ts'
import type { ColumnAction, Identifier } from '../syntax/ast.ts'
import { parseExpression } from '../syntax/parse.ts'
import { formatType, sameType } from '../types/type.ts'
import { checkIdentityType, withIdentity } from './columns.ts'
import { change, type DdlContext } from './context.ts'
import { checkedDefault, definedValue, tableScope } from './expressions.ts'
import { needColumn } from './parts.ts'
import { columnNamesIn } from './references.ts'
import { rewriteTable } from './rewrite.ts'
import { changeSequence, removeSequence } from './sequences.ts'
import { checkNotNull } from './validate.ts'

/** ALTER COLUMN. @throws 42703 and what is wrong with the change */
export async function alterColumn(
  context: DdlContext,
  table: TableSchema,
  name: Identifier,
  action: ColumnAction,
): Promise<TableSchema> {
  const column = needColumn(context, table, name)
  const put = (next: Partial<ColumnSchema>): Promise<TableSchema> =>
    change(context, withColumn(table, column, { ...column, ...next }))
  switch (action.kind) {
    case 'hint':
      return table
    case 'setDefault':
      refuseComputed(table, column)
      return put({ defaultText: checkedDefault(context, action.expression, column.name, column) })
    case 'dropDefault':
      refuseComputed(table, column)
      return put({ defaultText: null })
    case 'setNotNull': {
      const position = table.columns.indexOf(column)
      await checkNotNull(context, table, [position])
      return put({ notNull: true })
    }
    case 'dropNotNull':
      if (table.primaryKey?.columns.includes(table.columns.indexOf(column)) === true)
        throw sqlError(SQLSTATE.invalidTableDefinition, `column "${column.name}" is in a primary key`)
      if (column.identity !== null) throw isIdentity(table, column)
      return put({ notNull: false })
    case 'type':
      return changeType(context, table, column, action)
    case 'addIdentity': {
      if (column.identity !== null)
        throw sqlError(
          '55000',
          `column "${column.name}" of relation "${table.name}" is already an identity column`,
        )
      if (column.defaultText !== null)
        throw sqlError(
          '55000',
          `column "${column.name}" of relation "${table.name}" already has a default value`,
        )
      checkIdentityType(column)
      if (!column.notNull)
        throw sqlError(
          '55000',
          `column "${column.name}" of relation "${table.name}" must be declared NOT NULL before identity can be added`,
        )
      const owner = { schema: table.schema, name: table.name, temporary: table.temporary !== null }
      return put(await withIdentity(context, owner, column, action.always, action.options))
    }
    case 'setIdentity': {
      const sequence = await identitySequence(context, table, column)
      if (action.options.length > 0) await changeSequence(context, sequence, action.options)
      return action.always === null ? table : put({ identity: action.always ? 'always' : 'by default' })
    }
    case 'dropIdentity': {
      if (column.identity === null) {
        if (action.ifExists) return table
        throw notIdentity(table, column)
      }
      removeSequence(context, await identitySequence(context, table, column))
      return put({ identity: null, sequence: null })
    }
    case 'dropExpression':
      if (column.generated === null) {
        if (action.ifExists) return table
        throw sqlError(
          '55000',
          `column "${column.name}" of relation "${table.name}" is not a stored generated column`,
        )
      }
      return put({ generated: null })
  }
}

const withColumn = (table: TableSchema, before: ColumnSchema, column: ColumnSchema): TableSchema => ({
  ...table,
  columns: table.columns.map((one) => (one === before ? column : one)),
})

const isIdentity = (table: TableSchema, column: ColumnSchema, hint?: string) =>
  sqlError(
    SQLSTATE.syntaxError,
    `column "${column.name}" of relation "${table.name}" is an identity column`,
    {
      hint,
    },
  )

const notIdentity = (table: TableSchema, column: ColumnSchema) =>
  sqlError('55000', `column "${column.name}" of relation "${table.name}" is not an identity column`)

/** A column with values of its own has no default. */
function refuseComputed(table: TableSchema, column: ColumnSchema): void {
  if (column.identity !== null)
    throw isIdentity(table, column, 'Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.')
  if (column.generated !== null)
    throw sqlError(
      SQLSTATE.syntaxError,
      `column "${column.name}" of relation "${table.name}" is a generated column`,
      { hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.' },
    )
}

async function identitySequence(
  context: DdlContext,
  table: TableSchema,
  column: ColumnSchema,
): Promise<SequenceSchema> {
  const { identity, sequence } = column
  const entry =
    identity === null || sequence === null ? null : await context.catalog.entry(context.transaction, sequence)
  if (entry?.kind !== 'sequence') throw notIdentity(table, column)
  return entry
}

/** @throws 42804, 0A000 for a column that a view or a generated column uses */
async function changeType(
  context: DdlContext,
  table: TableSchema,
  column: ColumnSchema,
  action: ColumnAction & { kind: 'type' },
): Promise<TableSchema> {
  const { bind } = context
  const { type, domain } = declaredType(bind, action.type)
  await refuseUsed(context, table, column)
  const { row, scope } = tableScope(context, table.name, table.columns)
  const position = table.columns.indexOf(column)
  const own = row[position]
  if (own === undefined) throw new RangeError(`column ${column.name} has no position`)
  const given: Expr =
    action.using === null
      ? columnExpr(own)
      : definedValue(context, scope, action.using, 'transform expressions', 'transform expression')
  const node = action.using ?? action.type
  const value = tryCoerce(bind, node, given, type, 'assignment')
  if (value === null)
    throw errorAt(
      bind,
      action.type,
      SQLSTATE.datatypeMismatch,
      action.using === null
        ? `column "${column.name}" cannot be cast automatically to type ${formatType(type)}`
        : `result of USING clause for column "${column.name}" cannot be cast automatically to type ${formatType(type)}`,
      {
        hint:
          action.using === null
            ? `You might need to specify "USING ${column.name}::${formatType(type)}".`
            : 'You might need to add an explicit cast.',
      },
    )
  const defaultText = column.defaultText === null ? null : retypedDefault(context, column, type)
  const next = { ...column, type, domain, defaultText, missing: null }
  const after = withColumn(table, column, next)
  const untouched =
    action.using === null &&
    (sameType(column.type, type) || castFor(column.type, type, 'assignment') === 'same')
  if (untouched && table.primaryKey?.columns.includes(position) !== true && column.missing === null)
    return change(context, after)
  const exprs = row.map((one, i): Expr => (i === position ? value : columnExpr(one)))
  return change(context, await rewriteTable(context, table, after, { row, exprs }))
}

/** @throws 42804 */
function retypedDefault(
  context: DdlContext,
  column: ColumnSchema,
  type: ColumnSchema['type'],
): string | null {
  const { defaultText } = column
  if (defaultText === null) return null
  const bind = { ...context.bind, source: null }
  const node = parseExpression(defaultText)
  const bound = definedValue({ ...context, bind }, null, node, 'DEFAULT expressions', 'DEFAULT expression')
  if (tryCoerce(bind, node, bound, type, 'assignment') !== null) return defaultText
  throw sqlError(
    SQLSTATE.datatypeMismatch,
    `default for column "${column.name}" cannot be cast automatically to type ${formatType(type)}`,
  )
}

async function refuseUsed(context: DdlContext, table: TableSchema, column: ColumnSchema): Promise<void> {
  const { catalog, transaction } = context
  const computed = table.columns.find(
    ({ generated }) => generated !== null && columnNamesIn(generated).has(column.name),
  )
  if (computed !== undefined)
    throw sqlError(SQLSTATE.featureNotSupported, 'cannot alter type of a column used by a generated column', {
      detail: `Column "${column.name}" is used by generated column "${computed.name}".`,
    })
  const key = catalog.keyOf(table)
  for (const entry of await catalog.entries(transaction)) {
    const query = entry.kind === 'view' ? entry : entry.kind === 'table' ? entry.materialized : null
    const used = query?.uses.find((one) => one.key === key)?.columns ?? []
    if (used.some(({ slot }) => slot === column.slot))
      throw sqlError(SQLSTATE.featureNotSupported, 'cannot alter type of a column used by a view or rule', {
        detail: `rule _RETURN on view ${entry.name} depends on column "${column.name}"`,
      })
  }
}
