import { type Acl, defaultAcl, EVERYBODY } from '../../access/privileges.ts'
import { settingName } from '../../session/settings/settings.ts'
import { indexDefinition, viewDefinition } from '../definitions.ts'
import { descriptionsOf } from '../descriptions.ts'
import { type CatalogImage, OWNER, SYSTEM_SCHEMAS, TEMPORARY_OID } from '../image.ts'
import { aclArray, guardedAs, ownerName, relationAcl } from '../image-access.ts'
import { DATABASE_OID, DATABASE_OWNER, PUBLIC_OID } from '../known-oids.ts'
import { readSequence } from '../sequence-state.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { type Row, table } from './make.ts'
import { tablesOf } from './pg-relations.ts'

/** The number of `pg_authid`. */
const AUTHID = 1260

const classes: Readonly<Record<string, number>> = {
  pg_class: 1259,
  pg_namespace: 2615,
  pg_type: 1247,
  pg_constraint: 2606,
}

const namespace = (catalog: CatalogImage, oid: number, nspname: string): Row => {
  const object = guardedAs(oid, 'schema')
  const acl = catalog.access.stored(oid)?.acl ?? schemaAtFirst(nspname)
  return {
    oid,
    nspname,
    // Until it is given away, that of `public` is PostgreSQL's role for whoever owns the database.
    nspowner:
      oid === PUBLIC_OID && catalog.access.stored(oid) === null
        ? DATABASE_OWNER
        : catalog.access.ownerOf(object),
    nspacl: aclArray(catalog, acl),
    tableoid: 2615,
  }
}

/** The rights in a schema that was always there: everybody may look into it. Null for other schemas. */
function schemaAtFirst(name: string): Acl | null {
  const oid = SYSTEM_SCHEMAS[name]
  if (oid === undefined) return null
  const owner = oid === PUBLIC_OID ? DATABASE_OWNER : OWNER
  return [...defaultAcl('schema', owner), { grantee: EVERYBODY, grantor: owner, letters: 'U', grantable: '' }]
}

/** The rights in what was always there, as they were at first: what still has them is in no dump. */
const initialRights = (catalog: CatalogImage): Row[] => {
  const right = (classoid: number, objoid: number, initprivs: string | null): Row => ({
    objoid,
    classoid,
    objsubid: 0,
    privtype: 'i',
    initprivs,
  })
  return [
    ...Object.entries(SYSTEM_SCHEMAS).map(([name, oid]) =>
      right(2615, oid, aclArray(catalog, schemaAtFirst(name))),
    ),
    ...catalog.relations
      .filter(({ virtual }) => virtual !== null)
      .map((relation) => right(1259, relation.oid, relationAcl(catalog, relation))),
  ]
}

