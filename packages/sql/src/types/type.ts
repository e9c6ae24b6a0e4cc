import { type IntervalSpan, intervalModifier } from './interval-fields.ts'
import { type AnyRangeId, forRangeTypes } from './range-types.ts'

/**
 * The SQL types, and how their values look in JavaScript (`Value` of core):
 *
 * | type | value |
 * | --- | --- |
 * | boolean | boolean |
 * | smallint, integer | number, a whole one |
 * | bigint | bigint |
 * | real, double precision | number; a real is a double rounded to single precision |
 * | numeric | string: canonical decimal text that keeps the scale, `NaN`, `Infinity` or `-Infinity` |
 * | text, character varying, character | string |
 * | timestamp | bigint: microseconds since 1970-01-01; the ends of the range stand for ±infinity |
 * | timestamptz | bigint: microseconds since 1970-01-01 in UTC; the ends of the range stand for ±infinity |
 * | time | number: microseconds since midnight, 0 … 86,400,000,000 |
 * | timetz | string: its canonical text, `04:05:06.789+02` |
 * | date | number: days since 1970-01-01; ±Infinity |
 * | interval | string: its canonical text, as PostgreSQL prints it |
 * | bytea | Uint8Array |
 * | uuid | string: 32 hexadecimal digits in lower case with four hyphens |
 * | json | string: the text as it was given |
 * | jsonb | string: canonical text, as PostgreSQL prints it |
 * | enum | string: the label |
 * | oid | number: what `pg_catalog` knows an object by |
 * | regclass, regtype, regnamespace | string: the name of a relation, a type, a schema, as it must be written |
 * | array | string: canonical text, as PostgreSQL prints it: `{1,2,NULL}`; `element` is the items' type |
 * | record | string: canonical text, as PostgreSQL prints it: `(1,"a b",)`; `record` says its fields |
 * | jsonpath | string: canonical text, as PostgreSQL prints it |
 * | bit, bit varying | string of the digits 0 and 1 |
 * | ranges, multiranges | string: canonical text, as PostgreSQL prints it: `[1,5)`, `{[1,5),[7,9)}` |
 * | unknown | string: a literal whose type the context has not decided |
 */
export type TypeId =
  | 'boolean'
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'real'
  | 'double'
  | 'numeric'
  | 'text'
  | 'varchar'
  | 'char'
  | 'timestamp'
  | 'timestamptz'
  | 'date'
  | 'time'
  | 'timetz'
  | 'interval'
  | 'bytea'
  | 'uuid'
  | 'json'
  | 'jsonb'
  | 'array'
  | 'enum'
  | 'oid'
  | 'regclass'
  | 'regtype'
  | 'record'
  | 'jsonpath'
  | 'bit'
  | 'varbit'
  | 'regnamespace'
  | AnyRangeId
  | 'unknown'

/** PostgreSQL's categories, which steer the choice of an overload. */
export type TypeCategory =
  | 'array'
  | 'boolean'
  | 'number'
  | 'string'
  | 'datetime'
  | 'timespan'
  | 'user'
  | 'enum'
  | 'record'
  | 'bits'
  | 'range'
  | 'unknown'

/**
 * A type with its modifiers. Two of one id and equal modifiers are equal (`sameType`); functions look at ids
 * only.
 */
export interface SqlType {
  readonly id: TypeId
  /** Characters, for varchar and char; digits of the fraction, 0 … 6, for times. Null: no limit. */
  readonly length: number | null
  /** For numeric: digits in all. Null: any. */
  readonly precision: number | null
  /** For numeric with a precision: digits of the fraction. */
  readonly scale: number | null
  /** For arrays, and only for them: the type of the items, itself no array. */
  readonly element?: SqlType
  /** For intervals: the fields that it is made of. Absent: all. */
  readonly span?: IntervalSpan
  /** For text: PostgreSQL's `name`, which is only told to clients; some of them go by it. */
  readonly catalogName?: true
  /** For arrays: PostgreSQL's `int2vector` or `oidvector`, which count from 0 and are written without braces. */
  readonly vector?: true
  /** For enums, and only for them. */
  readonly enum?: EnumType
  /** For rows, and only for them. */
  readonly record?: RecordType
}

/** What a row is made of. */
export interface RecordType {
  /** The type of the catalog that it is; null for a row of no name, as `ROW(1, 2)` makes. */
  readonly named: { readonly oid: number; readonly schema: string; readonly name: string } | null
  readonly fields: readonly RecordField[]
}

export interface RecordField {
  readonly name: string
  readonly type: SqlType
}

/** Which enum it is, by `oid`, and what its values are. */
export interface EnumType {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly labels: readonly EnumLabel[]
}

