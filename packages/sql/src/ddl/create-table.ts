import { relationId } from '@cluster/core'
import { bindCondition, bindExpression } from '../binder/bind-expression.ts'
import { resolveTypeName, tryCoerce } from '../binder/coerce.ts'
import { errorAt, newColumn, unsupported } from '../binder/context.ts'
import type {
  CheckConstraint,
  ColumnSchema,
  IndexSchema,
  KeyConstraint,
  TableSchema,
} from '../catalog/schema.ts'
import { nearest, SQLSTATE } from '../errors.ts'
import { hasSubquery } from '../plan/traverse.ts'
import type { ColumnDefinition, CreateTable, Expression, Identifier, Node } from '../syntax/ast.ts'
import { formatType, type SqlType } from '../types/type.ts'
import { alreadyExists, type DdlContext, newName, takenBy } from './context.ts'

/** A key as the statement has it, before it has a name and a relation. */
interface KeyDraft {
  readonly node: Node
  readonly name: string | null
  readonly columns: readonly number[]
}

/** What the constraints of a table come to. */
interface Draft {
  readonly columns: readonly ColumnSchema[]
  readonly primaryKey: KeyDraft | null
  readonly uniques: readonly KeyDraft[]
  readonly checks: readonly {
    readonly name: string | null
    readonly node: Expression
    readonly column: string | null
  }[]
}

/**
 * Makes a table with its constraints.
 * @returns null when it exists already and IF NOT EXISTS was said
 * @throws 42P07, 42701, 42P16 and whatever a wrong type or default gives
 */
export async function createTable(context: DdlContext, statement: CreateTable): Promise<TableSchema | null> {
  const name = newName(context, statement.table)
  if (statement.temporary) throw unsupported(context.bind, statement, 'CREATE TEMPORARY TABLE')
  if ((await takenBy(context, name)) !== null) {
    if (statement.ifNotExists) return null
    throw alreadyExists(name)
  }
  const draft = draftOf(context, name, statement)
  const names = new ConstraintNames(context, name)
  const primaryKey =
    draft.primaryKey === null
      ? null
      : { name: await names.take(draft.primaryKey.name, ['pkey']), columns: draft.primaryKey.columns }
  const indexes: IndexSchema[] = []
  for (const unique of draft.uniques)
    indexes.push({
      name: await names.take(unique.name, [
        ...unique.columns.map((at) => draft.columns[at]?.name ?? ''),
        'key',
      ]),
      columns: unique.columns,
      relation: relationId(await context.catalog.draw(context.transaction)),
      unique: true,
      constraint: true,
    })
  const checks: CheckConstraint[] = []
  for (const check of draft.checks) {
    const parts = check.column === null ? ['check'] : [check.column, 'check']
    checks.push({ name: names.takeCheck(check.name, parts), text: textOf(context, check.node) })
  }
  const table = await storeTable(context, {
    name,
    columns: draft.columns,
    primaryKey,
    indexes,
    checks,
    placement: placementOf(context, statement),
  })
  checkConditions(context, table, draft)
  return table
}

/** Writes a new table into the catalog. */
export async function storeTable(
  { catalog, transaction }: DdlContext,
  fields: Omit<TableSchema, 'kind' | 'relation' | 'version'>,
): Promise<TableSchema> {
  const relation = relationId(await catalog.draw(transaction))
  const version = await catalog.draw(transaction)
  const table: TableSchema = { kind: 'table', relation, version, ...fields }
  catalog.put(transaction, table)
  const keys: readonly (KeyConstraint | null)[] = [table.primaryKey, ...table.indexes]
  for (const key of keys)
    if (key !== null) catalog.put(transaction, { kind: 'index', name: key.name, version, table: table.name })
  return table
}

/** An expression as it was written, for the catalog. */
export const textOf = ({ source }: DdlContext, { span }: Node): string => source.slice(span.start, span.end)

function draftOf(context: DdlContext, name: string, statement: CreateTable): Draft {
  const columns: ColumnSchema[] = []
  const primaryKeys: KeyDraft[] = []
  const uniques: KeyDraft[] = []
  const checks: Draft['checks'][number][] = []
  for (const definition of statement.columns) {
    if (columns.some((column) => column.name === definition.name.name))
      throw errorAt(
        context.bind,
        definition,
        SQLSTATE.duplicateColumn,
        `column "${definition.name.name}" specified more than once`,
      )
    const position = columns.length
    columns.push(columnOf(context, definition))
    for (const constraint of definition.constraints) {
      const key = { node: constraint, name: constraint.name?.name ?? null, columns: [position] }
      if (constraint.kind === 'primaryKey') primaryKeys.push(key)
      if (constraint.kind === 'unique') uniques.push(key)
      if (constraint.kind === 'check')
        checks.push({ name: key.name, node: constraint.expression, column: definition.name.name })
    }
  }
  for (const constraint of statement.constraints) {
    const own = constraint.name?.name ?? null
    switch (constraint.kind) {
      case 'primaryKey':
      case 'unique': {
        const positions = constraint.columns.map((column) => positionOf(context, columns, column))
        const list = constraint.kind === 'unique' ? uniques : primaryKeys
        list.push({ node: constraint, name: own, columns: positions })
        break
      }
      case 'check':
        checks.push({ name: own, node: constraint.expression, column: null })
        break
      case 'foreignKey':
        throw unsupported(context.bind, constraint, 'FOREIGN KEY')
    }
  }
  const [primaryKey, second] = primaryKeys
  if (second !== undefined)
    throw errorAt(
      context.bind,
      second.node,
      SQLSTATE.invalidTableDefinition,
      `multiple primary keys for table "${name}" are not allowed`,
    )
  const inKey = new Set(primaryKey?.columns)
  return {
    columns: columns.map((column, position) => (inKey.has(position) ? { ...column, notNull: true } : column)),
    primaryKey: primaryKey ?? null,
    uniques,
    checks,
  }
}

