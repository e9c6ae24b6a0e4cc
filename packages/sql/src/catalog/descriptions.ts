import type { CatalogImage } from './image.ts'
import { indexOid, SYSTEM_SCHEMAS } from './image.ts'
import { PUBLIC } from './names.ts'
import { isTypeEntry } from './schema.ts'

/** One comment: on which object, as `pg_description` numbers it. */
export interface Description {
  readonly oid: number
  readonly table: 'pg_class' | 'pg_namespace' | 'pg_type' | 'pg_constraint'
  /** The number of a column; 0: the object itself. */
  readonly column: number
  readonly text: string
}

/** All comments. */
export function descriptionsOf({ entries, constraints }: CatalogImage): readonly Description[] {
  const found: Description[] = []
  const add = (oid: number, table: Description['table'], text: string | null, column = 0): void => {
    if (text !== null) found.push({ oid, table, column, text })
  }
  for (const entry of entries) {
    const table = entry.kind === 'schema' ? 'pg_namespace' : isTypeEntry(entry) ? 'pg_type' : 'pg_class'
    add(entry.oid, table, entry.comment)
    if (entry.kind !== 'table') continue
    for (const column of entry.columns) add(entry.oid, 'pg_class', column.comment, column.slot + 1)
    for (const index of entry.indexes)
      if (!index.constraint) add(indexOid(index.oid), 'pg_class', index.comment)
  }
  add(SYSTEM_SCHEMAS[PUBLIC] ?? 0, 'pg_namespace', 'standard public schema')
  for (const { oid, comment } of constraints) add(oid, 'pg_constraint', comment)
  return found
}

/** The comment on an object; `table` null: whatever it is. */
export function commentOf(
  image: CatalogImage,
  table: string | null,
  oid: number,
  column: number,
): string | null {
  const found = descriptionsOf(image).find(
    (one) => one.oid === oid && one.column === column && (table === null || one.table === table),
  )
  return found?.text ?? null
}
