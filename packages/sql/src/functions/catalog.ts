import type { Value } from '@cluster/core'
import {
  constraintDefinition,
  indexDefinition,
  indexKeyDefinition,
  viewDefinition,
} from '../catalog/definitions.ts'
import { commentOf } from '../catalog/descriptions.ts'
import type { CatalogImage } from '../catalog/image.ts'
import { plain } from '../catalog/kept-text.ts'
import { DATABASE_OWNER } from '../catalog/known-oids.ts'
import { isSqlError, SQLSTATE, sqlError } from '../errors.ts'
import { quoteIdentifier } from '../syntax/keywords.ts'
import { textArray } from '../types/array-text.ts'
import { arrayOf, type SqlType, TEXT, type TypeId, typeName } from '../types/type.ts'
import { contextual, fn } from './define.ts'
import type { ContextImplementation, ScalarFunction } from './function.ts'
import { numberedAcl, privilegeFunctions } from './privileges.ts'
import { named } from './session.ts'
import { sizeFunctions } from './sizes.ts'

/** Functions that ask the catalog, as clients of PostgreSQL call them. */

type OfCatalog = (catalog: CatalogImage, ...args: readonly Value[]) => Value

const inCatalog = (name: string, args: readonly TypeId[], returns: TypeId, impl: OfCatalog): ScalarFunction =>
  contextual(name, args, returns, 'stable', (session, ...values) => impl(session.catalog(), ...values))

/** Called with NULL too. */
const loose = (made: ScalarFunction): ScalarFunction => ({ ...made, strict: false })

/** Overloads by what may be left out at the end. */
const overloaded = (
  name: string,
  args: readonly TypeId[],
  least: number,
  returns: TypeId,
  impl: OfCatalog,
): ScalarFunction[] =>
  Array.from({ length: args.length - least + 1 }, (_, i) =>
    inCatalog(name, args.slice(0, least + i), returns, impl),
  )

const withType = (made: ScalarFunction, returns: SqlType): ScalarFunction => ({ ...made, returns })

const visible = (
  name: string,
  find: (catalog: CatalogImage, oid: number) => boolean | null,
): ScalarFunction => inCatalog(name, ['oid'], 'boolean', (catalog, oid) => find(catalog, oid as number))

const size = (name: string, args: readonly TypeId[]): ScalarFunction => fn(name, args, 'bigint', () => 0n)

const always = (name: string, args: readonly TypeId[]): ScalarFunction =>
  fn(name, args, 'boolean', () => true)

const setting: ContextImplementation = (session, name, missing) => {
  try {
    return session.setting((name as string).toLowerCase())
  } catch (error) {
    if (missing === true) return null
    throw error
  }
}

const RELATION_SIZES = ['pg_relation_size', 'pg_table_size', 'pg_total_relation_size', 'pg_indexes_size']

