import { elementOf, type SqlType, typeName } from '../../types/type.ts'
import { defaultDefinition, viewDefinition } from '../definitions.ts'
import { type CatalogImage, type ImageConstraint, type ImageRelation, SYSTEM_SCHEMAS } from '../image.ts'
import { guardedAs } from '../image-access.ts'
import { enclosed } from '../kept-text.ts'
import { namesOfKey } from '../names.ts'
import type { ColumnSchema, TableSchema } from '../schema.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { empty, type Row, table } from './make.ts'
import { writableColumns } from './writable-views.ts'

const schema = (name: string): string => `information_schema.${name}`
const yesNo = (value: boolean): string => (value ? 'YES' : 'NO')

/** Relations that hold rows, without indexes and sequences. */
const tablesAndViews = ({ relations }: CatalogImage): readonly ImageRelation[] =>
  relations.filter(
    ({ kind, entry, virtual }) => kind === 'r' || (kind === 'v' && (entry !== null || virtual !== null)),
  )

interface Described {
  readonly name: string
  readonly type: SqlType
  readonly column: ColumnSchema | null
  readonly position: number
}

function columnsOf({ entry, virtual }: ImageRelation): readonly Described[] {
  const plain = ({ name, type }: { name: string; type: SqlType }, i: number): Described => ({
    name,
    type,
    column: null,
    position: i + 1,
  })
  if (virtual !== null) return virtual.columns.map(plain)
  if (entry?.kind === 'view') return entry.result.map(plain)
  if (entry?.kind !== 'table') return []
  return entry.columns.map((column) => ({ ...column, column, position: column.slot + 1 }))
}

