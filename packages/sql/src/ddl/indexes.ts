import { relationId } from '@cluster/core'
import { targetTable } from '../binder/bind-from.ts'
import { errorAt, unsupported } from '../binder/context.ts'
import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import { nearest, SQLSTATE, sqlError } from '../errors.ts'
import { TableWriter } from '../executor/table-writer.ts'
import type { CreateIndex, IndexColumn } from '../syntax/ast.ts'
import { alreadyExists, type DdlContext, takenBy } from './context.ts'
import { freeName } from './create-table.ts'
import { deleteRelation, rowsOf } from './rows.ts'

/**
 * Makes an index and fills it.
 * @throws 42P07; 23505 when rows that are there already break a unique one
 */
export async function createIndex(context: DdlContext, statement: CreateIndex): Promise<void> {
  const { bind, catalog, transaction } = context
  const table = targetTable(bind, statement.table)
  if (statement.where !== null) throw unsupported(bind, statement.where, 'an index on some of the rows')
  const columns = statement.columns.map((column) => positionOf(context, table, column))
  const given = statement.name?.name ?? null
  if (given !== null && (await takenBy(context, given)) !== null) {
    if (statement.ifNotExists) return
    throw alreadyExists(given)
  }
  const parts = [...columns.map((at) => table.columns[at]?.name ?? ''), 'idx']
  const index: IndexSchema = {
    name: await freeName(context, table.name, given, parts),
    columns,
    relation: relationId(await catalog.draw(transaction)),
    unique: statement.unique,
    constraint: false,
  }
  const version = await catalog.draw(transaction)
  const changed: TableSchema = { ...table, version, indexes: [...table.indexes, index] }
  catalog.put(transaction, changed)
  catalog.put(transaction, { kind: 'index', name: index.name, version, table: table.name })
  const writer = new TableWriter({
    database: context.database,
    transaction,
    table: changed,
    makeRowKey: () => {
      throw new TypeError('filling an index makes no rows')
    },
  })
  for await (const rows of rowsOf(table, transaction)) await writer.fillIndex(index, rows)
}

function positionOf({ bind }: DdlContext, table: TableSchema, { expression }: IndexColumn): number {
  if (expression.kind !== 'column' || expression.parts.length !== 1)
    throw unsupported(bind, expression, 'an index on an expression')
  const name = expression.parts[0]?.name ?? ''
  const position = table.columns.findIndex((column) => column.name === name)
  if (position >= 0) return position
  const near = nearest(
    name,
    table.columns.map((column) => column.name),
  )
  throw errorAt(
    bind,
    expression,
    SQLSTATE.undefinedColumn,
    `column "${name}" does not exist`,
    near === null ? {} : { hint: `Perhaps you meant the column "${near}".` },
  )
}

/** @throws 42704 when there is no such index, 2BP01 when a constraint stands on it */
export async function dropIndex(context: DdlContext, name: string, ifExists: boolean): Promise<void> {
  const { catalog, transaction } = context
  const entry = await catalog.entry(transaction, name)
  if (entry === null) {
    if (ifExists) return
    throw sqlError(SQLSTATE.undefinedObject, `index "${name}" does not exist`)
  }
  if (entry.kind !== 'index') throw sqlError(SQLSTATE.wrongObjectType, `"${name}" is not an index`)
  const table = await catalog.entry(transaction, entry.table)
  if (table?.kind !== 'table') throw new TypeError(`index ${name} belongs to no table`)
  const index = table.indexes.find((candidate) => candidate.name === name)
  if (index === undefined || index.constraint)
    throw sqlError(
      SQLSTATE.dependentObjectsStillExist,
      `cannot drop index ${name} because constraint ${name} on table ${table.name} requires it`,
    )
  const version = await catalog.draw(transaction)
  catalog.put(transaction, {
    ...table,
    version,
    indexes: table.indexes.filter((candidate) => candidate !== index),
  })
  catalog.delete(transaction, name)
  await deleteRelation(context, table, index.relation)
}
