import { errorAt } from '../binder/context.ts'
import type {
  CheckConstraint,
  ColumnSchema,
  IndexSchema,
  PrimaryKey,
  TableSchema,
} from '../catalog/schema.ts'
import { nearest, SQLSTATE, sqlError } from '../errors.ts'
import type { Deferral, Expression, Identifier, Node } from '../syntax/ast.ts'
import type { ConstraintNames } from './constraint-names.ts'
import { type DdlContext, drawOid, drawRelation } from './context.ts'
import { definedCondition, keptText, namesIn, tableScope } from './expressions.ts'

/** A key of a table as a statement has it. */
export interface KeyClause extends Deferral {
  readonly node: Node
  readonly name: string | null
  readonly columns: readonly number[]
  readonly nullsNotDistinct?: boolean
}

/** @throws 42703 */
export function keyPositions(
  context: DdlContext,
  columns: readonly ColumnSchema[],
  names: readonly Identifier[],
  word: 'primary key' | 'unique' = 'unique',
): readonly number[] {
  const positions = names.map((name) => keyPosition(context, columns, name))
  const twice = names.find((_, i) => positions.indexOf(positions[i] as number) !== i)
  if (twice !== undefined)
    throw errorAt(
      context.bind,
      twice,
      SQLSTATE.duplicateColumn,
      `column "${twice.name}" appears twice in ${word} constraint`,
    )
  return positions
}

function keyPosition(context: DdlContext, columns: readonly ColumnSchema[], name: Identifier): number {
  const position = columns.findIndex((column) => column.name === name.name)
  if (position >= 0) return position
  const near = nearest(
    name.name,
    columns.map((column) => column.name),
  )
  throw errorAt(
    context.bind,
    name,
    SQLSTATE.undefinedColumn,
    `column "${name.name}" named in key does not exist`,
    near === null ? {} : { hint: `Perhaps you meant the column "${near}".` },
  )
}

/** Rows are kept under their primary key, so no two can ever have the same: it never waits for COMMIT. */
function refuseDeferred({ bind }: DdlContext, { node, initiallyDeferred }: KeyClause): void {
  if (initiallyDeferred)
    throw errorAt(
      bind,
      node,
      SQLSTATE.featureNotSupported,
      'a primary key that is checked at COMMIT is not supported',
      {
        hint: 'Keys are checked at the end of each statement: rows may trade keys within one. A UNIQUE constraint may be deferred.',
      },
    )
}

/** Types whose values have no order. */
const unordered = new Set(['json'])

function checkKeyTypes(columns: readonly ColumnSchema[], key: readonly number[]): void {
  for (const position of key) {
    const column = columns[position]
    if (column !== undefined && unordered.has(column.type.id))
      throw sqlError(
        SQLSTATE.undefinedObject,
        `data type ${column.type.id} has no default operator class for access method "btree"`,
        {
          hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
        },
      )
  }
}

export async function makePrimaryKey(
  context: DdlContext,
  { schema }: Pick<TableSchema, 'schema'>,
  names: ConstraintNames,
  columns: readonly ColumnSchema[],
  clause: KeyClause,
): Promise<PrimaryKey> {
  refuseDeferred(context, clause)
  checkKeyTypes(columns, clause.columns)
  return {
    name: await names.take(clause.name, ['pkey']),
    columns: clause.columns,
    ...(clause.deferrable ? { deferrable: true } : {}),
    oid: await drawOid(context, schema),
    comment: null,
  }
}

export async function makeUnique(
  context: DdlContext,
  { schema }: Pick<TableSchema, 'schema'>,
  names: ConstraintNames,
  columns: readonly ColumnSchema[],
  clause: KeyClause,
): Promise<IndexSchema> {
  checkKeyTypes(columns, clause.columns)
  const { deferrable, initiallyDeferred } = clause
  const parts = [...clause.columns.map((at) => columns[at]?.name ?? ''), 'key']
  return {
    name: await names.take(clause.name, parts),
    columns: clause.columns,
    oid: await drawOid(context, schema),
    relation: await drawRelation(context, schema),
    unique: !deferrable,
    ...(deferrable ? { deferral: { initiallyDeferred } } : {}),
    ...(clause.nullsNotDistinct === true ? { nullsNotDistinct: true } : {}),
    constraint: true,
    keys: null,
    where: null,
    ready: true,
    comment: null,
  }
}

export interface CheckClause {
  readonly name: string | null
  readonly expression: Expression
}

/** @throws 0A000, 42804, 42703 */
export async function makeCheck(
  context: DdlContext,
  names: ConstraintNames,
  table: Pick<TableSchema, 'schema' | 'name' | 'columns'>,
  { name, expression }: CheckClause,
  validated: boolean,
): Promise<CheckConstraint> {
  const scope = tableScope(context, table.name, table.columns)
  const where = { place: 'check constraints', word: 'CHECK', what: 'check constraint' }
  const bound = definedCondition(context, scope, expression, where)
  const used = [...namesIn(bound)]
  const parts = used.length === 1 ? [used[0] ?? '', 'check'] : ['check']
  return {
    name: names.takeOwn(name, parts),
    text: keptText(context, scope.scope, expression, bound),
    oid: await drawOid(context, table.schema),
    validated,
    comment: null,
  }
}