/** `information_schema`, as the SQL standard has it. */
export const informationSchema: readonly VirtualTable[] = [
  table(
    schema('tables'),
    `table_catalog, table_schema, table_name, table_type, self_referencing_column_name, reference_generation,
     user_defined_type_catalog, user_defined_type_schema, user_defined_type_name, is_insertable_into, is_typed,
     commit_action`,
    ({ catalog }) =>
      tablesAndViews(catalog).map(({ schema: owner, name, kind, entry }) => {
        const temporary = entry?.kind === 'table' ? entry.temporary : null
        return {
          table_catalog: catalog.database,
          table_schema: owner,
          table_name: name,
          table_type: kind === 'v' ? 'VIEW' : temporary === null ? 'BASE TABLE' : 'LOCAL TEMPORARY',
          is_insertable_into: yesNo(
            kind === 'r' || (entry?.kind === 'view' && writableColumns(catalog, entry).size > 0),
          ),
          is_typed: 'NO',
          commit_action: temporary === null ? null : 'PRESERVE',
        }
      }),
  ),
  table(
    schema('columns'),
    `table_catalog, table_schema, table_name, column_name, ordinal_position int4, column_default, is_nullable, data_type,
     character_maximum_length int4, character_octet_length int4, numeric_precision int4, numeric_precision_radix int4,
     numeric_scale int4, datetime_precision int4, interval_type, interval_precision int4, character_set_catalog,
     character_set_schema, character_set_name, collation_catalog, collation_schema, collation_name, domain_catalog,
     domain_schema, domain_name, udt_catalog, udt_schema, udt_name, scope_catalog, scope_schema, scope_name,
     maximum_cardinality int4, dtd_identifier, is_self_referencing, is_identity, identity_generation, identity_start,
     identity_increment, identity_maximum, identity_minimum, identity_cycle, is_generated, generation_expression,
     is_updatable`,
    ({ catalog }) =>
      tablesAndViews(catalog).flatMap((relation) =>
        columnsOf(relation).map((column) => columnRow(catalog, relation, column)),
      ),
  ),
  table(
    schema('schemata'),
    `catalog_name, schema_name, schema_owner, default_character_set_catalog, default_character_set_schema,
     default_character_set_name, sql_path`,
    ({ catalog }) =>
      [
        ...Object.keys(SYSTEM_SCHEMAS),
        ...catalog.entries.filter(({ kind }) => kind === 'schema').map(({ name }) => name),
      ].map((name) => ({
        catalog_name: catalog.database,
        schema_name: name,
        schema_owner: catalog.access.nameOf(
          catalog.access.ownerOf(guardedAs(catalog.schemaOid(name), 'schema')),
        ),
      })),
  ),
  table(
    schema('table_constraints'),
    `constraint_catalog, constraint_schema, constraint_name, table_catalog, table_schema, table_name, constraint_type,
     is_deferrable, initially_deferred, enforced, nulls_distinct`,
    ({ catalog }) => [...tableConstraints(catalog), ...notNullChecks(catalog).map((one) => one.constraint)],
  ),
  table(
    schema('key_column_usage'),
    `constraint_catalog, constraint_schema, constraint_name, table_catalog, table_schema, table_name, column_name,
     ordinal_position int4, position_in_unique_constraint int4`,
    ({ catalog }) => catalog.constraints.flatMap((constraint) => keyColumns(catalog, constraint)),
  ),
  table(
    schema('referential_constraints'),
    `constraint_catalog, constraint_schema, constraint_name, unique_constraint_catalog, unique_constraint_schema,
     unique_constraint_name, match_option, update_rule, delete_rule`,
    ({ catalog }) =>
      catalog.constraints.flatMap((constraint): Row[] =>
        constraint.kind !== 'f'
          ? []
          : [
              {
                constraint_catalog: catalog.database,
                constraint_schema: constraint.table.schema,
                constraint_name: constraint.name,
                unique_constraint_catalog: catalog.database,
                unique_constraint_schema: namesOfKey(constraint.key.table).schema,
                unique_constraint_name: constraint.key.target,
                match_option: constraint.key.match === 'full' ? 'FULL' : 'NONE',
                update_rule: constraint.key.onUpdate.toUpperCase(),
                delete_rule: constraint.key.onDelete.toUpperCase(),
              },
            ],
      ),
  ),
  table(
    schema('constraint_column_usage'),
    'table_catalog, table_schema, table_name, column_name, constraint_catalog, constraint_schema, constraint_name',
    ({ catalog }) => catalog.constraints.flatMap((constraint) => columnUsage(catalog, constraint)),
  ),
  table(
    schema('constraint_table_usage'),
    'table_catalog, table_schema, table_name, constraint_catalog, constraint_schema, constraint_name',
    ({ catalog }) =>
      catalog.constraints.flatMap((constraint): Row[] => {
        if (constraint.kind === 'd' || constraint.kind === 'c') return []
        const used = constraint.kind === 'f' ? catalog.byKey(constraint.key.table) : constraint.table
        return [{ ...placeOf(catalog, used ?? constraint.table), ...constraintOf(catalog, constraint) }]
      }),
  ),
  table(
    schema('check_constraints'),
    'constraint_catalog, constraint_schema, constraint_name, check_clause',
    ({ catalog }) => [
      ...catalog.constraints.flatMap((constraint): Row[] =>
        constraint.kind === 'c' || constraint.kind === 'd'
          ? [{ ...constraintOf(catalog, constraint), check_clause: `(${enclosed(constraint.check.text)})` }]
          : [],
      ),
      ...notNullChecks(catalog).map((one) => one.check),
    ],
  ),
  table(
    schema('views'),
    `table_catalog, table_schema, table_name, view_definition, check_option, is_updatable, is_insertable_into,
     is_trigger_updatable, is_trigger_deletable, is_trigger_insertable_into`,
    ({ catalog }) =>
      catalog.relations.flatMap((view): Row[] =>
        view.entry?.kind !== 'view'
          ? []
          : [
              {
                ...placeOf(catalog, view.entry),
                view_definition: viewDefinition(catalog, view),
                check_option: view.entry.checkOption?.toUpperCase() ?? 'NONE',
                is_updatable: yesNo(writableColumns(catalog, view.entry).size > 0),
                is_insertable_into: yesNo(writableColumns(catalog, view.entry).size > 0),
                is_trigger_updatable: 'NO',
                is_trigger_deletable: 'NO',
                is_trigger_insertable_into: 'NO',
              },
            ],
      ),
  ),
  table(
    schema('view_table_usage'),
    'view_catalog, view_schema, view_name, table_catalog, table_schema, table_name',
    ({ catalog }) =>
      catalog.entries.flatMap((entry): Row[] =>
        entry.kind !== 'view'
          ? []
          : entry.uses.flatMap(({ key }) => {
              const used = catalog.byKey(key)
              if (used === null) return []
              return [
                {
                  view_catalog: catalog.database,
                  view_schema: entry.schema,
                  view_name: entry.name,
                  ...placeOf(catalog, used),
                },
              ]
            }),
      ),
  ),
  table(
    schema('sequences'),
    `sequence_catalog, sequence_schema, sequence_name, data_type, numeric_precision int4, numeric_precision_radix int4,
     numeric_scale int4, start_value, minimum_value, maximum_value, increment, cycle_option`,
    ({ catalog }) =>
      catalog.entries.flatMap((entry): Row[] =>
        entry.kind !== 'sequence' || isIdentity(catalog, entry.ownedBy)
          ? []
          : [
              {
                sequence_catalog: catalog.database,
                sequence_schema: entry.schema,
                sequence_name: entry.name,
                data_type: entry.type,
                numeric_precision: { smallint: 16, integer: 32, bigint: 64 }[entry.type],
                numeric_precision_radix: 2,
                numeric_scale: 0,
                start_value: entry.start,
                minimum_value: entry.min,
                maximum_value: entry.max,
                increment: entry.increment,
                cycle_option: yesNo(entry.cycle),
              },
            ],
      ),
  ),
  table(
    schema('domains'),
    'domain_catalog, domain_schema, domain_name, data_type, character_maximum_length int4, domain_default, udt_name',
    ({ catalog }) =>
      catalog.entries.flatMap((entry): Row[] =>
        entry.kind !== 'domain'
          ? []
          : [
              {
                domain_catalog: catalog.database,
                domain_schema: entry.schema,
                domain_name: entry.name,
                data_type: dataType(entry.type),
                character_maximum_length: lengthOf(entry.type),
                domain_default: entry.defaultText,
                udt_name: udtName(catalog, entry.type),
              },
            ],
      ),
  ),
  table(schema('information_schema_catalog_name'), 'catalog_name', ({ catalog }) => [
    { catalog_name: catalog.database },
  ]),
  empty(
    schema('routines'),
    `specific_catalog, specific_schema, specific_name, routine_catalog, routine_schema, routine_name, routine_type,
     data_type, routine_body, routine_definition, external_language, is_deterministic`,
  ),
  empty(
    schema('parameters'),
    'specific_catalog, specific_schema, specific_name, ordinal_position int4, parameter_mode, parameter_name, data_type',
  ),
  empty(
    schema('triggers'),
    `trigger_catalog, trigger_schema, trigger_name, event_manipulation, event_object_catalog, event_object_schema,
     event_object_table, action_order int4, action_condition, action_statement, action_orientation, action_timing`,
  ),
]

