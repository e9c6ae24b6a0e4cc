import type { Database, Transaction } from '@cluster/core'
import type { BindContext } from '../binder/context.ts'
import { errorAt } from '../binder/context.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { CatalogEntry } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { QualifiedName } from '../syntax/ast.ts'

/** What a statement that changes the catalog works with: all of it happens inside the transaction. */
export interface DdlContext {
  readonly transaction: Transaction
  readonly catalog: Catalog
  readonly database: Database
  /** For expressions in definitions, and for positions in messages. */
  readonly bind: BindContext
  /** The whole text that the statement's offsets point into. */
  readonly source: string
  /** Names that are taken without standing in the catalog: virtual tables. */
  readonly reserved: (name: string) => boolean
}

/** The plain name for a new object. @throws 0A000 for a schema other than `public` */
export function newName(context: DdlContext, name: QualifiedName): string {
  const [own, schema] = [...name.parts].reverse()
  if (schema !== undefined && schema.name !== 'public')
    throw errorAt(
      context.bind,
      name,
      SQLSTATE.featureNotSupported,
      `schema "${schema.name}" does not exist`,
      {
        hint: 'All tables are in the schema public.',
      },
    )
  return own?.name ?? ''
}

/** What holds the name already. @throws 42P07 for a virtual table */
export async function takenBy(context: DdlContext, name: string): Promise<CatalogEntry | null> {
  if (context.reserved(name))
    throw sqlError(SQLSTATE.duplicateTable, `relation "${name}" already exists`, {
      hint: 'It is a table of the system; choose another name.',
    })
  return context.catalog.entry(context.transaction, name)
}

export const alreadyExists = (name: string) =>
  sqlError(SQLSTATE.duplicateTable, `relation "${name}" already exists`, { table: name })
