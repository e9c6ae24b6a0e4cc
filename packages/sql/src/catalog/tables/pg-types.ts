import { isMultirange, isRange, RANGE_KINDS } from '../../types/range-kind.ts'
import { boundId } from '../../types/range-types.ts'
import {
  ENUM_ARRAYS,
  type SqlType,
  sameType,
  TYPES,
  typeBytes,
  typeCategory,
  typeModifier,
  typeOid,
} from '../../types/type.ts'
import { type CatalogImage, compositeOid, type ImageType } from '../image.ts'
import { aclArray, guardedIn, ownerOf } from '../image-access.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { type Row, table } from './make.ts'

const categories: Readonly<Record<string, string>> = {
  array: 'A',
  boolean: 'B',
  number: 'N',
  string: 'S',
  datetime: 'D',
  timespan: 'T',
  enum: 'E',
  user: 'U',
  record: 'C',
  bits: 'V',
  range: 'R',
  unknown: 'X',
}

/** Types, with those of the catalog. */
export const typeTables: readonly VirtualTable[] = [
  table(
    'pg_catalog.pg_type',
    `oid oid, typname, typnamespace oid, typowner oid, typlen int2, typbyval bool, typtype, typcategory,
     typispreferred bool, typisdefined bool, typdelim, typrelid oid, typsubscript, typelem oid, typarray oid, typinput,
     typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typalign, typstorage, typnotnull bool,
     typbasetype oid, typtypmod int4, typndims int4, typcollation oid, typdefaultbin, typdefault, typacl text[],
     tableoid oid`,
    ({ catalog }) => catalog.types.map((type) => typeRow(catalog, type)),
  ),
  table('pg_catalog.pg_enum', 'oid oid, enumtypid oid, enumsortorder float4, enumlabel', ({ catalog }) =>
    catalog.entries.flatMap((entry): Row[] =>
      entry.kind !== 'enum'
        ? []
        : entry.labels.map(({ label, place }, i) => ({
            oid: entry.oid * 1_000 + i,
            enumtypid: entry.oid,
            enumsortorder: place,
            enumlabel: label,
          })),
    ),
  ),
  table(
    'pg_catalog.pg_range',
    'rngtypid oid, rngsubtype oid, rngmultitypid oid, rngcollation oid, rngsubopc oid, rngcanonical, rngsubdiff',
    () =>
      RANGE_KINDS.map(({ range, multirange, subtype, next }) => ({
        rngtypid: typeOid(range),
        rngsubtype: typeOid(subtype),
        rngmultitypid: typeOid(multirange),
        rngcollation: 0,
        rngsubopc: 0,
        rngcanonical: next === null ? '-' : `${range.id}_canonical`,
        rngsubdiff: `${range.id}_subdiff`,
      })),
  ),
]

function typeRow(catalog: CatalogImage, { oid, schema, name, type, entry }: ImageType): Row {
  const domain = entry?.kind === 'domain' ? entry : null
  const array = type.element !== undefined
  const bytes = array ? -1 : type.catalogName === true ? 64 : typeBytes(type)
  return {
    oid,
    typname: name,
    typnamespace: catalog.schemaOid(schema),
    typowner: ownerOf(catalog, entry),
    typacl: entry === null ? null : aclArray(catalog, catalog.access.aclOf(guardedIn(catalog, entry))),
    typlen: bytes,
    typbyval: bytes > 0 && bytes <= 8,
    typtype: kindOf(type, domain !== null),
    typcategory: categories[array ? 'array' : typeCategory(type.id)] ?? 'U',
    typispreferred: false,
    typisdefined: true,
    typdelim: ',',
    typrelid: !array && entry?.kind === 'composite' ? compositeOid(entry.oid) : 0,
    typsubscript: array ? 'array_subscript_handler' : '-',
    typelem: type.element === undefined ? 0 : typeOid(type.element),
    typarray: arrayOid(catalog, { oid, schema, name, type, entry }),
    typinput: `${io(name, type)}in`,
    typoutput: `${io(name, type)}out`,
    typreceive: `${io(name, type)}recv`,
    typsend: `${io(name, type)}send`,
    typmodin: '-',
    typmodout: '-',
    typanalyze: '-',
    typalign: isDouble(type) ? 'd' : 'i',
    typstorage: bytes > 0 ? 'p' : type.id === 'numeric' ? 'm' : 'x',
    typnotnull: domain?.notNull ?? false,
    typbasetype: domain === null ? 0 : typeOid(domain.type),
    typtypmod: domain === null ? -1 : typeModifier(domain.type),
    typndims: 0,
    typcollation: ['text', 'varchar', 'char'].includes(type.id) ? 100 : 0,
    typdefault: domain?.defaultText ?? null,
    tableoid: 1247,
  }
}

/** What the names of the functions that read and write values begin with. */
function io(name: string, type: SqlType): string {
  if (type.element !== undefined) return 'array_'
  return isRange(type) ? 'range_' : isMultirange(type) ? 'multirange_' : name
}

function kindOf(type: SqlType, domain: boolean): string {
  if (domain) return 'd'
  if (type.enum !== undefined) return 'e'
  if (type.record !== undefined) return 'c'
  return isRange(type) ? 'r' : isMultirange(type) ? 'm' : 'b'
}

/** True where values, or the items of arrays, begin at a multiple of eight bytes. */
const isDouble = (type: SqlType): boolean => typeBytes(TYPES[boundId((type.element ?? type).id)]) === 8

function arrayOid(catalog: CatalogImage, { oid, type, entry }: ImageType): number {
  if (type.element !== undefined || entry?.kind === 'domain') return 0
  if (type.enum !== undefined || type.record !== undefined) return ENUM_ARRAYS + oid
  return (
    catalog.types.find(
      (one) => one.entry === null && one.type.element !== undefined && sameType(one.type.element, type),
    )?.oid ?? 0
  )
}
