import { errorAt } from '../binder/context.ts'
import type { TableSchema } from '../catalog/schema.ts'
import { SQLSTATE } from '../errors.ts'
import type { Identifier } from '../syntax/ast.ts'
import type { DdlContext } from './context.ts'

/** 42704 */
export function constraintMissing(context: DdlContext, table: TableSchema, { name, span }: Identifier) {
  return errorAt(
    context.bind,
    { span },
    SQLSTATE.undefinedObject,
    `constraint "${name}" of relation "${table.name}" does not exist`,
  )
}

/** @throws 42703 */
export function needColumn(context: DdlContext, table: TableSchema, { name, span }: Identifier) {
  const column = table.columns.find((one) => one.name === name)
  if (column !== undefined) return column
  throw errorAt(
    context.bind,
    { span },
    SQLSTATE.undefinedColumn,
    `column "${name}" of relation "${table.name}" does not exist`,
  )
}
