import { errorAt, unsupported } from '../binder/context.ts'
import { columnPosition } from '../binder/write/bind-assignment.ts'
import { TEMPORARY_PREFIX } from '../catalog/names.ts'
import type { CheckConstraint, ColumnSchema, IndexSchema, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type {
  ColumnConstraint,
  ColumnDefinition,
  CreateTable,
  StorageOption,
  TableConstraint,
} from '../syntax/ast.ts'
import { makeColumn } from './columns.ts'
import { ConstraintNames } from './constraint-names.ts'
import {
  alreadyExists,
  type DdlContext,
  drawOid,
  drawRelation,
  type NewName,
  newName,
  newObject,
  takenBy,
} from './context.ts'
import { checkedGenerated } from './expressions.ts'
import { announce, type ForeignKeyClause, makeForeignKey } from './foreign-keys.ts'
import {
  type CheckClause,
  type KeyClause,
  keyPositions,
  makeCheck,
  makePrimaryKey,
  makeUnique,
} from './keys.ts'
import { copiedFrom, type LikeCopy } from './like.ts'

/** The constraints of a statement, by kind, in the order written. */
export interface Clauses {
  readonly primaryKeys: KeyClause[]
  readonly uniques: KeyClause[]
  readonly checks: CheckClause[]
  readonly foreignKeys: ForeignKeyClause[]
}

/**
 * Makes a table with its constraints.
 * @returns null when it exists already and IF NOT EXISTS was said
 * @throws 42P07, 42701, 42P16 and whatever a wrong type or default gives
 */
export async function createTable(context: DdlContext, statement: CreateTable): Promise<TableSchema | null> {
  const named = await newName(context, statement.table, statement.temporary)
  const temporary = named.schema.startsWith(TEMPORARY_PREFIX)
  refuseClauses(context, statement)
  if ((await takenBy(context, named)) !== null) {
    if (statement.ifNotExists) return null
    throw alreadyExists(named.name)
  }
  const owner = { ...named, temporary }
  const columns: ColumnSchema[] = []
  const copies: LikeCopy[] = []
  for (let position = 0; position <= statement.columns.length; position++) {
    for (const like of statement.likes.filter((one) => one.position === position)) {
      const copy = await copiedFrom(context, owner, like, columns.length)
      copies.push(copy)
      columns.push(...copy.columns)
    }
    const definition = statement.columns[position]
    if (definition !== undefined) columns.push(await makeColumn(context, owner, definition, columns.length))
  }
  refuseDuplicates(context, statement, columns)
  const clauses = clausesOf(context, statement, columns)
  const table = await storeTable(context, named, {
    columns: withKeys(context, named, columns, clauses, copies),
    placement: placementOf(context, statement.options),
    temporary: temporary ? statement.onCommit : null,
  })
  checkDistribution(context, statement, columns, clauses)
  return constrain(context, table, statement, clauses, copies)
}

function refuseClauses(context: DdlContext, statement: CreateTable): void {
  const [parent] = statement.parents
  if (parent !== undefined)
    throw errorAt(context.bind, parent, SQLSTATE.featureNotSupported, 'INHERITS is not supported', {
      hint: 'Copy the definition with LIKE, or refer to the other table by a foreign key.',
    })
  if (!statement.temporary && statement.onCommit !== 'preserve rows')
    throw sqlError(SQLSTATE.invalidTableDefinition, 'ON COMMIT can only be used on temporary tables')
}

function refuseDuplicates(
  context: DdlContext,
  statement: CreateTable,
  columns: readonly ColumnSchema[],
): void {
  const twice = columns.find(({ name }, i) => columns.findIndex((column) => column.name === name) !== i)
  if (twice === undefined) return
  const node = statement.columns.findLast(({ name }) => name.name === twice.name) ?? statement
  throw errorAt(
    context.bind,
    node,
    SQLSTATE.duplicateColumn,
    `column "${twice.name}" specified more than once`,
  )
}

/** Writes a new table into the catalog. */
export async function storeTable(
  context: DdlContext,
  named: Pick<NewName, 'schema' | 'name'>,
  fields: Pick<TableSchema, 'columns' | 'placement' | 'temporary'> & Partial<TableSchema>,
): Promise<TableSchema> {
  const table: TableSchema = {
    kind: 'table',
    ...(await newObject(context, named)),
    relation: await drawRelation(context, named.schema),
    slots: fields.columns.length,
    primaryKey: null,
    indexes: [],
    checks: [],
    foreignKeys: [],
    referencedBy: [],
    materialized: null,
    ...fields,
  }
  context.catalog.put(context.transaction, table)
  return table
}

/** Puts a table into the catalog, with the names of those of its indexes that are not there yet. */
export function putTable(context: DdlContext, table: TableSchema, indexes: readonly NamedIndex[]): void {
  const { catalog, transaction } = context
  catalog.put(transaction, table)
  for (const { name, oid } of indexes)
    catalog.put(transaction, {
      kind: 'index',
      schema: table.schema,
      name,
      oid,
      version: table.version,
      comment: null,
      table: catalog.keyOf(table),
    })
}

interface NamedIndex {
  readonly name: string
  readonly oid: number
}

/** A primary key makes its columns NOT NULL. @throws 42P16 when there are two */
function withKeys(
  context: DdlContext,
  { name }: NewName,
  columns: readonly ColumnSchema[],
  { primaryKeys }: Clauses,
  copies: readonly LikeCopy[],
): readonly ColumnSchema[] {
  const second = primaryKeys[1]
  if (second !== undefined)
    throw errorAt(
      context.bind,
      second.node,
      SQLSTATE.invalidTableDefinition,
      `multiple primary keys for table "${name}" are not allowed`,
    )
  const inKey = new Set([
    ...(primaryKeys[0]?.columns ?? []),
    ...copies.flatMap(({ primaryKey }) => primaryKey ?? []),
  ])
  return columns.map((column, position) => (inKey.has(position) ? { ...column, notNull: true } : column))
}

async function constrain(
  context: DdlContext,
  bare: TableSchema,
  statement: CreateTable,
  clauses: Clauses,
  copies: readonly LikeCopy[],
): Promise<TableSchema> {
  const names = new ConstraintNames(context, bare.schema, bare.name)
  const own = statement.columns.reduce(
    (table, definition) => withGenerated(context, table, definition.name.name, definition),
    bare,
  )
  const { columns } = own
  const [primary] = clauses.primaryKeys
  const copied = copies.find(({ primaryKey }) => primaryKey !== null)?.primaryKey ?? null
  const keyColumns: KeyClause | null =
    primary ??
    (copied === null
      ? null
      : { node: statement, name: null, columns: copied, deferrable: false, initiallyDeferred: false })
  const primaryKey =
    keyColumns === null ? null : await makePrimaryKey(context, bare, names, columns, keyColumns)
  const indexes: IndexSchema[] = []
  // The same columns twice are one constraint, as in PostgreSQL.
  for (const unique of clauses.uniques)
    if (!indexes.some((index) => sameColumns(index, unique) && unique.name === null))
      indexes.push(await makeUnique(context, bare, names, columns, unique))
  for (const copy of copies)
    for (const index of copy.indexes)
      indexes.push({
        ...index,
        name: await names.take(null, [
          ...index.columns.map((at) => columns[at]?.name ?? 'expr'),
          index.constraint ? 'key' : 'idx',
        ]),
        relation: await drawRelation(context, bare.schema),
        oid: await drawOid(context, bare.schema),
      })
  const checks: CheckConstraint[] = []
  for (const copy of copies)
    for (const check of copy.checks)
      checks.push({
        ...check,
        name: names.takeOwn(check.name, ['check']),
        oid: await drawOid(context, bare.schema),
      })
  for (const check of clauses.checks) checks.push(await makeCheck(context, names, bare, check, true))
  let table: TableSchema = { ...own, primaryKey, indexes, checks }
  for (const clause of clauses.foreignKeys) {
    const key = await makeForeignKey(context, names, table, clause, true)
    table = { ...table, foreignKeys: [...table.foreignKeys, key] }
  }
  table = await announce(context, table, table.foreignKeys)
  putTable(context, table, [...(primaryKey === null ? [] : [primaryKey]), ...indexes])
  return table
}

const sameColumns = (index: IndexSchema, { columns }: KeyClause): boolean =>
  index.columns.length === columns.length && index.columns.every((position, i) => position === columns[i])

/** The table with what a column is computed by, if it is, once all columns are known. */
export function withGenerated(
  context: DdlContext,
  table: TableSchema,
  name: string,
  { constraints }: ColumnDefinition,
): TableSchema {
  const column = table.columns.find((one) => one.name === name)
  const made = constraints.find(({ kind }) => kind === 'generated')
  if (made?.kind !== 'generated' || column === undefined) return table
  const generated = checkedGenerated(context, table.name, table.columns, column, made.expression)
  return {
    ...table,
    columns: table.columns.map((one) => (one === column ? { ...one, generated } : one)),
  }
}

function clausesOf(context: DdlContext, statement: CreateTable, columns: readonly ColumnSchema[]): Clauses {
  const clauses: Clauses = { primaryKeys: [], uniques: [], checks: [], foreignKeys: [] }
  for (const definition of statement.columns) {
    const position = columns.findIndex(({ name }) => name === definition.name.name)
    for (const constraint of definition.constraints)
      addColumnConstraint(clauses, constraint, definition.name, position)
  }
  for (const constraint of statement.constraints) addTableConstraint(context, clauses, constraint, columns)
  return clauses
}

export function addColumnConstraint(
  clauses: Clauses,
  constraint: ColumnConstraint,
  column: CreateTable['columns'][number]['name'],
  position: number,
): void {
  const name = constraint.name?.name ?? null
  switch (constraint.kind) {
    case 'primaryKey':
      clauses.primaryKeys.push({ ...constraint, node: constraint, name, columns: [position] })
      break
    case 'unique':
      clauses.uniques.push({ ...constraint, node: constraint, name, columns: [position] })
      break
    case 'check':
      clauses.checks.push({ name, expression: constraint.expression })
      break
    case 'references':
      clauses.foreignKeys.push({ ...constraint, node: constraint, name, columns: [column] })
  }
}

export function addTableConstraint(
  context: DdlContext,
  clauses: Clauses,
  constraint: TableConstraint,
  columns: readonly ColumnSchema[],
): void {
  const name = constraint.name?.name ?? null
  switch (constraint.kind) {
    case 'primaryKey':
    case 'unique': {
      const word = constraint.kind === 'unique' ? 'unique' : 'primary key'
      const positions = keyPositions(context, columns, constraint.columns, word)
      const list = constraint.kind === 'unique' ? clauses.uniques : clauses.primaryKeys
      list.push({ ...constraint, node: constraint, name, columns: positions })
      break
    }
    case 'check':
      clauses.checks.push({ name, expression: constraint.expression })
      break
    case 'foreignKey':
      clauses.foreignKeys.push({ ...constraint, node: constraint, name })
  }
}

/** No constraints. */
export const noClauses = (): Clauses => ({ primaryKeys: [], uniques: [], checks: [], foreignKeys: [] })

/** `WITH (redundancy = 'all')` puts every row on every node. */
export function placementOf(
  context: DdlContext,
  options: readonly StorageOption[],
): TableSchema['placement'] {
  let placement: TableSchema['placement'] = 'hashed'
  for (const option of options) {
    // What tells PostgreSQL's pages how full to be means nothing here, and harms nothing.
    if (option.name.name === 'fillfactor') continue
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

/** Rows are distributed by their primary key; the clause may say so. */
function checkDistribution(
  context: DdlContext,
  { distribution }: CreateTable,
  columns: readonly ColumnSchema[],
  { primaryKeys }: Clauses,
): void {
  const [first] = distribution
  if (first === undefined) return
  const table = { name: '', columns } as unknown as TableSchema
  const wanted = distribution.map((name) => columnPosition(context.bind, table, name))
  const key = primaryKeys[0]?.columns ?? []
  if (wanted.length === key.length && wanted.every((position, i) => position === key[i])) return
  throw unsupported(context.bind, first, 'a distribution by other columns than those of the primary key')
}