/** Schemas, databases, roles, comments and settings, and the views that sum up. */
export const systemTables: readonly VirtualTable[] = [
  table(
    'pg_catalog.pg_init_privs',
    'objoid oid, classoid oid, objsubid int4, privtype, initprivs text[]',
    ({ catalog }) => initialRights(catalog),
  ),
  table(
    'pg_catalog.pg_cursors',
    'name, statement, is_holdable bool, is_binary bool, is_scrollable bool, creation_time time',
    ({ catalog }) =>
      catalog.cursors.map(({ name, statement, holdable, binary, scrollable, createdMicros }) => ({
        name,
        statement,
        is_holdable: holdable,
        is_binary: binary,
        is_scrollable: scrollable,
        creation_time: createdMicros,
      })),
  ),
  table(
    'pg_catalog.pg_namespace',
    'oid oid, nspname, nspowner oid, nspacl text[], tableoid oid',
    ({ catalog }) => [
      ...Object.entries(SYSTEM_SCHEMAS).map(([nspname, oid]) => namespace(catalog, oid, nspname)),
      ...(catalog.path.temporary === null
        ? []
        : [{ oid: TEMPORARY_OID, nspname: catalog.path.temporary, nspowner: OWNER, tableoid: 2615 }]),
      ...catalog.entries
        .filter(({ kind }) => kind === 'schema')
        .map(({ oid, name }) => namespace(catalog, oid, name)),
    ],
  ),
  table('pg_catalog.pg_description', 'objoid oid, classoid oid, objsubid int4, description', ({ catalog }) =>
    descriptionsOf(catalog).map(({ oid, table: of, column, text }) => ({
      objoid: oid,
      classoid: classes[of] ?? 0,
      objsubid: column,
      description: text,
    })),
  ),
  table('pg_catalog.pg_shdescription', 'objoid oid, classoid oid, description', ({ catalog }) =>
    catalog.access.roles.flatMap(({ oid, comment }) =>
      comment === null ? [] : [{ objoid: oid, classoid: AUTHID, description: comment }],
    ),
  ),
  table('pg_catalog.pg_settings', settingColumns(), ({ settings }) =>
    settings().map(
      ([name, value]): Row => ({
        name: settingName(name),
        setting: value,
        category: 'Client Connection Defaults',
        short_desc: '',
        context: 'user',
        vartype: value === 'on' || value === 'off' ? 'bool' : 'string',
        source: 'session',
        boot_val: value,
        reset_val: value,
        pending_restart: false,
      }),
    ),
  ),
  table(
    'pg_catalog.pg_tables',
    'schemaname, tablename, tableowner, tablespace, hasindexes bool, hasrules bool, hastriggers bool, rowsecurity bool',
    ({ catalog }) =>
      tablesOf(catalog)
        .filter(({ materialized }) => materialized === null)
        .map((one) => ({
          schemaname: one.schema,
          tablename: one.name,
          tableowner: ownerName(catalog, one),
          hasindexes: one.primaryKey !== null || one.indexes.length > 0,
          hasrules: false,
          hastriggers: one.foreignKeys.length + one.referencedBy.length > 0,
          rowsecurity: false,
        })),
  ),
  table('pg_catalog.pg_views', 'schemaname, viewname, viewowner, definition', ({ catalog }) =>
    catalog.relations
      .filter(({ entry }) => entry?.kind === 'view')
      .map((view) => ({
        schemaname: view.schema,
        viewname: view.name,
        viewowner: ownerName(catalog, view.entry),
        definition: viewDefinition(catalog, view),
      })),
  ),
  table(
    'pg_catalog.pg_matviews',
    'schemaname, matviewname, matviewowner, tablespace, hasindexes bool, ispopulated bool, definition',
    ({ catalog }) =>
      catalog.relations.flatMap((view): Row[] =>
        view.entry?.kind !== 'table' || view.entry.materialized === null
          ? []
          : [
              {
                schemaname: view.schema,
                matviewname: view.name,
                matviewowner: ownerName(catalog, view.entry),
                hasindexes: view.entry.indexes.length > 0,
                ispopulated: view.entry.materialized.populated,
                definition: viewDefinition(catalog, view),
              },
            ],
      ),
  ),
  table('pg_catalog.pg_indexes', 'schemaname, tablename, indexname, tablespace, indexdef', ({ catalog }) =>
    catalog.relations.flatMap(({ schema, name, index }): Row[] =>
      index === null
        ? []
        : [
            {
              schemaname: schema,
              tablename: index.table.name,
              indexname: name,
              indexdef: indexDefinition(index, false),
            },
          ],
    ),
  ),
  table(
    'pg_catalog.pg_sequences',
    `schemaname, sequencename, sequenceowner, data_type, start_value int8, min_value int8, max_value int8,
     increment_by int8, cycle bool, cache_size int8, last_value int8`,
    (context) => {
      const { catalog } = context
      const sequences = catalog.entries.filter((entry) => entry.kind === 'sequence')
      return Promise.all(
        sequences.map(async (entry): Promise<Row> => {
          const { next, called } = context.given(entry, await readSequence(context, entry))
          return {
            schemaname: entry.schema,
            sequencename: entry.name,
            sequenceowner: ownerName(catalog, entry),
            data_type: entry.type,
            start_value: BigInt(entry.start),
            min_value: BigInt(entry.min),
            max_value: BigInt(entry.max),
            increment_by: BigInt(entry.increment),
            cycle: entry.cycle,
            cache_size: BigInt(entry.cache),
            last_value: called ? BigInt(next) : null,
          }
        }),
      )
    },
  ),
  table('pg_catalog.pg_am', 'oid oid, amname, amhandler, amtype, tableoid oid', () => [
    { oid: 2, amname: 'heap', amhandler: 'heap_tableam_handler', amtype: 't', tableoid: 2601 },
    { oid: 403, amname: 'btree', amhandler: 'bthandler', amtype: 'i', tableoid: 2601 },
  ]),
  table(
    'pg_catalog.pg_collation',
    `oid oid, collname, collnamespace oid, collowner oid, collprovider, collisdeterministic bool, collencoding int4,
     collcollate, collctype, colliculocale, collversion, tableoid oid`,
    () =>
      [
        [100, 'default', 'd'],
        [950, 'C', 'c'],
        [951, 'POSIX', 'c'],
      ].map(([oid = 0, name = '', provider = '']) => ({
        oid,
        collname: name,
        collnamespace: 11,
        collowner: OWNER,
        collprovider: provider,
        collisdeterministic: true,
        collencoding: -1,
        collcollate: 'C',
        collctype: 'C',
        tableoid: 3456,
      })),
  ),
  table(
    'pg_catalog.pg_tablespace',
    'oid oid, spcname, spcowner oid, spcacl text[], spcoptions text[]',
    () => [
      { oid: 1663, spcname: 'pg_default', spcowner: OWNER },
      { oid: 1664, spcname: 'pg_global', spcowner: OWNER },
    ],
  ),
  table(
    'pg_catalog.pg_language',
    `oid oid, lanname, lanowner oid, lanispl bool, lanpltrusted bool, lanplcallfoid oid, laninline oid, lanvalidator oid,
     lanacl text[], tableoid oid`,
    () => [{ oid: 14, lanname: 'sql', lanowner: OWNER, lanispl: false, lanpltrusted: true, tableoid: 2612 }],
  ),
  ...['pg_statio_all_tables', 'pg_statio_user_tables'].map((name) =>
    table(`pg_catalog.${name}`, 'relid oid, schemaname, relname', ({ catalog }) =>
      tablesOf(catalog).map((one) => ({ relid: one.oid, schemaname: one.schema, relname: one.name })),
    ),
  ),
  table(
    'pg_catalog.pg_stat_activity',
    `datid oid, datname, pid int4, leader_pid int4, usesysid oid, usename, application_name, client_addr, client_port int4,
     backend_start time, xact_start time, query_start time, state_change time, wait_event_type, wait_event, state,
     query, backend_type`,
    ({ catalog, settings }) => [
      {
        datid: DATABASE_OID,
        datname: catalog.database,
        pid: 1,
        usesysid: catalog.access.roleNamed(catalog.user)?.oid ?? OWNER,
        usename: catalog.user,
        application_name: settings().find(([name]) => name === 'application_name')?.[1] ?? '',
        state: 'active',
        query: '',
        backend_type: 'client backend',
      },
    ],
  ),
]

function settingColumns(): string {
  return `name, setting, unit, category, short_desc, extra_desc, context, vartype, source, min_val, max_val,
    enumvals text[], boot_val, reset_val, sourcefile, sourceline int4, pending_restart bool`
}