const placeOf = (catalog: CatalogImage, { schema: owner, name }: { schema: string; name: string }): Row => ({
  table_catalog: catalog.database,
  table_schema: owner,
  table_name: name,
})

const constraintOf = (catalog: CatalogImage, constraint: ImageConstraint): Row => ({
  constraint_catalog: catalog.database,
  constraint_schema: (constraint.kind === 'd' ? constraint.domain : constraint.table).schema,
  constraint_name: constraint.name,
})

const words = { p: 'PRIMARY KEY', u: 'UNIQUE', c: 'CHECK', f: 'FOREIGN KEY' } as const

function tableConstraints(catalog: CatalogImage): Row[] {
  return catalog.constraints.flatMap((constraint): Row[] =>
    constraint.kind === 'd'
      ? []
      : [
          {
            ...constraintOf(catalog, constraint),
            ...placeOf(catalog, constraint.table),
            constraint_type: words[constraint.kind],
            is_deferrable: yesNo(
              (constraint.kind === 'f' && constraint.key.deferrable) ||
                (constraint.kind === 'u' && constraint.index?.deferral !== undefined),
            ),
            initially_deferred: yesNo(
              (constraint.kind === 'f' && constraint.key.initiallyDeferred) ||
                (constraint.kind === 'u' && constraint.index?.deferral?.initiallyDeferred === true),
            ),
            enforced: 'YES',
            nulls_distinct: constraint.kind === 'u' ? 'YES' : null,
          },
        ],
  )
}

