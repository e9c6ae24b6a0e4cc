import { type BindContext, errorAt, newColumn, type Scope } from '../binder/context.ts'
import { bindCondition } from '../binder/expression/bind-expression.ts'
import { targetTable } from '../binder/query/bind-from.ts'
import { rowColumns, rowScope, targetPositions } from '../binder/write/bind-assignment.ts'
import { targetOf } from '../binder/write/bind-write.ts'
import { withGenerated } from '../binder/write/computed-columns.ts'
import { defaultExpression } from '../binder/write/defaults.ts'
import { slotsAt } from '../binder/write/write-target.ts'
import { writtenName } from '../catalog/names.ts'
import type { ColumnSchema, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import { columnExpr, constant, filtered } from '../plan/build.ts'
import type { Column } from '../plan/expression.ts'
import type { LogicalPlan, Output } from '../plan/logical.ts'
import type { InsertStatement } from '../plan/statement.ts'
import type { Copy, Expression, Identifier, QualifiedName, Query } from '../syntax/ast.ts'
import { plainQuery, plainSelect } from '../syntax/plain-query.ts'
import type { CopyFormat, ForcedColumns } from './options.ts'

const INVALID_COLUMN_REFERENCE = '42P10'

/** COPY FROM, bound: an INSERT that takes its rows from a table of WITH, which is filled batch by batch. */
export interface BoundCopyFrom {
  readonly table: TableSchema
  /** The columns that are read, in order. */
  readonly columns: readonly ColumnSchema[]
  /** Under which the insert reads its rows, as it would read a WITH table. */
  readonly rows: number
  readonly insert: InsertStatement
}

/** @throws 42P01, 42809, 42P10, 42703, 42701, 0A000, 42803 */
export function bindCopyFrom(
  context: BindContext,
  copy: Copy & { readonly table: QualifiedName },
): BoundCopyFrom {
  refuseOthers(context, copy.table, 'to')
  const table = targetTable(context, copy.table)
  const positions = copiedColumns(context, table, copy.columns)
  context.access.use(context, table, 'a').add(slotsAt(table, positions))
  const rows = context.nextColumnId()
  const given = positions.map((position) => {
    const { name, type } = table.columns[position] as ColumnSchema
    return newColumn(context, name, type)
  })
  const scan: LogicalPlan = {
    kind: 'cteScan',
    id: rows,
    name: 'copy',
    alias: 'copy',
    columns: given.map((column, position) => ({ column, position })),
  }
  const row = rowColumns(context, table)
  const outputs = row.map((column, position): Output => {
    const from = given[positions.indexOf(position)]
    const schema = table.columns[position] as ColumnSchema
    if (from !== undefined) return { column, expr: columnExpr(from) }
    return { column, expr: defaultExpression(context, table, schema) ?? constant(schema.type, null) }
  })
  const project: LogicalPlan = { kind: 'project', input: scan, outputs }
  const chosen = copy.where === null ? project : chosenRows(context, table, row, project, copy.where)
  const source = withGenerated(context, table, { plan: chosen, columns: row })
  return {
    table,
    columns: positions.map((position) => table.columns[position] as ColumnSchema),
    rows,
    insert: {
      kind: 'insert',
      target: targetOf(context, table, rowColumns(context, table)),
      source: source.plan,
      sourceColumns: source.columns,
      conflict: null,
      returning: null,
    },
  }
}

function chosenRows(
  context: BindContext,
  table: TableSchema,
  row: readonly Column[],
  input: LogicalPlan,
  where: Expression,
): LogicalPlan {
  const subquery = findNode(where, ({ kind }) => kind === 'query')
  if (subquery !== null)
    throw errorAt(
      context,
      where,
      SQLSTATE.featureNotSupported,
      'cannot use subquery in COPY FROM WHERE condition',
    )
  const generated = table.columns.find(
    ({ name, generated: text }) =>
      text !== null &&
      findNode(
        where,
        (node) =>
          node['kind'] === 'column' &&
          (node['parts'] as readonly Identifier[] | undefined)?.at(-1)?.name === name,
      ) !== null,
  )
  if (generated !== undefined)
    throw sqlError(
      INVALID_COLUMN_REFERENCE,
      'generated columns are not supported in COPY FROM WHERE conditions',
      { detail: `Column "${generated.name}" is a generated column.` },
    )
  const scope: Scope = rowScope(table, row, table.name)
  const place = { context, scope, aggregates: null, name: 'COPY FROM WHERE conditions' }
  return filtered(input, [bindCondition(place, where, 'WHERE')])
}

type Node = Readonly<Record<string, unknown>>

function findNode(part: unknown, wanted: (node: Node) => boolean): Node | null {
  if (Array.isArray(part)) {
    for (const item of part) {
      const found = findNode(item, wanted)
      if (found !== null) return found
    }
    return null
  }
  if (typeof part !== 'object' || part === null) return null
  const node = part as Node
  if (wanted(node)) return node
  return findNode(Object.values(node), wanted)
}

/** The columns that COPY reads or writes, by position: all but the generated ones. @throws 42703, 42701, 42P10 */
function copiedColumns(
  context: BindContext,
  table: TableSchema,
  named: readonly Identifier[],
): readonly number[] {
  const positions = targetPositions(
    context,
    table,
    named.map((column) => ({ ...column, path: [] })),
  )
  if (named.length === 0) return positions.filter((position) => table.columns[position]?.generated === null)
  const generated = positions
    .map((position) => table.columns[position])
    .find((one) => one?.generated !== null)
  if (generated === undefined) return positions
  throw sqlError(INVALID_COLUMN_REFERENCE, `column "${generated.name}" is a generated column`, {
    detail: 'Generated columns cannot be used in COPY.',
  })
}

/** @throws 42809 for what COPY cannot read or write */
function refuseOthers(context: BindContext, name: QualifiedName, direction: 'from' | 'to'): void {
  const entry = context.names.entry(writtenName(name))
  const word = entry?.kind === 'table' && entry.materialized !== null ? 'materialized view' : entry?.kind
  switch (word) {
    case 'view':
      throw errorAt(
        context,
        name,
        SQLSTATE.wrongObjectType,
        `cannot copy ${direction} view "${entry?.name}"`,
        {
          hint:
            direction === 'from'
              ? 'Try the COPY (SELECT ...) TO variant.'
              : 'Copy to the table that it shows.',
        },
      )
    case 'materialized view':
    case 'sequence': {
      const hint =
        word === 'sequence' || direction === 'to' ? undefined : 'Try the COPY (SELECT ...) TO variant.'
      throw errorAt(
        context,
        name,
        SQLSTATE.wrongObjectType,
        `cannot copy ${direction} ${word} "${entry?.name}"`,
        { hint },
      )
    }
    default:
  }
}

/** The rows of a table as a query; null: it is none of the tables that hold rows, so that a query of its own says why. */
export function queryOfTable(context: BindContext, copy: Copy & { readonly table: QualifiedName }): Query {
  refuseOthers(context, copy.table, 'from')
  const { span } = copy
  const entry = context.names.entry(writtenName(copy.table))
  const positions = entry?.kind === 'table' ? copiedColumns(context, entry, copy.columns) : null
  const names =
    entry?.kind === 'table' && positions !== null
      ? positions.map((position) => entry.columns[position]?.name ?? '')
      : copy.columns.map(({ name }) => name)
  const items =
    names.length === 0
      ? [{ kind: 'star' as const, qualifier: [], span }]
      : names.map((name) => ({
          kind: 'item' as const,
          expression: { kind: 'column' as const, parts: [{ kind: 'identifier' as const, name, span }], span },
          alias: null,
          span,
        }))
  const from = [{ kind: 'table' as const, name: copy.table, alias: null, span: copy.table.span }]
  return plainQuery(plainSelect({ items, from, span }))
}

/**
 * Which of the columns an option of FORCE_ names.
 * @param all names of the columns of the table
 * @throws 42703, 42P10
 */
export function forcedColumns(
  word: string,
  forced: ForcedColumns,
  copied: readonly string[],
  table: TableSchema | null,
): readonly boolean[] {
  if (forced === '*') return copied.map(() => true)
  for (const { name } of forced) {
    if (copied.includes(name)) continue
    if (table === null) throw sqlError(SQLSTATE.undefinedColumn, `column "${name}" does not exist`)
    if (!table.columns.some((column) => column.name === name))
      throw sqlError(SQLSTATE.undefinedColumn, `column "${name}" of relation "${table.name}" does not exist`)
    throw sqlError(INVALID_COLUMN_REFERENCE, `${word} column "${name}" not referenced by COPY`)
  }
  const names = new Set(forced.map(({ name }) => name))
  return copied.map((name) => names.has(name))
}

/** True where the format forces nothing. */
export const forcesNothing = ({ forceNotNull, forceNull }: CopyFormat): boolean =>
  forceNotNull.length === 0 && forceNull.length === 0
