import { declaredType } from '../binder/expression/declared-type.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { CreateComposite } from '../syntax/ast.ts'
import { type DdlContext, newName, newObject, takenBy } from './context.ts'

/** CREATE TYPE … AS (…). @throws 42710, 42701, 42704 */
export async function createComposite(context: DdlContext, { name, fields }: CreateComposite): Promise<void> {
  const named = await newName(context, name)
  if ((await takenBy(context, named)) !== null)
    throw sqlError(SQLSTATE.duplicateObject, `type "${named.name}" already exists`)
  const made = fields.map((field, i) => {
    if (fields.findIndex((other) => other.name.name === field.name.name) !== i)
      throw sqlError(SQLSTATE.duplicateColumn, `column "${field.name.name}" specified more than once`)
    return { name: field.name.name, type: declaredType(context.bind, field.type).type }
  })
  const entry = { kind: 'composite' as const, ...(await newObject(context, named)), fields: made }
  context.catalog.put(context.transaction, entry)
}
