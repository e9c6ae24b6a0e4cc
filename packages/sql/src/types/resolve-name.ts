import { nearest, SQLSTATE, sqlError } from '../errors.ts'
import { intervalNames, spanOfName } from './interval-fields.ts'
import {
  arrayOf,
  char,
  NAME,
  numeric,
  type SqlType,
  TYPES,
  type TypeId,
  typeName,
  varchar,
  vectorOf,
} from './type.ts'

/** Types that only PostgreSQL's own catalog has, and what stands for them here. */
const systemTypes: Readonly<Record<string, SqlType>> = {
  name: NAME,
  '"char"': TYPES.text,
  cstring: TYPES.text,
  pg_node_tree: TYPES.text,
  aclitem: TYPES.text,
  xid: TYPES.bigint,
  cid: TYPES.bigint,
  regproc: TYPES.text,
  regprocedure: TYPES.text,
  regoper: TYPES.text,
  regoperator: TYPES.text,
  regrole: TYPES.text,
  int2vector: vectorOf(TYPES.smallint),
  oidvector: vectorOf(TYPES.oid),
}

const byName: ReadonlyMap<string, SqlType> = new Map([
  ...Object.values(TYPES)
    .filter(({ id }) => id !== 'enum' && id !== 'array')
    .map((type) => [typeName(type), type] as const),
  ...Object.entries(systemTypes),
  ...intervalNames.map((name) => [name, { ...TYPES.interval, span: spanOfName(name) ?? 'second' }] as const),
  // Blank-padded, of any length.
  ['bpchar', TYPES.char],
])

const modifiable: ReadonlySet<TypeId> = new Set([
  'varchar',
  'char',
  'numeric',
  'timestamp',
  'timestamptz',
  'time',
  'timetz',
  'interval',
  'bit',
  'varbit',
])

/** True for a type that is not one of the catalog's. */
export const isBuiltInType = (name: string): boolean => byName.has(name)

/** What this package asks of a type's name; `TypeName` of the syntax tree is one. */
export interface WrittenType {
  readonly name: string
  readonly modifiers: readonly number[]
  readonly array: boolean
}

/**
 * The type that a name means.
 * @param position of the name in the source, for the error
 * @throws 42704 for an unknown name, 22023 for bad modifiers
 */
export function resolveType(written: WrittenType, position?: number): SqlType {
  const type = resolvePlain(written, position)
  return written.array ? arrayOf(type) : type
}

function resolvePlain({ name, modifiers }: WrittenType, position?: number): SqlType {
  const type = byName.get(name)
  if (type === undefined || type.id === 'unknown' || type.id === 'array') {
    const near = nearest(name, byName.keys())
    throw sqlError(SQLSTATE.undefinedObject, `type "${name}" does not exist`, {
      position,
      hint: near === null ? undefined : `Perhaps you meant ${near}.`,
    })
  }
  const [first, second, third] = modifiers
  if (first === undefined)
    return name === typeName(TYPES.char) || type.id === 'bit' ? { ...type, length: 1 } : type
  const invalid = (message: string) => sqlError(SQLSTATE.invalidParameterValue, message, { position })
  if (!modifiable.has(type.id))
    throw sqlError(SQLSTATE.syntaxError, `type modifier is not allowed for type "${name}"`, { position })
  if (third !== undefined || (second !== undefined && type.id !== 'numeric'))
    throw invalid(type.id === 'numeric' ? 'invalid NUMERIC type modifier' : 'invalid type modifier')
  switch (type.id) {
    case 'numeric': {
      const scale = second ?? 0
      if (first < 1 || first > 1_000) throw invalid(`NUMERIC precision ${first} must be between 1 and 1000`)
      if (scale > 1_000 || scale < -1_000)
        throw invalid(`NUMERIC scale ${scale} must be between -1000 and 1000`)
      return numeric(first, scale)
    }
    case 'interval':
    case 'timestamp':
    case 'timestamptz':
    case 'time':
    case 'timetz':
      return { ...type, length: Math.min(first, 6) }
    case 'bit':
    case 'varbit': {
      const word = type.id === 'bit' ? 'bit' : 'varbit'
      if (first < 1) throw invalid(`length for type ${word} must be at least 1`)
      if (first > 83_886_080) throw invalid(`length for type ${word} cannot exceed 83886080`)
      return { ...type, length: first }
    }
    default: {
      const word = type.id === 'char' ? 'char' : 'varchar'
      if (first < 1) throw invalid(`length for type ${word} must be at least 1`)
      if (first > 10_485_760) throw invalid(`length for type ${word} cannot exceed 10485760`)
      return type.id === 'char' ? char(first) : varchar(first)
    }
  }
}
