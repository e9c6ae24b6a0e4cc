import { vectorText } from '../../types/array-text.ts'
import { typeBytes, typeModifier } from '../../types/type.ts'
import { defaultDefinition } from '../definitions.ts'
import { type CatalogImage, type ImageRelation, indexOid } from '../image.ts'
import { aclArray, relationAcl, relationOwner } from '../image-access.ts'
import type { ColumnSchema, IndexSchema, TableSchema } from '../schema.ts'
import { SEQUENCE_COLUMNS } from '../sequence-table.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { type Row, table } from './make.ts'

/** Relations, their columns, defaults and indexes. */
export const relationTables: readonly VirtualTable[] = [
  table(
    'pg_catalog.pg_class',
    `oid oid, relname, relnamespace oid, reltype oid, reloftype oid, relowner oid, relam oid, relfilenode oid,
     reltablespace oid, relpages int4, reltuples float4, relallvisible int4, reltoastrelid oid, relhasindex bool,
     relisshared bool, relpersistence, relkind, relnatts int2, relchecks int2, relhasrules bool, relhastriggers bool,
     relhassubclass bool, relrowsecurity bool, relforcerowsecurity bool, relispopulated bool, relreplident,
     relispartition bool, relrewrite oid, relfrozenxid int8, relminmxid int8, relacl text[], reloptions text[], relpartbound, tableoid oid`,
    ({ catalog }) => catalog.relations.map((relation) => classRow(catalog, relation)),
  ),
  table(
    'pg_catalog.pg_attribute',
    `attrelid oid, attname, atttypid oid, attstattarget int4, attlen int2, attnum int2, attndims int4,
     attcacheoff int4, atttypmod int4, attbyval bool, attalign, attstorage, attcompression, attnotnull bool,
     atthasdef bool, atthasmissing bool, attidentity, attgenerated, attisdropped bool, attislocal bool,
     attinhcount int4, attcollation oid, attacl text[], attoptions text[], attfdwoptions text[], attmissingval text[]`,
    ({ catalog }) => catalog.relations.flatMap((relation) => attributeRows(catalog, relation)),
  ),
  table('pg_catalog.pg_attrdef', 'oid oid, adrelid oid, adnum int2, adbin, tableoid oid', ({ catalog }) =>
    tablesOf(catalog).flatMap((entry) =>
      entry.columns.flatMap((column): Row[] => {
        const adbin = defaultDefinition(catalog, column)
        const adnum = column.slot + 1
        return adbin === null
          ? []
          : [{ oid: entry.oid * 1_000 + adnum, adrelid: entry.oid, adnum, adbin, tableoid: 2604 }]
      }),
    ),
  ),
  table(
    'pg_catalog.pg_index',
    `indexrelid oid, indrelid oid, indnatts int2, indnkeyatts int2, indisunique bool, indnullsnotdistinct bool,
     indisprimary bool, indisexclusion bool, indimmediate bool, indisclustered bool, indisvalid bool,
     indcheckxmin bool, indisready bool, indislive bool, indisreplident bool, indkey int2vector, indcollation oidvector,
     indclass oidvector, indoption int2vector, indexprs, indpred`,
    ({ catalog }) => tablesOf(catalog).flatMap(indexRows),
  ),
  table(
    'pg_catalog.pg_sequence',
    'seqrelid oid, seqtypid oid, seqstart int8, seqincrement int8, seqmax int8, seqmin int8, seqcache int8, seqcycle bool',
    ({ catalog }) =>
      catalog.entries.flatMap((entry): Row[] =>
        entry.kind !== 'sequence'
          ? []
          : [
              {
                seqrelid: entry.oid,
                seqtypid: { smallint: 21, integer: 23, bigint: 20 }[entry.type],
                seqstart: BigInt(entry.start),
                seqincrement: BigInt(entry.increment),
                seqmax: BigInt(entry.max),
                seqmin: BigInt(entry.min),
                seqcache: BigInt(entry.cache),
                seqcycle: entry.cycle,
              },
            ],
      ),
  ),
  table(
    'pg_catalog.pg_depend',
    'classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, refobjsubid int4, deptype',
    ({ catalog }) =>
      catalog.entries.flatMap((entry): Row[] => {
        if (entry.kind !== 'sequence' || entry.ownedBy === null) return []
        const owner = catalog.byKey(entry.ownedBy.table)
        const slot = entry.ownedBy.slot
        const column = owner?.kind === 'table' ? owner.columns.find((one) => one.slot === slot) : undefined
        return [
          {
            classid: 1259,
            objid: entry.oid,
            objsubid: 0,
            refclassid: 1259,
            refobjid: owner?.oid ?? 0,
            refobjsubid: slot + 1,
            deptype: column?.identity == null ? 'a' : 'i',
          },
          // The default takes its values from the sequence; an identity column has no default.
          ...(column?.identity != null || column === undefined
            ? []
            : [
                {
                  classid: 2604,
                  objid: (owner?.oid ?? 0) * 1_000 + slot + 1,
                  objsubid: 0,
                  refclassid: 1259,
                  refobjid: entry.oid,
                  refobjsubid: 0,
                  deptype: 'n',
                },
              ]),
        ]
      }),
  ),
]