/** The standard takes NOT NULL for a check. */
function notNullChecks(catalog: CatalogImage): readonly { readonly constraint: Row; readonly check: Row }[] {
  return catalog.entries.flatMap((entry) => {
    if (entry.kind !== 'table') return []
    return entry.columns
      .filter(({ notNull }) => notNull)
      .map(({ name, slot }) => {
        const common = {
          constraint_catalog: catalog.database,
          constraint_schema: entry.schema,
          constraint_name: `${catalog.schemaOid(entry.schema)}_${entry.oid}_${slot + 1}_not_null`,
        }
        return {
          constraint: {
            ...common,
            ...placeOf(catalog, entry),
            constraint_type: 'CHECK',
            is_deferrable: 'NO',
            initially_deferred: 'NO',
            enforced: 'YES',
          },
          check: { ...common, check_clause: `${name} IS NOT NULL` },
        }
      })
  })
}

const nameOfSlot = ({ columns }: TableSchema, slot: number): string =>
  columns.find((column) => column.slot === slot)?.name ?? ''

function keyColumns(catalog: CatalogImage, constraint: ImageConstraint): Row[] {
  if (constraint.kind === 'c' || constraint.kind === 'd') return []
  const common = { ...constraintOf(catalog, constraint), ...placeOf(catalog, constraint.table) }
  if (constraint.kind !== 'f') {
    const columns = (constraint.index ?? constraint.table.primaryKey)?.columns ?? []
    return columns.map((position, i) => ({
      ...common,
      column_name: constraint.table.columns[position]?.name ?? '',
      ordinal_position: i + 1,
    }))
  }
  const { key, table: owner } = constraint
  const parent = catalog.byKey(key.table)
  const target =
    parent?.kind === 'table'
      ? [parent.primaryKey, ...parent.indexes].find((one) => one?.name === key.target)
      : null
  return key.columns.map((slot, i) => {
    const place = target?.columns.findIndex(
      (position) => parent?.kind === 'table' && parent.columns[position]?.slot === key.referenced[i],
    )
    return {
      ...common,
      column_name: nameOfSlot(owner, slot),
      ordinal_position: i + 1,
      position_in_unique_constraint: place === undefined || place < 0 ? null : place + 1,
    }
  })
}

/** The columns that a constraint is about; of a foreign key those it points at. */
function columnUsage(catalog: CatalogImage, constraint: ImageConstraint): Row[] {
  if (constraint.kind === 'd') return []
  const common = constraintOf(catalog, constraint)
  if (constraint.kind === 'f') {
    const parent = catalog.byKey(constraint.key.table)
    if (parent?.kind !== 'table') return []
    return constraint.key.referenced.map((slot) => ({
      ...placeOf(catalog, parent),
      column_name: nameOfSlot(parent, slot),
      ...common,
    }))
  }
  const { table: owner } = constraint
  const positions =
    constraint.kind === 'c'
      ? owner.columns.flatMap(({ name }, at) =>
          new RegExp(`\\b${name}\\b`).test(constraint.check.text) ? [at] : [],
        )
      : ((constraint.index ?? owner.primaryKey)?.columns ?? [])
  return positions.map((position) => ({
    ...placeOf(catalog, owner),
    column_name: owner.columns[position]?.name ?? '',
    ...common,
  }))
}

