import { assert } from '@cluster/core'
import { AccessCollector } from '../../access/requirement.ts'
import { EXPRESSION, type IndexSchema, type TableSchema } from '../../catalog/schema.ts'
import { foldExpr } from '../../optimizer/fold-constants.ts'
import { columnExpr } from '../../plan/build.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import { parseExpression } from '../../syntax/parse.ts'
import type { SqlType } from '../../types/type.ts'
import { type BindContext, type Names, Parameters } from '../context.ts'
import { bindCondition, bindExpression } from '../expression/bind-expression.ts'
import { rowScope } from './bind-assignment.ts'

/** An index whose expressions are bound over the columns of a row. */
export interface BoundIndex {
  readonly row: readonly Column[]
  readonly keys: readonly Expr[]
  /** Null: every row is in it. */
  readonly where: Expr | null
}

const known = new WeakMap<IndexSchema, { readonly table: TableSchema; readonly bound: BoundIndex }>()

export const isPlainIndex = ({ where, columns }: IndexSchema): boolean =>
  where === null && !columns.includes(EXPRESSION)

/** The types of an index's key. */
export const keyTypes = (
  table: TableSchema,
  { columns, keys }: Pick<IndexSchema, 'columns' | 'keys'>,
): readonly SqlType[] =>
  columns.map((position, i) => {
    // A column may have another type than when the index was made.
    const type = table.columns[position]?.type ?? keys?.[i]?.type
    assert(type !== undefined, `an index of table ${table.name} without its column`)
    return type
  })

/** Expressions of an index depend on the row alone, so they are bound once. */
export function boundIndex(table: TableSchema, index: IndexSchema): BoundIndex {
  const found = known.get(index)
  if (found?.table.columns === table.columns) return found.bound
  const bound = bind(table, index)
  known.set(index, { table, bound })
  return bound
}

function bind(table: TableSchema, index: IndexSchema): BoundIndex {
  let ids = 0
  const row = table.columns.map(({ name, type }): Column => ({ id: ++ids, name, type }))
  const context: BindContext = {
    names: namesOfTypes(table),
    // Asked by functions that no index may use.
    database: null as never,
    parameters: new Parameters(),
    sequences: new Set(),
    access: new AccessCollector(),
    nextColumnId: () => ++ids,
    source: null,
    ctes: null,
    views: [],
    bindQuery: () => {
      throw new TypeError('an index has no subquery')
    },
  }
  const place = {
    context,
    scope: rowScope(table, row, table.name),
    aggregates: null,
    name: 'index expressions',
  }
  const keys = index.columns.map((position, i): Expr => {
    const text = index.keys?.[i]?.text ?? null
    return text === null
      ? columnExpr(row[position] as Column)
      : foldExpr(bindExpression(place, parseExpression(text)))
  })
  const where =
    index.where === null ? null : foldExpr(bindCondition(place, parseExpression(index.where), 'WHERE'))
  return { row, keys, where }
}

/** Types that an expression of an index may name are those of the table's columns. */
function namesOfTypes(table: TableSchema): Names {
  const types = table.columns.flatMap(({ type }) => (type.element ?? type).enum ?? [])
  return {
    entry(written) {
      const type = types.find(({ name }) => name === written)
      return type === undefined ? null : { kind: 'enum', ...type, version: 0, comment: null }
    },
    byKey: () => null,
    keyOf: ({ name }) => name,
    virtual: () => null,
    all: [],
  }
}