/** Values are ordered by `place`, so that a label can be added between others. */
export interface EnumLabel {
  readonly label: string
  readonly place: number
}

const plain = (id: TypeId): SqlType => ({ id, length: null, precision: null, scale: null })

export const BOOLEAN: SqlType = plain('boolean')
export const SMALLINT: SqlType = plain('smallint')
export const INTEGER: SqlType = plain('integer')
export const BIGINT: SqlType = plain('bigint')
export const REAL: SqlType = plain('real')
export const DOUBLE: SqlType = plain('double')
export const NUMERIC: SqlType = plain('numeric')
export const TEXT: SqlType = plain('text')
export const VARCHAR: SqlType = plain('varchar')
export const CHAR: SqlType = plain('char')
export const TIMESTAMP: SqlType = plain('timestamp')
export const TIMESTAMPTZ: SqlType = plain('timestamptz')
export const TIME: SqlType = plain('time')
export const TIMETZ: SqlType = plain('timetz')
export const UUID: SqlType = plain('uuid')
export const JSON_TYPE: SqlType = plain('json')
export const JSONB: SqlType = plain('jsonb')
export const DATE: SqlType = plain('date')
export const INTERVAL: SqlType = plain('interval')
export const BYTEA: SqlType = plain('bytea')
export const UNKNOWN: SqlType = plain('unknown')
/** The type of no value: each enum has its own labels. */
export const ANY_ENUM: SqlType = plain('enum')
export const OID: SqlType = plain('oid')
export const REGCLASS: SqlType = plain('regclass')
export const REGTYPE: SqlType = plain('regtype')
/** A row of no fields; others are made by `recordOf`. */
export const RECORD: SqlType = { ...plain('record'), record: { named: null, fields: [] } }
export const JSONPATH: SqlType = plain('jsonpath')
export const BIT: SqlType = plain('bit')
export const VARBIT: SqlType = plain('varbit')

/** The type of rows of such fields. */
export const recordOf = (fields: readonly RecordField[], named: RecordType['named'] = null): SqlType => ({
  ...plain('record'),
  record: { named, fields },
})

/** The fields of a row's type. */
export const fieldsOf = (type: SqlType): readonly RecordField[] => type.record?.fields ?? []
export const REGNAMESPACE: SqlType = plain('regnamespace')

/** The type of arrays with such items; an array of arrays is an array of more dimensions. */
export const arrayOf = (element: SqlType): SqlType =>
  element.id === 'array' ? element : { ...plain('array'), element }

/** `int2vector` or `oidvector`. */
export const vectorOf = (element: SqlType): SqlType => ({ ...arrayOf(element), vector: true })

/** The type of an array's items. */
export const elementOf = (type: SqlType): SqlType => type.element ?? TEXT

/** Every type without modifiers, by its id; of arrays the one of texts. */
export const TYPES: Readonly<Record<TypeId, SqlType>> = {
  boolean: BOOLEAN,
  smallint: SMALLINT,
  integer: INTEGER,
  bigint: BIGINT,
  real: REAL,
  double: DOUBLE,
  numeric: NUMERIC,
  text: TEXT,
  varchar: VARCHAR,
  char: CHAR,
  timestamp: TIMESTAMP,
  timestamptz: TIMESTAMPTZ,
  date: DATE,
  time: TIME,
  timetz: TIMETZ,
  interval: INTERVAL,
  bytea: BYTEA,
  uuid: UUID,
  json: JSON_TYPE,
  jsonb: JSONB,
  array: arrayOf(TEXT),
  enum: ANY_ENUM,
  oid: OID,
  regclass: REGCLASS,
  regtype: REGTYPE,
  record: RECORD,
  jsonpath: JSONPATH,
  bit: BIT,
  varbit: VARBIT,
  regnamespace: REGNAMESPACE,
  ...forRangeTypes(plain),
  unknown: UNKNOWN,
}

interface TypeFacts {
  /** As PostgreSQL's `format_type` prints it, and as it is written in `TypeName.name`. */
  readonly name: string
  readonly oid: number
  /** Of its arrays. */
  readonly arrayOid: number
  /** Bytes in PostgreSQL's catalog, −1 for variable length; for the wire protocol. */
  readonly bytes: number
  readonly category: TypeCategory
  /** The type that its category prefers when in doubt. */
  readonly preferred: boolean
}