function positionOf(
  context: DdlContext,
  columns: readonly ColumnSchema[],
  { name, span }: Identifier,
): number {
  const position = columns.findIndex((column) => column.name === name)
  if (position >= 0) return position
  const near = nearest(
    name,
    columns.map((column) => column.name),
  )
  throw errorAt(
    context.bind,
    { span },
    SQLSTATE.undefinedColumn,
    `column "${name}" named in key does not exist`,
    near === null ? {} : { hint: `Perhaps you meant the column "${near}".` },
  )
}

function columnOf(context: DdlContext, definition: ColumnDefinition): ColumnSchema {
  const type = resolveTypeName(context.bind, definition.type)
  const notNull = definition.constraints.find(({ kind }) => kind === 'notNull')
  const nullable = definition.constraints.find(({ kind }) => kind === 'nullable')
  const name = definition.name.name
  if (notNull !== undefined && nullable !== undefined)
    throw errorAt(
      context.bind,
      nullable,
      SQLSTATE.syntaxError,
      `conflicting NULL/NOT NULL declarations for column "${name}"`,
    )
  let defaultText: string | null = null
  for (const constraint of definition.constraints) {
    if (constraint.kind === 'references') throw unsupported(context.bind, constraint, 'REFERENCES')
    if (constraint.kind !== 'default') continue
    checkDefault(context, constraint.expression, name, type)
    defaultText = textOf(context, constraint.expression)
  }
  return { name, type, notNull: notNull !== undefined, defaultText }
}

function checkDefault(context: DdlContext, expression: Expression, name: string, type: SqlType): void {
  const place = { context: context.bind, scope: null, aggregates: null, name: 'DEFAULT expressions' }
  const bound = bindExpression(place, expression)
  if (hasSubquery(bound)) throw unsupported(context.bind, expression, 'a subquery in a DEFAULT expression')
  if (tryCoerce(context.bind, expression, bound, type, 'assignment') !== null) return
  throw errorAt(
    context.bind,
    expression,
    SQLSTATE.datatypeMismatch,
    `column "${name}" is of type ${formatType(type)} but default expression is of type ${formatType(bound.type)}`,
  )
}

function checkConditions(context: DdlContext, table: TableSchema, { checks }: Draft): void {
  const columns = table.columns.map(({ name, type }) => ({
    name,
    column: newColumn(context.bind, name, type),
  }))
  const scope = { tables: [{ alias: table.name, schema: 'public', columns }], columns, outer: null }
  const place = { context: context.bind, scope, aggregates: null, name: 'check constraints' }
  for (const { node } of checks)
    if (hasSubquery(bindCondition(place, node, 'CHECK')))
      throw unsupported(context.bind, node, 'a subquery in a check constraint')
}

/** `WITH (redundancy = 'all')` puts every row on every node. */
function placementOf(context: DdlContext, { options }: CreateTable): TableSchema['placement'] {
  let placement: TableSchema['placement'] = 'hashed'
  for (const option of options) {
    if (option.name.name !== 'redundancy')
      throw errorAt(
        context.bind,
        option,
        SQLSTATE.invalidParameterValue,
        `unrecognized parameter "${option.name.name}"`,
        { hint: "The only one is redundancy = 'all'." },
      )
    if (option.value !== 'all')
      throw errorAt(
        context.bind,
        option,
        SQLSTATE.invalidParameterValue,
        `redundancy of a table must be 'all'`,
        { hint: 'Without it the table has the redundancy of the database.' },
      )
    placement = 'everywhere'
  }
  return placement
}

/** Names for constraints, made up as PostgreSQL does and free in the catalog. */
class ConstraintNames {
  readonly #context: DdlContext
  readonly #table: string
  readonly #taken = new Set<string>()

  constructor(context: DdlContext, table: string) {
    this.#context = context
    this.#table = table
    this.#taken.add(table)
  }

  async take(given: string | null, parts: readonly string[]): Promise<string> {
    const base = given ?? [this.#table, ...parts].join('_')
    for (let n = 0; ; n++) {
      const name = n === 0 ? base : `${base}${n}`
      const free = !this.#taken.has(name) && (await takenBy(this.#context, name)) === null
      if (free) {
        this.#taken.add(name)
        return name
      }
      if (given !== null) throw alreadyExists(given)
    }
  }

  takeCheck(given: string | null, parts: readonly string[]): string {
    const base = given ?? [this.#table, ...parts].join('_')
    for (let n = 0; ; n++) {
      const name = n === 0 ? base : `${base}${n}`
      if (this.#taken.has(name)) continue
      this.#taken.add(name)
      return name
    }
  }
}

/** The name of a new index, free in the catalog. */
export function freeName(
  context: DdlContext,
  table: string,
  given: string | null,
  parts: readonly string[],
): Promise<string> {
  return new ConstraintNames(context, table).take(given, parts)
}