export const tablesOf = ({ entries }: CatalogImage): TableSchema[] =>
  entries.filter((entry) => entry.kind === 'table')

/** heap and btree. */
const accessMethod = { r: 2, m: 2, i: 403, v: 0, S: 0, c: 0 } as const

function classRow(catalog: CatalogImage, relation: ImageRelation): Row {
  const { oid, schema, name, kind, entry, virtual } = relation
  const own = entry?.kind === 'table' ? entry : null
  const columns = columnCount(relation)
  return {
    oid,
    relname: name,
    relnamespace: catalog.schemaOid(schema),
    reltype: kind === 'c' ? (entry?.oid ?? 0) : 0,
    reloftype: 0,
    relowner: relationOwner(catalog, relation),
    // What may be done with a composite type is told of the type.
    relacl: kind === 'c' ? null : relationAcl(catalog, relation),
    relam: accessMethod[kind],
    relfilenode: kind === 'v' || kind === 'c' ? 0 : oid,
    reltablespace: 0,
    relpages: 0,
    reltuples: -1,
    relallvisible: 0,
    reltoastrelid: 0,
    relhasindex: own !== null && (own.primaryKey !== null || own.indexes.length > 0),
    relisshared: false,
    relpersistence: schema === catalog.path.temporary ? 't' : 'p',
    relkind: kind,
    relnatts: columns,
    relchecks: own?.checks.length ?? 0,
    relhasrules: kind === 'v' && virtual === null,
    relhastriggers: own !== null && own.foreignKeys.length + own.referencedBy.length > 0,
    relhassubclass: false,
    relrowsecurity: false,
    relforcerowsecurity: false,
    relispopulated: own?.materialized?.populated ?? true,
    relreplident: kind === 'r' || kind === 'm' ? 'd' : 'n',
    relispartition: false,
    relrewrite: 0,
    reloptions: optionsOf(entry),
    tableoid: 1259,
  }
}

function optionsOf(entry: ImageRelation['entry']): string | null {
  if (entry?.kind === 'view' && entry.checkOption !== null) return `{check_option=${entry.checkOption}}`
  return entry?.kind === 'table' && entry.placement === 'everywhere' ? '{redundancy=all}' : null
}

function columnCount({ entry, index, virtual, kind }: ImageRelation): number {
  if (virtual !== null) return virtual.columns.length
  if (index !== null) return (index.index ?? index.table.primaryKey)?.columns.length ?? 0
  if (entry?.kind === 'table') return entry.slots
  if (entry?.kind === 'view') return entry.result.length
  if (entry?.kind === 'composite') return entry.fields.length
  return kind === 'S' ? 3 : 0
}

interface Attribute extends Pick<ColumnSchema, 'name' | 'type' | 'domain'> {
  readonly number: number
  readonly column: ColumnSchema | null
}

