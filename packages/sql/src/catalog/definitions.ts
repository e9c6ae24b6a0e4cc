import type { Identifier, QualifiedName } from '../syntax/ast.ts'
import { quoteIdentifier, quoteLiteral } from '../syntax/keywords.ts'
import { parseStatement } from '../syntax/parse.ts'
import { printStatement } from '../syntax/print.ts'
import { typeName, typeOid } from '../types/type.ts'
import type { CatalogImage, ImageConstraint, ImageRelation } from './image.ts'
import { enclosed, plain } from './kept-text.ts'
import { shownName, writtenName } from './names.ts'
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
      const alike = index?.nullsNotDistinct === true ? ' NULLS NOT DISTINCT' : ''
      const deferred = index?.deferral?.initiallyDeferred === true ? ' INITIALLY DEFERRED' : ''
      const isLate = index === null ? table.primaryKey?.deferrable === true : index.deferral !== undefined
      const late = isLate ? ` DEFERRABLE${deferred}` : ''
      return `${word}${alike} (${listed(columns.map((position) => nameAt(table, position)))})${late}`
    }
    case 'c':
    case 'd': {
      const { text, validated } = constraint.check
      return `CHECK (${pretty ? plain(text) : enclosed(text)})${validated ? '' : ' NOT VALID'}`
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
  pretty: boolean,
): string | null {
  const position = index.columns[at]
  if (position === undefined) return null
  const kept = index.keys?.[at]?.text ?? null
  if (kept === null) return quoteIdentifier(nameAt(table, position))
  const text = pretty ? plain(kept) : kept
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
    return `${indexKeyDefinition(table, own, i, pretty)}${order}${usual ? '' : key.nullsFirst ? ' NULLS FIRST' : ' NULLS LAST'}`
  })
  const alike = 'nullsNotDistinct' in own && own.nullsNotDistinct === true ? ' NULLS NOT DISTINCT' : ''
  const where = own.where === null ? '' : ` WHERE ${pretty ? plain(own.where) : enclosed(own.where)}`
  const target = `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`
  const unique = own.unique || ('deferral' in own && own.deferral !== undefined)
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(own.name)} ON ${target} USING btree (${keys.join(', ')})${alike}${where}`
}

/** `pg_get_viewdef`; null for what is no view. */
/** The query of a view, with the names that its tables have now and from here. */
export function viewDefinition(catalog: CatalogImage, { entry }: ImageRelation): string | null {
  const query = entry?.kind === 'view' ? entry : entry?.kind === 'table' ? entry.materialized : null
  if (query === null) return null
  const shown = new Map<string, readonly string[]>()
  for (const { written, key } of query.uses) {
    const used = catalog.byKey(key)
    if (used === null || used.kind === 'schema') continue
    const { schema, name } = used
    const now = catalog.isVisible(used) ? [name] : [schema, name]
    if (now.join('.') !== shownName(written)) shown.set(written, now)
  }
  if (shown.size === 0) return ` ${query.text};`
  const tree = parseStatement(query.text)
  return ` ${printStatement(renamed(tree, shown))};`
}

/** The tree with other names of tables; where one was called by its old name, that stays as its alias. */
function renamed<T>(node: T, names: ReadonlyMap<string, readonly string[]>): T {
  if (Array.isArray(node)) return node.map((item) => renamed(item, names)) as T
  if (typeof node !== 'object' || node === null) return node
  const { kind, name, alias } = node as { kind?: unknown; name?: QualifiedName; alias?: unknown }
  const now = kind === 'table' && name !== undefined ? names.get(writtenName(name)) : undefined
  if (now !== undefined && name !== undefined) {
    const span = { span: name.span }
    const parts = now.map((part): Identifier => ({ kind: 'identifier', name: part, ...span }))
    const old = name.parts.at(-1)
    const kept =
      old === undefined || old.name === now.at(-1) ? alias : (alias ?? { name: old, columns: [], ...span })
    return { ...node, name: { ...name, parts }, alias: kept }
  }
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, key === 'span' ? value : renamed(value, names)]),
  ) as T
}

const LITERAL = /^'(?:[^']|'')*'$/

/** The default of a column as clients see it; for a generated column what computes it. */
export function defaultDefinition(
  catalog: CatalogImage,
  { defaultText, generated, sequence, type }: ColumnSchema,
): string | null {
  if (generated !== null) return generated
  const own = sequence === null ? null : catalog.byKey(sequence)
  // A sequence is stored with its schema, and shown as others are from here.
  if (own === null || defaultText === null)
    // A literal of a type with a name of its own is kept bare.
    return defaultText !== null && LITERAL.test(defaultText)
      ? `${defaultText}::${catalog.formatType(typeOid(type), null) ?? typeName(type)}`
      : defaultText
  return defaultText.replace(/nextval\('(?:[^']|'')*'/, () => `nextval(${quoteLiteral(catalog.shown(own))}`)
}
