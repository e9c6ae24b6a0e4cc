import { errorAt } from '../binder/context.ts'
import { catalogKey } from '../catalog/names.ts'
import { EXPRESSION, type IndexKey, type IndexSchema, type TableSchema } from '../catalog/schema.ts'
import { nearest, SQLSTATE, sqlError } from '../errors.ts'
import type { CreateIndex, IndexColumn } from '../syntax/ast.ts'
import { buildIndex } from './build-index.ts'
import { ConstraintNames } from './constraint-names.ts'
import {
  alreadyExists,
  change,
  type DdlContext,
  drawOid,
  drawRelation,
  lookUp,
  noRelation,
  takenBy,
} from './context.ts'
import { putTable } from './create-table.ts'
import { definedCondition, definedValue, isImmutable, keptText, tableScope } from './expressions.ts'

/** Ways to keep an index that PostgreSQL has and that come to the same here: an ordered one serves all of them. */
const methods = new Set(['btree', 'hash'])

/**
 * Makes an index and fills it.
 * @throws 42P07; 23505 when rows that are there already break a unique one
 */
export async function createIndex(context: DdlContext, statement: CreateIndex): Promise<void> {
  const { bind } = context
  const table = await indexedTable(context, statement)
  const method = statement.method?.name ?? 'btree'
  if (!methods.has(method))
    throw errorAt(
      bind,
      statement.method ?? statement,
      ['gin', 'gist', 'brin', 'spgist'].includes(method)
        ? SQLSTATE.featureNotSupported
        : SQLSTATE.undefinedObject,
      ['gin', 'gist', 'brin', 'spgist'].includes(method)
        ? `access method "${method}" is not supported`
        : `access method "${method}" does not exist`,
    )
  const given = statement.name?.name ?? null
  if (given !== null) {
    const named = { schema: table.schema, name: given, key: catalogKey(table.schema, given) }
    if ((await takenBy(context, named)) !== null) {
      if (statement.ifNotExists) return
      throw alreadyExists(given)
    }
  }
  const keys = statement.columns.map((column) => keyOf(context, table, column))
  const plain = keys.every(({ key }) => key.text === null && !key.descending && !key.nullsFirst)
  const parts = [...partNames(table, keys), 'idx']
  const index: IndexSchema = {
    name: await ConstraintNames.of(context, table).take(given, parts),
    columns: keys.map(({ position }) => position),
    oid: await drawOid(context, table.schema),
    relation: await drawRelation(context, table.schema),
    unique: statement.unique,
    ...(statement.unique && statement.nullsNotDistinct ? { nullsNotDistinct: true } : {}),
    constraint: false,
    keys: plain ? null : keys.map(({ key }) => key),
    where: predicateOf(context, table, statement),
    ready: true,
    comment: null,
  }
  const changed = await change(context, { ...table, indexes: [...table.indexes, index] })
  putTable(context, changed, [index])
  await buildIndex(context, changed, index)
}

async function indexedTable(context: DdlContext, { table: name }: CreateIndex): Promise<TableSchema> {
  const entry = await lookUp(context, name)
  if (entry?.kind === 'table') return entry
  if (entry === null) throw await noRelation(context, name)
  throw sqlError(SQLSTATE.wrongObjectType, `cannot create index on relation "${entry.name}"`, {
    detail: entry.kind === 'view' ? 'This operation is not supported for views.' : undefined,
  })
}

interface Key {
  readonly position: number
  readonly key: IndexKey
}

/** @throws 42703, 42P17, 0A000 */
function keyOf(context: DdlContext, table: TableSchema, item: IndexColumn): Key {
  const { bind } = context
  const { expression, descending, nulls } = item
  const order = { descending, nullsFirst: nulls === 'first' }
  if (expression.kind === 'column' && expression.parts.length === 1) {
    const name = expression.parts[0]?.name ?? ''
    const position = table.columns.findIndex((column) => column.name === name)
    const column = table.columns[position]
    if (column !== undefined) {
      refuseUnordered(column.type.id)
      return { position, key: { text: null, type: column.type, ...order } }
    }
    const near = nearest(
      name,
      table.columns.map((one) => one.name),
    )
    throw errorAt(
      bind,
      expression,
      SQLSTATE.undefinedColumn,
      `column "${name}" does not exist`,
      near === null ? {} : { hint: `Perhaps you meant the column "${near}".` },
    )
  }
  const { scope } = tableScope(context, table.name, table.columns)
  const bound = definedValue(context, scope, expression, 'index expressions', 'index expression')
  if (!isImmutable(bound))
    throw errorAt(bind, expression, '42P17', 'functions in index expression must be marked IMMUTABLE')
  refuseUnordered(bound.type.id)
  return {
    position: EXPRESSION,
    key: { text: keptText(context, scope, expression, bound), type: bound.type, ...order },
  }
}

function refuseUnordered(type: string): void {
  if (type === 'json')
    throw sqlError(
      SQLSTATE.undefinedObject,
      'data type json has no default operator class for access method "btree"',
      {
        hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
      },
    )
}

/** What the parts of an index's name are called: the column, the function, or `expr`. */
function partNames(table: TableSchema, keys: readonly Key[]): readonly string[] {
  const names: string[] = []
  for (const { position, key } of keys) {
    const called = /^([a-z_][a-z0-9_]*)\s*\(/i.exec(key.text ?? '')?.[1]?.toLowerCase()
    const base = table.columns[position]?.name ?? called ?? 'expr'
    let name = base
    for (let n = 1; names.includes(name); n++) name = `${base}${n}`
    names.push(name)
  }
  return names
}

function predicateOf(context: DdlContext, table: TableSchema, { where }: CreateIndex): string | null {
  if (where === null) return null
  const scope = tableScope(context, table.name, table.columns)
  const bound = definedCondition(context, scope, where, {
    place: 'index predicates',
    word: 'WHERE',
    what: 'index predicate',
  })
  if (!isImmutable(bound))
    throw errorAt(context.bind, where, '42P17', 'functions in index predicate must be marked IMMUTABLE')
  return keptText(context, scope.scope, where, bound)
}