const facts: Readonly<Record<TypeId, TypeFacts>> = {
  boolean: { name: 'boolean', oid: 16, arrayOid: 1000, bytes: 1, category: 'boolean', preferred: true },
  smallint: { name: 'smallint', oid: 21, arrayOid: 1005, bytes: 2, category: 'number', preferred: false },
  integer: { name: 'integer', oid: 23, arrayOid: 1007, bytes: 4, category: 'number', preferred: false },
  bigint: { name: 'bigint', oid: 20, arrayOid: 1016, bytes: 8, category: 'number', preferred: false },
  real: { name: 'real', oid: 700, arrayOid: 1021, bytes: 4, category: 'number', preferred: false },
  double: {
    name: 'double precision',
    oid: 701,
    arrayOid: 1022,
    bytes: 8,
    category: 'number',
    preferred: true,
  },
  numeric: { name: 'numeric', oid: 1700, arrayOid: 1231, bytes: -1, category: 'number', preferred: false },
  text: { name: 'text', oid: 25, arrayOid: 1009, bytes: -1, category: 'string', preferred: true },
  varchar: {
    name: 'character varying',
    oid: 1043,
    arrayOid: 1015,
    bytes: -1,
    category: 'string',
    preferred: false,
  },
  char: { name: 'character', oid: 1042, arrayOid: 1014, bytes: -1, category: 'string', preferred: false },
  timestamp: {
    name: 'timestamp without time zone',
    oid: 1114,
    arrayOid: 1115,
    bytes: 8,
    category: 'datetime',
    preferred: false,
  },
  timestamptz: {
    name: 'timestamp with time zone',
    oid: 1184,
    arrayOid: 1185,
    bytes: 8,
    category: 'datetime',
    preferred: true,
  },
  time: {
    name: 'time without time zone',
    oid: 1083,
    arrayOid: 1183,
    bytes: 8,
    category: 'datetime',
    preferred: false,
  },
  timetz: {
    name: 'time with time zone',
    oid: 1266,
    arrayOid: 1270,
    bytes: 12,
    category: 'datetime',
    preferred: false,
  },
  uuid: { name: 'uuid', oid: 2950, arrayOid: 2951, bytes: 16, category: 'user', preferred: false },
  json: { name: 'json', oid: 114, arrayOid: 199, bytes: -1, category: 'user', preferred: false },
  jsonb: { name: 'jsonb', oid: 3802, arrayOid: 3807, bytes: -1, category: 'user', preferred: false },
  array: { name: 'anyarray', oid: 2277, arrayOid: 2277, bytes: -1, category: 'array', preferred: false },
  date: { name: 'date', oid: 1082, arrayOid: 1182, bytes: 4, category: 'datetime', preferred: false },
  interval: { name: 'interval', oid: 1186, arrayOid: 1187, bytes: 16, category: 'timespan', preferred: true },
  bytea: { name: 'bytea', oid: 17, arrayOid: 1001, bytes: -1, category: 'user', preferred: false },
  oid: { name: 'oid', oid: 26, arrayOid: 1028, bytes: 4, category: 'user', preferred: false },
  regclass: { name: 'regclass', oid: 2205, arrayOid: 2210, bytes: 4, category: 'user', preferred: false },
  regtype: { name: 'regtype', oid: 2206, arrayOid: 2211, bytes: 4, category: 'user', preferred: false },
  record: { name: 'record', oid: 2249, arrayOid: 2287, bytes: -1, category: 'record', preferred: false },
  jsonpath: { name: 'jsonpath', oid: 4072, arrayOid: 4073, bytes: -1, category: 'user', preferred: false },
  bit: { name: 'bit', oid: 1560, arrayOid: 1561, bytes: -1, category: 'bits', preferred: false },
  varbit: { name: 'bit varying', oid: 1562, arrayOid: 1563, bytes: -1, category: 'bits', preferred: true },
  regnamespace: {
    name: 'regnamespace',
    oid: 4089,
    arrayOid: 4090,
    bytes: 4,
    category: 'user',
    preferred: false,
  },
  ...forRangeTypes((name, { range, oids: [oid, arrayOid, multiOid, multiArrayOid] }) => ({
    name,
    oid: name === range ? oid : multiOid,
    arrayOid: name === range ? arrayOid : multiArrayOid,
    bytes: -1,
    category: 'range' as const,
    preferred: false,
  })),
  enum: { name: 'anyenum', oid: 3500, arrayOid: 0, bytes: 4, category: 'enum', preferred: false },
  unknown: { name: 'unknown', oid: 705, arrayOid: 0, bytes: -2, category: 'unknown', preferred: false },
}

/** The name without modifiers: `double precision`, `integer[]`. */
export const typeName = (type: SqlType): string =>
  type.element === undefined ? plainName(type) : `${plainName(type.element)}[]`

const plainName = (type: SqlType): string => {
  const named = type.enum ?? type.record?.named ?? null
  if (named === null) return type.catalogName === true ? 'name' : facts[type.id].name
  const { schema, name } = named
  return schema === 'public' ? name : `${schema}.${name}`
}

/** The numbers of arrays of enums and composite types begin here, far behind those of all objects. */
export const ENUM_ARRAYS = 0x4000_0000

