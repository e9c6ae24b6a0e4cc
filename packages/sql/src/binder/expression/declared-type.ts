import { parseWrittenName } from '../../catalog/names.ts'
import type { TypeName } from '../../syntax/ast.ts'
import { enumType } from '../../types/enum.ts'
import { isBuiltInType, resolveType } from '../../types/resolve-name.ts'
import { arrayOf, recordOf, type SqlType } from '../../types/type.ts'
import { type BindContext, positionOf } from '../context.ts'

/** A type as a column or a cast declares it. */
export interface DeclaredType {
  /** Of a domain the type that it stands on. */
  readonly type: SqlType
  /** The key of the domain; null when it is none. */
  readonly domain: string | null
  readonly notNull: boolean
}

/** The type that a name means, of the system or of the catalog. @throws 42704, 22023 */
export function declaredType(context: BindContext, name: TypeName): DeclaredType {
  if (!isBuiltInType(name.name)) {
    const written = parseWrittenName(name.name)
    const entry = context.names.entry(written)
    if (entry?.kind === 'enum') {
      const type = enumType(entry)
      return { type: name.array ? arrayOf(type) : type, domain: null, notNull: false }
    }
    if (entry?.kind === 'composite') {
      const type = recordOf(entry.fields, { oid: entry.oid, schema: entry.schema, name: entry.name })
      return { type: name.array ? arrayOf(type) : type, domain: null, notNull: false }
    }
    if (entry?.kind === 'table') {
      const fields = entry.columns.map((column) => ({ name: column.name, type: column.type }))
      const type = recordOf(fields, { oid: entry.oid, schema: entry.schema, name: entry.name })
      return { type: name.array ? arrayOf(type) : type, domain: null, notNull: false }
    }
    if (entry?.kind === 'domain' && !name.array)
      return { type: entry.type, domain: context.names.keyOf(entry), notNull: entry.notNull }
  }
  return { type: resolveType(name, positionOf(context, name)), domain: null, notNull: false }
}
