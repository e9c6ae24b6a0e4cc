import { quoteIdentifier } from '../syntax/keywords.ts'
import type { CatalogImage, ImageConstraint, ImageRelation } from './image.ts'
import type { ColumnSchema, IndexSchema, TableSchema } from './schema.ts'

/** Definitions of objects as PostgreSQL writes them. */

const listed = (names: readonly string[]): string => names.map(quoteIdentifier).join(', ')

const nameAt = ({ columns }: TableSchema, position: number): string => columns[position]?.name ?? ''

const namesOfSlots = ({ columns }: TableSchema, slots: readonly number[]): string[] =>
  slots.map((slot) => columns.find((column) => column.slot === slot)?.name ?? '')

/** `pg_get_constraintdef` */
export function constraintDefinition(
  image: CatalogImage,
  constraint: ImageConstraint,
  pretty: boolean,
): string {
  switch (constraint.kind) {
    case 'p':
    case 'u': {
      const { table, index } = constraint
      const columns = (index ?? table.primaryKey)?.columns ?? []
      const word = constraint.kind === 'p' ? 'PRIMARY KEY' : 'UNIQUE'
      return `${word} (${listed(columns.map((position) => nameAt(table, position)))})`
    }
    case 'c':
    case 'd': {
      const { text, validated } = constraint.check
      return `CHECK (${pretty ? text : `(${text})`})${validated ? '' : ' NOT VALID'}`
    }
    case 'f':
      return foreignKeyDefinition(image, constraint.table, constraint.key)
  }
}

function foreignKeyDefinition(
  image: CatalogImage,
  table: TableSchema,
  key: TableSchema['foreignKeys'][number],
): string {
  const parent = image.byKey(key.table)
  const parentColumns = parent?.kind === 'table' ? namesOfSlots(parent, key.referenced) : []
  const target = parent === null ? key.table : image.shown(parent)
  const cleared =
    key.onDeleteColumns.length === 0 ? '' : ` (${listed(namesOfSlots(table, key.onDeleteColumns))})`
  return [
    `FOREIGN KEY (${listed(namesOfSlots(table, key.columns))}) REFERENCES ${target}(${listed(parentColumns)})`,
    key.match === 'full' ? ' MATCH FULL' : '',
    key.onUpdate === 'no action' ? '' : ` ON UPDATE ${key.onUpdate.toUpperCase()}`,
    key.onDelete === 'no action' ? '' : ` ON DELETE ${key.onDelete.toUpperCase()}${cleared}`,
    key.deferrable ? ' DEFERRABLE' : '',
    key.initiallyDeferred ? ' INITIALLY DEFERRED' : '',
    key.validated ? '' : ' NOT VALID',
  ].join('')
}

/** The text of one key of an index; null: there is no such key. */
export function indexKeyDefinition(
  table: TableSchema,
  index: Pick<IndexSchema, 'columns' | 'keys'>,
  at: number,
): string | null {
  const position = index.columns[at]
  if (position === undefined) return null
  const text = index.keys?.[at]?.text ?? null
  if (text === null) return quoteIdentifier(nameAt(table, position))
  return /^\w+\(.*\)$/s.test(text) ? text : `(${text})`
}

/** `pg_get_indexdef` */
export function indexDefinition(
  { table, index }: NonNullable<ImageRelation['index']>,
  pretty: boolean,
): string {
  const own = index ?? {
    ...(table.primaryKey ?? { name: '', columns: [] }),
    keys: null,
    where: null,
    unique: true,
  }
  const keys = own.columns.map((_, i) => {
    const key = own.keys?.[i]
    const order = key?.descending === true ? ' DESC' : ''
    const usual = key === undefined || key.nullsFirst === key.descending
    return `${indexKeyDefinition(table, own, i)}${order}${usual ? '' : key.nullsFirst ? ' NULLS FIRST' : ' NULLS LAST'}`
  })
  const alike = 'nullsNotDistinct' in own && own.nullsNotDistinct === true ? ' NULLS NOT DISTINCT' : ''
  const where = own.where === null ? '' : ` WHERE ${pretty ? own.where : `(${own.where})`}`
  const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`
  return `CREATE ${own.unique ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(own.name)} ON ${target} USING btree (${keys.join(', ')})${alike}${where}`
}

/** `pg_get_viewdef`; null for what is no view. */
export function viewDefinition({ entry }: ImageRelation): string | null {
  const query = entry?.kind === 'view' ? entry : entry?.kind === 'table' ? entry.materialized : null
  return query === null ? null : ` ${query.text};`
}

/** The default of a column as clients see it; for a generated column what computes it. */
export function defaultDefinition({ defaultText, generated }: ColumnSchema): string | null {
  if (generated !== null) return generated
  // Sequences are written with their schema, so that any search path finds them.
  return defaultText?.replace(/nextval\('public\./g, "nextval('") ?? null
}