function attributesOf({ entry, index, virtual, kind }: ImageRelation): readonly Attribute[] {
  const plain = ({ name, type }: Pick<ColumnSchema, 'name' | 'type'>, i: number): Attribute => ({
    name,
    type,
    domain: null,
    number: i + 1,
    column: null,
  })
  if (virtual !== null) return virtual.columns.map(plain)
  if (index !== null) return indexAttributes(index.table, index.index)
  if (entry?.kind === 'view') return entry.result.map(plain)
  if (entry?.kind === 'composite') return entry.fields.map(plain)
  if (entry?.kind === 'table')
    return entry.columns.map((column) => ({ ...column, number: column.slot + 1, column }))
  return kind === 'S' ? SEQUENCE_COLUMNS.map(plain) : []
}

function indexAttributes(owner: TableSchema, index: IndexSchema | null): readonly Attribute[] {
  const own = index ?? { columns: owner.primaryKey?.columns ?? [], keys: null }
  return own.columns.map((position, i): Attribute => {
    const column = owner.columns[position]
    const key = own.keys?.[i]
    const type = key?.type ?? column?.type
    if (type === undefined) throw new TypeError(`an index of ${owner.name} without its column`)
    return { name: column?.name ?? 'expr', type, domain: null, number: i + 1, column: null }
  })
}

function attributeRows(catalog: CatalogImage, relation: ImageRelation): Row[] {
  return attributesOf(relation).map(({ name, type, domain, number, column }): Row => {
    const bytes = typeBytes(type)
    const text = type.element === undefined && ['text', 'varchar', 'char'].includes(type.id)
    return {
      attrelid: relation.oid,
      attname: name,
      atttypid: catalog.columnType({ type, domain }),
      attstattarget: -1,
      attlen: type.element === undefined ? bytes : -1,
      attnum: number,
      attndims: type.element === undefined ? 0 : 1,
      attcacheoff: -1,
      atttypmod: domain === null ? typeModifier(type.element ?? type) : -1,
      attbyval: bytes > 0 && bytes <= 8,
      attalign: bytes === 8 ? 'd' : 'i',
      attstorage: bytes > 0 ? 'p' : type.id === 'numeric' ? 'm' : 'x',
      attcompression: '',
      attnotnull: column?.notNull ?? false,
      atthasdef: column !== null && defaultDefinition(catalog, column) !== null,
      atthasmissing: column !== null && column.missing !== null,
      attidentity: column?.identity == null ? '' : column.identity === 'always' ? 'a' : 'd',
      attgenerated: column?.generated == null ? '' : 's',
      attisdropped: false,
      attislocal: true,
      attinhcount: 0,
      attcollation: text ? 100 : 0,
      attacl: column === null ? null : aclArray(catalog, catalog.access.columnAcl(relation.oid, column.slot)),
    }
  })
}

function indexRows(entry: TableSchema): Row[] {
  const { primaryKey, indexes } = entry
  const slotAt = (position: number): number => (entry.columns[position]?.slot ?? -1) + 1
  const row = (own: Pick<IndexSchema, 'oid' | 'columns'>, index: IndexSchema | null): Row => {
    const count = own.columns.length
    const texts = index?.keys?.flatMap(({ text }) => text ?? []) ?? []
    const options = own.columns.map((_, i) => {
      const key = index?.keys?.[i]
      return key === undefined ? 0 : Number(key.descending) + 2 * Number(key.nullsFirst)
    })
    const ready = index?.ready ?? true
    return {
      indexrelid: indexOid(own.oid),
      indrelid: entry.oid,
      indnatts: count,
      indnkeyatts: count,
      indisunique: index === null || index.unique || index.deferral !== undefined,
      indnullsnotdistinct: false,
      indisprimary: index === null,
      indisexclusion: false,
      indimmediate: true,
      indisclustered: false,
      indisvalid: ready,
      indcheckxmin: false,
      indisready: true,
      indislive: true,
      indisreplident: false,
      indkey: vectorText(own.columns.map(slotAt)),
      indoption: vectorText(options),
      indexprs: texts.length === 0 ? null : texts.join(', '),
      indpred: index?.where ?? null,
    }
  }
  return [
    ...(primaryKey === null ? [] : [row(primaryKey, null)]),
    ...indexes.map((index) => row(index, index)),
  ]
}
