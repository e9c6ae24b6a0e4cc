import { SQLSTATE, sqlError } from '../../errors.ts'
import type { CreateSchema, QualifiedName, SchemaElement } from '../../syntax/ast.ts'

/** What CREATE SCHEMA makes in it, under the name of the schema. @throws 42P15 for what belongs to another one, 0A000 */
export function elementsIn({ name: schema, elements, ifNotExists }: CreateSchema): readonly SchemaElement[] {
  if (ifNotExists && elements.length > 0)
    throw sqlError(SQLSTATE.featureNotSupported, 'CREATE SCHEMA IF NOT EXISTS cannot include schema elements')
  return elements.map((element): SchemaElement => {
    switch (element.kind) {
      case 'createTable':
        return { ...element, table: inside(element.table, element.temporary) }
      case 'createIndex':
        return { ...element, table: inside(element.table, false) }
      default:
        return { ...element, name: inside(element.name, element.temporary) }
    }
  })

  function inside(written: QualifiedName, temporary: boolean): QualifiedName {
    const own = written.parts.at(-2)?.name
    if (temporary || own === schema.name) return written
    if (own !== undefined)
      throw sqlError(
        SQLSTATE.invalidSchemaDefinition,
        `CREATE specifies a schema (${own}) different from the one being created (${schema.name})`,
      )
    return { ...written, parts: [schema, ...written.parts] }
  }
}
