/**
 * The SQL types, and how their values look in JavaScript (`Value` of core):
 *
 * | type | value |
 * | --- | --- |
 * | boolean | boolean |
 * | smallint, integer | number, a whole one |
 * | bigint | bigint |
 * | real, double precision | number; a real is a double rounded to single precision |
 * | numeric | string: canonical decimal text that keeps the scale, or `NaN`; no infinities |
 * | text, character varying, character | string |
 * | timestamp | bigint: microseconds since 1970-01-01; the ends of the range stand for ±infinity |
 * | date | number: days since 1970-01-01; ±Infinity |
 * | interval | string: its canonical text, as PostgreSQL prints it |
 * | bytea | Uint8Array |
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
  | 'date'
  | 'interval'
  | 'bytea'
  | 'unknown'

/** PostgreSQL's categories, which steer the choice of an overload. */
export type TypeCategory = 'boolean' | 'number' | 'string' | 'datetime' | 'timespan' | 'user' | 'unknown'

/**
 * A type with its modifiers. Two of one id and equal modifiers are equal (`sameType`); functions look at ids
 * only.
 */
export interface SqlType {
  readonly id: TypeId
  /** Characters, for varchar and char; digits of the fraction, 0 … 6, for timestamp. Null: no limit. */
  readonly length: number | null
  /** For numeric: digits in all. Null: any. */
  readonly precision: number | null
  /** For numeric with a precision: digits of the fraction. */
  readonly scale: number | null
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
export const DATE: SqlType = plain('date')
export const INTERVAL: SqlType = plain('interval')
export const BYTEA: SqlType = plain('bytea')
export const UNKNOWN: SqlType = plain('unknown')

/** Every type without modifiers, by its id. */
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
  date: DATE,
  interval: INTERVAL,
  bytea: BYTEA,
  unknown: UNKNOWN,
}

interface TypeFacts {
  /** As PostgreSQL's `format_type` prints it, and as it is written in `TypeName.name`. */
  readonly name: string
  readonly oid: number
  /** Bytes in PostgreSQL's catalog, −1 for variable length; for the wire protocol. */
  readonly bytes: number
  readonly category: TypeCategory
  /** The type that its category prefers when in doubt. */
  readonly preferred: boolean
}

const facts: Readonly<Record<TypeId, TypeFacts>> = {
  boolean: { name: 'boolean', oid: 16, bytes: 1, category: 'boolean', preferred: true },
  smallint: { name: 'smallint', oid: 21, bytes: 2, category: 'number', preferred: false },
  integer: { name: 'integer', oid: 23, bytes: 4, category: 'number', preferred: false },
  bigint: { name: 'bigint', oid: 20, bytes: 8, category: 'number', preferred: false },
  real: { name: 'real', oid: 700, bytes: 4, category: 'number', preferred: false },
  double: { name: 'double precision', oid: 701, bytes: 8, category: 'number', preferred: true },
  numeric: { name: 'numeric', oid: 1700, bytes: -1, category: 'number', preferred: false },
  text: { name: 'text', oid: 25, bytes: -1, category: 'string', preferred: true },
  varchar: { name: 'character varying', oid: 1043, bytes: -1, category: 'string', preferred: false },
  char: { name: 'character', oid: 1042, bytes: -1, category: 'string', preferred: false },
  timestamp: {
    name: 'timestamp without time zone',
    oid: 1114,
    bytes: 8,
    category: 'datetime',
    preferred: false,
  },
  date: { name: 'date', oid: 1082, bytes: 4, category: 'datetime', preferred: false },
  interval: { name: 'interval', oid: 1186, bytes: 16, category: 'timespan', preferred: true },
  bytea: { name: 'bytea', oid: 17, bytes: -1, category: 'user', preferred: false },
  unknown: { name: 'unknown', oid: 705, bytes: -2, category: 'unknown', preferred: false },
}

/** The name without modifiers: `double precision`. */
export const typeName = (type: SqlType): string => facts[type.id].name

/** The number that PostgreSQL's protocol knows the type by. */
export const typeOid = (type: SqlType): number => facts[type.id].oid

export const typeBytes = (type: SqlType): number => facts[type.id].bytes

export const typeCategory = (id: TypeId): TypeCategory => facts[id].category

export const isPreferred = (id: TypeId): boolean => facts[id].preferred

/** The name with modifiers, as PostgreSQL prints it: `numeric(10,2)`, `timestamp(3) without time zone`. */
export function formatType(type: SqlType): string {
  const { name } = facts[type.id]
  if (type.id === 'numeric' && type.precision !== null) return `${name}(${type.precision},${type.scale ?? 0})`
  if (type.length === null) return name
  return type.id === 'timestamp' ? `timestamp(${type.length}) without time zone` : `${name}(${type.length})`
}

export function sameType(a: SqlType, b: SqlType): boolean {
  return a.id === b.id && a.length === b.length && a.precision === b.precision && a.scale === b.scale
}

/** Characters at most. PostgreSQL's `character` is `character(1)`. */
export const varchar = (length: number | null): SqlType => ({ ...VARCHAR, length })
export const char = (length: number | null): SqlType => ({ ...CHAR, length })
export const numeric = (precision: number, scale: number): SqlType => ({ ...NUMERIC, precision, scale })
export const timestamp = (digits: number | null): SqlType => ({ ...TIMESTAMP, length: digits })