function isIdentity(
  catalog: CatalogImage,
  owner: { readonly table: string; readonly slot: number } | null,
): boolean {
  const entry = owner === null ? null : catalog.byKey(owner.table)
  return (
    entry?.kind === 'table' &&
    entry.columns.some(({ slot, identity }) => slot === owner?.slot && identity !== null)
  )
}

const dataType = (type: SqlType): string =>
  type.element !== undefined ? 'ARRAY' : type.enum !== undefined ? 'USER-DEFINED' : typeName(type)

const lengthOf = ({ id, length }: SqlType): number | null =>
  id === 'varchar' || id === 'char' ? length : null

const udtName = (catalog: CatalogImage, type: SqlType): string | null =>
  catalog.type(catalog.columnType({ type, domain: null }))?.name ?? null

const precisions: Readonly<
  Partial<Record<SqlType['id'], readonly [precision: number, radix: number, scale: number | null]>>
> = {
  smallint: [16, 2, 0],
  integer: [32, 2, 0],
  bigint: [64, 2, 0],
  real: [24, 2, null],
  double: [53, 2, null],
}

const moments = new Set<SqlType['id']>(['timestamp', 'timestamptz', 'time', 'timetz', 'interval'])

/** `DAY TO SECOND(2)` */
function intervalType({ span, length }: SqlType): string | null {
  if (span === undefined) return null
  return span.toUpperCase() + (length === null ? '' : `(${length})`)
}

function columnRow(
  catalog: CatalogImage,
  relation: ImageRelation,
  { name, type, column, position }: Described,
): Row {
  const [precision = null, radix = null, scale = null] =
    type.id === 'numeric'
      ? [type.precision, 10, type.precision === null ? null : type.scale]
      : (precisions[type.id] ?? [])
  const text = ['text', 'varchar', 'char'].includes(type.id)
  const domain = column?.domain == null ? null : namesOfKey(column.domain)
  const sequence =
    column?.identity == null || column.sequence === null ? null : catalog.byKey(column.sequence)
  const identity = sequence?.kind === 'sequence' ? sequence : null
  const generated = column?.generated ?? null
  return {
    ...placeOf(catalog, relation),
    column_name: name,
    ordinal_position: position,
    column_default: column === null || generated !== null ? null : defaultDefinition(catalog, column),
    is_nullable: yesNo(column?.notNull !== true),
    data_type: dataType(type),
    character_maximum_length: lengthOf(type),
    character_octet_length: text
      ? lengthOf(type) === null
        ? 1_073_741_824
        : (lengthOf(type) ?? 0) * 4
      : null,
    numeric_precision: precision,
    numeric_precision_radix: radix,
    numeric_scale: scale,
    datetime_precision: moments.has(type.id) ? (type.length ?? 6) : type.id === 'date' ? 0 : null,
    interval_type: intervalType(type),
    domain_catalog: domain === null ? null : catalog.database,
    domain_schema: domain?.schema ?? null,
    domain_name: domain?.name ?? null,
    udt_catalog: catalog.database,
    udt_schema: type.enum?.schema ?? 'pg_catalog',
    udt_name: type.element === undefined ? udtName(catalog, type) : `_${udtName(catalog, elementOf(type))}`,
    dtd_identifier: String(position),
    is_self_referencing: 'NO',
    is_identity: yesNo(identity !== null),
    identity_generation: column?.identity?.toUpperCase() ?? null,
    identity_start: identity?.start ?? null,
    identity_increment: identity?.increment ?? null,
    identity_maximum: identity?.max ?? null,
    identity_minimum: identity?.min ?? null,
    identity_cycle: yesNo(identity?.cycle === true),
    is_generated: generated === null ? 'NEVER' : 'ALWAYS',
    generation_expression: generated,
    is_updatable: yesNo(
      relation.kind === 'r' ||
        (relation.entry?.kind === 'view' && writableColumns(catalog, relation.entry).has(name)),
    ),
  }
}