export const catalogFunctions: readonly ScalarFunction[] = [
  named(inCatalog('current_schema', [], 'text', (catalog) => catalog.schemas()[0] ?? null)),
  loose(
    inCatalog('format_type', ['oid', 'integer'], 'text', (catalog, oid, modifier) =>
      oid === null ? null : catalog.formatType(oid as number, modifier as number | null),
    ),
  ),
  ...(['oid', 'regclass'] as const).flatMap((id) => [
    fn('pg_get_expr', ['text', id], 'text', (text) => text),
    fn('pg_get_expr', ['text', id, 'boolean'], 'text', (text, _relation, pretty) =>
      pretty === true ? plain(text as string) : text,
    ),
  ]),
  ...overloaded('pg_get_constraintdef', ['oid', 'boolean'], 1, 'text', (catalog, oid, pretty) => {
    const found = catalog.constraints.find((one) => one.oid === oid)
    return found === undefined ? null : constraintDefinition(catalog, found, pretty === true)
  }),
  inCatalog('pg_get_indexdef', ['oid'], 'text', (catalog, oid) => {
    const index = catalog.relation(oid as number)?.index ?? null
    return index === null ? null : indexDefinition(index, false)
  }),
  inCatalog('pg_get_indexdef', ['oid', 'integer', 'boolean'], 'text', (catalog, oid, at, pretty) => {
    const found = catalog.relation(oid as number)?.index ?? null
    if (found === null) return null
    if (at === 0) return indexDefinition(found, pretty === true)
    const { table, index } = found
    const own = index ?? { columns: table.primaryKey?.columns ?? [], keys: null }
    return indexKeyDefinition(table, own, (at as number) - 1, pretty === true)
  }),
  ...overloaded('pg_get_viewdef', ['oid', 'boolean'], 1, 'text', (catalog, oid) => {
    const relation = catalog.relation(oid as number)
    return relation === null ? null : viewDefinition(catalog, relation)
  }),
  ...overloaded('pg_get_viewdef', ['text', 'boolean'], 1, 'text', (catalog, name) => {
    const relation = catalog.relation(catalog.oidOf('regclass', name as string))
    return relation === null ? null : viewDefinition(catalog, relation)
  }),
  ...['pg_get_ruledef', 'pg_get_triggerdef', 'pg_get_functiondef', 'pg_get_partkeydef'].flatMap((name) =>
    overloaded(name, ['oid', 'boolean'], 1, 'text', () => null),
  ),
  ...['pg_get_statisticsobjdef_columns', 'pg_tablespace_location'].map((name) =>
    inCatalog(name, ['oid'], 'text', () => null),
  ),
  inCatalog('pg_get_function_result', ['oid'], 'text', (catalog, oid) => {
    const routine = catalog.routines.find((one) => one.oid === oid)
    return routine === undefined ? null : typeName(routine.returns)
  }),
  ...['pg_get_function_arguments', 'pg_get_function_identity_arguments'].map((name) =>
    inCatalog(name, ['oid'], 'text', (catalog, oid) => {
      const routine = catalog.routines.find((one) => one.oid === oid)
      return routine === undefined ? null : routine.args.map(typeName).join(', ')
    }),
  ),
  inCatalog('pg_get_serial_sequence', ['text', 'text'], 'text', (catalog, name, column) => {
    const table = catalog.relation(catalog.oidOf('regclass', name as string))?.entry
    const found = table?.kind === 'table' ? table.columns.find((one) => one.name === column) : undefined
    if (found === undefined)
      throw sqlError(SQLSTATE.undefinedColumn, `column "${column}" of relation "${name}" does not exist`)
    const sequence = found.sequence === null ? null : catalog.byKey(found.sequence)
    return sequence === null ? null : `${quoteIdentifier(sequence.schema)}.${quoteIdentifier(sequence.name)}`
  }),
  inCatalog('pg_get_userbyid', ['oid'], 'text', (catalog, oid) => {
    if (oid === DATABASE_OWNER) return 'pg_database_owner'
    const role = catalog.access.role(oid as number)
    return role === null ? `unknown (OID=${oid as number})` : role.name
  }),
  visible('pg_table_is_visible', (catalog, oid) => {
    const relation = catalog.relation(oid)
    return relation === null ? null : catalog.isVisible(relation)
  }),
  visible('pg_type_is_visible', (catalog, oid) => {
    const type = catalog.type(oid)
    return type === null ? null : type.schema === 'pg_catalog' || catalog.isVisible(type)
  }),
  ...[
    'pg_function_is_visible',
    'pg_operator_is_visible',
    'pg_opclass_is_visible',
    'pg_opfamily_is_visible',
    'pg_collation_is_visible',
    'pg_conversion_is_visible',
    'pg_statistics_obj_is_visible',
    'pg_ts_config_is_visible',
    'pg_ts_dict_is_visible',
    'pg_ts_parser_is_visible',
    'pg_ts_template_is_visible',
  ].map((name) => always(name, ['oid'])),
  inCatalog('obj_description', ['oid', 'text'], 'text', (catalog, oid, table) =>
    commentOf(catalog, table as string, oid as number, 0),
  ),
  inCatalog('obj_description', ['oid'], 'text', (catalog, oid) => commentOf(catalog, null, oid as number, 0)),
  inCatalog('col_description', ['oid', 'integer'], 'text', (catalog, oid, column) =>
    commentOf(catalog, 'pg_class', oid as number, column as number),
  ),
  inCatalog('shobj_description', ['oid', 'text'], 'text', (catalog, oid, table) =>
    table === 'pg_authid' ? (catalog.access.role(oid as number)?.comment ?? null) : null,
  ),
  ...['pg_tablespace_size', 'pg_database_size'].map((name) => size(name, ['oid'])),
  fn('pg_get_function_sqlbody', ['oid'], 'text', () => null),
  inCatalog('to_regclass', ['text'], 'regclass', (catalog, text) => {
    const found = catalog.find(text as string)
    return found === null ? null : catalog.shown(found)
  }),
  inCatalog('to_regnamespace', ['text'], 'regnamespace', (catalog, text) => {
    try {
      return catalog.nameOf('regnamespace', catalog.oidOf('regnamespace', text as string))
    } catch (error) {
      if (isSqlError(error) && error.detail.sqlstate === '3F000') return null
      throw error
    }
  }),
  inCatalog('to_regtype', ['text'], 'regtype', (catalog, text) => {
    const found = catalog.findType(text as string)
    return found === null ? null : catalog.nameOf('regtype', found.oid)
  }),
  ...RELATION_SIZES.map((name) => size(name, ['regclass'])),
  size('pg_relation_size', ['regclass', 'text']),
  size('pg_database_size', ['text']),
  ...sizeFunctions,
  named(fn('pg_client_encoding', [], 'text', () => 'UTF8')),
  fn('pg_trigger_depth', [], 'integer', () => 0),
  fn('pg_encoding_to_char', ['integer'], 'text', (code) => (code === 6 ? 'UTF8' : '')),
  fn('pg_char_to_encoding', ['text'], 'integer', (name) => (/^utf-?8$/i.test(name) ? 6 : -1)),
  named(fn('getdatabaseencoding', [], 'text', () => 'UTF8')),
  fn('pg_is_in_recovery', [], 'boolean', () => false),
  fn('pg_relation_is_publishable', ['oid'], 'boolean', () => false),
  fn('pg_my_temp_schema', [], 'oid', () => 0),
  ...privilegeFunctions,
  contextual('current_setting', ['text'], 'text', 'stable', setting),
  contextual('current_setting', ['text', 'boolean'], 'text', 'stable', setting),
  contextual('set_config', ['text', 'text', 'boolean'], 'text', 'volatile', (session, name, value) => {
    session.set((name as string).toLowerCase(), value as string)
    return session.setting((name as string).toLowerCase())
  }),
  withType(
    inCatalog('current_schemas', ['boolean'], 'array', (catalog, implicit) =>
      textArray(implicit === true ? ['pg_catalog', ...catalog.schemas()] : catalog.schemas()),
    ),
    arrayOf(TEXT),
  ),
]

/** True for functions that need the image of the catalog. */
export const asksCatalog: ReadonlySet<string> = new Set([
  ...catalogFunctions.filter(({ contextual: impl }) => impl !== null).map(({ name }) => name),
  numberedAcl.name,
  // What they are about may be told by name.
  ...RELATION_SIZES,
  'pg_partition_ancestors',
  'pg_partition_tree',
])