/** A name in the catalog: a text that clients are told is a `name`. */
export const NAME: SqlType = { ...plain('text'), catalogName: true }
const NAME_OIDS = { plain: 19, array: 1003 } as const
const VECTOR_OIDS: Readonly<Partial<Record<TypeId, number>>> = { smallint: 22, oid: 30 }

const ownOid = (type: SqlType): number | undefined => type.enum?.oid ?? type.record?.named?.oid

/** The number that PostgreSQL's protocol knows the type by. */
export function typeOid(type: SqlType): number {
  const { element } = type
  if (element === undefined)
    return type.catalogName === true ? NAME_OIDS.plain : (ownOid(type) ?? facts[type.id].oid)
  if (type.vector === true) return VECTOR_OIDS[element.id] ?? 0
  if (element.catalogName === true) return NAME_OIDS.array
  const own = ownOid(element)
  return own === undefined ? facts[element.id].arrayOid : ENUM_ARRAYS + own
}

export const typeBytes = (type: SqlType): number => facts[type.id].bytes

/**
 * The modifiers as PostgreSQL packs them into `atttypmod`: the length of varchar and char plus 4, precision and scale of
 * numeric in 16 bits each plus 4, the digits of a time's fraction; −1 for none.
 */
export function typeModifier({ id, length, precision, scale, span }: SqlType): number {
  if (id === 'interval') return intervalModifier(span, length)
  if (id === 'numeric') return precision === null ? -1 : ((precision << 16) | ((scale ?? 0) & 0x7ff)) + 4
  if (length === null) return -1
  return id === 'varchar' || id === 'char' ? length + 4 : length
}

export const typeCategory = (id: TypeId): TypeCategory => facts[id].category

export const isPreferred = (id: TypeId): boolean => facts[id].preferred

/** The name with modifiers, as PostgreSQL prints it: `numeric(10,2)`, `timestamp(3) without time zone`. */
export function formatType(type: SqlType): string {
  if (type.element !== undefined) return `${formatType(type.element)}[]`
  const name = plainName(type) + (type.span === undefined ? '' : ` ${type.span}`)
  if (type.id === 'numeric' && type.precision !== null) return `${name}(${type.precision},${type.scale ?? 0})`
  if (type.length === null) return name
  const [word = '', ...rest] = name.split(' ')
  return rest[0] === 'varying' || type.span !== undefined
    ? `${name}(${type.length})`
    : [`${word}(${type.length})`, ...rest].join(' ')
}

export function sameType(a: SqlType, b: SqlType): boolean {
  if (a === b) return true
  if (a.element !== undefined && b.element !== undefined) return sameType(a.element, b.element)
  if (a.enum !== undefined || b.enum !== undefined) return a.enum?.oid === b.enum?.oid
  if (a.record !== undefined && b.record !== undefined) return sameRecord(a.record, b.record, sameType)
  if (a.catalogName !== b.catalogName) return false
  if (a.span !== b.span) return false
  return a.id === b.id && a.length === b.length && a.precision === b.precision && a.scale === b.scale
}

/** True for types whose values compare and cast alike: modifiers do not matter. */
export const sameKind = (a: SqlType, b: SqlType): boolean =>
  a.id === b.id &&
  a.enum?.oid === b.enum?.oid &&
  (a.record === undefined || b.record === undefined || sameRecord(a.record, b.record, sameKind)) &&
  (a.element === undefined || b.element === undefined || sameKind(a.element, b.element))

/** Rows of one named type, or rows without a name whose fields are alike. */
function sameRecord(a: RecordType, b: RecordType, alike: (a: SqlType, b: SqlType) => boolean): boolean {
  if (a === b) return true
  if (a.named !== null || b.named !== null) return a.named?.oid === b.named?.oid
  return (
    a.fields.length === b.fields.length &&
    a.fields.every(({ type, name }, i) => {
      const other = b.fields[i]
      return other !== undefined && other.name === name && alike(type, other.type)
    })
  )
}

/** The type without modifiers. */
export const unmodified = (type: SqlType): SqlType =>
  type.enum !== undefined || type.record !== undefined
    ? type
    : type.element === undefined
      ? type.catalogName === true
        ? NAME
        : TYPES[type.id]
      : arrayOf(unmodified(type.element))

/** Characters at most. PostgreSQL's `character` is `character(1)`. */
export const varchar = (length: number | null): SqlType => ({ ...VARCHAR, length })
export const char = (length: number | null): SqlType => ({ ...CHAR, length })
export const numeric = (precision: number, scale: number): SqlType => ({ ...NUMERIC, precision, scale })
export const timestamp = (digits: number | null): SqlType => ({ ...TIMESTAMP, length: digits })
